#!/usr/bin/env python3
"""Runs one test of the command line: run.py NAME --tool PATH-OF-LOCKSTEP --work FOLDER.

Exit status 0: every case passed. 1: some did not. 77: a program that it needs is not installed.
"""

import argparse
import importlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "interop")]
sys.dont_write_bytecode = True

import harness  # noqa: E402

TESTS = {"texts": "texts", "json": "documents", "descriptors": "descriptors", "signals": "signals", "terminal": "terminal"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=TESTS)
    parser.add_argument("--tool", required=True, help="the lockstep program")
    parser.add_argument("--work", required=True, help="a folder that is emptied and used")
    arguments = parser.parse_args()
    session = harness.Session(arguments.tool, os.path.join(arguments.work, arguments.name))
    try:
        importlib.import_module(f"cli_{TESTS[arguments.name]}").main(session)
    except harness.MissingPeer as missing:
        print(f"cli.{arguments.name}: {missing}")
        return 1 if os.environ.get("CI") == "true" else 77
    print(f"cli.{arguments.name}: {len(session.passed)} cases passed, {len(session.failed)} failed")
    if session.failed:
        print("failed: " + "; ".join(session.failed))
    return 0 if session.passed and not session.failed else 1


if __name__ == "__main__":
    sys.exit(main())
