"""Lockstep's client against OpenSSL's server."""

import contextlib
import json
import os
import re
import select
import socket
import threading
import time

import openssl_peer
import psk13
from harness import (DEFAULT_SUITES, GROUPS, KEY_TYPES, SUITES, Client, Process, check, equal, matches)
from openssl_peer import same_name


class Rejoined:
    """Hands one connection on to a server that forgets its client after HelloRetryRequest: s_server -stateless closes there and
    takes what follows, which the cookie proves to be the same client's, on a new connection."""

    def __init__(self, port):
        self._server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        with contextlib.suppress(OSError), self._listener.accept()[0] as client:
            upstream = self._connect()
            rejoined = False
            while True:
                ready, _, _ = select.select([client, upstream], [], [])
                if client in ready:
                    data = client.recv(65536)
                    if not data:
                        upstream.shutdown(socket.SHUT_WR)
                        break
                    upstream.sendall(data)
                if upstream in ready:
                    data = upstream.recv(65536)
                    if data:
                        client.sendall(data)
                    elif rejoined:
                        return
                    else:
                        upstream, rejoined = self._connect(), True
            while data := upstream.recv(65536):
                client.sendall(data)

    def _connect(self):
        return socket.create_connection(("127.0.0.1", self._server_port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()


def reversed_lines(text):
    return b"".join(line[::-1] + b"\n" for line in text.splitlines())


def one_echo(session, server_options, client_options, credential=None):
    """One connection over which OpenSSL reverses a line. Returns our report and OpenSSL's text."""
    with openssl_peer.server(session, "-rev", *server_options, credential=credential) as server:
        client = session.client(server.port, *client_options, stdin=b"over the wire\n")
        equal(client.output, b"eriw eht revo\n", "what OpenSSL sent back")
        server.wait_for(r"^CONNECTION CLOSED")
        return client.report, server.text


def suites(session):
    for suite in SUITES:
        with session.case(f"suite {suite}"):
            # OpenSSL counts CCM_8's short tag as weak and wants it unlocked.
            report, text = one_echo(session, ["-ciphersuites", ":".join(SUITES), "-cipher", "DEFAULT:@SECLEVEL=0"],
                                    ["--suite", suite])
            equal(report["suite"], suite, "our suite")
            equal(report["version"], "TLSv1.3", "our version")
            matches(rf"^Ciphersuite: {suite}$", text, "OpenSSL's suite")
            matches(r"^Protocol version: TLSv1.3$", text, "OpenSSL's version")
    with session.case("CCM is offered only when asked for"):
        with openssl_peer.server(session, "-rev", "-ciphersuites", ":".join(SUITES[3:])) as server:
            client = session.client(server.port, ok=False)
            equal(client.status, 1, "exit status")
            equal(client.report["error"]["alert"], "handshake_failure", "alert")


def groups(session):
    for group in GROUPS:
        with session.case(f"group {group}"):
            report, _ = one_echo(session, ["-groups", group], ["--group", group])
            check(same_name(report["group"], group), f"our group is {report['group']}")
            equal(report["hello_retry_request"], False, "HelloRetryRequest")
        first = "x25519" if group != "x25519" else "secp256r1"
        with session.case(f"group {group} after HelloRetryRequest"):
            report, _ = one_echo(session, ["-groups", group],
                                 ["--group", f"{first},{group}", "--key-share", first])
            check(same_name(report["group"], group), f"our group is {report['group']}")
            equal(report["hello_retry_request"], True, "HelloRetryRequest")
    with session.case("cookie in HelloRetryRequest (-stateless)"):
        # The compatibility change_cipher_spec would be taken for a connection of its own, with nothing in it.
        with openssl_peer.server(session, "-stateless") as server, Rejoined(server.port) as door:
            client = session.client_process(door.port, "--no-middlebox", "--send-only")
            client.send(b"over the wire\n")
            server.wait_for(r"^over the wire$")
            client.close_stdin()
            equal(client.finish(), 0, "exit status")
            equal(Client(client).report["hello_retry_request"], True, "HelloRetryRequest")


def certificates(session):
    for key_type, scheme in KEY_TYPES.items():
        with session.case(f"certificate {key_type}"):
            report, _ = one_echo(session, [], [], credential=session.leaf(key_type, "--key-type", key_type))
            equal(report["peer_scheme"], scheme, "scheme")
            equal(report["verdict"], "ok", "verdict")
    for scheme in ("rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512"):
        with session.case(f"scheme {scheme}"):
            report, _ = one_echo(session, [], ["--scheme", scheme], credential=session.leaf("rsa", "--key-type", "rsa"))
            equal(report["peer_scheme"], scheme, "scheme")
    for scheme in ("rsa_pss_pss_sha384", "rsa_pss_pss_sha512"):
        with session.case(f"scheme {scheme}"):
            report, _ = one_echo(session, [], ["--scheme", scheme],
                                 credential=session.leaf("rsa-pss", "--key-type", "rsa-pss"))
            equal(report["peer_scheme"], scheme, "scheme")
    for key_type in ("rsa", "p384", "ed25519", "mldsa65"):
        with session.case(f"a chain through an intermediate, {key_type} authorities"):
            session.ca(f"root-{key_type}", "--key-type", key_type)
            root = session.path(f"root-{key_type}")
            session.ca(f"middle-{key_type}", "--key-type", key_type, "--ca", root + ".pem", "--ca-key", root + ".key.pem",
                       "--subject", "CN=Intermediate", "--path-length", "0")
            credential = session.leaf(f"below-{key_type}", ca=f"middle-{key_type}")
            with openssl_peer.server(session, "-www", credential=credential) as server:
                client = session.client(server.port, "--get", "/", ca=root + ".pem")
            equal(len(client.report["chain"]), 2, "certificates sent")
            equal(client.report["verdict"], "ok", "verdict")


def schemes_of_certificates(session):
    with session.case("schemes for certificates alone are named apart"):
        with openssl_peer.server(session, "-rev", "-trace") as server:
            wanted = "ecdsa_secp256r1_sha256,rsa_pkcs1_sha256"
            equal(session.client(server.port, "--scheme-cert", wanted, stdin=b"x\n").report["ok"], True, "the handshake")
            listed = matches(r"extension_type=signature_algorithms_cert\(50\), length=6\n +0000 - ((?:[0-9a-f]{2}[ -])+)", server.text, "the list")
            equal(listed[1].split(), "00 04 04 03 04 01".split(), "what OpenSSL reads")


def client_authentication(session):
    for key_type, scheme in KEY_TYPES.items():
        with session.case(f"client certificate {key_type}"):
            certificate, key = session.leaf(f"client-{key_type}", "--key-type", key_type, "--client",
                                            names=("someone@example.com",))
            report, text = one_echo(session, ["-Verify", "1", "-verify_return_error", "-CAfile", session.ca()],
                                    ["--cert", certificate, "--key", key])
            equal(report["own_scheme"], scheme, "scheme")
            matches(r"^Peer certificate: CN\s?=\s?someone@example.com$", text, "the certificate that OpenSSL saw")
            matches(r"^Verification: OK$", text, "OpenSSL's verdict")
    with session.case("a server that insists refuses a client without certificate"):
        with openssl_peer.server(session, "-rev", "-Verify", "1", "-verify_return_error", "-CAfile", session.ca()) as server:
            client = session.client(server.port, stdin=b"hello\n", ok=False)
            equal(client.status, 1, "exit status")
            equal(client.report["error"]["alert"], "certificate_required", "alert")
            equal(client.report["error"]["origin"], "peer", "origin")
    with session.case("a server that merely asks accepts a client without certificate"):
        one_echo(session, ["-verify", "1", "-CAfile", session.ca()], [])


def resumption(session):
    for suite in DEFAULT_SUITES:
        with session.case(f"resumption with {suite}"):
            with openssl_peer.server(session, "-www") as server:
                path = session.path(f"session-{suite}")
                first = session.client(server.port, "--get", "/", "--suite", suite, "--session-out", path)
                equal(first.report["resumed"], False, "the first connection is resumed")
                equal(os.stat(path).st_mode & 0o777, 0o600, "mode of the session file")
                second = session.client(server.port, "--get", "/", "--suite", suite, "--session-in", path)
                equal(second.report["resumed"], True, "the second connection is resumed")
                check(b"Reused, TLSv1.3" in second.output, "OpenSSL says that it resumed")
                check(b"New, TLSv1.3" in first.output, "OpenSSL says that the first was new")
                equal(second.report["chain"], [], "certificates in a resumed handshake")
    with session.case("resumption, many times in one run"):
        with openssl_peer.server(session, "-www") as server:
            client = session.client(server.port, "--get", "/", "--resume", "5")
            equal([report["resumed"] for report in client.reports], [False] + [True] * 5, "resumed")
    with session.case("resumption after HelloRetryRequest"):
        with openssl_peer.server(session, "-www", "-groups", "secp384r1") as server:
            client = session.client(server.port, "--get", "/", "--resume", "1", "--group", "x25519,secp384r1",
                                    "--key-share", "x25519")
            equal([report["resumed"] for report in client.reports], [False, True], "resumed")
            equal([report["hello_retry_request"] for report in client.reports], [True, True], "HelloRetryRequest")
    with session.case("a session that the server does not know gives a full handshake"):
        path = session.path("session-stale")
        with openssl_peer.server(session, "-www") as server:
            session.client(server.port, "--get", "/", "--session-out", path)
        with openssl_peer.server(session, "-www") as server:
            client = session.client(server.port, "--get", "/", "--session-in", path)
            equal(client.report["resumed"], False, "resumed")
            equal(client.report["verdict"], "ok", "verdict")


def early_data(session):
    request = b"GET /early HTTP/1.1\r\n"

    def attempt(server, path, *options, shown=r"(?s)GET /early HTTP/1\.1\r?\n.*Accept: "):
        """The request as early data; s_server shows it and waits. Ends it, which it does without close_notify."""
        process = session.client_process(server.port, "--get", "/early", "--early-data", "--session-in", path, *options)
        server.wait_for(shown)
        server.send(b"Q\n")
        process.finish()
        report = Client(process).report
        equal(report["error"]["reason"], "truncated", "how it ended")
        return report

    def first(server, path, *options):
        report = session.client(server.port, "--session-out", path, *options).report
        equal(report["early_data"], "none", "early data of the first connection")

    with session.case("early data"):
        path = session.path("session-early")
        with openssl_peer.server(session, "-early_data") as server:
            first(server, path)
            report = attempt(server, path)
            equal((report["resumed"], report["early_data"]), (True, "accepted"), "resumed, early data")
            check(report["early_bytes"] > len(request), "all of the request went early")
            equal(report["bytes_sent"], report["early_bytes"], "and nothing went twice")
            matches(r"^Early data received:$", server.text, "OpenSSL's early data")
    with session.case("early data, of which the ticket allows little"):
        path = session.path("session-early-little")
        with openssl_peer.server(session, "-early_data", "-max_early_data", "10") as server:
            first(server, path)
            report = attempt(server, path, shown=r"^ HTTP/1\.1")
            equal((report["early_data"], report["early_bytes"]), ("accepted", 10), "early data")
            check(report["bytes_sent"] > len(request), "the rest went later")
            matches(r"GET /early(?! HTTP)", server.text, "what came early ends where it must")
    with session.case("early data under a ticket that is used up is sent again"):
        path = session.path("session-early-used")
        with openssl_peer.server(session, "-early_data") as server:
            first(server, path)
            session.client(server.port, "--session-in", path)
            report = attempt(server, path)
            equal((report["resumed"], report["early_data"]), (False, "not_resumed"), "resumed, early data")
            equal(report["bytes_sent"], report["early_bytes"], "all of it was sent again")
            check("Early data received" not in server.text, "OpenSSL saw none that was early")
    with session.case("early data that a HelloRetryRequest ends is sent again"):
        path = session.path("session-early-retried")
        groups = ["--group", "x25519,secp384r1", "--key-share", "x25519"]
        with openssl_peer.server(session, "-early_data", "-no_anti_replay", "-groups", "secp384r1") as server:
            first(server, path, *groups)
            report = attempt(server, path, *groups)
            equal((report["resumed"], report["early_data"]), (True, "retried"), "resumed, early data")
            check("Early data received" not in server.text, "OpenSSL saw none that was early")
    with session.case("no early data with a session that allows none"):
        path = session.path("session-early-none")
        with openssl_peer.server(session) as server:
            first(server, path)
            report = attempt(server, path)
            equal((report["resumed"], report["early_data"], report["early_bytes"]), (True, "none", 0), "early data")
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    for loop in (name for name in session.loops() if name != "blocking"):
        with session.case(f"early data of a client in a loop ({loop})"):
            with openssl_peer.server(session, "-early_data") as server:
                process = Process([session.tool, "load", f"127.0.0.1:{server.port}", "--ca", session.ca(), "--json", "--connections", "1", "--no-reuse",
                                   "--resume", "--early-data", "--requests", "2", "--loop", loop])
                for shown in (r"^GET / ", r"^End of early data"):
                    server.wait_for(shown)
                    server.send(answer)
                process.finish()
                report = json.loads(bytes(process.stdout))
                equal((report["ok"], report["resumed"], report["early"], report["responses"]), (True, 1, 1, 2), "resumed, early, answers")


def alpn(session):
    with session.case("ALPN"):
        with openssl_peer.server(session, "-alpn", "http/1.1,h2") as server:
            client = session.client(server.port, "--alpn", "h2,http/1.1")
            equal(client.report["alpn"], "http/1.1", "ours (the server prefers it)")
            matches(r"ALPN protocols selected: http/1.1", server.text, "OpenSSL's")
    with session.case("ALPN, the server has none"):
        report, _ = one_echo(session, [], ["--alpn", "h2"])
        check("alpn" not in report, "no protocol was agreed")
    with session.case("ALPN mismatch"):
        with openssl_peer.server(session, "-rev", "-alpn", "h2") as server:
            client = session.client(server.port, "--alpn", "imap", ok=False)
            equal(client.status, 1, "exit status")
            equal(client.report["error"]["alert"], "no_application_protocol", "alert")


def key_updates(session):
    for letter, name in (("k", "update_not_requested"), ("K", "update_requested")):
        with session.case(f"KeyUpdate from the server ({name})"):
            with openssl_peer.server(session, "-msg") as server:
                process = session.client_process(server.port)
                server.wait_for(r"^CIPHER is ")
                server.send(letter.encode() + b"\n")
                server.wait_for(r"^>>> .*KeyUpdate")
                server.send(b"after the update\n")
                process.wait_for(r"after the update")
                process.send(b"and back\n")
                server.wait_for(r"^and back$")
                if letter == "K":
                    server.wait_for(r"^<<< .*KeyUpdate")
                else:
                    check("<<< TLS 1.3, Handshake [length 0005], KeyUpdate" not in server.text, "no answer was asked for")
                process.close_stdin()
                equal(process.finish(), 0, "exit status")
                equal(Client(process).report["peer_key_updates"], 1, "key updates that we saw")
    with session.case("KeyUpdate from the client, requested back"):
        with openssl_peer.server(session, "-rev", "-msg") as server:
            client = session.client(server.port, "--key-update", stdin=b"over the wire\n")
            equal(client.output, b"eriw eht revo\n", "what OpenSSL sent back")
            matches(r"^<<< .*KeyUpdate", server.text, "our KeyUpdate")
            matches(r"^>>> .*KeyUpdate", server.text, "OpenSSL's")
            equal(client.report["peer_key_updates"], 1, "key updates that we saw")
    with session.case("KeyUpdates from the client, each after --key-update-after"):
        lines = b"x" * 999 + b"\n"
        with openssl_peer.server(session, "-rev", "-msg") as server:
            client = session.client(server.port, "--key-update-after", "16384", stdin=lines * 200)
            equal(client.output.count(b"x"), 200 * 999, "what OpenSSL sent back, in other lines")
            updates = len(re.findall(r"^<<< .*KeyUpdate", server.text, re.MULTILINE))
            check(8 <= updates <= 13, f"{updates} KeyUpdates for 200,000 bytes")


def record_sizes(session):
    """OpenSSL's -msg shows the header of every record that comes."""
    header = re.compile(r"^<<< .*RecordHeader \[length 0005\]\n    17 03 03 ([0-9a-f]{2}) ([0-9a-f]{2})$", re.MULTILINE)
    for options, first in (([], 10000), (["--dynamic-records"], 1386)):
        with session.case(f"records' sizes {' '.join(options)}".strip()):
            lines = b"y" * 9999 + b"\n"
            with openssl_peer.server(session, "-rev", "-msg") as server:
                client = session.client(server.port, *options, stdin=lines * 200)
                equal(client.output, reversed_lines(lines * 200), "what OpenSSL sent back")
                sizes = [int(high + low, 16) for high, low in header.findall(server.text)]
            data = sizes[1:]  # behind Finished
            check(data[0] <= first + 17 if options else data[0] > 1386 + 17, f"the first records: {data[:5]}")
            check(max(data) > 9000, f"the largest: {max(data)}")


def stapling(session):
    certificate, key = session.leaf("p256")
    response = openssl_peer.ocsp_response(session, "p256")
    size = os.path.getsize(response)
    for retry in (False, True):
        with session.case(f"OCSP response from OpenSSL{' after HelloRetryRequest' if retry else ''}"):
            options = ["--group", "x25519,secp256r1", "--key-share", "x25519"] if retry else []
            report, _ = one_echo(session, ["-status_file", response, *(["-groups", "secp256r1"] if retry else [])],
                                 ["--ocsp", "--scts", *options], credential=(certificate, key))
            equal((report["ocsp_response_bytes"], report["scts"]), (size, 0), "what came")
            equal(report["hello_retry_request"], retry, "HelloRetryRequest")
    with session.case("OCSP response that OpenSSL does not have"):
        report, _ = one_echo(session, [], ["--ocsp"], credential=(certificate, key))
        equal(report["ocsp_response_bytes"], 0, "what came")
    with session.case("OCSP response that nobody asks for"):
        report, _ = one_echo(session, ["-status_file", response], [], credential=(certificate, key))
        check("ocsp_response_bytes" not in report, "nothing is told")
    with session.case("verification on resumption"):
        with openssl_peer.server(session, "-rev", "-status_file", response, credential=(certificate, key)) as server:
            client = session.client(server.port, "--ocsp", "--resume", "2", "--verify-again", stdin=b"over the wire\n")
            equal([each["resumed"] for each in client.reports], [False, True, True], "resumed")
            equal([each["verdict"] for each in client.reports], ["ok"] * 3, "verdicts")
            equal([each["ocsp_response_bytes"] for each in client.reports], [size] * 3, "what was judged")
            equal([len(each["chain"]) for each in client.reports], [1] * 3, "certificates that were judged")
    with session.case("verification on resumption refuses"):
        with openssl_peer.server(session, "-rev", credential=(certificate, key)) as server:
            session.client(server.port, "--verify-again", "--session-out", session.path("kept"), stdin=b"over the wire\n")
            client = session.client(server.port, "--verify-again", "--session-in", session.path("kept"), "--time", "2049-01-01",
                                    stdin=b"", ok=False)
            equal(client.report["error"]["reason"], "certificate_expired", "reason")
            equal(client.report["error"]["alert"], "certificate_expired", "alert")


def compression(session):
    names = tuple(f"host{number}.example.com" for number in range(20)) + ("localhost",)
    credential = session.leaf("many", "--key-type", "p256", names=names)
    certificate, key = session.leaf("client-many", "--key-type", "p256", "--client", names=names)
    with session.case("compressed certificates both ways"):
        report, text = one_echo(session, ["-cert_comp", "-Verify", "1", "-verify_return_error", "-CAfile", session.ca()],
                                ["--compress-certificates", "--cert", certificate, "--key", key], credential=credential)
        check(report["peer_compression"] in ("zstd", "zlib", "brotli"), "OpenSSL's is compressed")
        check(report["own_compression"] in ("zstd", "zlib", "brotli"), "ours is compressed")
        equal(report["verdict"], "ok", "verdict")
        matches(r"^Verification: OK$", text, "OpenSSL's verdict")
    with session.case("a server that compresses for a client that does not ask"):
        report, _ = one_echo(session, ["-cert_comp"], [], credential=credential)
        check("peer_compression" not in report, "nothing is compressed")


def data(session):
    with session.case("64 MiB from OpenSSL"):
        blob = os.urandom(1 << 20) * 64
        session.write("blob", blob)
        certificate, key = session.leaf("p256")
        process = openssl_peer.Process([openssl_peer.openssl(), "s_server", "-accept", "127.0.0.1:0", "-cert", certificate,
                                        "-key", key, "-tls1_3", "-WWW", "-http_server_binmode"], cwd=session.work)
        with process as server:
            port = int(server.wait_for(r"^ACCEPT .*:(\d+)$").group(1))
            started = time.monotonic()
            client = session.client(port, "--get", "/blob", timeout=120)
            body = client.output
            equal(len(body), len(blob), "bytes")
            check(body == blob, "the bytes are the same")
            session.note(f"64 MiB received in {time.monotonic() - started:.2f} s")
    with session.case("8 MiB both ways at once"):
        lines = b"".join(os.urandom(300).hex().encode() + b"\n" for _ in range(8 * 1024 * 1024 // 601))
        with openssl_peer.server(session, "-rev") as server:
            client = session.client(server.port, stdin=lines, timeout=120)
            check(client.output == reversed_lines(lines), "the bytes are the same, reversed")
            equal(client.report["bytes_sent"], len(lines), "bytes sent")
    for option in (["-max_send_frag", "512"], ["-record_padding", "1024"]):
        with session.case(f"records as {option[0][1:]} makes them"):
            report, _ = one_echo(session, option, [])
            equal(report["verdict"], "ok", "verdict")
    for option in (["--max-fragment", "64"], ["--padding", "4096"], ["--no-grease"], ["--no-middlebox"]):
        with session.case(f"our {' '.join(option)}"):
            report, _ = one_echo(session, [], option)
            equal(report["verdict"], "ok", "verdict")


def main(session):
    openssl_peer.openssl()
    for part in (suites, groups, certificates, schemes_of_certificates, client_authentication, resumption, early_data, alpn,
                 key_updates, record_sizes, stapling, compression, data, psk13.openssls_server):
        part(session)
