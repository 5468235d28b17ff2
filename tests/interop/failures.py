"""What goes wrong between peers: each failure has its own reason, the right alert on the wire, a message that says what to do, exit
status 1, and leaves nothing open."""

import base64
import os
import re
import socket
import struct
import threading

import openssl_peer
from harness import check, equal, matches, program, run, run_ok

ALERTS = {"unexpected_message": 10, "record_overflow": 22, "handshake_failure": 40, "bad_certificate": 42,
          "unsupported_certificate": 43, "certificate_expired": 45, "certificate_unknown": 46, "illegal_parameter": 47,
          "unknown_ca": 48, "decode_error": 50, "decrypt_error": 51, "protocol_version": 70}


def handshake(kind, body, extra=b""):
    message = bytes([kind]) + (len(body) + len(extra)).to_bytes(3, "big") + body + extra
    return record(22, message)


def record(kind, payload, version=0x0303):
    return struct.pack(">BHH", kind, version, len(payload)) + payload


def extension(kind, body):
    return struct.pack(">HH", kind, len(body)) + body


def server_hello(session_id, *, version=0x0304, extra=b""):
    """A ServerHello that is right but for what is asked for."""
    extensions = extension(51, struct.pack(">HH", 29, 32) + b"\x09" + bytes(31))
    if version == 0x0304:
        extensions = extension(43, b"\x03\x04") + extensions
    else:
        extensions = b""
    body = (b"\x03\x03" + b"\x5a" * 32 + bytes([len(session_id)]) + session_id + b"\x13\x01\x00" +
            (struct.pack(">H", len(extensions)) + extensions if extensions else b""))
    return handshake(2, body, extra)


class FakeServer:
    """Accepts one connection, reads the ClientHello, sends what `answer(hello)` makes of it, and keeps what comes back."""

    def __init__(self, answer, then_close=False):
        self._answer = answer
        self._then_close = then_close
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.hello = b""
        self.received = b""
        self.ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        connection, _ = self._listener.accept()
        self._listener.close()
        connection.settimeout(60)
        with connection:
            while len(self.hello) < 5 or len(self.hello) < 5 + int.from_bytes(self.hello[3:5], "big"):
                data = connection.recv(65536)
                if not data:
                    return
                self.hello += data
            connection.sendall(self._answer(self.hello))
            if self._then_close:
                connection.shutdown(socket.SHUT_WR)
            try:
                while data := connection.recv(65536):
                    self.received += data
                self.ended = True
            except ConnectionResetError:
                self.ended = True

    def finish(self):
        self._thread.join(65)
        check(self.ended, "the client closed its connection")


def session_id_of(hello):
    """legacy_session_id of a ClientHello in one record."""
    size = hello[5 + 4 + 2 + 32]
    start = 5 + 4 + 2 + 32 + 1
    return hello[start:start + size]


def alert_in(received):
    """The last alert of plaintext records: (level, description)."""
    found = None
    while len(received) >= 5:
        kind, _, size = struct.unpack(">BHH", received[:5])
        if kind == 21 and size == 2:
            found = tuple(received[5:7])
        received = received[5 + size:]
    return found


def told(report, text, reason, alert):
    """The report names the reason and the alert, and says what to do."""
    error = report["error"]
    equal((error["reason"], error["alert"]), (reason, alert), "reason and alert")
    check(len(error["advice"]) > 10, f"there is advice: {error['advice']!r}")
    check(len(error["text"]) > 20 and "\n" not in error["text"], f"there is a text of one line: {error['text']!r}")
    if text:
        matches(text, error["text"], "the text")


# --- certificates that the client refuses ---------------------------------------------------------------------------------

