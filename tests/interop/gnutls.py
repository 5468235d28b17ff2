"""GnuTLS's command line in both roles."""

import re

import psk13
from harness import MissingPeer, Process, check, equal, free_port, matches, program, run, wait_until_listening

CIPHERS = {"TLS_AES_128_GCM_SHA256": "AES-128-GCM", "TLS_AES_256_GCM_SHA384": "AES-256-GCM",
           "TLS_CHACHA20_POLY1305_SHA256": "CHACHA20-POLY1305", "TLS_AES_128_CCM_SHA256": "AES-128-CCM",
           "TLS_AES_128_CCM_8_SHA256": "AES-128-CCM-8"}
GROUPS = {"x25519": "X25519", "secp256r1": "SECP256R1", "secp384r1": "SECP384R1", "secp521r1": "SECP521R1", "x448": "X448",
          "ffdhe2048": "FFDHE2048", "ffdhe3072": "FFDHE3072", "ffdhe4096": "FFDHE4096", "ffdhe6144": "FFDHE6144",
          "ffdhe8192": "FFDHE8192"}
KEY_TYPES = {"rsa": "rsa_pss_rsae_sha256", "rsa-pss": "rsa_pss_pss_sha256", "p256": "ecdsa_secp256r1_sha256",
             "p384": "ecdsa_secp384r1_sha384", "p521": "ecdsa_secp521r1_sha512", "ed25519": "ed25519", "ed448": "ed448"}


def priority(cipher=None, groups=()):
    words = ["NORMAL", "-VERS-ALL", "+VERS-TLS1.3"]
    if cipher:
        words += ["-CIPHER-ALL", f"+{cipher}"]
    if groups:
        words += ["-GROUP-ALL"] + [f"+GROUP-{group}" for group in groups]
    return ":".join(words)


def server(session, *options, credential=None, cipher=None, groups=()):
    certificate, key = credential or session.leaf("p256")
    port = free_port()
    process = Process([program("gnutls-serv"), "--port", port, "--x509certfile", certificate, "--x509keyfile", key,
                       "--priority", priority(cipher, groups), *options])
    process.port = port
    wait_until_listening(port, process)
    return process


def against_server(session):
    """Lockstep's client, GnuTLS's server."""
    def one(client_options, *server_options, **more):
        with server(session, "--echo", *(server_options or ("--disable-client-cert",)), **more) as peer:
            client = session.client(peer.port, *client_options, stdin=b"over the wire\n")
            equal(client.output, b"over the wire\n", "what GnuTLS sent back")
            peer.wait_for(r"^- Channel bindings")
            return client, peer.text

    for suite, cipher in CIPHERS.items():
        with session.case(f"GnuTLS's server, suite {suite}"):
            client, text = one(["--suite", suite], cipher=cipher)
            equal(client.report["suite"], suite, "our suite")
            matches(rf"^- Cipher: {cipher}", text, "GnuTLS's cipher")
            matches(r"^- Version: TLS1.3", text, "GnuTLS's version")
    for group, name in GROUPS.items():
        for retry in (False, True):
            with session.case(f"GnuTLS's server, group {group}{' after HelloRetryRequest' if retry else ''}"):
                first = "x25519" if group != "x25519" else "secp256r1"
                options = ["--group", f"{first},{group}", "--key-share", first] if retry else ["--group", group]
                client, text = one(options, groups=[name])
                equal((client.report["group"].lower(), client.report["hello_retry_request"]), (group, retry),
                      "our group, HelloRetryRequest")
                matches(rf"^- Description: .*{name}", text, "GnuTLS's group")
    for key_type, scheme in KEY_TYPES.items():
        with session.case(f"GnuTLS's server, certificate {key_type}"):
            client, _ = one([], credential=session.leaf(key_type, "--key-type", key_type))
            equal((client.report["peer_scheme"], client.report["verdict"]), (scheme, "ok"), "scheme and verdict")
        with session.case(f"GnuTLS's server, client certificate {key_type}"):
            certificate, key = session.leaf(f"client-{key_type}", "--key-type", key_type, "--client",
                                            names=("someone@example.com",))
            client, text = one(["--cert", certificate, "--key", key], "--require-client-cert", "--verify-client-cert",
                               "--x509cafile", session.ca())
            equal(client.report["own_scheme"], scheme, "scheme")
            matches(r"^\s*Subject: CN=someone@example.com$", text, "the certificate that GnuTLS saw")
    with session.case("GnuTLS's server, resumption"):
        with server(session, "--echo", "--disable-client-cert") as peer:
            client = session.client(peer.port, "--resume", "2", stdin=b"over the wire\n")
            equal([report["resumed"] for report in client.reports], [False, True, True], "resumed")
            peer.wait_for(r"\*\*\* This is a resumed session")
    with session.case("GnuTLS's server, early data"):
        with server(session, "--http", "--disable-client-cert", "--earlydata", "--maxearlydata", "1000") as peer:
            # gnutls-serv accepts early data and answers nothing to it.
            client = session.client(peer.port, "--resume", "1", "--get", "/", "--early-data", "--timeout", "1", ok=False)
            reports = client.reports
            equal([report["early_data"] for report in reports], ["none", "accepted"], "early data")
            equal(reports[1]["bytes_sent"], reports[1]["early_bytes"], "all of the request went early, and once")
            check(reports[1]["early_bytes"] > 0, "something went early")
            check(reports[0]["ok"], "the first connection")
            equal(reports[1]["error"]["condition"], "timeout", "how the second ended")
    with session.case("GnuTLS's server, ALPN"):
        client, text = one(["--alpn", "h2,http/1.1"], "--disable-client-cert", "--alpn", "http/1.1")
        equal(client.report["alpn"], "http/1.1", "ours")
        matches(r"Application protocol: http/1.1", text, "GnuTLS's")


