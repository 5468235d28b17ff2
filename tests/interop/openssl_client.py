"""OpenSSL's client against Lockstep's server."""

import contextlib
import os
import re
import time

import openssl_peer
import psk13
from harness import DEFAULT_SUITES, GROUPS, KEY_TYPES, SUITES, check, equal, matches
from openssl_peer import same_name

GET = b"GET / HTTP/1.0\r\nAccept: text/plain\r\n\r\n"


def fetch(session, server, *options, name="localhost", ok=True, version="-tls1_3"):
    """The page, fetched by s_client. Returns the process and our report."""
    process = openssl_peer.client(session, server.port, version, "-ign_eof", "-brief", *options, stdin=GET, name=name)
    status = process.finish()
    if ok:
        equal(status, 0, "exit status of s_client")
        matches(r"^HTTP/1.1 200 OK", process.text, "the page")
        matches(r"^Verification: OK", process.text, "OpenSSL's verdict")
    return process, server.next_report()


def suites(session):
    with session.server("--suite", ",".join(SUITES), "--client-preference") as server:
        for suite in SUITES:
            with session.case(f"suite {suite}"):
                # OpenSSL counts CCM_8's short tag as weak and wants it unlocked.
                process, report = fetch(session, server, "-ciphersuites", suite, "-cipher", "DEFAULT:@SECLEVEL=0")
                equal(report["suite"], suite, "our suite")
                matches(rf"^Ciphersuite: {suite}", process.text, "OpenSSL's suite")
    with session.server() as server:
        with session.case("CCM is accepted only when asked for"):
            process, report = fetch(session, server, "-ciphersuites", SUITES[3], ok=False)
            check(process.popen.returncode != 0, "s_client fails")
            equal(report["error"]["reason"], "suite_unsupported", "reason")
            equal(report["error"]["alert"], "handshake_failure", "alert")
        with session.case("the server's order of suites decides"):
            _, report = fetch(session, server, "-ciphersuites", "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256")
            equal(report["suite"], "TLS_AES_128_GCM_SHA256", "our suite")
        with session.case("but ChaCha20 for a client that leads with it, because its AES is slow"):
            _, report = fetch(session, server, "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256")
            equal(report["suite"], "TLS_CHACHA20_POLY1305_SHA256", "our suite")
    with session.server("--client-preference") as server:
        with session.case("the client's order of suites decides"):
            _, report = fetch(session, server, "-ciphersuites", "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256")
            equal(report["suite"], "TLS_AES_256_GCM_SHA384", "our suite")


