"""External pre-shared keys in TLS 1.3 (RFC 9846 4.3.11), and PSKs without (EC)DHE, with OpenSSL and GnuTLS in both roles."""

import os
import sys

import openssl_peer
from harness import Process, check, equal, free_port, matches, program, run, run_ok, wait_until_listening
from psk12 import IDENTITY, KEY, LINE, OTHER_KEY, psk_file

WRONG = ["-psk", OTHER_KEY, "-psk_identity", IDENTITY]
UNKNOWN = ["-psk", KEY, "-psk_identity", "sensor 8"]


def agreed(report, suite=None, plain=False):
    check(report["ok"], f"our report: {report}")
    equal((report["version"], report.get("peer_scheme"), report.get("own_scheme")), ("TLSv1.3", None, None), "version, and no signature")
    equal("group" not in report, plain, "no group")
    if suite:
        equal(report["suite"], suite, "suite")


def openssls_server(session):
    """OpenSSL gives its key SHA-256, and so takes a suite with that."""
    key = psk_file(session)
    with openssl_peer.server(session, "-rev", "-psk", KEY, "-psk_identity", IDENTITY, version="-tls1_3") as server:
        with session.case("OpenSSL's server, an external PSK in TLS 1.3"):
            client = session.client(server.port, "--psk-file", key, "--resume", "1", stdin=LINE)
            agreed(client.reports[0])
            equal([report["resumed"] for report in client.reports], [False, True], "resumed")
            equal((client.reports[0]["chain"], client.output), ([], LINE.strip()[::-1] + b"\n"), "no certificate, and what came back")
        with session.case("OpenSSL's server, an external PSK after HelloRetryRequest"):
            client = session.client(server.port, "--psk-file", key, "--group", "x448,x25519", "--key-share", "x448", stdin=LINE)
            agreed(client.report)
        with session.case("OpenSSL's server, a wrong key and one that is not known"):
            wrong = session.client(server.port, "--psk-file", psk_file(session, OTHER_KEY), stdin=LINE, ok=False)
            equal((wrong.report["error"]["reason"], wrong.report["error"]["alert"]), ("peer_alert", "decrypt_error"), "a wrong key")
            unknown = session.client(server.port, "--psk", f"sensor 8:{KEY}", stdin=LINE, ok=False)
            equal(unknown.report["error"]["reason"], "psk_declined", "an unknown one, to which OpenSSL answers with its certificate")
    with session.case("OpenSSL's server, PSKs without (EC)DHE"):
        with openssl_peer.server(session, "-rev", "-psk", KEY, "-psk_identity", IDENTITY, "-allow_no_dhe_kex", "-prefer_no_dhe_kex",
                                 version="-tls1_3") as server:
            client = session.client(server.port, "--psk-file", key, "--psk-without-dhe", "allow", "--resume", "1", stdin=LINE)
            for report in client.reports:
                agreed(report, plain=True)
            agreed(session.client(server.port, "--psk-file", key, stdin=LINE).report)


def openssls_client(session):
    key = psk_file(session)

    def talk(server, *words):
        with openssl_peer.client(session, server.port, "-tls1_3", "-psk", KEY, "-psk_identity", IDENTITY, *words) as process:
            process.wait_for(r"^\s*Verify return code")
            process.send(LINE)
            process.wait_for(r"^over the wire")
            process.close_stdin()
            process.finish()
        return server.next_report()

    with session.case("OpenSSL's client, an external PSK in TLS 1.3"):
        with session.server("--echo", "--psk-file", key, "--suite", "TLS_AES_256_GCM_SHA384,TLS_CHACHA20_POLY1305_SHA256",
                            credentials=[]) as server:
            agreed(talk(server), suite="TLS_CHACHA20_POLY1305_SHA256")
    with session.case("OpenSSL's client, an external PSK after HelloRetryRequest"):
        with session.server("--echo", "--psk-file", key, "--group", "secp521r1", credentials=[]) as server:
            report = talk(server, "-groups", "X25519:P-521")
            agreed(report)
            equal(report["hello_retry_request"], True, "retried")
    with session.case("OpenSSL's client, PSKs without (EC)DHE"):
        with session.server("--echo", "--psk-file", key, "--psk-without-dhe", "prefer", credentials=[]) as server:
            agreed(talk(server, "-allow_no_dhe_kex"), plain=True)
    with session.case("OpenSSL's client, a wrong key and one that is not known"):
        for tell in ([], ["--tell-unknown-psk"]):
            with session.server("--echo", "--psk-file", key, *tell, credentials=[]) as server:
                for words, reason in ((WRONG, "psk_binder"), (UNKNOWN, "psk_identity_unknown" if tell else "psk_unacceptable")):
                    process = openssl_peer.client(session, server.port, "-tls1_3", *words, stdin=b"")
                    check(process.finish() != 0, "s_client fails")
                    equal(server.next_report()["error"]["reason"], reason, "reason")
        with session.server("--echo", "--psk-file", key) as server:  # which has a certificate too
            with openssl_peer.client(session, server.port, "-tls1_3", *UNKNOWN) as process:
                process.wait_for(r"^\s*Verify return code")
                process.close_stdin()
                process.finish()
            check(server.next_report()["own_scheme"], "we sign")


def gnutls(session, imports=True):
    """Its tools take SHA-256 for their keys."""
    key = psk_file(session)
    priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+DHE-PSK:+PSK:+ECDHE-PSK"
    with session.case("GnuTLS's server, an external PSK in TLS 1.3"):
        port = free_port()
        with Process([program("gnutls-serv"), "--echo", "--port", port, "--pskpasswd", key, "--priority", priority]) as server:
            wait_until_listening(port, server)
            client = session.client(port, "--psk-file", key, "--suite", "TLS_AES_128_GCM_SHA256", stdin=LINE)
            agreed(client.report)
            equal((client.report["chain"], client.output), ([], LINE), "no certificate, and what came back")
    with session.case("GnuTLS's client, an external PSK in TLS 1.3"):
        with session.server("--echo", "--psk-file", key, credentials=[]) as server:
            with Process([program("gnutls-cli"), "--port", server.port, "--pskusername", IDENTITY, "--pskkey", KEY, "--priority", priority,
                          "127.0.0.1"]) as process:
                process.wait_for(r"^- Simple Client Mode|rror")
                process.send_in_background(LINE)
                process.finish()
            matches(r"^over the wire$", process.text, "what came back")
            agreed(server.next_report())
            matches(rf"PSK authentication. Connected as '{IDENTITY}'", process.text, "GnuTLS's view")
    if not imports:
        return session.note("GnuTLS's library before 3.8.1 imports no pre-shared keys")
    with session.case("GnuTLS's library, an imported PSK"):
        context = "sensor 7 to hub"
        words = ["--psk-import", "--psk-context", context]
        with session.server("--echo", "--psk-file", key, *words, credentials=[]) as server:
            client = [sys.executable, os.path.join(os.path.dirname(__file__), "gnutls_imported.py"), str(server.port), IDENTITY]
            equal(bytes(run_ok([*client, KEY, context]).stdout), LINE, "what came back")
            agreed(server.next_report())
            for wrong, reason in (([OTHER_KEY, context], "psk_binder"), ([KEY, "hub to sensor 7"], "psk_unacceptable")):
                check(run([*client, *wrong]).popen.returncode != 0, "it fails")
                equal(server.next_report()["error"]["reason"], reason, "reason")
