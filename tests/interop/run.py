#!/usr/bin/env python3
"""Runs one interop test: run.py NAME --tool PATH-OF-LOCKSTEP --work FOLDER.

Exit status 0: every case passed. 1: some did not. 77: the peer is not installed, which is a failure when CI=true.
"""

import argparse
import importlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import harness  # noqa: E402

TESTS = {
    "certificates": "certificates",
    "client": "client",
    "openssl_server": "openssl_server",
    "openssl_client": "openssl_client",
    "gnutls": "gnutls",
    "go": "go_peer",
    "node": "node_peer",
    "curl": "curl_peer",
    "chromium": "chromium_peer",
    "tshark": "tshark_peer",
    "failures": "failures",
    "loops": "loops",
    "requests": "requests",
    "tool": "tool",
    "tape": "tape",
    "sodium": "sodium",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=TESTS)
    parser.add_argument("--tool", required=True, help="the lockstep program")
    parser.add_argument("--work", required=True, help="a folder that is emptied and used")
    arguments = parser.parse_args()

    session = harness.Session(arguments.tool, os.path.join(arguments.work, arguments.name))
    try:
        importlib.import_module(TESTS[arguments.name]).main(session)
    except harness.MissingPeer as missing:
        print(f"interop.{arguments.name}: {missing}")
        if os.environ.get("CI") == "true":
            print("In CI that is a failure.")
            return 1
        return 77
    print(f"interop.{arguments.name}: {len(session.passed)} cases passed, {len(session.failed)} failed")
    if session.failed:
        print("failed: " + "; ".join(session.failed))
    if not session.passed:
        print("no case ran, which proves nothing")
    return 0 if session.passed and not session.failed else 1


if __name__ == "__main__":
    sys.exit(main())
