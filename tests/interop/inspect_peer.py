"""`lockstep inspect` tells of a file what OpenSSL tells of it, and nothing that is secret."""

import base64
import json
import os
import random
import re

import openssl_peer
from harness import check, check_document, equal, matches, run, run_ok


def inspect(session, *words, stdin=b"", ok=True):
    found = run([session.tool, "inspect", *words, "--json"], stdin=stdin)
    equal(found.popen.returncode, 0 if ok else 1, "exit status")
    document = json.loads(bytes(found.stdout))
    check_document(document, "inspect")
    return document["objects"]


def openssl_text(*words):
    return bytes(run_ok([openssl_peer.openssl(), *words]).stdout).decode()


def private_digits(key):
    """The number that a key is, in hexadecimal digits, as OpenSSL prints it."""
    text = openssl_text("pkey", "-in", key, "-noout", "-text")
    found = re.search(r"^priv(?:ateExponent)?:\n((?: +[0-9a-f:]+\n)+)", text, re.MULTILINE)
    return re.sub(r"[\s:]", "", found[1]).lstrip("0")


def certificates(session):
    certificate, key = session.leaf("p256")
    with session.case("a certificate in full"):
        found = inspect(session, certificate)
        leaf = found[0]["fields"]
        serial = matches(r"serial=([0-9A-F]+)", openssl_text("x509", "-in", certificate, "-noout", "-serial"), "the serial")[1]
        equal(leaf["serialNumber"].replace(":", "").upper().lstrip("0"), serial.lstrip("0"), "serialNumber")
        digest = matches(r"=([0-9A-F:]+)", openssl_text("x509", "-in", certificate, "-noout", "-fingerprint", "-sha256"), "digest")[1]
        equal(leaf["sha256"].upper(), digest, "fingerprint")
        equal(leaf["subject"], "CN=localhost", "subject")
        extensions = {each["name"]: each for each in leaf["extensions"]}
        check("DNS:localhost" in extensions["subjectAltName"]["value"], "subjectAltName")
        equal((extensions["keyUsage"]["critical"], extensions["keyUsage"]["value"]), (True, ["digitalSignature"]), "keyUsage")
        equal(extensions["extKeyUsage"]["value"], ["serverAuth"], "extKeyUsage")
    with session.case("every extension by its name"):
        file = session.write("all.ext", b"""subjectAltName=DNS:a.example,email:a@example.com,IP:192.0.2.1
authorityInfoAccess=OCSP;URI:http://ocsp.example/,caIssuers;URI:http://ca.example/ca.der
crlDistributionPoints=URI:http://crl.example/1.crl
certificatePolicies=2.23.140.1.2.1
nameConstraints=permitted;DNS:.example,excluded;IP:10.0.0.0/255.0.0.0
basicConstraints=critical,CA:TRUE,pathlen:3
tlsfeature=status_request
1.2.3.4=ASN1:UTF8String:x
""")
        request, path = session.path("all.csr"), session.path("all.pem")
        run_ok([openssl_peer.openssl(), "req", "-new", "-key", key, "-subj", "/C=AT/CN=all", "-addext", "subjectAltName=DNS:asked.example",
                "-out", request])
        run_ok([openssl_peer.openssl(), "x509", "-req", "-in", request, "-CA", session.ca(), "-CAkey", session.path("ca.key.pem"),
                "-extfile", file, "-out", path])
        values = {each.get("name", each["extnID"]): each["value"] for each in inspect(session, path)[0]["fields"]["extensions"]}
        equal(values["subjectAltName"], ["DNS:a.example", "email:a@example.com", "IP:192.0.2.1"], "subjectAltName")
        equal(values["authorityInfoAccess"], ["OCSP URI:http://ocsp.example/", "caIssuers URI:http://ca.example/ca.der"], "AIA")
        equal(values["cRLDistributionPoints"], ["URI:http://crl.example/1.crl"], "cRLDistributionPoints")
        equal(values["certificatePolicies"], ["2.23.140.1.2.1"], "certificatePolicies")
        equal(values["nameConstraints"], {"permittedSubtrees": ["DNS:.example"], "excludedSubtrees": ["IP:10.0.0.0/255.0.0.0"]},
              "nameConstraints")
        equal(values["basicConstraints"], {"cA": True, "pathLenConstraint": 3}, "basicConstraints")
        equal(values["tlsFeature"], ["status_request"], "tlsFeature")
        equal(values["1.2.3.4"], "0c:01:78", "one that nobody knows")
    with session.case("a certificate request"):
        found = inspect(session, request)
        equal((found[0]["kind"], found[0]["fields"]["subject"], found[0]["fields"]["subjectAltName"]),
              ("certificate request", "C=AT, CN=all", ["DNS:asked.example"]), "what it asks for")
    with session.case("a chain with its key, and who belongs to whom"):
        with open(certificate, "rb") as leaf, open(session.ca(), "rb") as ca, open(key, "rb") as own:
            found = inspect(session, session.write("bundle.pem", own.read() + leaf.read() + ca.read()))
        equal([each["kind"] for each in found], ["private key", "certificate", "certificate"], "kinds")
        equal(found[0]["fields"]["certificate"], 2, "whose key it is")
        equal(found[1]["fields"]["issuer_certificate"], 3, "who issued it")
        equal(found[2]["fields"]["self_issued"], True, "the authority")
    with session.case("by contents, whatever the name says: DER, hexadecimal digits, standard input"):
        der = session.path("leaf.txt")
        run_ok([openssl_peer.openssl(), "x509", "-in", certificate, "-outform", "der", "-out", der])
        with open(der, "rb") as file:
            digits = file.read().hex().encode()
        whole = inspect(session, der)[0]["fields"]
        equal(inspect(session, session.write("digits", digits))[0]["fields"], whole, "digits")
        equal(inspect(session, "-", stdin=digits)[0]["fields"], whole, "standard input")


