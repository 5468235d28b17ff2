"""Tapes of connections with other implementations: what was recorded replays identically, draws, and keeps its secrets."""

import contextlib
import glob
import json
import os
import re
import xml.etree.ElementTree

import chromium_peer
import openssl_peer
from harness import MissingPeer, check, equal, matches, run, run_ok


def replay(session, tape, *options, status=0):
    found = run([session.tool, "replay", tape, "--json", *options])
    equal(found.popen.returncode, status, f"exit status of lockstep replay {tape}: {found.text}")
    return json.loads(bytes(found.stdout)) if bytes(found.stdout) else None


def trace(session, tape):
    return bytes(run_ok([session.tool, "replay", tape, "--trace"]).stdout).decode()


def expect_tape(session, tape, role):
    equal(os.stat(tape).st_mode & 0o777, 0o600, "mode of the tape")
    with open(tape, "rb") as file:
        check(file.readline().startswith(b"LOCKSTEP TAPE 2 SECRET: "), "its first line warns")
    report = replay(session, tape, "--svg", tape.replace(".tape", ".svg"))
    equal((report["identical"], report["role"]), (True, role), "the replay")
    equal(report["operations"], report["recorded_operations"], "operations")
    picture = xml.etree.ElementTree.parse(tape.replace(".tape", ".svg")).getroot()
    words = " ".join("".join(text.itertext()) for text in picture.iter("{http://www.w3.org/2000/svg}text"))
    for word in ("ClientHello", "ServerHello", "Handshake complete", "application data", report["suite"]):
        check(word in words, f"{word} is in the picture")
    session.note(f"{os.path.basename(tape)}: {report['bytes']} bytes, {report['operations']} operations")
    return report


def with_openssl(session):
    with session.case("our client against s_server"):
        tape = session.path("openssl-server.tape")
        with openssl_peer.server(session, "-www") as peer:
            client = session.client(peer.port, "--get", "/", "--tape", tape)
            matches(r"warning: .*recorded in .*openssl-server\.tape", client.process.text, "the warning")
        expect_tape(session, tape, "client")
    with session.case("our server against s_client, each connection on a tape of its own"):
        tape = session.path("openssl-client.tape")
        with session.server("--tape", tape) as server:
            for options in (["-groups", "x25519"], ["-groups", "secp521r1"]):
                process = openssl_peer.client(session, server.port, "-tls1_3", "-ign_eof", "-brief", *options,
                                              stdin=b"GET / HTTP/1.0\r\n\r\n")
                equal(process.finish(), 0, "exit status of s_client")
                check(server.next_report()["ok"], "our report")
        for number, group in ((1, "x25519"), (2, "secp521r1")):
            report = expect_tape(session, session.path(f"openssl-client-{number}.tape"), "server")
            equal(report["group"], group, "group")


def with_chromium(session):
    with contextlib.ExitStack() as stack:
        browser = stack.enter_context(contextlib.closing(chromium_peer.trusting_browser(session)))
        with session.case("our server against Chromium"):
            tape = session.path("chromium.tape")
            # What the browser opens beforehand and keeps open ends by the timeout.
            with session.server("--tape", tape, "--timeout", "10") as server:
                chromium_peer.load(browser, f"https://localhost:{server.port}/")
                report = server.next_report()
                while not report["ok"] or "request" not in report:
                    report = server.next_report()
            tapes = glob.glob(session.path("chromium-*.tape"))
            reports = {tape: replay(session, tape) for tape in tapes}
            check(all(report["identical"] for report in reports.values()), f"all are identical: {reports}")
            # The browser may have opened others beforehand, which say nothing after the handshake.
            spoke = [tape for tape in tapes if re.search(r"^ *\d+ .* data \d+ segment", trace(session, tape), re.MULTILINE)]
            check(spoke, "a tape has the request")
            equal(expect_tape(session, spoke[0], "server")["group"], "X25519MLKEM768", "group")


