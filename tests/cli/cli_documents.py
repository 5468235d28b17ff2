"""--json on every path of every command: each document is one of docs/lockstep.schema.json."""

import json
import os
import socket
import threading

from harness import Process, check, equal, run
from schema import Schema

SCHEMA = Schema()


def documents(process):
    """Those of the client stand on standard error, the others' on standard output; one by one, or one over several lines."""
    words = [word for word in process.argv[1:] if not word.startswith("-")]
    stream = process.stderr if words[:1] == ["client"] else process.stdout
    text = bytes(stream).decode()
    lines = [line for line in text.splitlines() if line.startswith("{") and line.endswith("}")]
    return [json.loads(line) for line in lines] if lines else [json.loads(text)] if text.strip() else []


def expect(session, words, name, status, stdin=b""):
    found = run([session.tool, *words], stdin=stdin)
    equal(found.popen.returncode, status, "exit status")
    printed = documents(found)
    check(printed, "nothing was printed")
    equal(SCHEMA.problems(printed[-1], name), [], f"the last document is `{name}`")
    if "ok" in printed[-1]:
        equal(printed[-1]["ok"], status == 0, "ok")
    return printed[-1]


def validator(session):
    with session.case("the validator refuses what is not documented"):
        good = {"ok": False, "status": 2, "error": {"text": "x"}}
        equal(SCHEMA.problems(good, "failure"), [], "a failure")
        for change in ({"ok": True}, {"status": 3}, {"status": "2"}, {"error": {}}, {"error": {"text": 1}}, {"more": 1},
                       {"error": {"text": "x", "more": 1}}):
            check(SCHEMA.problems({**good, **change}, "failure"), f"{change} is refused")
        check(SCHEMA.problems({"ok": False, "status": 2}, "failure"), "a missing field is refused")


def without_connection(session):
    certificate, key = session.leaf("p256")
    ca = session.ca()
    missing, text = session.path("missing"), session.write("text", b"hello\n")
    cases = [
        ("version", ["version", "--json"], "version", 0),
        ("--version", ["--version", "--json"], "version", 0),
        ("ciphers", ["ciphers", "--json"], "ciphers", 0),
        ("cert", ["cert", "self-signed", "--name", "x.example", "--out", session.path("new"), "--json"], "cert", 0),
        ("cert over what exists", ["cert", "ca", "--out", session.path("ca"), "--json"], "failure", 1),
        ("cert without a name", ["cert", "self-signed", "--out", session.path("none"), "--json"], "failure", 2),
        ("verify", ["verify", certificate, "--host", "localhost", "--ca", ca, "--json"], "verify", 0),
        ("verify, refused", ["verify", certificate, "--host", "elsewhere.example", "--ca", ca, "--json"], "verify", 1),
        ("verify, before the command", ["--json", "verify", certificate, "--host", "localhost", "--ca", ca], "verify", 0),
        ("verify no file", ["verify", missing, "--any-name", "--ca", ca, "--json"], "failure", 1),
        ("verify a text", ["verify", text, "--any-name", "--ca", ca, "--json"], "failure", 1),
        ("verify with a bad --ca", ["verify", certificate, "--any-name", "--ca", text, "--json"], "failure", 1),
        ("verify without a name", ["verify", certificate, "--ca", ca, "--json"], "failure", 2),
        ("inspect", ["inspect", certificate, "--json"], "inspect", 0),
        ("inspect a text", ["inspect", text, "--json"], "inspect", 1),
        ("inspect no file", ["inspect", missing, "--json"], "failure", 1),
        ("explain no file", ["explain", missing, "--cert", certificate, "--key", key, "--json"], "failure", 1),
        ("explain a text", ["explain", text, "--cert", certificate, "--key", key, "--json"], "failure", 1),
        ("explain without a certificate", ["explain", text, "--json"], "failure", 2),
        ("scan, refused", ["scan", "localhost:1", "--address", "127.0.0.1", "--ca", ca, "--json"], "failure", 1),
        ("scan without a host", ["scan", "--json"], "failure", 2),
        ("replay a text", ["replay", text, "--json"], "failure", 1),
        ("replay no file", ["replay", missing, "--json"], "failure", 1),
        ("client with a bad --ca", ["client", "localhost:1", "--ca", missing, "--json"], "failure", 1),
        ("client with a bad session", ["client", "localhost:1", "--ca", ca, "--session-in", text, "--json"], "failure", 1),
        ("client with an unknown group", ["client", "localhost", "--group", "x1", "--json"], "failure", 2),
        ("client, before the command", ["--json", "client", "localhost", "--group", "x1"], "failure", 2),
        ("client, refused", ["client", "localhost:1", "--address", "127.0.0.1", "--ca", ca, "--get", "/", "--json"], "client", 1),
        ("client without a host", ["client", "--json"], "failure", 2),
        ("load with a bad --ca", ["load", "localhost:1", "--ca", missing, "--json"], "failure", 1),
        ("load, refused", ["load", "127.0.0.1:1", "--ca", ca, "--json"], "load", 1),
        ("load of plain HTTP", ["load", "http://localhost/", "--json"], "failure", 2),
        ("server without certificate", ["server", "--json"], "failure", 2),
        ("server without its file", ["server", "--cert", missing, "--key", missing, "--json"], "failure", 1),
        ("an unknown command", ["clint", "--json"], "failure", 2),
        ("no command", ["--json"], "failure", 2),
    ]
    cases += [(f"an unknown option of {command}", [command, "--frobnicate", "--json"], "failure", 2)
              for command in ("client", "server", "load", "cert", "verify", "inspect", "explain", "scan", "ciphers", "replay", "version")]
    for name, words, kind, status in cases:
        with session.case(f"--json: {name}"):
            document = expect(session, words, kind, status)
            if kind == "failure" and not words[0].startswith("-") and words[0] != "clint":
                equal(document.get("command"), words[0], "whose it is")
            elif kind == "failure" and words[0] == "--json" and len(words) > 1:
                equal(document.get("command"), words[1], "whose it is")


