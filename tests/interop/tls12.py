"""TLS 1.2 with other implementations, in both roles: every suite that both have, with and without encrypt-then-MAC, resumption by
ticket and by id, peers without extended master secret or secure renegotiation, and peers that have nothing newer than TLS 1.1."""

import json
import os
import re

import go_peer
import node_peer
import openssl_peer
import psk12
import suites12
from suites12 import names
from harness import Client, Process, check, equal, free_port, matches, program, run, run_ok, wait_until_listening
from openssl_client import fetch

LINE = b"over the wire\n"


def only(suites):
    """What makes a client of ours speak these. Most peers have a group of their own for DHE."""
    unknown_groups = ["--allow-unknown-dh-groups"] if any(suite.exchange.startswith("DHE_") for suite in suites) else []
    return ["--tls1.2", "--suite", names(suites), *unknown_groups]


def credentials(session):
    return [session.leaf("p256"), session.leaf("rsa", "--key-type", "rsa", "--key-encipherment")]


def client_pair(session):
    return session.leaf("client-p256", "--key-type", "p256", "--client", names=("someone@example.com",))


WANTED = ("--client-auth", "require", "--client-ca")


def seen(report):
    """That we saw the client's certificate."""
    equal((report["version"], report["client_verdict"], report["client_certificate"]["subject"]), ("TLSv1.2", "ok", "CN=someone@example.com"),
          "whom we saw")


def one_of_each(suites):
    """The first suite of each key exchange, with an AEAD and in CBC mode."""
    first = {(suite.exchange, suite.cbc): suite for suite in reversed(suites)}
    return [suite for suite in suites if suite in first.values()]


def agreed(report, suite, etm=None):
    """That a report is about this suite of TLS 1.2."""
    check(report["ok"], f"our report: {report}")
    equal((report["version"], report["suite"]), ("TLSv1.2", suite.name), "version and suite")
    equal(report.get("encrypt_then_mac"), etm if suite.cbc else None, "encrypt-then-MAC")


def talk(session, port, suites, etm, *options, ems=True, answer=LINE):
    """A connection of our client with each suite."""
    for suite in suites:
        client = session.client(port, *only([suite]), *options, stdin=LINE)
        agreed(client.report, suite, etm)
        equal((client.report["extended_master_secret"], client.output), (ems, answer), "extended master secret and what came back")


# --- OpenSSL ---------------------------------------------------------------------------------------------------------


def openssl_server(session, *options, both=True, version="-tls1_2"):
    p256, rsa = credentials(session)
    more = ["-dcert", rsa[0], "-dkey", rsa[1]] if both else []
    return openssl_peer.server(session, "-rev", "-cipher", "ALL:@SECLEVEL=0", *more, *options, credential=p256, version=version)


BACK = LINE.strip()[::-1] + b"\n"


