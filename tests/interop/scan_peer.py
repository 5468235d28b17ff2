"""`lockstep scan` of servers whose configuration is known: what it finds is what they were told."""

import json

import openssl_peer
from harness import Process, check, check_document, equal, free_port, matches, program, run, run_ok, wait_until_listening


def scan(session, port, *options, ok=True):
    found = run([session.tool, "scan", f"localhost:{port}", "--address", "127.0.0.1", "--ca", session.ca(), "--json", *options])
    equal(found.popen.returncode, 0 if ok else 1, "exit status")
    document = json.loads(bytes(found.stdout))
    check_document(document, "scan" if ok else "failure")
    return document


def versions(document):
    return [each["version"] for each in document["versions"] if each["accepted"]]


def of(document, what, version):
    """The names that were accepted in a version, and whether they stand in the server's order."""
    for each in document[what]:
        if each["version"] == version:
            return [one["name"] if what == "suites" else one for one in each["accepted"]], each["server_order"]
    return [], False


def resumption(document, version):
    return next(each for each in document["resumption"] if each["version"] == version)


def of_openssl(session):
    with session.case("OpenSSL's server, both versions, lists of its own"):
        options = ["-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256", "-serverpref", "-groups", "P-384:X448",
                   "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA", "-alpn", "http/1.1", "-num_tickets", "3",
                   "-no_tls1_1", "-no_tls1"]
        with openssl_peer.server(session, *options, credential=session.leaf("p384", "--key-type", "p384"), version="-serverpref") as peer:
            found = scan(session, peer.port)
        equal(versions(found), ["TLSv1.3", "TLSv1.2"], "versions")
        equal(of(found, "suites", "TLSv1.3"), (["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"], True), "suites of TLS 1.3")
        equal(of(found, "suites", "TLSv1.2"),
              (["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"], True), "suites of TLS 1.2")
        insecure = {suite["name"]: suite["insecure"] for each in found["suites"] for suite in each["accepted"]}
        equal((insecure["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"], insecure["TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"]), (False, True),
              "which is insecure")
        equal(of(found, "groups", "TLSv1.3"), (["secp384r1", "x448"], True), "groups")
        equal(of(found, "schemes", "TLSv1.3")[0], ["ecdsa_secp384r1_sha384"], "schemes")
        equal(found["alpn"]["accepted"], ["http/1.1"], "ALPN")
        tickets = resumption(found, "TLSv1.3")
        equal((tickets["tickets"], tickets["resumed"], tickets["max_early_data_size"]), (3, True, 0), "resumption")
        check(resumption(found, "TLSv1.2")["resumed"], "resumption in TLS 1.2")
        equal((found["extended_master_secret"], found["renegotiation_info"], found["fallback_scsv"], found["compression"]),
              (True, True, True, False), "extensions")
        equal((found["verdict"], len(found["chain"])), ("ok", 1), "the certificate")
    with session.case("OpenSSL's server, early data, a staple, a client's certificate asked for"):
        leaf = session.leaf("p256")
        options = ["-early_data", "-status_file", openssl_peer.ocsp_response(session, "p256"), "-verify", "2"]
        with openssl_peer.server(session, *options, credential=leaf) as peer:
            found = scan(session, peer.port)
        equal(versions(found), ["TLSv1.3"], "versions")
        tickets = resumption(found, "TLSv1.3")
        equal((tickets["resumed"], tickets["max_early_data_size"], tickets["early_data"]), (True, 16384, "accepted"), "early data")
        check(found["ocsp_response_bytes"] > 0, "the staple")
        check(found["asks_client_certificate"], "the client's certificate")
    with session.case("OpenSSL's server, what nobody should have any more"):
        options = ["-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0", "-no_ticket", "-legacy_renegotiation"]
        rsa = session.leaf("rsa", "--key-type", "rsa", "--key-encipherment")
        with openssl_peer.server(session, *options, credential=rsa, version="-no_tls1_3") as peer:
            found = scan(session, peer.port, "--alpn", "h2")
        equal(versions(found), ["TLSv1.2", "TLSv1.1", "TLSv1.0"], "versions")
        names = of(found, "suites", "TLSv1.2")[0]
        for wanted in ("TLS_RSA_WITH_NULL_SHA256", "TLS_DH_anon_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"):
            check(wanted in names, f"{wanted} among {names}")
        equal(of(found, "suites", "TLSv1.2")[1], False, "the client's order")
        check("rsa_pss_rsae_sha256" in of(found, "schemes", "TLSv1.2")[0], "schemes")
        session_id = resumption(found, "TLSv1.2")
        equal((session_id["tickets"], session_id["session_id"], session_id["resumed"]), (0, True, True), "resumption by session id")
        check(found["dh_bits"] >= 1024, "bits of DHE")


