"""Programs that are started with descriptors 0 to 2 closed, as daemons and cron jobs are: no socket and no file may take such a
number, or what is meant for standard output goes there."""

import contextlib
import itertools
import os
import socket
import threading
import time

from harness import Process, check, equal

COMBINATIONS = [closed for size in range(4) for closed in itertools.combinations(range(3), size)]
SECRET = b"SECRET answer"


def closing(closed):
    def before():
        for number in closed:
            os.close(number)
    return before


class Tap:
    """Carries connections to a server, and keeps what goes each way."""

    def __init__(self, port):
        self.port = port
        self.up = bytearray()
        self.down = bytearray()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()

    @property
    def address(self):
        return self._listener.getsockname()[1]

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self.port))
                for source, target, kept in ((client, server, self.up), (server, client, self.down)):
                    thread = threading.Thread(target=self._carry, args=(source, target, kept), daemon=True)
                    self._threads.append(thread)
                    thread.start()

    def _carry(self, source, target, kept):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                kept.extend(data)
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def finish(self):
        for thread in self._threads:
            thread.join(10)


def run_closed(words, closed, status, cwd):
    with Process(words, before=closing(closed), stdin=False, cwd=cwd) as process:
        equal(process.finish(), status, f"exit status of {' '.join(words[1:2])} with {closed or 'none'} closed")
    return process


def clients(session):
    folder = session.path("www")
    os.makedirs(folder)
    with open(os.path.join(folder, "s.txt"), "wb") as file:
        file.write(SECRET)
    for closed in COMBINATIONS:
        with session.case(f"client and load with {closed or 'none'} closed send nothing in clear"):
            with session.server("--dir", folder) as server:
                for words in (["client", "--address", "127.0.0.1", "--get", "/s.txt"],
                              ["client", "--address", "127.0.0.1", "--get", "/s.txt", "--json"],
                              ["load", "--path", "/s.txt", "--requests", "3", "--connections", "1", "-4"],
                              ["load", "--path", "/s.txt", "--requests", "3", "--connections", "1", "-4", "--json"]):
                    with Tap(server.port) as tap:
                        process = run_closed([session.tool, *words, f"localhost:{tap.address}", "--ca", session.ca()], closed, 0,
                                             session.work)
                        tap.finish()
                        check(len(tap.up) > 400, "the tap saw the connection")
                        for clear in (SECRET, b"HTTP/1.1", b"connected to", b"responses", b"{"b'"ok"'):
                            check(clear not in tap.up, f"{clear} went over the network in clear")
                    if 1 not in closed and words[0] == "client":
                        check(SECRET in bytes(process.stdout), "the answer is on standard output")


def servers(session):
    certificate, key = session.leaf("p256")
    for closed in COMBINATIONS:
        for loop in session.loops():
            with session.case(f"server --loop {loop} with {closed or 'none'} closed"):
                port_file = session.path("port")
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(port_file)
                words = [session.tool, "server", "--listen", "127.0.0.1", "--port", "0", "--port-file", port_file, "--cert",
                         certificate, "--key", key, "--loop", loop, "--once", "--json"]
                with Process(words, before=closing(closed), stdin=False) as server:
                    while not (os.path.exists(port_file) and open(port_file, encoding="ascii").read().endswith("\n")):
                        check(server.popen.poll() is None, "the server ended")
                        time.sleep(0.01)
                    for number in range(3):
                        to = os.readlink(f"/proc/{server.popen.pid}/fd/{number}")
                        check(to == "/dev/null" or to.startswith("pipe:"), f"descriptor {number} is {to}")
                    with Tap(int(open(port_file, encoding="ascii").read())) as tap:
                        session.client(tap.address, "--get", "/")
                        tap.finish()
                        for clear in (b'"listening"', b'"ok"', b"HTTP/1.1"):
                            check(clear not in tap.down, f"{clear} went over the network in clear")
                    equal(server.finish(), 0, "exit status")


def others(session):
    certificate, _ = session.leaf("p256")
    tape = session.path("one.tape")
    with session.server() as server:
        session.client(server.port, "--get", "/", "--tape", tape)
    for closed in COMBINATIONS:
        with session.case(f"commands without connections with {closed or 'none'} closed"):
            for words, status in (
                    (["verify", certificate, "--host", "localhost", "--ca", session.ca()], 0),
                    (["verify", certificate, "--host", "elsewhere", "--ca", session.ca(), "--json"], 1),
                    (["ciphers"], 0), (["version"], 0), (["help"], 0), (["man", "client"], 0), (["completion", "bash"], 0),
                    (["replay", tape], 0), (["frobnicate"], 2), ([], 2)):
                run_closed([session.tool, *words], closed, status, session.work)
            # A file that is written and one that is printed to are two.
            out, svg = session.path("made"), session.path("one.svg")
            run_closed([session.tool, "cert", "self-signed", "--name", "x.example", "--out", out, "--force"], closed, 0, session.work)
            for name, label in ((out + ".pem", b"CERTIFICATE"), (out + ".key.pem", b"PRIVATE KEY")):
                with open(name, "rb") as file:
                    text = file.read()
                check(text.startswith(b"-----BEGIN " + label) and text.endswith(b"-----END " + label + b"-----\n"), name)
            run_closed([session.tool, "replay", tape, "--trace", "--svg", svg], closed, 0, session.work)
            with open(svg, "rb") as file:
                check(file.read().rstrip().endswith(b"</svg>"), "the drawing alone is in its file")


def main(session):
    clients(session)
    servers(session)
    others(session)
