"""SIGINT and SIGTERM end what is in progress, and what was done is told."""

import json
import os
import signal
import time

from harness import Process, check, equal, matches
from schema import Schema

SCHEMA = Schema()


def load(session):
    for name, extra in (("", []), (" over several threads", ["--threads", "3"]), (" that holds", ["--hold", "60"])):
        for number in (signal.SIGINT, signal.SIGTERM):
            with session.case(f"load{name}, {number.name}, tells in JSON what it measured"):
                with session.server() as server:
                    words = [session.tool, "load", f"localhost:{server.port}", "--ca", session.ca(), "--seconds", "60",
                             "--connections", "4", *extra, "--json"]
                    with Process(words) as process:
                        wait_for_work(session, server, "--hold" in extra)
                        equal(process.stop(number), 0, "exit status")
                        report = json.loads(bytes(process.stdout).decode())
                equal(SCHEMA.problems(report, "load"), [], "the document")
                equal((report["ok"], report["interrupted"], report["failed"]), (True, True, 0), "how it ended")
                check(report["connections"] >= 4, "connections were counted")
                check("--hold" in extra or report["responses"] > 0, "responses were counted")
                check(report["seconds"] < 30, "it ended when it was told to")
    with session.case("load, SIGINT, tells people what it measured"):
        with session.server() as server:
            with Process([session.tool, "load", f"localhost:{server.port}", "--ca", session.ca(), "--seconds", "60",
                          "--connections", "4"]) as process:
                wait_for_work(session, server, False)
                equal(process.stop(signal.SIGINT), 0, "exit status")
        matches(r"responses +[1-9]", process.text, "the summary")


def wait_for_work(session, server, holding):
    """Until the server has as many connections as were asked for, and, unless they are held, has had time to answer."""
    end = time.monotonic() + 30
    folder = f"/proc/{server.process.popen.pid}/fd"
    while time.monotonic() < end:
        sockets = 0
        for name in os.listdir(folder):
            try:
                sockets += os.readlink(f"{folder}/{name}").startswith("socket:")
            except OSError:
                pass
        if sockets >= 5:
            time.sleep(0.5 if holding else 1)
            return
        time.sleep(0.02)
    check(False, f"{session.current_case}: no connections came")


def scan(session):
    for number in (signal.SIGINT, signal.SIGTERM):
        with session.case(f"scan, {number.name}, ends at once and reports nothing"):
            with session.server() as server:
                words = [session.tool, "scan", f"localhost:{server.port}", "--address", "127.0.0.1", "--ca", session.ca(), "--delay", "1",
                         "--json"]
                with Process(words) as process:
                    server.next_report()
                    equal(process.stop(number), 128 + number, "exit status")
                    equal(bytes(process.stdout), b"", "what it printed")


def server_ends(session):
    for loop in session.loops():
        for number in (signal.SIGINT, signal.SIGTERM):
            with session.case(f"server --loop {loop}, {number.name}, with a connection in progress"):
                with session.server("--echo", "--loop", loop) as server:
                    client = session.client_process(server.port)
                    client.send(b"hello\n")
                    with client:
                        client.wait_for(r"hello")
                        equal(server.process.stop(number), 0, "exit status of the server")
                        client.close_stdin()
                        client.finish()


def main(session):
    load(session)
    scan(session)
    server_ends(session)