def of_gnutls(session):
    with session.case("GnuTLS's server"):
        certificate, key = session.leaf("p256")
        port = free_port()
        priority = "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+AES-256-GCM:+AES-128-CCM:+AEAD:+ECDHE-ECDSA:+SIGN-ALL:+COMP-NULL:+GROUP-X25519:" \
                   "+GROUP-SECP256R1:%SERVER_PRECEDENCE"
        with Process([program("gnutls-serv"), "--port", port, "--x509certfile", certificate, "--x509keyfile", key, "--priority",
                      priority, "--alpn", "h2", "--disable-client-cert"]) as process:
            wait_until_listening(port, process)
            found = scan(session, port)
        equal(versions(found), ["TLSv1.3", "TLSv1.2"], "versions")
        equal(of(found, "suites", "TLSv1.3"), (["TLS_AES_256_GCM_SHA384", "TLS_AES_128_CCM_SHA256"], True), "suites of TLS 1.3")
        equal(of(found, "suites", "TLSv1.2"),
              (["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM"], True), "suites of TLS 1.2")
        equal(sorted(of(found, "groups", "TLSv1.3")[0]), ["secp256r1", "x25519"], "groups")
        equal((found["alpn"]["accepted"], found["asks_client_certificate"]), (["h2"], False), "ALPN, client's certificate")
        check(resumption(found, "TLSv1.3")["resumed"], "resumption")


def of_ours(session):
    with session.case("our server, as configured"):
        options = ["--suite", "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-CHACHA20-POLY1305", "--group",
                   "secp256r1:x25519", "--alpn", "h2,http/1.1", "--tickets", "1"]
        with session.server(*options) as server:
            found = scan(session, server.port)
        equal(versions(found), ["TLSv1.3", "TLSv1.2"], "versions")
        equal(of(found, "suites", "TLSv1.3"), (["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"], True), "suites of TLS 1.3")
        equal(of(found, "suites", "TLSv1.2")[0], ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"], "suites of TLS 1.2")
        equal(of(found, "groups", "TLSv1.3"), (["secp256r1", "x25519"], True), "groups")
        equal(found["alpn"]["accepted"], ["h2", "http/1.1"], "ALPN")
        equal(resumption(found, "TLSv1.3")["tickets"], 1, "tickets")
    with session.case("our server, TLS 1.3 alone, without tickets"):
        with session.server("--tls1.3", "--tickets", "0") as server:
            found = scan(session, server.port, "--parallel", "1")
        equal(versions(found), ["TLSv1.3"], "versions")
        equal(resumption(found, "TLSv1.3")["resumed"], False, "resumption")
        check("fallback_scsv" not in found, "nothing is fallen back to")
    with session.case("for people, and no faster than asked for"):
        with session.server("--tls1.2", "--suite", "ECDHE-ECDSA-AES128-GCM-SHA256") as server:
            found = run_ok([session.tool, "scan", f"localhost:{server.port}", "--address", "127.0.0.1", "--ca", session.ca(), "--delay",
                            "0.02", "--alpn", "h2"])
        matches(r"^  TLSv1\.2 +accepted$", found.text, "versions")
        matches(r"^  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256$", found.text, "suites")
        matches(r"verdict +ok", found.text, "the verdict")
    with session.case("a port where nobody listens, and one that speaks no TLS"):
        port = free_port()
        check("refused" in scan(session, port, ok=False)["error"]["text"], "why")


def main(session):
    of_ours(session)
    of_openssl(session)
    of_gnutls(session)
