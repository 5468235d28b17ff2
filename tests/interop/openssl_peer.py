"""OpenSSL's command line as a peer."""

import os
import re

from harness import MissingPeer, Process, check, matches, program, run_ok

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


def server(session, *options, credential=None, version="-tls1_3"):
    """s_server on a free port; use as a context manager. `.port` is its port."""
    certificate, key = credential or session.leaf("p256")
    words = [openssl(), "s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key, version]
    with open(certificate) as file:
        above = file.read().split("-----END CERTIFICATE-----\n", 1)[1]
    if "BEGIN CERTIFICATE" in above:
        words += ["-cert_chain", session.write("above.pem", above.encode())]
    process = Process(words + list(options))
    process.port = int(process.wait_for(r"^ACCEPT .*:(\d+)$").group(1))
    return process


def ocsp_response(session, leaf, ca="ca"):
    """The path of an OCSP response (DER) about a leaf, which says that it is good; made and checked by OpenSSL."""
    certificate, authority = session.path(leaf + ".pem"), session.path(ca + ".pem")
    path = session.path(leaf + ".ocsp")
    found = run_ok([openssl(), "x509", "-in", certificate, "-noout", "-serial"])
    serial = matches(r"^serial=([0-9A-F]+)$", found.text, "the serial number")[1]
    index = session.write(leaf + ".index", f"V\t491231235959Z\t\t{serial}\tunknown\t/CN=localhost\n".encode())
    run_ok([openssl(), "ocsp", "-issuer", authority, "-cert", certificate, "-no_nonce", "-reqout", path + ".request"])
    run_ok([openssl(), "ocsp", "-index", index, "-CA", authority, "-rsigner", authority, "-rkey", session.path(ca + ".key.pem"),
            "-reqin", path + ".request", "-ndays", "1", "-respout", path])
    checked = run_ok([openssl(), "ocsp", "-issuer", authority, "-cert", certificate, "-CAfile", authority, "-respin", path])
    matches(r": good$", checked.text, "OpenSSL's own view of the response")
    return path


def client(session, port, *options, stdin=None, name="localhost"):
    """s_client; returns the process, still running unless `stdin` was given."""
    words = [openssl(), "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name, "-verify_hostname", name,
             "-verify_return_error", "-CAfile", session.ca()]
    process = Process(words + list(options))
    if stdin is not None:
        process.send_in_background(stdin)
    return process