def ourselves(session):
    tape, redacted, keys = session.path("own.tape"), session.path("redacted.tape"), session.path("own.keys")
    with session.case("--redact draws and does not replay"):
        with session.server() as server:
            session.client(server.port, "--get", "/", "--tape", redacted, "--redact")
        with open(redacted, "rb") as file:
            contents = file.read()
        check(contents.startswith(b"LOCKSTEP TAPE 2 REDACTED: "), "its first line says so")
        check(b"localhost" not in contents and b"GET /" not in contents, "there are no contents")
        found = run([session.tool, "replay", redacted])
        equal(found.popen.returncode, 1, "exit status")
        matches(r"redacted", found.text, "the reason")
        replay(session, redacted, "--svg", session.path("redacted.svg"))
    with session.case("--trace tells what happens, and replay --trace the same"):
        with session.server() as server:
            client = session.client(server.port, "--get", "/", "--trace", "--tape", tape, "--keylog", keys)
        for words in (r"message -> client_hello, \d+ bytes", r"state WAIT_FINISHED", r"keys <- application keys",
                      r"verify_peer question 1", r"answer_verdict question 1: accepted", r"alert -> close_notify"):
            matches(words, client.process.text, "the trace")
        told = re.findall(r"^\+\d+\.\d{3} s  (message .*)$", client.process.text, re.MULTILINE)
        equal(re.findall(r"^ *\d+  \+\d+\.\d{3} s  (message .*)$", trace(session, tape), re.MULTILINE), told, "the messages")
    with session.case("--log-level tells what is as grave"):
        with session.server() as server:
            def told_at(level, *options, ok=True):
                text = session.client(server.port, "--get", "/", "--log-level", level, *options, ok=ok).process.text
                return re.findall(r"^\+\d+\.\d{3} s  (\w+)", text, re.MULTILINE)
            equal(told_at("none"), [], "nothing")
            equal(told_at("error"), [], "no failure")
            equal(set(told_at("notice")), {"alert"}, "close_notify")
            info = told_at("info")
            check({"start_client", "complete", "close", "alert"} <= set(info) and "message" not in info, f"the stages: {info}")
            check("message" in told_at("debug"), "every message")
            equal(told_at("error", "--name", "other.example", ok=False), ["failed", "alert"], "what failed")
    with session.case("replay --keylog derives the key log of the connection"):
        derived = session.path("derived.keys")
        replay(session, tape, "--keylog", derived)
        equal(os.stat(derived).st_mode & 0o777, 0o600, "mode")
        equal(open(derived).read(), open(keys).read(), "the lines")
    with session.case("replay --until stops there"):
        equal(replay(session, tape, "--until", "3")["operations"], 4, "operations, the start included")
    with session.case("a changed tape is told, with the operation"):
        with open(tape, "rb") as file:
            contents = bytearray(file.read())
        at = contents.rindex(b"WAIT_FINISHED")
        contents[at] ^= 0x20
        changed = session.write("changed.tape", contents)
        report = replay(session, changed, status=1)
        equal(report["identical"], False, "identical")
        check(report["difference"]["operation"] > 0, "an operation")
        equal((report["difference"]["expected"], report["difference"]["found"]), ("state wAIT_FINISHED", "state WAIT_FINISHED"),
              "what differs")
    with session.case("what is no tape is refused"):
        for name, contents, reason in (("empty", b"", "truncated"), ("text", b"hello", "not_a_tape"),
                                       ("half", open(tape, "rb").read()[:2000], "truncated")):
            found = run([session.tool, "replay", session.write(name + ".tape", contents)])
            equal(found.popen.returncode, 1, "exit status")
            matches(reason, found.text, "the reason")
    with session.case("wrong use"):
        for words in (["--redact"], ["--keylog-failed"]):
            equal(run([session.tool, "client", "localhost:1", *words]).popen.returncode, 2, "exit status")
        found = run([session.tool, "client", "localhost:1", "--ca", session.ca(), "--tape", session.path("no/such/folder")])
        equal(found.popen.returncode, 1, "exit status")
        matches(r"cannot be written", found.text, "the reason")
    with session.case("--keylog-failed keeps the secrets of handshakes that fail"):
        good, bad = session.path("good.keys"), session.path("bad.keys")
        with session.server() as server:
            session.client(server.port, "--get", "/", "--keylog", good, "--keylog-failed")
            session.client(server.port, "--get", "/", "--keylog", bad, "--keylog-failed", ca=session.ca("other-ca"), ok=False)
        equal(open(good).read(), "", "a good handshake's key log")
        matches(r"^SERVER_HANDSHAKE_TRAFFIC_SECRET [0-9a-f]{64} ", open(bad).read(), "a failed handshake's key log")


def main(session):
    ourselves(session)
    with_openssl(session)
    try:
        with_chromium(session)
    except MissingPeer as missing:
        if os.environ.get("CI") == "true":
            raise
        session.note(f"not with Chromium: {missing}")
