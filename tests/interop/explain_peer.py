"""`lockstep explain` of the ClientHellos of other implementations: what it says is what then happens."""

import json
import struct

import openssl_peer
from harness import Process, check, check_document, equal, matches, program, run


def explain(session, file, *options, credential=None, ok=True, stdin=b""):
    certificate, key = credential or session.leaf("p256")
    found = run([session.tool, "explain", file, "--cert", certificate, "--key", key, "--json", *options], stdin=stdin)
    equal(found.popen.returncode, 0 if ok else 1, "exit status")
    document = json.loads(bytes(found.stdout))
    check_document(document, "explain")
    return document["hellos"]


def entry(hello, kind, name):
    found = [each for each in hello[kind] if each["name"] == name]
    equal(len(found), 1, f"{name} among {kind}")
    return found[0]


def record_of(tape):
    """The first record that is on a server's tape."""
    at = tape.index(b"\x16\x03\x01")
    return tape[at:at + 5 + int.from_bytes(tape[at + 3:at + 5], "big")]


def pcap(records, *, order=">", cut=100, swap=False):
    """A capture of one client that sends these bytes over TCP and IPv4 in Ethernet, in pieces."""
    out = struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    pieces = [(0x1000, b"", 2)] + [(0x1001 + at, records[at:at + cut], 0x18) for at in range(0, len(records), cut)]
    if swap:
        pieces[1], pieces[2] = pieces[2], pieces[1]
    for sequence, data, flags in pieces:
        tcp = struct.pack(">HHIIBBHHH", 40000, 443, sequence, 0, 0x50, flags, 1000, 0, 0) + data
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])) + tcp
        frame = (bytes(12) + b"\x08\x00" + ip).ljust(60, b"\0")
        out += struct.pack(order + "IIII", 0, 0, len(frame), len(frame)) + frame
    return out


def pcapng(frame_capture):
    """The same frames in the newer format."""
    def block(kind, body):
        return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))
    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 65535))
    at = 24
    while at < len(frame_capture):
        size = struct.unpack(">I", frame_capture[at + 8:at + 12])[0]
        frame = frame_capture[at + 16:at + 16 + size]
        out += block(6, struct.pack("<IIIII", 0, 0, 0, size, size) + frame.ljust((size + 3) // 4 * 4, b"\0"))
        at += 16 + size
    return out


def of_clients(session):
    """Each client meets our server, whose tape is then explained with the options that it had."""
    def clients(port):
        yield "OpenSSL", lambda: openssl_peer.client(session, port, "-groups", "P-384:X25519", stdin=b"")
        yield "OpenSSL's in TLS 1.2", lambda: openssl_peer.client(session, port, "-tls1_2", stdin=b"")
        yield "GnuTLS", lambda: Process([program("gnutls-cli"), "--x509cafile", session.ca(), "--port", port, "--verify-hostname",
                                         "localhost", "--sni-hostname", "localhost", "127.0.0.1"], stdin=False)
    for options in ([], ["--group", "secp384r1", "--suite", "TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"]):
        for number in range(3):
            with session.case(f"what is explained is what happens: client {number + 1}, options {options}"):
                tape = session.path(f"explain-{number}.tape")
                with session.server("--echo", "--once", "--tape", tape, *options) as server:
                    name, begin = list(clients(server.port))[number]
                    with begin() as process:
                        process.finish()
                    report = server.next_report()
                hello = explain(session, tape, "--alpn", "none-of-theirs", *options)[0]
                for field in ("version", "suite", "group", "hello_retry_request", "resumed"):
                    equal(hello.get(field), report.get(field), f"{field} of {name}")
                equal((hello["scheme"], hello["server_name"]), (report["own_scheme"], "localhost"), "scheme, server_name")
                equal([each["name"] for each in hello["suites"] if each["chosen"]], [report["suite"]], "the suite that is marked")


def of_files(session):
    tape = session.path("files.tape")
    with session.server("--echo", "--once", "--tape", tape) as server:
        session.client(server.port, stdin=b"x", timeout=30)
    with open(tape, "rb") as file:
        record = record_of(file.read())
    wanted = explain(session, tape)[0]
    check(wanted["ok"], "it goes on")
    packets = pcap(record)
    cases = {"its records": record, "its message": record[5:], "hexadecimal digits": record.hex(":").encode(), "pcap": packets,
             "pcap of another machine": pcap(record, order="<"), "pcap out of order": pcap(record, swap=True), "pcapng": pcapng(packets)}
    for name, contents in cases.items():
        with session.case(f"a ClientHello in {name}"):
            found = explain(session, session.write("hello", contents))
            equal(len(found), 1, "hellos")
            equal(found[0].pop("from", "192.0.2.1 port 40000"), "192.0.2.1 port 40000", "whose it is")
            equal(found[0], wanted, "the same explanation")
    with session.case("a client's tape, and standard input"):
        with session.server("--echo", "--once") as server:
            session.client(server.port, "--tape", session.path("client.tape"), stdin=b"x", timeout=30)
        check(explain(session, session.path("client.tape"))[0]["ok"], "it goes on")
        equal(explain(session, "-", stdin=record)[0], wanted, "the same explanation")
    with session.case("a handshake that fails: why, and what would do"):
        hello = explain(session, tape, "--group", "ffdhe2048,secp521r1", "--suite", "TLS_AES_128_CCM_SHA256", ok=False)[0]
        equal((hello["failure"]["reason"], hello["failure"]["alert"]), ("suite_unsupported", "handshake_failure"), "the failure")
        matches(r"configuration does not have it", entry(hello, "suites", "TLS_AES_128_GCM_SHA256")["why"], "why not")
    with session.case("several certificates, and tickets of others"):
        certificate, key = session.leaf("rsa", "--key-type", "rsa", names=("elsewhere.example",))
        hello = explain(session, tape, "--cert", certificate, "--key", key)[0]
        equal([each["chosen"] for each in hello["certificates"]], [True, False], "certificates")
        matches(r"not for localhost", hello["certificates"][1]["why"], "why not")
        with session.server("--echo", "--count", "2", "--tape", session.path("resumed.tape")) as server:
            session.client(server.port, "--resume", "1", stdin=b"x")
        hello = explain(session, session.path("resumed-2.tape"))[0]
        equal((hello["resumed"], len(hello["tickets"])), (False, 2), "resumed, tickets")
        matches(r"no key here opens it", hello["tickets"][0]["why"], "why not")
    with session.case("server --explain tells why a handshake failed"):
        with session.server("--explain", "--group", "secp384r1", "--loop", "blocking") as server:
            session.client(server.port, "--group", "x25519", ok=False)
            report = server.next_report()
        equal(report["explanation"]["failure"]["reason"], report["error"]["reason"], "the reason")
        equal(report["error"]["reason"], "group_unsupported", "the reason")
        matches(r"configuration does not have it", entry(report["explanation"], "groups", "x25519")["why"], "why not")
    with session.case("for people"):
        certificate, key = session.leaf("p256")
        text = run([session.tool, "explain", tape, "--cert", certificate, "--key", key]).text
        matches(r"^TLSv1\.3, TLS_AES_128_GCM_SHA256, ", text, "the outcome")
        matches(r"^  \* TLSv1\.3 +chosen$", text, "what was chosen")


def main(session):
    of_files(session)
    of_clients(session)