def keys(session):
    for key_type in ("rsa", "p256", "ed25519"):
        with session.case(f"a private key {key_type}: what it is for, and nothing of what it is"):
            _, key = session.leaf(key_type, "--key-type", key_type)
            public = session.path("public.der")
            run_ok([openssl_peer.openssl(), "pkey", "-in", key, "-pubout", "-outform", "der", "-out", public])
            for words in ([key], [key, "--json"]):
                text = bytes(run_ok([session.tool, "inspect", *words]).stdout).decode()
                if key_type != "ed25519":
                    check(private_digits(key)[:40] not in re.sub(r"[\s:]", "", text), "the private number is not printed")
            fields = inspect(session, key)[0]["fields"]
            equal(fields["subjectPublicKeyInfo"], inspect(session, public)[0]["fields"], "its public key")
    with session.case("a private key behind a passphrase"):
        _, key = session.leaf("p256")
        locked = session.path("locked.pem")
        run_ok([openssl_peer.openssl(), "pkey", "-in", key, "-aes256", "-passout", "pass:open sesame", "-out", locked])
        found = inspect(session, locked, ok=False)
        equal((found[0]["kind"], found[0]["fields"]["encrypted"]), ("private key", True), "what it is")
        word = session.write("passphrase", b"open sesame\n")
        os.chmod(word, 0o600)
        equal(inspect(session, locked, "--passphrase-file", word)[0]["fields"], inspect(session, key)[0]["fields"], "with it")