def against_openssl_server(session, suites):
    cbc = [suite for suite in suites if suite.cbc]
    with session.case("OpenSSL's server, every suite, encrypt-then-MAC, client certificate, ALPN"):
        certificate, key = client_pair(session)
        with openssl_server(session, "-Verify", "1", "-CAfile", session.ca(), "-verify_return_error", "-alpn", "http/1.1") as server:
            talk(session, server.port, suites, True, "--cert", certificate, "--key", key, "--alpn", "h2,http/1.1", answer=BACK)
            text = server.text
        equal(len(re.findall(r"Client Certificate|Peer certificate: CN\s?=\s?someone@example.com", text)) >= len(suites), True, "whom it saw")
    with session.case("OpenSSL's server, CBC without encrypt-then-MAC, on either side's wish"):
        with openssl_server(session, "-no_etm") as server:
            talk(session, server.port, cbc, False, answer=BACK)
        with openssl_server(session) as server:
            talk(session, server.port, cbc[:1], False, "--no-encrypt-then-mac", answer=BACK)
    for how, options in (("ticket", []), ("session id", ["-no_ticket"])):
        with session.case(f"OpenSSL's server, resumption by {how}"), openssl_server(session, *options) as server:
            for suite in (suites[0], cbc[0]):
                client = session.client(server.port, *only([suite]), "--resume", "2", stdin=LINE)
                equal([report["resumed"] for report in client.reports], [False, True, True], "resumed")
                agreed(client.report, suite, True)
    with session.case("OpenSSL's server without extended master secret"), openssl_server(session, "-no_ems") as server:
        client = session.client(server.port, stdin=LINE, ok=False)
        error = client.report["error"]
        equal((error["reason"], error["alert"]), ("extended_main_secret_missing", "handshake_failure"), "reason and alert")
        matches(r"allow such peers by --allow-no-ems", error["advice"], "advice")
        matches(r"--allow-no-ems", error["text"], "text for people")
        talk(session, server.port, one_of_each(suites), True, "--allow-no-ems", ems=False, answer=BACK)
    for what, cipher in (("suites in CBC mode", "ECDHE-ECDSA-AES128-SHA"), ("RSA key exchange", "AES128-GCM-SHA256")):
        with session.case(f"OpenSSL's server that has only {what}"), openssl_server(session, "-cipher", f"{cipher}:@SECLEVEL=0") as server:
            error = session.client(server.port, stdin=LINE, ok=False).report["error"]
            equal((error["alert"], error["origin"]), ("handshake_failure", "peer"), "who says what")
            matches(r"--suite ALL names every one.*--allow-no-ems", error["text"], "text for people")
            equal(session.client(server.port, "--suite", "ALL", stdin=LINE).output, BACK, "what came back")
    with session.case("OpenSSL's server, certificates and schemes"):
        for key_type, scheme in (("rsa-pss", "rsa_pss_pss_sha256"), ("ed25519", "ed25519")):
            with openssl_peer.server(session, "-rev", credential=session.leaf(key_type, "--key-type", key_type), version="-tls1_2") as server:
                report = session.client(server.port, stdin=LINE).report
                equal((report["version"], report["peer_scheme"], report["verdict"]), ("TLSv1.2", scheme, "ok"), "what was agreed")
    with session.case("OpenSSL's server, brainpool curves"):
        for group in ("brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"):
            with openssl_server(session, "-groups", group) as server:
                report = session.client(server.port, "--tls1.2", "--group", f"{group},secp256r1", stdin=LINE).report
                equal((report["version"], report["group"]), ("TLSv1.2", group), "version and group")
    with session.case("OpenSSL's server, an OCSP response"):
        credentials(session)
        with openssl_server(session, "-status_file", openssl_peer.ocsp_response(session, "p256"), both=False) as server:
            report = session.client(server.port, "--ocsp", stdin=LINE).report
            check(report["ocsp_response_bytes"] > 0, "the response came")
    for version in ("-tls1", "-tls1_1"):
        with session.case(f"OpenSSL's server {version}"):
            with openssl_server(session, version=version) as server:
                client = session.client(server.port, stdin=LINE, ok=False)
                equal(client.status, 1, "status")
                equal((client.report["error"]["alert"], client.report["error"]["origin"]), ("protocol_version", "peer"), "who says what")
                matches(r"version", client.report["error"]["text"], "it is about versions")


def against_openssl_client(session, suites):
    cbc = [suite for suite in suites if suite.cbc]
    level = "ALL:@SECLEVEL=0"

    def get(server, suite, *options, ok=True):
        return fetch(session, server, "-cipher", f"{suite.openssl_name}:@SECLEVEL=0", *options, ok=ok, version="-tls1_2")

    everything = ["--suite", names(suites)]
    with session.server(*everything, credentials=credentials(session)) as server:
        with session.case("OpenSSL's client, every suite"):
            for suite in suites:
                agreed(get(server, suite)[1], suite, True)
        with session.case("OpenSSL's client, CBC without encrypt-then-MAC"):
            for suite in cbc:
                agreed(get(server, suite, "-no_etm")[1], suite, False)
        with session.case("OpenSSL's client without extended master secret"):
            _, report = get(server, suites[0], "-no_ems", ok=False)
            equal(report["error"]["reason"], "extended_main_secret_missing", "reason")
            matches(r"--allow-no-ems", report["error"]["text"], "what to say")
        with session.case("OpenSSL's client that falls back"):
            process, report = get(server, suites[0], "-fallback_scsv", ok=False)
            equal(report["error"]["alert"], "inappropriate_fallback", "alert")
            matches(r"inappropriate fallback", process.text, "OpenSSL sees it")
        for version in ("-tls1", "-tls1_1"):
            with session.case(f"OpenSSL's client {version}"):
                process = openssl_peer.client(session, server.port, version, "-cipher", level, "-brief", stdin=b"")
                check(process.finish() != 0, "s_client fails")
                error = server.next_report()["error"]
                equal((error["reason"], error["alert"]), ("version_unsupported", "protocol_version"), "reason and alert")
        with session.case("OpenSSL's client, a CBC suite that is not named"), session.server() as other:
            error = get(other, cbc[0], ok=False)[1]["error"]
            equal(error["reason"], "suite_unsupported", "reason")
            matches(r"--suite names ours", error["text"], "what to say")
    with session.server("--session-ids", "--allow-no-ems", *everything, credentials=credentials(session)) as server:
        with session.case("OpenSSL's client, resumption by ticket and by session id"):
            for number, options in enumerate(([], ["-no_ticket"], ["-no_ems", "-no_ticket"])):
                path = session.path(f"openssl12-session-{number}")
                for turn in (["-sess_out", path], ["-sess_in", path]):
                    process = openssl_peer.client(session, server.port, "-tls1_2", "-ign_eof", "-cipher", suites[0].openssl_name, *options,
                                                  *turn, stdin=b"GET / HTTP/1.0\r\n\r\n")
                    equal(process.finish(), 0, "exit status of s_client")
                    report = server.next_report()
                    equal((report["resumed"], report["extended_master_secret"]), ("-sess_in" in turn, "-no_ems" not in options),
                          "resumed, extended master secret")
                matches(r"^Reused, TLSv1.2", process.text, "OpenSSL says that it resumed")
    with session.case("OpenSSL's client, client certificate, OCSP response, ALPN"):
        response = openssl_peer.ocsp_response(session, "p256")
        with session.server("--client-auth", "require", "--client-ca", session.ca(), "--ocsp-response", response) as server:
            for key_type, scheme in (("rsa", None), ("p256", "ecdsa_secp256r1_sha256"), ("ed25519", "ed25519")):
                certificate, key = session.leaf(f"client-{key_type}", "--key-type", key_type, "--client", names=("someone@example.com",))
                _, report = fetch(session, server, "-cert", certificate, "-key", key, "-alpn", "http/1.1", version="-tls1_2")
                equal((report["client_verdict"], report["alpn"], report["version"]), ("ok", "http/1.1", "TLSv1.2"), "what was agreed")
                check(scheme in (None, report["peer_scheme"]), f"scheme {report['peer_scheme']}")
            process = openssl_peer.client(session, server.port, "-tls1_2", "-ign_eof", "-status", "-cert", certificate, "-key", key,
                                          stdin=b"GET / HTTP/1.0\r\n\r\n")
            equal((process.finish(), server.next_report()["ok"]), (0, True), "exit status, our report")
            matches(r"OCSP Response Status: successful", process.text, "OpenSSL sees the response")
            _, report = fetch(session, server, ok=False, version="-tls1_2")
            equal(report["error"]["reason"], "certificate_required", "a client without certificate")