def with_connection(session):
    certificate, key = session.leaf("p256")
    tape = session.path("one.tape")
    with session.case("--json: client, server and replay of one connection"):
        with session.server() as server:
            listening = json.loads(bytes(server.process.stdout).decode().splitlines()[0])
            equal(SCHEMA.problems(listening, "server_listening"), [], "the first line")
            client = session.client(server.port, "--get", "/", "--ocsp", "--scts", "--tape", tape)
            equal(SCHEMA.problems(client.report, "client"), [], "client")
            equal(SCHEMA.problems(server.next_report(), "server"), [], "server")
        expect(session, ["replay", tape, "--json"], "replay", 0)
        whole = open(tape, "rb").read()
        for name, changed in (("cut", whole[:len(whole) // 2]), ("changed", whole[:-200] + bytes([whole[-200] ^ 1]) + whole[-199:])):
            found = documents(run([session.tool, "replay", session.write(name, changed), "--json"]))
            equal(len(found), 1, "documents")
            kind = "replay" if "recorded_operations" in found[0] else "failure"
            equal(SCHEMA.problems(found[0], kind), [], f"a tape that was {name}")
    with session.case("--json: resumed connections, client certificates"):
        ours = session.leaf("client", "--client", names=("client.example",))
        with session.server("--client-auth", "require", "--client-ca", session.ca()) as server:
            client = session.client(server.port, "--resume", "1", "--get", "/", "--cert", ours[0], "--key", ours[1])
            for report in client.reports:
                equal(SCHEMA.problems(report, "client"), [], "client")
            for _ in range(2):
                equal(SCHEMA.problems(server.next_report(), "server"), [], "server")
    with session.case("--json: an untrusted certificate, from both ends"):
        with session.server() as server:
            client = session.client(server.port, "--get", "/", ca=session.ca("other"), ok=False)
            equal((client.status, SCHEMA.problems(client.report, "client")), (1, []), "client")
            equal(SCHEMA.problems(server.next_report(), "server"), [], "server")
    with session.case("--json: a port that is taken"):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            words = ["server", "--listen", "127.0.0.1", "--port", str(taken.getsockname()[1]), "--cert", certificate, "--key", key]
            for loop in session.loops():
                expect(session, [*words, "--loop", loop, "--json"], "failure", 1)
    with session.case("--json: a server whose tapes cannot be made"):
        server = Process([session.tool, "server", "--listen", "127.0.0.1", "--port", "0", "--cert", certificate, "--key", key, "--once",
                          "--tape", "/nowhere/tape", "--json"])
        with server:
            listening = json.loads(server.wait_for(r'^(\{.*"listening".*\})$').group(1))
            session.client_process(listening["port"]).finish()
            equal(server.finish(), 1, "status")
        equal(SCHEMA.problems(documents(server)[-1], "failure"), [], "the document")
    with session.case("--json: load, answers of other statuses by number"):
        folder = session.path("pages")
        os.makedirs(folder, exist_ok=True)
        session.write("pages/here.txt", b"hello\n")
        with session.server("--dir", folder) as server:
            words = ["load", "--ca", session.ca(), "--requests", "20", "--connections", "2", "--json"]
            document = expect(session, [*words, f"https://localhost:{server.port}/here.txt"], "load", 0)
            equal(list(document["statuses"]), ["200"], "statuses")
            document = expect(session, [*words, f"HTTPS://localhost:{server.port}/there/is#none", "--no-reuse"], "load", 1)
            equal(list(document["statuses"]), ["404"], "statuses")
            equal(document["failed"], document["statuses"]["404"], "how many failed")
            check("404" in document["errors"][0]["text"], "the error names the status")
            for insecure in ("--insecure", "--no-verify"):
                expect(session, [*words[:1], insecure, *words[3:], f"localhost:{server.port}/here.txt"], "load", 0)
    with session.case("--json: load of what is no HTTP"):
        with session.server("--echo") as server:
            document = expect(session, ["load", f"localhost:{server.port}", "--ca", session.ca(), "--seconds", "0.3", "--json"], "load", 1)
            check("200" not in document["statuses"], "no status")
    with session.case("--json: a peer that is no TLS server"):
        listener = socket.create_server(("127.0.0.1", 0))

        def answer():
            peer, _ = listener.accept()
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            peer.recv(4096)
            peer.close()
        threading.Thread(target=answer, daemon=True).start()
        with session.client_process(listener.getsockname()[1], "--get", "/") as client:
            equal(client.finish(), 1, "status")
        equal(SCHEMA.problems(documents(client)[-1], "client"), [], "the document")


def main(session):
    validator(session)
    without_connection(session)
    with_connection(session)
