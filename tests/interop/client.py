"""What `lockstep client` is used for: fetching over HTTP, ways to the server, signals, reports."""

import contextlib
import os
import pty
import signal
import socket
import ssl
import threading
import time

from harness import Client, Process, check, equal, matches, run, run_ok

BODY = bytes(range(256)) * 400
OK = b"HTTP/1.1 200 OK\r\n"


@contextlib.contextmanager
def peer(session, talk):
    """A TLS server that talks as told with one client after the other; yields its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*session.leaf("p256"))

    def serve():
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            raw.settimeout(30)
            with contextlib.suppress(OSError), context.wrap_socket(raw, server_side=True) as client:
                talk(client)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def request_of(client):
    request = b""
    while b"\r\n\r\n" not in request:
        data = client.recv(4096)
        if not data:
            break
        request += data
    return request


def answering(*pieces, then="stay"):
    """Sends the pieces, and then stays until the client ends, ends with close_notify, or breaks off."""
    def talk(client):
        request_of(client)
        for piece in pieces:
            client.sendall(piece)
            if len(pieces) > 1:
                time.sleep(0.02)
        if then == "stay":
            equal(client.recv(1), b"", "what the client says next")
        elif then == "end":
            client.unwrap()
        else:
            client.shutdown(socket.SHUT_RDWR)
    return talk


def fetching(session):
    folder = session.path("www")
    os.makedirs(folder, exist_ok=True)
    session.write("www/file.bin", BODY)
    session.write("www/empty", b"")
    with session.server("--dir", folder) as server:
        base = [session.tool, "client", "--ca", session.ca(), "--address", "127.0.0.1"]
        url = f"https://localhost:{server.port}/file.bin"
        with session.case("--get writes the body alone"):
            client = session.client(server.port, "--get", "/file.bin")
            equal(client.output, BODY, "the body")
            equal((client.report["http_status"], client.report["body_bytes"]), (200, len(BODY)), "status and size")
        with session.case("a URL says what to get, and -i has the head, too"):
            process = run_ok([*base, url, "-i", "-q"])
            head, body = bytes(process.stdout).split(b"\r\n\r\n", 1)
            check(head.startswith(b"HTTP/1.1 200 OK\r\n"), "the head")
            equal((body, bytes(process.stderr)), (BODY, b""), "the body, and standard error")
        with session.case("-o and -O write files"):
            process = run_ok([*base, url, "-o", session.path("out.bin")])
            equal((open(session.path("out.bin"), "rb").read(), bytes(process.stdout)), (BODY, b""), "the file")
            os.makedirs(session.path("named"), exist_ok=True)
            run_ok([*base, url, "-O"], cwd=session.path("named"))
            equal(open(session.path("named/file.bin"), "rb").read(), BODY, "the file with the URL's name")
            run_ok([*base, f"https://localhost:{server.port}/empty", "-o", session.path("out.bin")])
            equal(os.path.getsize(session.path("out.bin")), 0, "size of an empty body's file")
        with session.case("an error of HTTP is told, and fails with --fail"):
            client = session.client(server.port, "--get", "/nothing")
            equal(client.report["http_status"], 404, "status")
            check(client.output, "its page is written")
            path = session.write("kept", b"kept")
            client = session.client(server.port, "--get", "/nothing", "--fail", "-o", path, ok=False)
            equal((client.status, open(path, "rb").read()), (1, b"kept"), "exit status, and the file")
            equal((client.report["error"]["operation"], client.report["error"]["condition"]), ("http", "status"), "error")
            matches(r"404 Not Found", client.report["error"]["text"], "which status")
            equal(session.client(server.port, "--get", "/file.bin", "--fail").output, BODY, "what is there")
        with session.case("a repeated option takes one value each time"):
            process = run_ok([session.tool, "client", "--address", "127.0.0.1", "--ca", session.ca("other-ca"), "--ca", session.ca(),
                              url, "-q"])
            equal(bytes(process.stdout), BODY, "the body")


def framing(session):
    chunks = OK + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\none\r\n0003\r\ntwo\r\n0\r\nTrailer: x\r\n\r\n"
    with session.case("chunks end the answer, whoever keeps the connection open"):
        with peer(session, answering(*[chunks[i:i + 1] for i in range(len(chunks))])) as port:
            equal(session.client(port, "--get", "/", timeout=20).output, b"onetwo", "the body")
    with session.case("so does Content-Length"):
        with peer(session, answering(OK + b"Content-Length: 3\r\n\r\none and what is none of it")) as port:
            equal(session.client(port, "--get", "/", timeout=20).output, b"one", "the body")
    with session.case("a body without length ends with close_notify"):
        with peer(session, answering(b"HTTP/1.0 200 OK\r\n\r\none", then="end")) as port:
            equal(session.client(port, "--get", "/").output, b"one", "the body")
    for name, answer, condition, text in (
            ("a body that is shorter than its length", OK + b"Content-Length: 10\r\n\r\none", "short", "3 of 10 bytes came"),
            ("a body without its last chunk", OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n", "short", "no last chunk"),
            ("no answer", b"", "short", "without an answer"),
            ("an answer that is no HTTP", b"SSH-2.0-OpenSSH_9.2\r\n", "malformed", "no HTTP/1.1: 'SSH-2.0"),
            ("a coding that nobody asked for", OK + b"Transfer-Encoding: gzip\r\n\r\none", "malformed", "gzip")):
        with session.case(f"{name} is a failure"):
            with peer(session, answering(answer, then="end")) as port:
                client = session.client(port, "--get", "/", ok=False)
                equal((client.status, client.report["ok"]), (1, False), "exit status, ok")
                equal((client.report["error"]["operation"], client.report["error"]["condition"]), ("http", condition), "error")
                check(text in client.report["error"]["text"], f"the reason: {client.report['error']['text']}")
    with session.case("a connection that breaks off says what is missing"):
        with peer(session, answering(OK + b"Content-Length: 10\r\n\r\none", then="break")) as port:
            client = session.client(port, "--get", "/", ok=False)
            equal((client.status, client.output, client.report["error"]["reason"]), (1, b"one", "truncated"), "failure")
            matches(r"3 of 10 bytes came", client.report["error"]["text"], "what is missing")
    with session.case("fields of one's own"):
        asked = []

        def talk(client):
            asked.append(request_of(client))
            client.sendall(OK + b"Content-Length: 0\r\n\r\n")
        with peer(session, talk) as port:
            session.client(port, "--get", "/a?b", "-H", "X-One: 1", "-H", "accept: text/plain", "--header", "User-Agent:")
            equal(asked, [f"GET /a?b HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\nX-One: 1\r\naccept: text/plain\r\n\r\n"
                          .encode()], "the request")
    with session.case("what cannot be asked"):
        for words in (["localhost", "--get", "/a b"], ["localhost", "--get", "a"], ["http://localhost/"], ["https://a:b@localhost/"],
                      ["https://localhost/", "--get", "/"], ["https://localhost/", "-O"], ["localhost", "--fail"],
                      ["https://localhost/", "-H", "X"], ["https://localhost/", "-H", "X: a\r\nY: b"],
                      ["https://localhost/", "-H", "Content-Length: 1"], ["localhost", "-4", "-6"],
                      ["localhost", "--proxy", "https://proxy"], ["localhost", "--keep-open", "--send-only"]):
            equal(run([session.tool, "client", *words]).popen.returncode, 2, f"exit status of {words}")
    with session.case("progress is for terminals"):
        def talk(client):
            request_of(client)
            client.sendall(OK + b"Content-Length: 12\r\n\r\n")
            for _ in range(12):
                client.sendall(b"x")
                time.sleep(0.1)
        with peer(session, talk) as port:
            words = [session.tool, "client", f"localhost:{port}", "--address", "127.0.0.1", "--ca", session.ca(), "--get", "/"]
            check("12 bytes, " not in run_ok(words).text, "none in a pipe")
            ours, theirs = pty.openpty()
            client = Process(["sh", "-c", 'exec "$@" 2>"$TERMINAL"', "sh", *words],
                             env=dict(os.environ, TERMINAL=os.ttyname(theirs)))
            equal(client.finish(), 0, "exit status")
            shown = os.read(ours, 65536).decode()
            os.close(theirs)
            os.close(ours)
            matches(r"\r\x1b\[K  \d+ of 12 bytes, \d+ %, \d+ a second", shown, "how far it is")


def signals(session):
    # What runs in the background of a script ignores it, and so would the programs that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, name in ((signal.SIGINT, "SIGINT"), (signal.SIGTERM, "SIGTERM")):
        with session.case(f"{name} ends a conversation with close_notify and a report"):
            with session.server("--echo") as server:
                process = session.client_process(server.port)
                process.send(b"hello\n")
                process.wait_for(r"^hello$")
                process.popen.send_signal(number)
                equal(process.finish(), 128 + number, "exit status")
                report = Client(process).report
                equal((report["ok"], report["error"]["condition"], report["bytes_received"]), (False, "canceled", 6), "report")
                matches(name, report["error"]["text"], "which signal")
                check(server.next_report()["ok"], "the server saw a good end")
    with session.case("a signal ends a download that stands still, with a summary"):
        with peer(session, answering(OK + b"Content-Length: 10\r\n\r\none\n")) as port:
            process = session.client_process(port, "--get", "/", json_report=False)
            process.wait_for(r"^one$")
            process.popen.send_signal(signal.SIGINT)
            equal(process.finish(), 130, "exit status")
            matches(r"^  ended +by SIGINT$", process.text, "the summary")
            check("error:" not in process.text, "it is no error")
    with session.case("a signal ends a handshake that stands still"):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            process = session.client_process(silent.getsockname()[1])
            connection, _ = silent.accept()
            check(connection.recv(1), "a ClientHello")
            process.popen.send_signal(signal.SIGTERM)
            equal(process.finish(), 143, "exit status")
            equal(Client(process).report["error"]["condition"], "canceled", "condition")
            connection.close()
    with session.case("a second signal kills"):
        with session.server("--echo") as server:
            process = session.client_process(server.port)
            process.send(b"hello\n")
            process.wait_for(r"^hello$")
            for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
                process.popen.send_signal(number)
            equal(process.finish(), -signal.SIGTERM, "exit status")
            server.next_report()


def reports(session):
    for name, words, operation in (("nobody listens", ["127.0.0.1:1"], "connect"), ("there is no such host", ["nowhere.invalid"], "resolve")):
        with session.case(f"JSON when {name}"):
            client = Client(run([session.tool, "client", *words, "--ca", session.ca(), "--json"]))
            equal((client.status, client.report["ok"], client.report["error"]["operation"]), (1, False, operation), "report")
            check("peer" not in client.report, "nobody was reached")
    with session.case("JSON when STARTTLS is refused"):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            process = session.client_process(listener.getsockname()[1], "--starttls", "smtp")
            connection, _ = listener.accept()
            connection.sendall(b"554 no\r\n")
            equal(process.finish(), 1, "exit status")
            connection.close()
            equal(Client(process).report["error"]["operation"], "starttls", "operation")
    with session.case("JSON when the output cannot be written"):
        with session.server() as server:
            client = session.client(server.port, "--get", "/", "-o", session.path("no/such/folder"), ok=False)
            equal((client.status, client.report["error"]["operation"]), (1, "output"), "report")
    with session.case("a failed handshake is no connection, and the peer is told all the same"):
        with session.server() as server:
            client = session.client(server.port, ca=session.ca("other-ca"), ok=False)
            equal(client.report["peer"], f"127.0.0.1:{server.port}", "the address")
            process = session.client_process(server.port, ca=session.ca("other-ca"), json_report=False)
            equal(process.finish(), 1, "exit status")
            check("connected to" not in process.text, "it was not connected")
            matches(rf"^  no connection with +127\.0\.0\.1:{server.port}$", process.text, "the address")
    with session.case("--quiet has no success in JSON either"):
        with session.server() as server:
            equal(session.client_process(server.port, "--get", "/", "--quiet").finish(), 0, "exit status")
            process = session.client_process(server.port, "--get", "/", "--quiet")
            process.finish()
            equal(bytes(process.stderr), b"", "standard error")
            client = session.client(server.port, "--quiet", ca=session.ca("other-ca"), ok=False)
            equal(client.report["ok"], False, "a failure is told")
    with session.case("SSLKEYLOGFILE is heeded aloud"):
        keys = session.path("environment.keys")
        with session.server() as server:
            words = [session.tool, "client", f"localhost:{server.port}", "--address", "127.0.0.1", "--ca", session.ca(), "--get", "/"]
            process = run_ok(words, env=dict(os.environ, SSLKEYLOGFILE=keys))
            matches(r"^warning: SSLKEYLOGFILE is set", process.text, "the line")
            check("CLIENT_HANDSHAKE_TRAFFIC_SECRET" in open(keys).read(), "the secrets")
            run_ok([*words, "--keylog", session.path("option.keys")], env=dict(os.environ, SSLKEYLOGFILE=session.path("unused.keys")))
            check(not os.path.exists(session.path("unused.keys")), "--keylog goes before")
    with session.case("--insecure is --no-verify"):
        with session.server() as server:
            for option in ("--insecure", "--no-verify"):
                client = session.client(server.port, option, "--get", "/", ca=session.ca("other-ca"))
                matches(r"^warning: --insecure: .*NOT verified", client.process.text, "the warning")
    with session.case("--showcerts writes what the peer shows, trusted or not"):
        with session.server() as server:
            leaf = open(session.leaf("p256")[0], "rb").read()
            for ca, status in ((session.ca(), 0), (session.ca("other-ca"), 1)):
                process = session.client_process(server.port, "--showcerts", "--quiet", ca=ca)
                process.close_stdin()
                equal((process.finish(), bytes(process.stdout)), (status, leaf), "exit status and PEM")
    with session.case("--crlf sends lines as protocols in text have them"):
        with session.server("--echo") as server:
            equal(session.client(server.port, "--crlf", stdin=b"a\nb\r\n\nc").output, b"a\r\nb\r\n\r\nc", "the echo")


@contextlib.contextmanager
def proxy(answer):
    """An HTTP proxy that gives this answer, and with a status of 2xx connects; yields its port and what it was asked."""
    asked = []

    def copy(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(16384):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):
                client.settimeout(30)
                request = request_of(client)
                asked.append(request)
                if b" 2" not in answer[:12]:
                    client.sendall(answer)
                    continue
                port = int(request.split()[1].rsplit(b":", 1)[1])
                with socket.create_connection(("127.0.0.1", port)) as server:
                    client.sendall(answer)
                    threading.Thread(target=copy, args=(server, client), daemon=True).start()
                    copy(client, server)
                    time.sleep(0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1], asked
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def ways(session):
    with session.server() as server:
        base = [session.tool, "client", "--ca", session.ca(), "--get", "/", "--json"]
        with session.case("through a proxy"):
            with proxy(b"HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\n") as (port, asked):
                client = Client(run_ok([*base, f"localhost:{server.port}", "--proxy", f"http://127.0.0.1:{port}"]))
                check(b"suite:" in client.output, "the page")
                equal(asked, [f"CONNECT localhost:{server.port} HTTP/1.1\r\nHost: localhost:{server.port}\r\n\r\n".encode()], "request")
                equal(client.report["proxy"], f"127.0.0.1:{port}", "the report")
        with session.case("through the proxy of the environment, when it is asked for"):
            with proxy(b"HTTP/1.0 200 OK\r\n\r\n") as (port, asked):
                environment = dict(os.environ, HTTPS_PROXY=f"http://127.0.0.1:{port}")
                words = [*base, f"localhost:{server.port}", "--address", "127.0.0.1"]
                run_ok(words, env=environment)
                equal(len(asked), 0, "requests that nobody wanted")
                run_ok([*words, "--proxy", "env"], env=environment)
                equal(len(asked), 1, "requests")
            environment = {name: value for name, value in os.environ.items() if name.upper() != "HTTPS_PROXY"}
            equal(run([*words, "--proxy", "env"], env=environment).popen.returncode, 2, "exit status when it names none")
        for name, answer, text in (("refuses", b"HTTP/1.1 403 Forbidden\r\n\r\n", "403 Forbidden"),
                                   ("wants to know who asks", b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407"),
                                   ("is none", b"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP/1.1"),
                                   ("says nothing", b"", "without an answer")):
            with session.case(f"a proxy that {name}"):
                with proxy(answer) as (port, _):
                    client = Client(run([*base, f"localhost:{server.port}", "--proxy", f"127.0.0.1:{port}"]))
                    equal((client.status, client.report["error"]["operation"]), (1, "proxy"), "failure")
                    check(text in client.report["error"]["text"], f"the reason: {client.report['error']['text']}")
        with session.case("addresses of one family"):
            run_ok([*base, f"127.0.0.1:{server.port}", "-4"])
            client = Client(run([*base, f"127.0.0.1:{server.port}", "-6"]))
            equal((client.status, client.report["error"]["operation"]), (1, "resolve"), "failure")
            matches(r"no address of IPv6", client.report["error"]["text"], "the reason")


def main(session):
    fetching(session)
    framing(session)
    signals(session)
    reports(session)
    ways(session)