# --- GnuTLS ----------------------------------------------------------------------------------------------------------

# All that GnuTLS has.
PRIORITY = ("NORMAL:-VERS-ALL:+VERS-TLS1.2:+RSA:+AES-128-CCM:+AES-256-CCM:+AES-128-CCM-8:+AES-256-CCM-8:+AES-128-CBC:+AES-256-CBC:"
            "+SHA256:+SHA384:+SHA1")


def priority(suite):
    """This suite alone: it names them by their parts."""
    cipher, mac = re.fullmatch(r"(.+?)(?:_(SHA\d*))?", suite.rest).groups()
    words = [suite.exchange.replace("_", "-"), cipher.replace("_", "-"), {"SHA": "SHA1"}.get(mac, mac) if suite.cbc else "AEAD"]
    return "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+{}:-CIPHER-ALL:+{}:-MAC-ALL:+{}".format(*words)


def gnutls_server(session, *words, options=("--disable-client-cert",)):
    port = free_port()
    pairs = [word for certificate, key in credentials(session) for word in ("--x509certfile", certificate, "--x509keyfile", key)]
    process = Process([program("gnutls-serv"), "--echo", *options, "--port", port, *pairs, "--priority", ":".join((PRIORITY, *words))])
    process.port = port
    wait_until_listening(port, process)
    return process


def gnutls_client(session, server, words, *options):
    process = Process([program("gnutls-cli"), "--x509cafile", session.ca(), "--port", server.port, "--verify-hostname", "localhost",
                       "--sni-hostname", "localhost", "--priority", words, *options, "127.0.0.1"])
    with process:
        process.wait_for(r"^- Simple Client Mode|rror")
        process.send_in_background(LINE)
        process.finish()
    return process


def against_gnutls(session, suites):
    cbc = [suite for suite in suites if suite.cbc]
    with session.case("GnuTLS's server, every suite, and resumption"), gnutls_server(session) as server:
        talk(session, server.port, suites, True)
        client = session.client(server.port, "--resume", "2", stdin=LINE)
        equal([report["resumed"] for report in client.reports], [False, True, True], "resumed")
    with session.case("GnuTLS's server without encrypt-then-MAC, extended master secret and tickets"):
        with gnutls_server(session, "%NO_ETM", "%NO_SESSION_HASH", "%NO_TICKETS") as server:
            talk(session, server.port, cbc, False, "--allow-no-ems", ems=False)
            client = session.client(server.port, "--allow-no-ems", "--resume", "2", stdin=LINE)
            equal([report["resumed"] for report in client.reports], [False, True, True], "resumed by session id")
    with session.case("GnuTLS's server without secure renegotiation"), gnutls_server(session, "%DISABLE_SAFE_RENEGOTIATION") as server:
        client = session.client(server.port, stdin=LINE, ok=False)
        equal(client.report["error"]["reason"], "renegotiation_info_missing", "reason")
        matches(r"allow such servers by --allow-no-renegotiation-info", client.report["error"]["advice"], "advice")
        talk(session, server.port, suites[:1], True, "--allow-no-renegotiation-info")

    def client(*words):
        return gnutls_client(session, *words)

    for some, words, etm, ems in ((suites, "", True, True), (cbc, ":%NO_ETM:%NO_SESSION_HASH", False, False),
                                  (one_of_each(suites), ":%NO_SESSION_HASH", True, False)):
        with session.case(f"GnuTLS's client, {len(some)} suites {words}"):
            with session.server("--echo", "--allow-no-ems", "--suite", names(some), credentials=credentials(session)) as server:
                for suite in some:
                    matches(r"^over the wire$", client(server, priority(suite) + words).text, "what came back")
                    report = server.next_report()
                    agreed(report, suite, etm)
                    equal(report["extended_master_secret"], ems, "extended master secret")
    certificate, key = client_pair(session)
    with session.case("GnuTLS, client certificates in both roles"):
        with gnutls_server(session, options=("--require-client-cert", "--verify-client-cert", "--x509cafile", session.ca())) as server:
            equal(session.client(server.port, "--cert", certificate, "--key", key, stdin=LINE).output, LINE, "what came back")
            server.wait_for(r"^\s*Subject: CN=someone@example.com$")
        with session.server("--echo", *WANTED, session.ca()) as server:
            matches(r"^over the wire$", client(server, PRIORITY, "--x509certfile", certificate, "--x509keyfile", key).text, "what came back")
            seen(server.next_report())
    with session.server("--echo", "--session-ids") as server:
        for words in ((), ("%NO_TICKETS",)):
            with session.case(f"GnuTLS's client, resumption {''.join(words)}"):
                text = client(server, ":".join((PRIORITY, *words)), "--resume").text
                matches(r"\*\*\* This is a resumed session", text, "GnuTLS says so")
                equal(sorted(server.next_report()["resumed"] for _ in range(2)), [False, True], "resumed")


