"""The event loops under `lockstep server`, and `lockstep load` against them."""

import json
import os
import re
import socket
import ssl

from harness import check, equal, matches, run, run_ok


def load(session, port, *options, status=0):
    """Runs `lockstep load` and gives back its report."""
    found = run([session.tool, "load", f"127.0.0.1:{port}", "--ca", session.ca(), "--json", *options])
    equal(found.popen.returncode, status, "exit status of lockstep load: " + found.text)
    return json.loads(bytes(found.stdout))


def exchange(session, port, *requests, pieces=None):
    """Sends requests on one connection, as one write or in pieces; what came until the server closed."""
    context = ssl.create_default_context(cafile=session.ca())
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
            data = b"".join(requests)
            for at in range(0, len(data), pieces or len(data)):
                tls.sendall(data[at:at + (pieces or len(data))])
            received = b""
            while more := tls.recv(65536):
                received += more
            return received


KEEP = b"GET /small.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"
CLOSE = b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def http(session, loop, folder, large):
    with session.server("--loop", loop, "--dir", folder) as server:
        with session.case(f"{loop}: requests one behind the other, in one write"):
            answer = exchange(session, server.port, KEEP, KEEP, CLOSE)
            equal(answer.count(b"HTTP/1.1 200 OK"), 3, "answers")
            check(answer.endswith(large), "the last body is whole")
            report = server.next_report()
            equal(report["requests"], 3, "requests in the report")
            check(report["ok"], "no trouble")
        with session.case(f"{loop}: requests in pieces of seven bytes"):
            equal(exchange(session, server.port, KEEP, CLOSE, pieces=7).count(b"HTTP/1.1 200 OK"), 2, "answers")
            server.next_report()
        with session.case(f"{loop}: HTTP/1.0 and HEAD"):
            answer = exchange(session, server.port, b"HEAD /large.bin HTTP/1.0\r\n\r\n")
            check(answer.endswith(b"\r\n\r\n"), "no body")
            matches(rf"Content-Length: {len(large)}\r", answer.decode(), "its length")
            server.next_report()
        with session.case(f"{loop}: a request that is none"):
            matches(r"^HTTP/1.1 400 ", exchange(session, server.port, b"hello there\r\n\r\n").decode(), "the answer")
            server.next_report()
        with session.case(f"{loop}: a head without end"):
            matches(r"^HTTP/1.1 414 ", exchange(session, server.port, b"GET /" + b"a" * 20000).decode(), "the answer")
            server.next_report()
        with session.case(f"{loop}: two hundred connections with requests"):
            report = load(session, server.port, "--path", "/small.txt", "--connections", "200", "--requests", "2000", "--seconds", "60")
            check(report["responses"] >= 2000, "answers")
            equal(report["failed"], 0, "failures")
        with session.case(f"{loop}: connections that resume"):
            report = load(session, server.port, "--path", "/small.txt", "--connections", "5", "--requests", "50", "--seconds", "60",
                          "--no-reuse", "--resume")
            check(report["resumed"] >= 20, f"resumed: {report['resumed']}")


def idle(session, loop, folder):
    """What an idle connection costs the server."""
    count = 1000
    with session.server("--loop", loop, "--quiet", "--dir", folder) as server:
        with session.case(f"{loop}: {count} idle connections, then one request on each"):
            # What the first connections leave behind, such as buffers for the next, is not theirs alone.
            load(session, server.port, "--path", "/small.txt", "--connections", "100", "--requests", "100", "--no-reuse", "--seconds", "60")
            report = load(session, server.port, "--path", "/small.txt", "--connections", str(count), "--hold", "1", "--pid",
                          str(server.process.popen.pid))
            equal(report["responses"], count, "answers")
            size = report["idle"]["server_bytes_per_connection"]
            session.note(f"{loop}: {size:.0f} bytes of the server's memory for each of {count} idle connections")
            # A sanitizer keeps books of its own.
            if not os.environ.get("ASAN_SYMBOLIZER_PATH"):
                check(size < 6 * 1024, f"at most 6 KiB each: {size:.0f}")


def main(session):
    folder = session.path("www")
    os.makedirs(folder, exist_ok=True)
    large = bytes(range(256)) * 4096
    with open(os.path.join(folder, "small.txt"), "wb") as file:
        file.write(b"small\n")
    with open(os.path.join(folder, "large.bin"), "wb") as file:
        file.write(large)
    for loop in session.loops():
        http(session, loop, folder, large)
    for loop in session.loops():
        if loop != "blocking":
            idle(session, loop, folder)
    with session.case("load: help"):
        check(len(run_ok([session.tool, "load", "--help"]).text) > 1000, "there is help")
    with session.case("load: nobody listens"):
        report = load(session, 1, "--seconds", "5", status=1)
        matches(r"refused", report["errors"][0]["text"], "the reason")
    with session.case("load: a certificate that is not trusted"):
        with session.server() as server:
            found = run([session.tool, "load", f"127.0.0.1:{server.port}", "--ca", session.write("other.pem", other_ca(session)), "--seconds", "2"])
            equal(found.popen.returncode, 1, "exit status")
            check(re.search(r"unknown_ca|certificate", found.text), "the reason")


def other_ca(session):
    path = session.path("stranger")
    run_ok([session.tool, "cert", "ca", "--force", "--out", path])
    with open(path + ".pem", "rb") as file:
        return file.read()
