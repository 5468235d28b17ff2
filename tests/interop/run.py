#!/usr/bin/env python3
"""Runs one interop test: run.py NAME --tool PATH-OF-LOCKSTEP --work FOLDER [--peers FOLDER].

Exit status 0: every case passed. 1: some did not. 77: the peer is not installed, which is a failure when CI=true.
"""

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
    "scan": "scan_peer",
    "inspect": "inspect_peer",
    "explain": "explain_peer",
    "tool": "tool",
    "tape": "tape",
    "tls12": "tls12",
    "wolfssl": "wolfssl_peer",
    "mbedtls": "mbedtls_peer",
    "sodium": "sodium",
}


if __name__ == "__main__":
    sys.exit(harness.main("interop", TESTS, __doc__))