# --- groups of DHE ---------------------------------------------------------------------------------------------------

# As `openssl dhparam` made it.
DH_1024 = b"""-----BEGIN DH PARAMETERS-----
MIGLAoGBAOPIVb0wH9gmtsMYxLJF0KimD5wzGPHX+H4NvwqnyTHyHJj/cmkVcIhz
i57Moi2JtRGBY27U+eNanmC7GSeIB1BOML+Dohd947i1m15YraWhU7X5YXLXO7qp
BQCSDB1Cyqcsal+Lv8W9mRuWeSFj4JWU+AJkl6uR/J3/1zDqZiePAgECAgIArw==
-----END DH PARAMETERS-----
"""
GROUPS = ("ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192")


def refused(client, reason, alert, option):
    error = client.report["error"]
    equal((error["reason"], error["alert"]), (reason, alert), "reason and alert")
    matches(option, error["text"], "what to say")


def groups_with_openssl(session, suites):
    weak, own = session.write("dh1024.pem", DH_1024), suites12.dh_parameters(session)
    one = ["--suite", suites[0].name]
    for words in ([], ["-dhparam", own]):
        with session.case(f"OpenSSL's server, DHE with a group of its own {''.join(words[:1])}"), openssl_server(session, *words) as server:
            talk(session, server.port, suites[:1], True, answer=BACK)
            client = session.client(server.port, *one, stdin=LINE, ok=False)
            refused(client, "dh_group_unknown", "insufficient_security", "--allow-unknown-dh-groups")
    with session.case("OpenSSL's server, DHE with 1024 bits"), openssl_server(session, "-dhparam", weak) as server:
        client = session.client(server.port, *only(suites[:1]), stdin=LINE, ok=False)
        refused(client, "dh_group_weak", "insufficient_security", "CVE-2015-4000")
        talk(session, server.port, suites[:1], True, "--min-dh-bits", "1024", answer=BACK)
    for group in GROUPS:
        with session.case(f"OpenSSL's server, DHE with {group}"):
            path = session.path(f"{group}.pem")
            run_ok([openssl_peer.openssl(), "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", f"group:{group}", "-out", path])
            with openssl_server(session, "-dhparam", path) as server:
                client = session.client(server.port, *one, "--group", group, stdin=LINE)
                equal((client.report["group"], client.output), (group, BACK), "group and what came back")
    everything = ["--suite", names(suites)]
    for words, bits in (([], 2048), (["--group", "ffdhe3072"], 3072), (["--dh-params", own], 2048),
                        (["--dh-params", weak, "--min-dh-bits", "1024"], 1024)):
        with session.case(f"OpenSSL's client, DHE with {bits} bits {' '.join(words[::2])}"):
            with session.server(*everything, *words, credentials=credentials(session)) as server:
                process, report = fetch(session, server, "-cipher", f"{suites[0].openssl_name}:@SECLEVEL=0", version="-tls1_2")
                agreed(report, suites[0], True)
                equal(report.get("group"), None if "--dh-params" in words else f"ffdhe{bits}", "group")
                matches(rf"Temp Key: DH, {bits} bits", process.text, "what OpenSSL saw")


