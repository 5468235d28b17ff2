#!/usr/bin/env python3
"""Runs one test of the command line: run.py NAME --tool PATH-OF-LOCKSTEP --work FOLDER.

Exit status 0: every case passed. 1: some did not. 77: a program that it needs is not installed, which is a failure when CI=true.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "interop")]
sys.dont_write_bytecode = True

import harness  # noqa: E402

TESTS = {"texts": "cli_texts", "json": "cli_documents", "descriptors": "cli_descriptors", "signals": "cli_signals",
         "terminal": "cli_terminal"}


if __name__ == "__main__":
    sys.exit(harness.main("cli", TESTS, __doc__))
