"""HTTP requests under which answers could come apart: what the three kinds of server answer, beside nginx, and how they end.

The forms are those of tests/tool/requests.json, which the parser's own test reads too.
"""

import contextlib
import json
import os
import re
import socket
import ssl
import time

from harness import MissingPeer, Process, check, equal, free_port, matches, program, wait_until_listening

GET = b"GET /small.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"
GET_LARGE = b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n"
LARGE = 1 << 20


class Wire:
    """A TLS connection whose every step is one's own: a half-close does not wait for the peer's, and each end has its name."""

    def __init__(self, session, port, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", port))
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context(cafile=session.ca())
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname="localhost")
        self._step(self._tls.do_handshake)

    def _step(self, operation):
        while True:
            try:
                return operation()
            except ssl.SSLWantReadError:
                self._flush()
                data = self.socket.recv(65536)
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            finally:
                self._flush()

    def _flush(self):
        if self._outgoing.pending:
            self.socket.sendall(self._outgoing.read())

    def send(self, data, last=False):
        """Sends the bytes, and with the last of them close_notify, in one write."""
        self._tls.write(data)
        if last:
            with contextlib.suppress(ssl.SSLWantReadError):
                self._tls.unwrap()
        self._flush()

    def read(self):
        """Some bytes; none: close_notify."""
        try:
            return self._step(lambda: self._tls.read(65536))
        except ssl.SSLZeroReturnError:
            return b""

    def read_all(self, patience=20):
        """All bytes, and how they end."""
        self.socket.settimeout(patience)
        received = b""
        try:
            while data := self.read():
                received += data
        except socket.timeout:
            return received, "open"
        except ssl.SSLEOFError:
            return received, "cut off"
        except ssl.SSLError as error:
            return received, error.reason
        except ConnectionResetError:
            return received, "reset"
        return received, "close_notify"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def statuses(answers):
    return [int(number) for number in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answers)]


# --- forms -----------------------------------------------------------------------------------------------------------

def forms():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tool", "requests.json")
    with open(path, encoding="utf-8") as file:
        for form in json.load(file):
            parts = form["bytes"] if isinstance(form["bytes"], list) else [form["bytes"]]
            texts = [part if isinstance(part, str) else part[0] * part[1] for part in parts]
            yield form, "".join(texts).encode("latin-1")


def answers_of(session, port, patience):
    """What each form is answered with: the statuses, and how the connection ends."""
    found = {}
    for form, data in forms():
        with Wire(session, port) as wire:
            with contextlib.suppress(OSError):  # one that has heard enough does not hear the rest
                wire.send(data)
            answers, end = wire.read_all(patience)
            found[form["name"]] = statuses(answers), end
    return found


def smuggling(session):
    table = {}
    for loop in session.loops():
        with session.case(f"{loop}: one answer to one request, whatever is smuggled"):
            with session.server("--loop", loop, "--quiet") as server:
                table[loop] = answers_of(session, server.port, 5)
            wrong = [f"{form['name']}: {table[loop][form['name']]}, not {form['answers']}" for form, _ in forms()
                     if table[loop][form["name"]] != (form["answers"], "close_notify")]
            check(not wrong, "\n" + "\n".join(wrong))
    try:
        nginx = program("nginx", "/usr/sbin/nginx")
    except MissingPeer as missing:
        session.note(f"no answers of nginx beside: {missing}")
        return
    with session.case("nginx's answers beside"):
        with nginx_server(session, nginx) as port:
            table["nginx"] = answers_of(session, port, 3)
        rows = [dict(name=form["name"], section=form["section"], expected=form["answers"],
                     **{server: [*found[form["name"]]] for server, found in table.items()}) for form, _ in forms()]
        session.write("requests.json", json.dumps(rows, indent=1).encode())
        print_table(rows)
        alike = sum(row["nginx"][0] == row["expected"] for row in rows)
        session.note(f"nginx answers {alike} of {len(rows)} forms alike; the table is {session.path('requests.json')}")


def print_table(rows):
    text = lambda answers: " ".join(str(status) for status in answers[0]) or "none"
    servers = [name for name in rows[0] if name not in ("name", "section", "expected")]
    print(f"        {'RFC 9112':9} {'form':52} " + " ".join(f"{server:11}" for server in servers))
    for row in rows:
        differs = any(text(row[server]) != text([row["expected"]]) for server in servers)
        print(f"        {row['section']:9} {row['name']:52} " + " ".join(f"{text(row[server]):11}" for server in servers)
              + (" <" if differs else ""))