def groups_with_gnutls(session, suites):
    one = ["--suite", suites[0].name]
    for group in GROUPS:
        words = ("-GROUP-ALL", f"+GROUP-{group.upper()}")
        with session.case(f"GnuTLS's server, DHE with {group}"), gnutls_server(session, *words) as server:
            equal(session.client(server.port, *one, "--group", ",".join(GROUPS), stdin=LINE).report["group"], group, "group")
        with session.case(f"GnuTLS's client, DHE with {group}"):
            with session.server("--echo", *one, "--group", ",".join(GROUPS), credentials=credentials(session)) as server:
                matches(r"^over the wire$", gnutls_client(session, server, ":".join((PRIORITY, *words))).text, "what came back")
                equal(server.next_report()["group"], group, "group")
    with session.case("GnuTLS's client, DHE without a group in common"):
        with session.server("--echo", *one, "--group", "ffdhe3072", credentials=credentials(session)) as server:
            gnutls_client(session, server, f"{PRIORITY}:-GROUP-ALL:+GROUP-FFDHE2048")
            error = server.next_report()["error"]
            equal((error["reason"], error["alert"]), ("dh_group_unsupported", "insufficient_security"), "reason and alert")


# --- renegotiation ---------------------------------------------------------------------------------------------------


def renegotiate_openssl_server(session, suite):
    with session.case("OpenSSL's server, which we renegotiate"):
        with openssl_server(session, "-client_renegotiation", "-msg") as server:
            client = session.client(server.port, *only([suite]), "--renegotiate", "begin", stdin=LINE)
            equal((client.report["renegotiations"], client.output), (1, BACK), "renegotiations and what came back")
            equal(len(re.findall(r"^<<< .*ClientHello", server.text, re.MULTILINE)), 2, "hellos that it saw")
    with session.case("OpenSSL's server, which does not want to, and the connection goes on"), openssl_server(session) as server:
        client = session.client(server.port, *only([suite]), "--renegotiate", "begin", stdin=LINE)
        equal((client.report["renegotiations"], client.output), (0, BACK), "renegotiations and what came back")
    with session.case("OpenSSL's server, which renegotiates, and asks for a certificate"):
        certificate, key = client_pair(session)
        with openssl_peer.server(session, "-msg", "-CAfile", session.ca(), version="-tls1_2") as server:
            process = session.client_process(server.port, "--tls1.2", "--renegotiate", "freely", "--cert", certificate, "--key", key)
            server.wait_for(r"^CIPHER is ")
            for number, letter in enumerate((b"r", b"R"), start=2):
                server.send(letter + b"\n")
                server.wait_for(r"(?s)(^>>> [^\n]*Finished.*){%d}" % number)
                server.send(b"behind %d\n" % number)
                process.wait_for(f"behind {number}")
                process.send(b"and back %d\n" % number)
                server.wait_for(f"^and back {number}$")
            matches(r"^<<< .*CertificateVerify", server.text, "our certificate")
            process.close_stdin()
            equal(process.finish(), 0, "exit status")
            equal(Client(process).report["renegotiations"], 2, "renegotiations")


def renegotiate_openssl_client(session, suite):
    certificate, key = client_pair(session)
    with session.case("OpenSSL's client, which renegotiates"):
        with session.server("--echo", "--renegotiate", "freely", *only([suite]), credentials=credentials(session)) as server:
            process = openssl_peer.client(session, server.port, "-tls1_2", "-msg")
            process.wait_for(r"^<<< .*Finished")
            process.send(b"R\n")
            process.wait_for(r"(?s)(^<<< [^\n]*Finished.*){2}")
            process.send(b"behind it\n")
            process.wait_for(r"^behind it$")
            process.send(b"Q\n")
            equal(process.finish(), 0, "exit status of s_client")
            equal(server.next_report()["renegotiations"], 1, "renegotiations")
    for loop in session.loops():
        with session.case(f"OpenSSL's client, which we ask for a certificate later ({loop})"):
            with session.server("--echo", "--renegotiate", "begin", "--client-auth", "request", "--client-ca", session.ca(), "--loop", loop,
                                *only([suite]), credentials=credentials(session)) as server:
                process = openssl_peer.client(session, server.port, "-tls1_2", "-msg", "-cert", certificate, "-key", key)
                process.wait_for(r"(?s)(^<<< [^\n]*Finished.*){2}")
                process.send(b"behind it\n")
                process.wait_for(r"^behind it$")
                process.send(b"Q\n")
                equal(process.finish(), 0, "exit status of s_client")
                report = server.next_report()
                equal((report["renegotiations"], report["client_verdict"]), (1, "ok"), "renegotiations and whom we saw")
    with session.case("OpenSSL's client, which does not want to, and the connection goes on"):
        with session.server("--echo", "--renegotiate", "begin", *only([suite]), credentials=credentials(session)) as server:
            process = openssl_peer.client(session, server.port, "-tls1_2", "-msg", "-no_renegotiation")
            process.wait_for(r"^>>> .*no_renegotiation")
            process.send(b"behind it\n")
            process.wait_for(r"^behind it$")
            process.send(b"Q\n")
            equal(process.finish(), 0, "exit status of s_client")
            equal(server.next_report()["renegotiations"], 0, "renegotiations")