def groups(session):
    with session.server("--group", ",".join(GROUPS)) as server:
        for group in GROUPS:
            with session.case(f"group {group}"):
                process, report = fetch(session, server, "-groups", group)
                check(same_name(report["group"], group), f"our group is {report['group']}")
                equal(report["hello_retry_request"], False, "HelloRetryRequest")
                name = {"x25519": "X25519", "x448": "X448", "secp256r1": "prime256v1"}.get(group, group)
                name = re.sub(r"^ffdhe(\d+)$", r"\1 bits", name).replace("tls13", "(tls13)?")
                matches(rf"^(Negotiated TLS1.3 group|Peer Temp Key): .*{name}", process.text, "OpenSSL's group")
    for options, who, chosen in (([], "server", "x25519"), (["--client-preference-of-groups"], "client", "secp256r1")):
        with session.server("--group", "x25519,secp256r1", *options) as server:
            with session.case(f"the {who}'s order of groups decides, and the server's of suites"):
                suites = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"
                _, report = fetch(session, server, "-groups", "P-256:X25519", "-cipher", suites, version="-tls1_2")
                check(same_name(report["group"], chosen), f"our group is {report['group']}")
                equal(report["suite"], "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "our suite")
    for cookie in ([], ["--cookie"]):
        for group in GROUPS:
            with session.case(f"group {group} after HelloRetryRequest{' with cookie' if cookie else ''}"):
                first = "x25519" if group != "x25519" else "secp256r1"
                with session.server("--group", group, *cookie) as server:
                    _, report = fetch(session, server, "-groups", f"{first}:{group}")
                    check(same_name(report["group"], group), f"our group is {report['group']}")
                    equal(report["hello_retry_request"], True, "HelloRetryRequest")


def certificates(session):
    everything = [session.leaf(key_type, "--key-type", key_type) for key_type in KEY_TYPES]
    with session.server(credentials=everything) as server:
        for key_type, scheme in KEY_TYPES.items():
            with session.case(f"certificate {key_type}, chosen by the client's schemes"):
                process, report = fetch(session, server, "-sigalgs", scheme)
                equal(report["own_scheme"], scheme, "scheme")
                matches(rf"^Signature type: {scheme}", process.text, "OpenSSL's scheme")
    names = [session.leaf(f"name-{i}", names=(f"{i}.example.com",)) for i in range(3)]
    names.append(session.leaf("name-star", names=("*.example.org",)))
    with session.server(credentials=names) as server:
        for name, common in (("0.example.com", "0.example.com"), ("2.example.com", "2.example.com"),
                             ("any.example.org", r"\*.example.org")):
            with session.case(f"certificate for {name}, chosen by SNI"):
                process, report = fetch(session, server, name=name)
                equal(report["server_name"], name, "SNI")
                matches(rf"^Peer certificate: CN\s?=\s?{common}$", process.text, "the certificate")
    with session.case("a name that no certificate has is refused with unrecognized_name"):
        with session.server("--strict-names", credentials=names) as server:
            _, report = fetch(session, server, name="any.example.net", ok=False)
            equal((report["error"]["reason"], report["error"]["alert"]), ("client_hello_refused", "unrecognized_name"), "error")
            fetch(session, server, name="any.example.org")
    with session.case("no common scheme"):
        with session.server(credentials=[session.leaf("ed25519", "--key-type", "ed25519")]) as server:
            process, report = fetch(session, server, "-sigalgs", "ecdsa_secp256r1_sha256", ok=False)
            check(process.popen.returncode != 0, "s_client fails")
            equal(report["error"]["alert"], "handshake_failure", "alert")


def client_authentication(session):
    with session.server("--client-auth", "require", "--client-ca", session.ca()) as server:
        for key_type, scheme in KEY_TYPES.items():
            with session.case(f"client certificate {key_type}"):
                certificate, key = session.leaf(f"client-{key_type}", "--key-type", key_type, "--client",
                                                names=("someone@example.com",))
                _, report = fetch(session, server, "-cert", certificate, "-key", key)
                equal(report["peer_scheme"], scheme, "scheme")
                equal(report["client_verdict"], "ok", "verdict")
                equal(report["client_certificate"]["subject"], "CN=someone@example.com", "subject")
        with session.case("a client without certificate is refused"):
            process, report = fetch(session, server, ok=False)
            equal(report["error"]["reason"], "certificate_required", "reason")
            matches(r"alert certificate required|alert number 116", process.text, "OpenSSL sees the alert")
        with session.case("a client certificate for servers only is refused"):
            certificate, key = session.leaf("p256")
            process, report = fetch(session, server, "-cert", certificate, "-key", key, ok=False)
            equal(report["error"]["reason"], "certificate_wrong_usage", "reason")
            equal(report["client_verdict"], "INVALID_PURPOSE", "verdict")
        with session.case("a client certificate from another authority is refused"):
            certificate, key = session.leaf("stranger", "--client", ca="other-ca", names=("stranger@example.com",))
            process, report = fetch(session, server, "-cert", certificate, "-key", key, ok=False)
            equal(report["error"]["reason"], "certificate_unknown_ca", "reason")
            matches(r"alert unknown ca|alert number 48", process.text, "OpenSSL sees the alert")
        with session.case("the server names its authorities"):
            process = openssl_peer.client(session, server.port, "-tls1_3", "-ign_eof", stdin=GET)
            process.finish()
            server.next_report()
            matches(r"^Acceptable client certificate CA names\n.*CN\s?=\s?Authority ca", process.text, "the names")
    with session.server("--client-auth", "require", "--accept-unverified") as server:
        with session.case("a client certificate from nowhere is taken, and said to be unverified"):
            certificate, key = session.leaf("stranger", "--client", ca="other-ca", names=("stranger@example.com",))
            _, report = fetch(session, server, "-cert", certificate, "-key", key)
            equal(report["client_verdict"], "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "verdict")
            equal(report["unverified"], "certificate_unknown_ca", "reserve")
        with session.case("and none is refused all the same"):
            process, report = fetch(session, server, ok=False)
            equal(report["error"]["reason"], "certificate_required", "reason")
    with session.case("a server that merely asks accepts a client without certificate"):
        with session.server("--client-auth", "request", "--client-ca", session.ca()) as server:
            _, report = fetch(session, server)
            check("client_certificate" not in report, "there is none")


def resumption(session):
    with session.server() as server:
        for suite in DEFAULT_SUITES:
            with session.case(f"resumption with {suite}"):
                path = session.path(f"openssl-session-{suite}")
                _, report = fetch(session, server, "-ciphersuites", suite, "-sess_out", path)
                equal(report["resumed"], False, "the first connection is resumed")
                process = openssl_peer.client(session, server.port, "-tls1_3", "-ign_eof", "-ciphersuites", suite, "-sess_in",
                                              path, stdin=GET)
                equal(process.finish(), 0, "exit status of s_client")
                report = server.next_report()
                equal(report["resumed"], True, "the second connection is resumed")
                equal(report["suite"], suite, "suite")
                matches(rf"^Reused, TLSv1.3, Cipher is {suite}", process.text, "OpenSSL says that it resumed")
    with session.case("a ticket key that two servers share"):
        key = session.write("ticket.key", os.urandom(48))
        os.chmod(key, 0o600)
        path = session.path("openssl-session-shared")
        with session.server("--ticket-key", key) as server:
            fetch(session, server, "-sess_out", path)
        with session.server("--ticket-key", key) as server:
            _, report = fetch(session, server, "-sess_in", path)
            equal(report["resumed"], True, "resumed by the other server")
    with session.case("a ticket of an unknown key gives a full handshake"):
        path = session.path("openssl-session-old")
        with session.server() as server:
            fetch(session, server, "-sess_out", path)
        with session.server() as server:
            _, report = fetch(session, server, "-sess_in", path)
            equal(report["resumed"], False, "resumed")
    with session.case("no tickets when none are wanted"):
        with session.server("--tickets", "0") as server:
            process = openssl_peer.client(session, server.port, "-tls1_3", "-ign_eof", "-msg", stdin=GET)
            equal(process.finish(), 0, "exit status of s_client")
            check("NewSessionTicket" not in process.text, "there is no NewSessionTicket")
    with session.case("as many tickets as are wanted"):
        with session.server("--tickets", "5") as server:
            process = openssl_peer.client(session, server.port, "-tls1_3", "-ign_eof", "-msg", stdin=GET)
            equal(process.finish(), 0, "exit status of s_client")
            equal(len(re.findall(r"^<<< .*NewSessionTicket", process.text, re.MULTILINE)), 5, "tickets")


def early_data(session):
    early = session.write("early-request", GET)

    def ticket(server, name):
        path = session.path(f"openssl-session-{name}")
        fetch(session, server, "-sess_out", path)
        return path

    def attempt(server, path, stdin=b""):
        """The request as early data; `stdin` comes later, and s_client sends nothing twice."""
        process = openssl_peer.client(session, server.port, "-tls1_3", "-ign_eof", "-sess_in", path, "-early_data", early,
                                      stdin=stdin)
        equal(process.finish(), 0, "exit status of s_client")
        matches(r"^HTTP/1.1 200 OK", process.text, "the page")
        report = server.next_report()
        equal(report["resumed"], True, "resumed")
        return process, report

    with session.case("no early data unless it was asked for"):
        with session.server() as server:
            path = ticket(server, "not-early")
            process = openssl_peer.client(session, server.port, "-tls1_3", "-ign_eof", "-sess_in", path, stdin=GET)
            equal(process.finish(), 0, "exit status of s_client")
            matches(r"^Early data was not sent", process.text, "OpenSSL has none")
            matches(r"Max Early Data: 0", process.text, "the session allows none")
            equal(server.next_report()["early_data"], "none", "ours")
    with session.case("early data, never from before the start, and once, over every kind of loop"), contextlib.ExitStack() as stack:
        servers = {loop: stack.enter_context(session.server("--early-data", "16384", "--loop", loop))
                   for loop in session.loops()}
        for loop, server in servers.items():
            process, report = attempt(server, ticket(server, f"too-soon-{loop}"), stdin=GET)
            equal((report["early_data"], report["early_bytes"]), ("declined", 0), f"too soon, {loop}")
            matches(r"^Early data was rejected", process.text, "OpenSSL's")
        time.sleep(20)  # what came before the start is not known for so long
        for loop, server in servers.items():
            path = ticket(server, f"early-{loop}")
            process, report = attempt(server, path)
            equal((report["early_data"], report["early_bytes"]), ("accepted", len(GET)), f"the first time, {loop}")
            equal(report["request"], "GET /", "the request")
            matches(r"^Early data was accepted", process.text, "OpenSSL's")
            process, report = attempt(server, path, stdin=GET)
            equal((report["early_data"], report["early_bytes"]), ("declined", 0), f"the same ticket again, {loop}")
            equal(report["bytes_received"], len(GET), "what came later came once")
            matches(r"^Early data was rejected", process.text, "OpenSSL's")


def alpn(session):
    with session.server("--alpn", "h2,http/1.1") as server:
        with session.case("ALPN"):
            process, report = fetch(session, server, "-alpn", "spdy/3,http/1.1,h2")
            equal(report["alpn"], "h2", "ours (our order decides)")
        with session.case("ALPN, the client has none"):
            _, report = fetch(session, server)
            check("alpn" not in report, "no protocol was agreed")
        with session.case("ALPN mismatch"):
            process, report = fetch(session, server, "-alpn", "imap", ok=False)
            equal(report["error"]["reason"], "alpn_mismatch", "reason")
            matches(r"no application protocol|alert number 120", process.text, "OpenSSL sees the alert")


def key_updates(session):
    for letter in ("k", "K"):
        with session.case(f"KeyUpdate from the client ({letter})"):
            with session.server("--echo") as server:
                process = openssl_peer.client(session, server.port, "-tls1_3", "-msg")
                process.wait_for(r"^<<< .*NewSessionTicket")
                process.send(letter.encode() + b"\n")
                process.wait_for(r"^>>> .*KeyUpdate")
                process.send(b"after the update\n")
                process.wait_for(r"^after the update$")
                if letter == "K":
                    process.wait_for(r"^<<< .*KeyUpdate")
                process.send(b"Q\n")
                equal(process.finish(), 0, "exit status of s_client")
                equal(server.next_report()["peer_key_updates"], 1, "key updates that we saw")


def stapling(session):
    def with_status(server):
        """What s_client prints: with -brief it says nothing of staples."""
        process = openssl_peer.client(session, server.port, "-tls1_3", "-ign_eof", "-status", stdin=GET)
        equal(process.finish(), 0, "exit status of s_client")
        matches(r"^HTTP/1.1 200 OK", process.text, "the page")
        check(server.next_report()["ok"], "our report")
        return process.text

    credential = session.leaf("p256")
    response = openssl_peer.ocsp_response(session, "p256")
    with session.server("--ocsp-response", response, credentials=[credential]) as server:
        with session.case("OCSP response for OpenSSL"):
            text = with_status(server)
            matches(r"OCSP Response Status: successful", text, "the response's status")
            matches(r"Cert Status: good", text, "the certificate's")
    with session.server(credentials=[credential]) as server:
        with session.case("OCSP response that we do not have"):
            matches(r"^OCSP response: no response sent", with_status(server), "OpenSSL's report")


def compression(session):
    names = tuple(f"host{number}.example.com" for number in range(20)) + ("localhost",)
    credential = session.leaf("many", "--key-type", "p256", names=names)
    certificate, key = session.leaf("client-many", "--key-type", "p256", "--client", names=names)
    with session.server("--compress-certificates", "--client-auth", "request", "--client-ca", session.ca(), credentials=[credential]) as server:
        with session.case("compressed certificates both ways"):
            _, report = fetch(session, server, "-cert", certificate, "-key", key)
            check(report["own_compression"] in ("zstd", "zlib", "brotli"), "ours is compressed")
            check(report["peer_compression"] in ("zstd", "zlib", "brotli"), "OpenSSL's is compressed")
            equal(report["client_verdict"], "ok", "verdict")
        with session.case("OpenSSL that takes no compressed certificate"):
            _, report = fetch(session, server, "-no_rx_cert_comp", "-no_tx_cert_comp", "-cert", certificate, "-key", key)
            check("own_compression" not in report and "peer_compression" not in report, "nothing is compressed")
    with session.server(credentials=[credential]) as server:
        with session.case("no compression unless it is asked for"):
            _, report = fetch(session, server)
            check("own_compression" not in report, "nothing is compressed")


def data(session):
    with session.case("64 MiB to OpenSSL, from a folder"):
        os.makedirs(session.path("served"), exist_ok=True)
        blob = os.urandom(1 << 20) * 64
        session.write("served/blob.bin", blob)
        with session.server("--dir", session.path("served")) as server:
            process = openssl_peer.client(session, server.port, "-tls1_3", "-quiet",
                                          stdin=b"GET /blob.bin HTTP/1.0\r\n\r\n")
            equal(process.finish(120), 0, "exit status of s_client")
            body = bytes(process.stdout).split(b"\r\n\r\n", 1)[1]
            check(body == blob, f"the bytes are the same ({len(body)} of {len(blob)})")
            equal(server.next_report()["status"], 200, "status")
    for option in (["--max-fragment", "64"], ["--padding", "4096"]):
        with session.case(f"our {' '.join(option)}"):
            with session.server(*option) as server:
                fetch(session, server)
    with session.case("records as max_send_frag makes them"):
        with session.server() as server:
            fetch(session, server, "-max_send_frag", "512")
    with session.case("no middlebox compatibility"):
        with session.server() as server:
            fetch(session, server, "-no_middlebox")


def main(session):
    openssl_peer.openssl()
    for part in (suites, groups, certificates, client_authentication, resumption, early_data, alpn, key_updates, stapling, compression, data,
                 psk13.openssls_client):
        part(session)