def bad_signature(session, certificate):
    """The same certificate with one bit of its signature turned."""
    pem = open(certificate).read()
    der = bytearray(base64.b64decode("".join(pem.split("-----")[2].split())))
    der[-1] ^= 1
    text = base64.encodebytes(bytes(der)).decode()
    return session.write("bad-signature.pem", f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n".encode())


def certificates(session):
    openssl = openssl_peer.openssl()

    def by_openssl(name, *extensions):
        certificate, key = session.path(name + ".pem"), session.path(name + ".key.pem")
        words = [word for each in ("subjectAltName=DNS:localhost", "basicConstraints=critical,CA:false", *extensions)
                 for word in ("-addext", each)]
        run_ok([openssl, "req", "-x509", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                "-out", certificate, "-CA", session.ca(), "-CAkey", session.path("ca.key.pem"), "-subj", "/CN=localhost", "-days",
                "2", *words])
        return certificate, key

    good = session.leaf("p256")
    old = session.leaf("expired", "--not-before", "2020-01-01", "--days", "30")
    run_ok([session.tool, "cert", "self-signed", "--quiet", "--name", "localhost", "--out", session.path("self-signed")])
    cases = [
        # name, credential, OpenSSL's name of the problem, reason, alert
        ("wrong host", session.leaf("elsewhere", names=("elsewhere.example.com",)), "HOSTNAME_MISMATCH",
         "certificate_name_mismatch", None),
        ("expired", old, "CERT_HAS_EXPIRED", "certificate_expired", "certificate_expired"),
        ("not yet valid", session.leaf("early", "--not-before", "2060-01-01"), "CERT_NOT_YET_VALID", "certificate_not_yet_valid", None),
        ("unknown CA", session.leaf("stranger", ca="other-ca"), "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "certificate_unknown_ca",
         "unknown_ca"),
        ("self-signed", (session.path("self-signed.pem"), session.path("self-signed.key.pem")), "DEPTH_ZERO_SELF_SIGNED_CERT",
         "certificate_self_signed", None),
        ("wrong extended key usage", session.leaf("for-clients", "--client"), "INVALID_PURPOSE", "certificate_wrong_usage", None),
        ("wrong key usage", by_openssl("wrong-usage", "keyUsage=critical,keyEncipherment", "extendedKeyUsage=serverAuth"),
         "KEYUSAGE_NO_DIGITAL_SIGNATURE", "certificate_wrong_usage", None),
        ("unknown critical extension", by_openssl("critical", "1.2.3.4=critical,ASN1:NULL", "extendedKeyUsage=serverAuth"),
         "UNHANDLED_CRITICAL_EXTENSION", None, None),
        ("bad signature", (bad_signature(session, good[0]), good[1]), "CERT_SIGNATURE_FAILURE", "certificate_bad_signature", None),
    ]
    for name, (certificate, key), code, reason, alert in cases:
        with session.case(f"client: {name}"):
            with openssl_peer.server(session, "-rev", "-msg", credential=(certificate, key)) as server:
                client = session.client(server.port, stdin=b"secret\n", ok=False)
                equal(client.status, 1, "exit status")
                report = client.report
                equal(report["ok"], False, "ok")
                equal(report["problems"][0]["code"], code, "OpenSSL's name of the problem")
                check(len(report["problems"][0]["advice"]) > 10, "there is advice")
                told(report, code, reason or report["error"]["reason"], alert or report["error"]["alert"])
                server.wait_for(r"^<<< .*Alert.*")
                description = re.findall(r"<<< .*Alert \[length 0002\], fatal (\w+)", server.text)
                equal(description, [report["error"]["alert"]], "the alert that OpenSSL got")
                check("secret" not in server.text and client.output == b"", "nothing was sent")
            text = run([session.tool, "verify", certificate, "--host", "localhost", "--ca", session.ca()])
            equal(text.popen.returncode, 1, "exit status of lockstep verify")
            matches(rf"^error: .*{code}", text.text, "lockstep verify says the same")
    with session.case("client: wrong host and expired at once are both told"):
        certificate, key = session.leaf("both", "--not-before", "2020-01-01", "--days", "30", names=("elsewhere.example.com",))
        with openssl_peer.server(session, "-rev", credential=(certificate, key)) as server:
            process = session.client_process(server.port, json_report=False)
            process.close_stdin()
            equal(process.finish(), 1, "exit status")
        for code in ("HOSTNAME_MISMATCH", "CERT_HAS_EXPIRED"):
            matches(rf"^error: .*{code}", process.text, "the problem")
    with session.case("client: an expired certificate is good at another time"):
        with openssl_peer.server(session, "-rev", credential=old) as server:
            # The authority must have been there already.
            session.ca("old-ca", "--not-before", "2019-01-01", "--days", "9000")
            credential = session.leaf("expired-old", "--not-before", "2020-01-01", "--days", "30", ca="old-ca")
        with openssl_peer.server(session, "-rev", credential=credential) as server:
            client = session.client(server.port, "--time", "2020-01-15T12:00:00Z", ca=session.path("old-ca.pem"))
            equal(client.report["verdict"], "ok", "verdict")


# --- servers that misbehave -----------------------------------------------------------------------------------------------

def against_client(session):
    def plain(answer):
        return lambda hello: answer

    cases = [
        ("trailing data", lambda hello: server_hello(session_id_of(hello), extra=b"\0"), "message_trailing_data", "decode_error", "server_hello"),
        ("oversized message", plain(record(22, b"\x02\xff\xff\xff" + bytes(200))), "message_too_long", None, None),
        ("oversized record", plain(struct.pack(">BHH", 22, 0x0303, 0xffff) + bytes(200)), "record_too_long", "record_overflow", None),
        ("truncated message", plain(handshake(2, b"\x03\x03" + bytes(10))), "message_truncated", "decode_error", "server_hello"),
        ("TLS 1.2 from a server", lambda hello: server_hello(session_id_of(hello), version=0x0303), "suite_not_offered", "illegal_parameter", None),
        ("plain HTTP", plain(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "plain_http", None, None),
        ("something that is not TLS", plain(b"220 mail.example.com ESMTP\r\n"), "not_tls", None, None),
        ("a message that nobody expects", plain(handshake(20, bytes(32))), "message_unexpected", "unexpected_message", None),
        ("a wrong session id", lambda hello: server_hello(b"\1" * 32), "session_id_echo", "illegal_parameter", None),
    ]
    for name, answer, reason, alert, place in cases:
        with session.case(f"client: {name}"):
            server = FakeServer(answer)
            client = session.client(server.port, ok=False)
            server.finish()
            equal(client.status, 1, "exit status")
            error = client.report["error"]
            told(client.report, None, reason or error["reason"], alert or error["alert"])
            if place:
                equal(error["place"], place, "place")
            if error["reason"] not in ("plain_http", "not_tls"):
                equal(alert_in(server.received), (2, ALERTS[error["alert"]]), "the alert on the wire")
            else:
                matches(r"HTTP/1\.1|220 mail|48 ?54 ?54 ?50|32 ?32 ?30", error["text"], "the first bytes are shown")
            session.note(f"{name}: {error['text']}")
    with session.case("client: the connection ends in the handshake"):
        server = FakeServer(lambda hello: b"\x16\x03\x03\x00", then_close=True)
        client = session.client(server.port, ok=False)
        server.finish()
        equal(client.status, 1, "exit status")
        equal(client.report["error"]["reason"], "truncated", "reason")
    with session.case("client: truncated data is no success"):
        cut = Cut(session)
        client = session.client(cut.port, "--get", "/", ok=False)
        equal(client.status, 1, "exit status")
        equal(client.report["error"]["reason"], "truncated", "reason")
        check(client.output, "what came before is there")
    with session.case("client: TLS 1.3 alone, and the server has TLS 1.2 alone"):
        process = openssl_peer.Process([openssl_peer.openssl(), "s_server", "-accept", "127.0.0.1:0", "-cert",
                                        session.leaf("p256")[0], "-key", session.leaf("p256")[1], "-tls1_2"])
        with process as server:
            port = int(server.wait_for(r"^ACCEPT .*:(\d+)$").group(1))
            client = session.client(port, "--tls1.3", ok=False)
            equal(client.status, 1, "exit status")
            equal((client.report["error"]["alert"], client.report["error"]["origin"]), ("protocol_version", "peer"), "alert")
    with session.case("client: a server that says nothing"):
        listener = socket.create_server(("127.0.0.1", 0))
        client = session.client(listener.getsockname()[1], "--connect-timeout", "0.5", ok=False)
        listener.close()
        equal((client.status, client.report["error"]["condition"]), (1, "timeout"), "status, condition")


class Cut:
    """A proxy before a good server that ends the connection in the middle of the answer, without close_notify."""

    def __init__(self, session):
        self._session = session
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        session = self._session
        client, _ = self._listener.accept()
        self._listener.close()
        folder = session.path("cut")
        os.makedirs(folder, exist_ok=True)
        session.write("cut/index.html", bytes(200_000))
        with session.server("--dir", folder) as server, socket.create_connection(("127.0.0.1", server.port)) as upstream, client:
            def forward():
                try:
                    while data := client.recv(65536):
                        upstream.sendall(data)
                except OSError:
                    pass
            threading.Thread(target=forward, daemon=True).start()
            left = 60_000
            while left > 0 and (data := upstream.recv(left)):
                client.sendall(data)
                left -= len(data)
            client.shutdown(socket.SHUT_RDWR)


# --- clients that misbehave -----------------------------------------------------------------------------------------------

def recorded_hello(session):
    server = FakeServer(lambda hello: b"", then_close=True)
    session.client(server.port, "--no-grease", ok=False)
    server.finish()
    return server.hello


def talk(port, *pieces, end=True):
    """Sends the pieces and returns what comes back until the end of the connection."""
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.settimeout(60)
        received = b""
        try:
            for piece in pieces:
                raw.sendall(piece)
            if end:
                raw.shutdown(socket.SHUT_WR)
            while data := raw.recv(65536):
                received += data
        except ConnectionResetError:
            pass
        return received


def against_server(session):
    hello = recorded_hello(session)
    body = hello[9:]
    # legacy_version 3.0, a random, no session id, one suite, no compression, no extensions.
    ssl3 = b"\x03\x00" + bytes(32) + b"\0" + b"\0\2\0\x2f" + b"\1\0"
    tls12 = b"\x03\x03" + bytes(32) + b"\0" + b"\0\2\xc0\x2f" + b"\1\0"
    cases = [
        ("plain HTTP", [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"], "plain_http", None),
        ("something that is not TLS", [b"SSH-2.0-OpenSSH_9.9\r\n"], "not_tls", None),
        ("an SSL 2 hello", [b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(37)], "ssl2_or_older", None),
        ("SSL 3.0", [record(22, b"\x01" + len(ssl3).to_bytes(3, "big") + ssl3, 0x0300)], "version_ssl3", "protocol_version"),
        ("TLS 1.2 without extended master secret", [record(22, b"\x01" + len(tls12).to_bytes(3, "big") + tls12, 0x0301)],
         "extended_main_secret_missing", "handshake_failure"),
        ("trailing data", [handshake(1, body, b"\0")], "message_trailing_data", "decode_error"),
        ("oversized message", [record(22, b"\x01\xff\xff\xff" + bytes(200))], "message_too_long", None),
        ("oversized record", [struct.pack(">BHH", 22, 0x0301, 0xffff) + bytes(200)], "record_too_long", "record_overflow"),
        ("truncated message", [handshake(1, body[:60])], "message_truncated", "decode_error"),
        ("the connection ends in the ClientHello", [hello[:100]], "truncated", None),
        ("data before the handshake", [record(23, bytes(50))], None, "unexpected_message"),
        ("a message that nobody expects", [handshake(2, body)], "message_unexpected", "unexpected_message"),
        ("two ClientHellos", [hello, hello], None, None),
    ]
    with session.server("--timeout", "10") as server:
        for name, pieces, reason, alert in cases:
            with session.case(f"server: {name}"):
                received = talk(server.port, *pieces, end=name.startswith("the connection"))
                report = server.next_report()
                error = report["error"]
                told(report, None, reason or error["reason"], alert or error["alert"])
                if error["reason"] in ("plain_http", "not_tls", "ssl2_or_older"):
                    matches(r"GET / HTTP|SSH-2\.0|\\x80|47 ?45 ?54|53 ?53 ?48", error["text"], "the first bytes are shown")
                elif error["reason"] != "truncated" and name != "two ClientHellos":
                    equal(alert_in(received), (2, ALERTS[error["alert"]]), "the alert on the wire")
                equal(server.open_sockets(), 1, "sockets left open")
                session.note(f"{name}: {error['text']}")
        with session.case("server: TLS 1.3 alone, and OpenSSL with TLS 1.2 alone"), session.server("--tls1.3") as newer:
            process = openssl_peer.client(session, newer.port, "-tls1_2", stdin=b"")
            check(process.finish() != 0, "s_client fails")
            told(newer.next_report(), None, "version_unsupported", "protocol_version")
            matches(r"alert protocol version|alert number 70", process.text, "OpenSSL sees the alert")
        with session.case("server: curl with http:// on the TLS port"):
            process = run([program("curl"), "--silent", "--show-error", f"http://127.0.0.1:{server.port}/"])
            check(process.popen.returncode != 0, "curl fails")
            told(server.next_report(), r"HTTP", "plain_http", None or "unexpected_message")
        with session.case("server: a client that does not trust it"):
            client = session.client(server.port, ok=False, ca=session.ca("other-ca"))
            equal(client.status, 1, "exit status")
            report = server.next_report()
            equal((report["error"]["origin"], report["error"]["alert"]), ("peer", "unknown_ca"), "origin and alert")
        with session.case("server: after all that it serves"):
            client = session.client(server.port, "--get", "/", "--include")
            check(b"200 OK" in client.output, "the page")
            check(server.next_report()["ok"], "our report")
            equal(server.open_sockets(), 1, "sockets left open")


def main(session):
    certificates(session)
    against_client(session)
    against_server(session)