def renegotiate_gnutls(session, suite):
    certificate, key = client_pair(session)
    with session.case("GnuTLS's server, which we renegotiate"), gnutls_server(session) as server:
        client = session.client(server.port, *only([suite]), "--renegotiate", "begin", stdin=LINE)
        equal((client.report["renegotiations"], client.output), (1, LINE), "renegotiations and what came back")
    with session.case("GnuTLS's server, which renegotiates"), gnutls_server(session) as server:
        process = session.client_process(server.port, *only([suite]), "--renegotiate", "freely")
        process.send(b"**REHANDSHAKE**\n")
        server.wait_for(r"\*\*\* Received hello message")  # what we send from now on waits until that is over
        process.send(LINE)
        process.wait_for(r"^over the wire$")
        process.close_stdin()
        equal(process.finish(), 0, "exit status")
        equal(Client(process).report["renegotiations"], 1, "renegotiations")

    with session.case("GnuTLS's client, which renegotiates"):
        with session.server("--echo", "--renegotiate", "freely", *only([suite]), credentials=credentials(session)) as server:
            matches(r"^over the wire$", gnutls_client(session, server, PRIORITY, "--rehandshake").text, "what came back")
            equal(server.next_report()["renegotiations"], 1, "renegotiations")
    with session.case("GnuTLS's client, which we ask for a certificate later"):
        with session.server("--echo", "--renegotiate", "begin", "--client-auth", "request", "--client-ca", session.ca(), *only([suite]),
                            credentials=credentials(session)) as server:
            process = gnutls_client(session, server, PRIORITY, "--x509certfile", certificate, "--x509keyfile", key)
            matches(r"^over the wire$", process.text, "what came back")
            report = server.next_report()
            equal((report["renegotiations"], report["client_verdict"]), (1, "ok"), "renegotiations and whom we saw")


# --- how large records may be, in both versions ------------------------------------------------------------------------

LONG_LINE = b"0123456789" * 900 + b"\n"


SHORT_LINE = b"0123456789" * 40 + b"\n"


def record_sizes(session):
    for version in ("1.2", "1.3"):
        ours, theirs = f"--tls{version}", f"-tls{version.replace('.', '_')}"
        with session.case(f"OpenSSL's server, max_fragment_length, TLS {version}"):
            with openssl_peer.server(session, "-rev", credential=session.leaf("p256"), version=theirs) as server:
                for length in ("512", "4096"):
                    client = session.client(server.port, ours, "--max-fragment-length", length, "--resume", "1", stdin=LONG_LINE)
                    equal([report["resumed"] for report in client.reports], [False, True], "resumed")
                    equal(client.output, LONG_LINE.strip()[::-1] + b"\n", "what came back")
        with session.case(f"OpenSSL's client, max_fragment_length, TLS {version}"):
            with session.server("--max-fragment-length") as server:
                for length in ("512", "4096"):
                    _, report = fetch(session, server, "-maxfraglen", length, version=theirs)
                    check(report["ok"], f"our report: {report}")
        gnutls_version = f"NORMAL:-VERS-ALL:+VERS-TLS{version}"
        with session.case(f"GnuTLS's server, record_size_limit, TLS {version}"):
            certificate, key = session.leaf("p256")
            port = free_port()
            with Process([program("gnutls-serv"), "--echo", "--disable-client-cert", "--port", port, "--x509certfile", certificate,
                          "--x509keyfile", key, "--priority", gnutls_version, "--recordsize", "600"]) as server:
                wait_until_listening(port, server)
                for limit in ("512", "2000"):
                    client = session.client(port, ours, "--record-size-limit", limit, stdin=LONG_LINE)
                    equal(client.output, LONG_LINE, "what came back")
        with session.case(f"GnuTLS's client, record_size_limit, TLS {version}"):
            with session.server("--echo", "--record-size-limit", "700") as server:
                process = Process([program("gnutls-cli"), "--x509cafile", session.ca(), "--port", server.port, "--verify-hostname",
                                   "localhost", "--sni-hostname", "localhost", "--priority", gnutls_version, "--recordsize", "512",
                                   "127.0.0.1"])
                with process:
                    process.wait_for(r"^- Simple Client Mode|rror")
                    # Of what is longer than a record this client sends the beginning alone.
                    process.send_in_background(SHORT_LINE)
                    process.finish()
                check(SHORT_LINE.strip().decode() in process.text, "what came back")
                check(server.next_report()["ok"], "our report")


# --- Go, Node, NSS, Erlang, curl -------------------------------------------------------------------------------------


