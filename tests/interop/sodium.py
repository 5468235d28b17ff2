"""The libsodium provider and OpenSSL, both ways, with Ed25519 certificates; and what it says to those who want more."""

import json
import os

from harness import equal, matches, run, run_ok
from openssl_client import fetch
from openssl_server import one_echo
import openssl_peer

SUITES = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")


def with_provider(session):
    """From here on the session's tool is one that says --provider sodium."""
    wrapper = session.write("lockstep", f'#!/bin/sh\nexec "{session.tool}" "$@" --provider sodium\n'.encode())
    os.chmod(wrapper, 0o755)
    session.tool = wrapper


def refused(session, words, pattern, what, status=1):
    process = run([session.tool, *words])
    equal(process.popen.returncode, status, f"exit status of {what}")
    matches(pattern, process.text, what)


def main(session):
    openssl = openssl_peer.openssl()
    with_provider(session)
    with session.case("the list of what it has and lacks"):
        report = json.loads(bytes(run_ok([session.tool, "ciphers", "--json"]).stdout))
        equal(report["provider"], "sodium", "provider")
        equal([suite["name"] for suite in report["suites"] if suite["version"] == "TLSv1.3"], list(SUITES), "suites")
        equal([key["name"] for key in report["keys"]], ["Ed25519"], "keys")
        equal("secp256r1" in report["missing"]["groups"], True, "P-256 is missing")
        equal("rsa_pss_rsae_sha256" in report["missing"]["schemes"], True, "RSA is missing")
        text = run_ok([session.tool, "ciphers"]).text
        matches(r"^Missing with this provider:$", text, "the list for people")

    with session.case("its certificates for OpenSSL"):
        certificate, key = session.leaf("leaf")
        matches(r"Signature Algorithm: ED25519", run_ok([openssl, "x509", "-in", certificate, "-noout", "-text"]).text, "algorithm")
        run_ok([openssl, "verify", "-x509_strict", "-CAfile", session.ca(), certificate])
        run_ok([openssl, "pkey", "-in", key, "-check", "-noout"])
    credential = session.leaf("leaf")

    for suite in SUITES:
        with session.case(f"client, {suite}"):
            report, text = one_echo(session, ["-ciphersuites", suite], ["--suite", suite], credential=credential)
            equal((report["suite"], report["peer_scheme"], report["verdict"]), (suite, "ed25519", "ok"), "what was agreed")
            matches(rf"^Ciphersuite: {suite}$", text, "OpenSSL's suite")
        with session.case(f"server, {suite}"), session.server("--cert", credential[0], "--key", credential[1]) as server:
            process, report = fetch(session, server, "-ciphersuites", suite)
            equal((report["suite"], report["group"].lower().startswith("x25519")), (suite, True), "what was agreed")
            matches(r"^Signature type: ed25519", process.text, "OpenSSL's scheme")

    with session.case("client authentication"):
        certificate, key = session.leaf("client", "--client")
        report, _ = one_echo(session, ["-Verify", "1", "-CAfile", session.ca(), "-verify_return_error"],
                             ["--cert", certificate, "--key", key], credential=credential)
        equal(report["own_scheme"], "ed25519", "our scheme")
    with session.case("resumption"):
        with openssl_peer.server(session, "-rev", credential=credential) as server:
            client = session.client(server.port, "--resume", "1", stdin=b"again\n")
            equal([report["resumed"] for report in client.reports], [False, True], "resumed")

    with session.case("a key type that it cannot make"):
        refused(session, ["cert", "self-signed", "--name", "localhost", "--key-type", "rsa", "--out", session.path("none")],
                r"provider 'sodium' cannot make keys of type rsa", "making an RSA key")
    with session.case("a key that it cannot read"):
        run_ok([openssl, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", session.path("p256.pem")])
        refused(session, ["cert", "self-signed", "--name", "localhost", "--key", session.path("p256.pem"), "--out", session.path("none")],
                r"error:.*loads no such keys", "reading a P-256 key")
    with session.case("an encrypted key"):
        run_ok([openssl, "pkcs8", "-topk8", "-in", credential[1], "-out", session.path("encrypted.pem"), "-passout", "pass:secret"])
        session.write("passphrase", b"secret\n")
        refused(session, ["cert", "self-signed", "--name", "localhost", "--key", session.path("encrypted.pem"), "--passphrase-file",
                          session.path("passphrase"), "--out", session.path("none")],
                r"encrypted, and the provider decrypts none", "reading an encrypted key")
    with session.case("a chain that it cannot verify"):
        prefix = session.path("ec")
        run_ok([openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", prefix + ".key.pem",
                "-out", prefix + ".pem", "-subj", "/CN=localhost", "-days", "2", "-addext", "subjectAltName=DNS:localhost"])
        with openssl_peer.server(session, "-rev", credential=(prefix + ".pem", prefix + ".key.pem")) as server:
            client = session.client(server.port, ca=prefix + ".pem", ok=False)
            equal(client.status, 1, "exit status")
            equal(client.report["error"]["alert"], "handshake_failure", "alert: OpenSSL finds no scheme in common")
    with session.case("every unmet need at once"):
        refused(session, ["client", "localhost:1", "--suite", "TLS_AES_128_CCM_SHA256", "--group", "secp256r1,x448"],
                r"TLS_AES_128_CCM_SHA256(.|\n)*secp256r1(.|\n)*x448", "the configuration", status=2)
