"""OpenSSL's command line as a peer."""

import os
import re

from harness import MissingPeer, Process, check, program, run_ok

NAMES = {"x25519": "X25519", "x448": "X448"}


def openssl():
    """The path, once it is known that it is new enough for post-quantum groups and keys."""
    path = program("openssl")
    version = bytes(run_ok([path, "version"]).stdout).decode()
    found = re.search(r"OpenSSL (\d+)\.(\d+)", version)
    if not found or (int(found[1]), int(found[2])) < (3, 5):
        raise MissingPeer(f"OpenSSL 3.5 or later is needed, here is {version.strip()}; tools/setup installs it")
    return path


def same_name(a, b):
    return a.lower().replace("-", "").replace("_", "") == b.lower().replace("-", "").replace("_", "")


def server(session, *options, credential=None):
    """s_server on a free port; use as a context manager. `.port` is its port."""
    certificate, key = credential or session.leaf("p256")
    words = [openssl(), "s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key, "-tls1_3"]
    with open(certificate) as file:
        above = file.read().split("-----END CERTIFICATE-----\n", 1)[1]
    if "BEGIN CERTIFICATE" in above:
        words += ["-cert_chain", session.write("above.pem", above.encode())]
    process = Process(words + list(options))
    process.port = int(process.wait_for(r"^ACCEPT .*:(\d+)$").group(1))
    return process


def client(session, port, *options, stdin=None, name="localhost"):
    """s_client; returns the process, still running unless `stdin` was given."""
    words = [openssl(), "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name, "-verify_hostname", name,
             "-verify_return_error", "-CAfile", session.ca()]
    process = Process(words + list(options))
    if stdin is not None:
        process.send_in_background(stdin)
    return process