def against_go(session, suites, peer):
    pairs = credentials(session)
    joined = ",".join(certificate for certificate, _ in pairs), ",".join(key for _, key in pairs)
    with session.case("Go's server, every suite, and resumption"):
        with Process([peer, "server", "-tls12", "-suites", names(suites), "-cert", joined[0], "-key", joined[1]]) as server:
            port = int(server.wait_for(r"^port (\d+)$").group(1))
            talk(session, port, suites, False)
            client = session.client(port, "--resume", "2", stdin=LINE)
            equal([report["resumed"] for report in client.reports], [False, True, True], "resumed")
    with session.case("Go's client, every suite, and resumption"):
        with session.server("--echo", "--suite", names(suites), credentials=pairs) as server:
            client = run_ok([peer, "client", "-tls12", "-suites", names(suites), "-count", "2", "-address", f"127.0.0.1:{server.port}", "-ca",
                             session.ca()])
            reports = server.reports_of(suites, 2)
        equal([each["suite"] for each in go_peer.reports(client)], [suite.name for suite in suites for _ in range(2)], "Go's suites")
        for suite, report in zip([suite for suite in suites for _ in range(2)], reports):
            agreed(report, suite, False)
        equal([report["resumed"] for report in reports], [False, True] * len(suites), "resumed")


    certificate, key = client_pair(session)
    with session.case("Go, client certificates in both roles"):
        with Process([peer, "server", "-tls12", "-cert", joined[0], "-key", joined[1], "-client-auth", "-ca", session.ca()]) as server:
            session.client(int(server.wait_for(r"^port (\d+)$").group(1)), "--cert", certificate, "--key", key, stdin=LINE)
            server.wait_for(r'"peer":"someone@example.com"')
        with session.server("--echo", *WANTED, session.ca()) as server:
            run_ok([peer, "client", "-tls12", "-address", f"127.0.0.1:{server.port}", "-ca", session.ca(), "-cert", certificate, "-key", key])
            seen(server.next_report())


def against_node(session, suites):
    pairs = credentials(session)
    words = {"version": "TLSv1.2"}
    with session.case("Node's server"):
        ciphers = ":".join(suite.openssl_name for suite in suites) + ":@SECLEVEL=0"
        given = {"cert": [each[0] for each in pairs], "key": [each[1] for each in pairs], "suites": ciphers, **words}
        with Process([node_peer.node(), node_peer.SCRIPT, "server", json.dumps(given)]) as server:
            port = int(server.wait_for(r"^port (\d+)$").group(1))
            talk(session, port, suites, True)
            client = session.client(port, "--resume", "1", stdin=LINE)
            equal([report["resumed"] for report in client.reports], [False, True], "resumed")
    with session.case("Node's client"), session.server("--echo", "--suite", names(suites), credentials=pairs) as server:
        given = {"port": server.port, "ca": session.ca(), "suites": [f"{suite.openssl_name}:@SECLEVEL=0" for suite in suites], **words}
        run_ok([node_peer.node(), node_peer.SCRIPT, "client", json.dumps(given)])
        for suite in suites:
            agreed(server.next_report(), suite, True)
    certificate, key = client_pair(session)
    with session.case("Node, client certificates in both roles"):
        given = {"cert": pairs[0][0], "key": pairs[0][1], "clientAuth": True, "ca": session.ca(), **words}
        with Process([node_peer.node(), node_peer.SCRIPT, "server", json.dumps(given)]) as server:
            session.client(int(server.wait_for(r"^port (\d+)$").group(1)), "--cert", certificate, "--key", key, stdin=LINE)
            server.wait_for(r'"peer":"someone@example.com"')
        with session.server("--echo", *WANTED, session.ca()) as server:
            given = {"port": server.port, "ca": session.ca(), "cert": certificate, "key": key, **words}
            run_ok([node_peer.node(), node_peer.SCRIPT, "client", json.dumps(given)])
            seen(server.next_report())


def nss_database(session):
    """Certificates and keys as NSS wants them."""
    folder = session.path("nss")
    os.makedirs(folder, exist_ok=True)
    run_ok([program("certutil"), "-N", "-d", folder, "--empty-password"])
    run_ok([program("certutil"), "-A", "-d", folder, "-n", "authority", "-t", "CT,C,", "-i", session.ca()])
    # It tells certificates by their subjects.
    pairs = [session.leaf("p256"), session.leaf("nss-rsa", "--key-type", "rsa", "--key-encipherment", "--subject", "CN=RSA"),
             client_pair(session)]
    for name, (certificate, key) in zip(("p256", "rsa", "client"), pairs):
        archive = session.path(f"{name}.p12")
        run_ok([openssl_peer.openssl(), "pkcs12", "-export", "-in", certificate, "-inkey", key, "-name", name, "-passout", "pass:", "-out",
                archive])
        run_ok([program("pk12util"), "-i", archive, "-d", folder, "-W", ""])
    return folder