@contextlib.contextmanager
def nginx_server(session, nginx):
    certificate, key = session.leaf("p256")
    port = free_port()
    temporary = "\n".join(f"{kind}_temp_path {session.path(kind)};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    configuration = session.write("nginx.conf", f"""
daemon off; master_process off; worker_processes 1;
pid {session.path("nginx.pid")}; error_log {session.path("nginx.log")};
events {{ worker_connections 64; }}
http {{
  access_log off; {temporary}
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};
    keepalive_timeout 50ms; client_header_timeout 500ms; client_body_timeout 500ms; lingering_timeout 50ms;
    location / {{ return 200 "here"; }}
  }}
}}
""".encode())
    with Process([nginx, "-c", configuration, "-e", session.path("nginx.log")]) as process:
        wait_until_listening(port, process)
        yield port


# --- ends ------------------------------------------------------------------------------------------------------------

def half_close(session, loop, folder):
    def answers_to(*pieces):
        with Wire(session, server.port) as wire:
            for piece in pieces[:-1]:
                wire.send(piece)
                time.sleep(0.1)
            wire.send(pieces[-1], last=True)
            answers, end = wire.read_all()
        equal(end, "close_notify", "the end")
        check("error" not in server.next_report(), "no trouble")
        return answers

    with session.server("--loop", loop, "--dir", folder) as server:
        with session.case(f"{loop}: requests in pieces, then the end of the client's side"):
            answers = answers_to(GET[:20], GET[20:] + GET_LARGE + GET)
            equal(statuses(answers), [200, 200, 200], "answers")
            check(answers.endswith(b"small\n"), "the last body is whole")
        with session.case(f"{loop}: a half request, then the end of the client's side"):
            equal(statuses(answers_to(GET + GET[:20])), [200, 400], "answers")
        with session.case(f"{loop}: an empty line, then the end of the client's side"):
            equal(statuses(answers_to(GET + b"\r\n")), [200], "answers")


def changing_files(session, loop, folder):
    path = os.path.join(folder, "changing.bin")

    def ask(size, change):
        with open(path, "wb") as file:
            file.write(bytes(size))
        with Wire(session, server.port) as wire:
            wire.send(b"GET /changing.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            received = wire.read()
            change()
            rest, end = wire.read_all()
        head, body = (received + rest).split(b"\r\n\r\n", 1)
        equal(int(matches(r"Content-Length: (\d+)", head.decode(), "the length").group(1)), size, "the length")
        return len(body), end, server.next_report()

    def append():
        with open(path, "ab") as file:
            file.write(b"more")

    with session.server("--loop", loop, "--dir", folder) as server:
        with session.case(f"{loop}: a file that becomes shorter while it is served"):
            size = 16 << 20  # more than sockets and buffers hold of what a client does not read
            got, end, report = ask(size, lambda: os.truncate(path, 1000))
            check(got < size, "not all of it comes")
            equal(end, "TLSV1_ALERT_INTERNAL_ERROR", "the end")
            matches("has become shorter", report["error"]["text"], "our report")
        with session.case(f"{loop}: a file that becomes longer while it is served"):
            got, end, report = ask(1 << 20, append)
            equal((got, end), (1 << 20, "close_notify"), "what was promised, and the end")
            check("error" not in report, "no trouble")


def deadlines(session, loop, folder):
    with session.server("--loop", loop, "--dir", folder, "--timeout", "0.8") as server:
        for name, before in (("the first request", b""), ("the second request", GET)):
            with session.case(f"{loop}: {name} comes byte by byte and never ends"):
                with Wire(session, server.port) as wire:
                    wire.send(before + b"GET / HTTP/1.1\r\nX: ")
                    started = time.monotonic()
                    while time.monotonic() < started + 10:
                        wire.socket.settimeout(0.1)
                        try:
                            if not wire.read():
                                break
                        except socket.timeout:
                            wire.send(b"y")
                        except (OSError, ssl.SSLError):
                            break
                    took = time.monotonic() - started
                check(0.5 < took < 4, f"the connection ends in 0.8 s, not {took:.1f}")
                equal(server.next_report()["error"]["condition"], "timeout", "our report")
        with session.case(f"{loop}: an answer may take longer than a request"):
            with Wire(session, server.port, receive_buffer=8192) as wire:
                wire.send(GET + GET_LARGE + GET_LARGE, last=True)
                received = 0
                started = time.monotonic()
                while data := wire.read():
                    received += len(data)
                    if time.monotonic() < started + 1.2:
                        time.sleep(0.02)
            check(received > 2 * LARGE, f"both large answers are whole: {received} bytes")
            check("error" not in server.next_report(), "no trouble")


def main(session):
    folder = session.path("www")
    os.makedirs(folder)
    with open(os.path.join(folder, "small.txt"), "wb") as file:
        file.write(b"small\n")
    with open(os.path.join(folder, "large.bin"), "wb") as file:
        file.write(bytes(LARGE))
    smuggling(session)
    for loop in session.loops():
        half_close(session, loop, folder)
        changing_files(session, loop, folder)
        deadlines(session, loop, folder)