def against_client(session):
    """GnuTLS's client, Lockstep's server."""
    def client(port, *options, cipher=None, groups=()):
        return Process([program("gnutls-cli"), "--x509cafile", session.ca(), "--port", port, "--verify-hostname", "localhost",
                        "--sni-hostname", "localhost", "--priority", priority(cipher, groups), *options, "127.0.0.1"])

    def one(server_options, *client_options, credential=None, **more):
        with session.server("--echo", *server_options, credentials=[credential or session.leaf("p256")]) as peer:
            process = client(peer.port, *client_options, **more)
            process.wait_for(r"^- Simple Client Mode")
            process.send(b"over the wire\n")
            process.wait_for(r"^over the wire$")
            process.close_stdin()
            equal(process.finish(), 0, "exit status of gnutls-cli")
            matches(r"^- Status: The certificate is trusted", process.text, "GnuTLS's verdict")
            report = peer.next_report()
            check(report["ok"], f"our report: {report}")
            return report, process.text

    for suite, cipher in CIPHERS.items():
        with session.case(f"GnuTLS's client, suite {suite}"):
            report, text = one(["--suite", suite], cipher=cipher)
            equal(report["suite"], suite, "our suite")
            matches(rf"^- Description: .*\({cipher}\)", text, "GnuTLS's cipher")
    for group, name in GROUPS.items():
        with session.case(f"GnuTLS's client, group {group}"):
            report, text = one(["--group", group], groups=[name])
            equal((report["group"].lower(), report["hello_retry_request"]), (group, False), "group, HelloRetryRequest")
            matches(rf"^- Description: .*{name}", text, "GnuTLS's group")
        first = "X25519" if group != "x25519" else "SECP256R1"
        with session.case(f"GnuTLS's client, group {group} after HelloRetryRequest"):
            report, _ = one(["--group", group, "--cookie"], "--single-key-share", groups=[first, name])
            equal((report["group"].lower(), report["hello_retry_request"]), (group, True), "group, HelloRetryRequest")
    for key_type, scheme in KEY_TYPES.items():
        with session.case(f"GnuTLS's client, certificate {key_type}"):
            report, _ = one([], credential=session.leaf(key_type, "--key-type", key_type))
            equal(report["own_scheme"], scheme, "scheme")
        with session.case(f"GnuTLS's client, client certificate {key_type}"):
            certificate, key = session.leaf(f"client-{key_type}", "--key-type", key_type, "--client",
                                            names=("someone@example.com",))
            report, _ = one(["--client-auth", "require", "--client-ca", session.ca()], "--x509certfile", certificate,
                            "--x509keyfile", key)
            equal((report["peer_scheme"], report["client_verdict"]), (scheme, "ok"), "scheme and verdict")
    # No early data: gnutls-cli 3.8 sends none to gnutls-serv either ("error sending early data").
    with session.case("GnuTLS's client, resumption"):
        with session.server("--echo") as peer:
            process = client(peer.port, "--resume", "--waitresumption")
            process.wait_for(r"\*\*\* This is a resumed session")
            process.close_stdin()
            process.finish()
            equal([peer.next_report()["resumed"], peer.next_report()["resumed"]], [False, True], "resumed")
    with session.case("GnuTLS's client, ALPN"):
        report, text = one(["--alpn", "h2,http/1.1"], "--alpn", "http/1.1")
        equal(report["alpn"], "http/1.1", "ours")
        matches(r"Application protocol: http/1.1", text, "GnuTLS's")


def main(session):
    found = re.search(r"gnutls-cli (\d+)\.(\d+)\.(\d+)", run([program("gnutls-cli"), "--version"]).text)
    version = tuple(map(int, found.groups())) if found else (0, 0, 0)
    if version < (3, 7):
        raise MissingPeer("GnuTLS 3.7 or later is needed; tools/setup installs it")
    program("gnutls-serv")
    against_server(session)
    against_client(session)
    psk13.gnutls(session, imports=version >= (3, 8, 1))