def against_nss(session, suites, codes):
    folder = nss_database(session)
    every = "".join(codes[suite.name] for suite in suites)
    request = session.write("request", b"GET / HTTP/1.0\r\n\r\n")
    port = free_port()
    certificate, key = client_pair(session)
    for some, how, options in ((suites, "ticket", ["-u"]), (suites[:1], "session id", [])):
        with session.case(f"NSS's server, {len(some)} suites, client certificate, and resumption by {how}"):
            with Process([program("selfserv"), "-d", folder, "-p", str(port), "-n", "rsa", "-e", "p256", "-V", "tls1.2:tls1.2", "-c", every,
                          "-r", "-r", *options]) as server:
                wait_until_listening(port, server)
                for suite in some:
                    # It answers a request, and ends.
                    client = session.client(port, *only([suite]), "--cert", certificate, "--key", key, "--resume", "1", "--get", "/")
                    equal([report["resumed"] for report in client.reports], [False, True], "resumed")
                    agreed(client.report, suite, False)
    with session.server("--suite", names(suites), *WANTED, session.ca(), credentials=credentials(session)) as server:
        # Once with each: its program frees its request when it is done, and so may connect but once.
        with session.case("NSS's client, every suite"):
            for suite in suites:
                run_ok([program("tstclnt"), "-h", "localhost", "-4", "-p", str(server.port), "-d", folder, "-n", "client", "-V",
                        "tls1.2:tls1.2", "-c", codes[suite.name], "-A", request, "-f"])
                report = server.next_report()
                agreed(report, suite, False)
                seen(report)


def against_erlang(session, suites):
    words = [suite.name for suite in suites]
    pairs = [path for pair in credentials(session) for path in pair]
    with session.case("Erlang's server, which has no extended master secret"):
        with Process([program("escript"), suites12.ERLANG, "server", *pairs, *words]) as server:
            port = int(server.wait_for(r"^port (\d+)$").group(1))
            error = session.client(port, stdin=LINE, ok=False).report["error"]
            equal(error["reason"], "extended_main_secret_missing", "reason")
            matches(r"--allow-no-ems", error["text"], "text for people")
            talk(session, port, suites, False, "--allow-no-ems", ems=False)
            client = session.client(port, "--allow-no-ems", "--resume", "2", stdin=LINE)
            equal([report["resumed"] for report in client.reports], [False, True, True], "resumed by session id")
    with session.case("Erlang's client, every suite, and resumption by session id"):
        with session.server("--echo", "--allow-no-ems", "--session-ids", "--suite", names(suites), credentials=credentials(session)) as server:
            process = run_ok([program("escript"), suites12.ERLANG, "client", server.port, session.ca(), *words])
            for place, report in enumerate(server.reports_of(suites, 2)):
                agreed(report, suites[place // 2], False)
                equal((report["extended_master_secret"], report["resumed"]), (False, place % 2 == 1), "extended master secret, resumed")
        equal(process.text.count("echo over the wire"), 2 * len(suites), "what came back")


def against_curl(session):
    def fetch(server, *options):
        return run_ok([program("curl"), "--silent", "--show-error", "--verbose", "--cacert", session.ca(), "--resolve",
                       f"localhost:{server.port}:127.0.0.1", *options, f"https://localhost:{server.port}/"])

    for what, ours, theirs in (("curl with TLS 1.2 alone", [], ["--tls-max", "1.2"]), ("curl and a server of TLS 1.2 alone", ["--tls1.2"], [])):
        with session.server(*ours) as server, session.case(what):
            process = fetch(server, *theirs)
            report = server.next_report()
            equal((report["version"], report["alpn"], report["extended_master_secret"]), ("TLSv1.2", "http/1.1", True), "what was agreed")
            matches(r"SSL connection using TLSv1.2 / ECDHE-ECDSA-AES", process.text, "curl's view")
            matches(r"^version: TLSv1.2$", bytes(process.stdout).decode(), "the page")
    # It takes no tickets.
    with session.server("--tls1.2", "--session-ids") as server, session.case("curl, resumption by session id"):
        fetch(server, "--header", "Connection: close", f"https://localhost:{server.port}/again")
        equal([server.next_report()["resumed"] for _ in range(2)], [False, True], "resumed")


def main(session):
    openssl_peer.openssl()
    ours, _ = suites12.known(session)
    session.ca()
    session.leaf("p256")

    def both(who, theirs):
        return suites12.common(session, who, ours, theirs)

    with_openssl = both("OpenSSL", [name for _, _, name, _ in suites12.of_openssl()])
    against_openssl_server(session, with_openssl)
    against_openssl_client(session, with_openssl)
    against_gnutls(session, both("GnuTLS", suites12.of_gnutls()))
    dhe = [suite for suite in ours if suite.exchange == "DHE_RSA"]
    groups_with_openssl(session, dhe)
    groups_with_gnutls(session, dhe)
    usual = next(suite for suite in with_openssl if suite.name == "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
    renegotiate_openssl_server(session, usual)
    renegotiate_openssl_client(session, usual)
    renegotiate_gnutls(session, usual)
    record_sizes(session)
    psk12.against_both(session)
    go = go_peer.build(session)
    against_go(session, both("Go", run_ok([go, "suites"]).text.split()), go)
    against_node(session, both("Node", suites12.of_node(ours)))
    codes = suites12.of_nss()
    against_nss(session, both("NSS", codes), codes)
    against_erlang(session, both("Erlang", suites12.of_erlang()))
    against_curl(session)