def sessions(session):
    ticket_key = session.write("ticket.key", bytes(range(48)))
    os.chmod(ticket_key, 0o600)
    for version in ("1.3", "1.2"):
        with session.case(f"a session of TLS {version}, and its ticket"):
            path = session.path(f"session-{version}")
            with session.server("--ticket-key", ticket_key, "--alpn", "http/1.1") as server:
                session.client(server.port, "--get", "/", f"--tls{version}", "--alpn", "http/1.1", "--session-out", path)
            found = inspect(session, path)[0]
            equal((found["kind"], found["fields"]["version"], found["fields"]["usable"]), ("session", f"TLSv{version}", True), "session")
            opened = inspect(session, path, "--ticket-key", ticket_key)[0]["fields"]["ticket"]
            equal((opened["cipher_suite"], opened["key_name"]), (found["fields"]["cipher_suite"], bytes(range(16)).hex(":")), "ticket")
            equal(opened["server_name"], "localhost", "server_name in the ticket")
    with session.case("a ClientHello of OpenSSL's, on our tape"):
        tape = session.path("hello.tape")
        with session.server("--echo", "--once", "--tape", tape) as server:
            with openssl_peer.client(session, server.port, "-groups", "X25519:P-256", "-alpn", "h2,x", stdin=b"") as process:
                process.finish()
        found = inspect(session, tape)[0]
        equal((found["kind"], found["fields"]["legacy_version"]), ("ClientHello", "TLSv1.2"), "what it is")
        data = {each["extension_type"]: each.get("extension_data") for each in found["fields"]["extensions"]}
        equal((data["server_name"], data["application_layer_protocol_negotiation"]), (["localhost"], ["h2", "x"]), "names")
        equal((data["supported_groups"], [each["group"] for each in data["key_share"]]), (["x25519", "secp256r1"], ["x25519"]), "groups")
        equal(data["supported_versions"], ["TLSv1.3", "TLSv1.2"], "versions")
        check("TLS_AES_256_GCM_SHA384" in found["fields"]["cipher_suites"], "suites")
        matches(r"^t13d[0-9]{4}h2_[0-9a-f]{12}_[0-9a-f]{12}$", found["fields"]["ja4"], "JA4")
    with session.case("what nothing is known of"):
        for name, contents in (("text", b"hello\n"), ("empty", b""), ("der", b"\x30\x03\x02\x01\x01"),
                               ("pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")):
            check(inspect(session, session.write(name, contents), ok=False)[0]["error"], "why")


def garbled(session):
    """Whatever is in a file: an answer, and no crash."""
    chance = random.Random(7)

    def changed(contents):
        contents = bytearray(contents)
        for _ in range(chance.randint(1, 3)):
            contents[chance.randrange(len(contents))] ^= 1 << chance.randrange(8)
        return bytes(contents[:chance.randrange(len(contents))] if chance.random() < 0.1 else contents)

    def answered(name, contents):
        found = run([session.tool, "inspect", session.write(name, contents), "--json"])
        check(found.popen.returncode in (0, 1), f"exit status {found.popen.returncode} for {name}")
        return json.loads(bytes(found.stdout))

    with session.case("certificates, requests and keys with bits turned"):
        text = ""
        for name, label in (("all.pem", "CERTIFICATE"), ("all.csr", "CERTIFICATE REQUEST"), ("p256.key.pem", "PRIVATE KEY")):
            with open(session.path(name), encoding="ascii") as file:
                der = base64.b64decode("".join(line for line in file.read().split("-----END")[0].splitlines() if "-----" not in line))
            for _ in range(150):
                body = base64.encodebytes(changed(der)).decode()
                text += f"-----BEGIN {label}-----\n{body}-----END {label}-----\n"
        equal(len(answered("garbled.pem", text.encode())["objects"]), 450, "objects")
    with session.case("sessions, ClientHellos and tapes with bits turned"):
        with open(session.path("session-1.3"), "rb") as file:
            resumable = file.read()
        with open(session.path("hello.tape"), "rb") as file:
            tape = file.read()
        at = tape.index(b"\x16\x03\x01")
        record = tape[at:at + 5 + int.from_bytes(tape[at + 3:at + 5], "big")]
        for number in range(8):
            for kind, contents in (("session", resumable), ("record", record), ("tape", tape), ("message", record[5:])):
                answered(f"garbled-{kind}-{number}", changed(contents))


def main(session):
    certificates(session)
    keys(session)
    sessions(session)
    garbled(session)
