"""Certificates of `lockstep cert` as OpenSSL sees them, and OpenSSL's as `lockstep verify` sees them."""

import json
import os

import openssl_peer
from harness import KEY_TYPES, check, equal, matches, run, run_ok


def verify(session, *words):
    process = run([session.tool, "verify", "--json", *words])
    return process.popen.returncode, json.loads(bytes(process.stdout))


def main(session):
    openssl = openssl_peer.openssl()
    for key_type in KEY_TYPES:
        with session.case(f"{key_type}: ours for OpenSSL"):
            session.ca(f"ca-{key_type}", "--key-type", key_type)
            certificate, key = session.leaf(f"leaf-{key_type}", "--key-type", key_type, ca=f"ca-{key_type}",
                                            names=("localhost", "127.0.0.1", "::1", "*.example.com"))
            found = run_ok([openssl, "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "a.example.com",
                            "-CAfile", session.path(f"ca-{key_type}.pem"), certificate])
            matches(r": OK$", found.text, "OpenSSL's verdict")
            equal(os.stat(key).st_mode & 0o777, 0o600, "mode of the key")
            same = [bytes(run_ok([openssl, *words]).stdout) for words in
                    (["pkey", "-in", key, "-pubout"], ["x509", "-in", certificate, "-noout", "-pubkey"])]
            equal(same[0], same[1], "OpenSSL reads the key, and it is that of the certificate")
            status, report = verify(session, certificate, "--host", "127.0.0.1", "--ca", session.path(f"ca-{key_type}.pem"))
            equal((status, report["verdict"]), (0, "OK"), "our own verdict")

    requests = {"rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "rsa-pss": ["RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"],
                "p256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "p384": ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
                "p521": ["EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
                "brainpool256": ["EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"],
                "brainpool384": ["EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP384r1"],
                "brainpool512": ["EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP512r1"],
                "ed25519": ["ED25519"], "ed448": ["ED448"], "mldsa44": ["ML-DSA-44"], "mldsa65": ["ML-DSA-65"],
                "mldsa87": ["ML-DSA-87"]}
    for key_type, algorithm in requests.items():
        with session.case(f"{key_type}: OpenSSL's for us"):
            prefix = session.path(f"theirs-{key_type}")
            run_ok([openssl, "genpkey", "-algorithm", *algorithm, "-out", prefix + ".key.pem"])
            run_ok([openssl, "req", "-x509", "-new", "-key", prefix + ".key.pem", "-out", prefix + ".ca.pem", "-subj", "/CN=their CA",
                    "-days", "2", "-addext", "keyUsage=critical,keyCertSign,cRLSign"])
            run_ok([openssl, "req", "-x509", "-new", "-key", prefix + ".key.pem", "-CA", prefix + ".ca.pem", "-CAkey",
                    prefix + ".key.pem", "-out", prefix + ".pem", "-subj", "/CN=localhost", "-days", "2", "-addext",
                    "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:false", "-addext",
                    "keyUsage=critical,digitalSignature", "-addext", "extendedKeyUsage=serverAuth"])
            status, report = verify(session, prefix + ".pem", "--host", "localhost", "--ca", prefix + ".ca.pem")
            equal((status, report["verdict"]), (0, "OK"), f"our verdict: {report['problems']}")
            # Their key, loaded and used by us to sign.
            run_ok([session.tool, "cert", "leaf", "--quiet", "--ca", prefix + ".ca.pem", "--ca-key", prefix + ".key.pem", "--name",
                    "localhost", "--out", prefix + "-mixed"])
            run_ok([openssl, "verify", "-x509_strict", "-CAfile", prefix + ".ca.pem", prefix + "-mixed.pem"])

    wrappings = {"PKCS#1": ["rsa", "-traditional"], "SEC1": ["ec"]}
    for name, words in wrappings.items():
        with session.case(f"a key as {name}"):
            source = session.path("theirs-rsa.key.pem" if name == "PKCS#1" else "theirs-p256.key.pem")
            run_ok([openssl, *words, "-in", source, "-out", session.path("wrapped.pem")])
            check(b"PRIVATE KEY-----" in open(session.path("wrapped.pem"), "rb").read(), "there is a key")
            run_ok([session.tool, "cert", "self-signed", "--quiet", "--force", "--name", "localhost", "--key",
                    session.path("wrapped.pem"), "--out", session.path("from-wrapped")])
    passphrase = session.write("passphrase", b"correct horse\n")
    for cipher in ("aes-128-cbc", "aes-256-cbc"):
        with session.case(f"an encrypted key, {cipher}"):
            run_ok([openssl, "pkcs8", "-topk8", "-v2", cipher, "-passout", f"file:{passphrase}", "-in",
                    session.path("theirs-p256.key.pem"), "-out", session.path("locked.pem")])
            words = [session.tool, "cert", "self-signed", "--quiet", "--force", "--name", "localhost", "--key",
                     session.path("locked.pem"), "--out", session.path("from-locked")]
            run_ok(words + ["--passphrase-file", passphrase])
            wrong = run(words + ["--passphrase-file", session.write("wrong", b"battery staple\n")])
            equal(wrong.popen.returncode, 1, "exit status with a wrong passphrase")
            matches(r"passphrase", wrong.text, "the reason")
            check(run(words).popen.returncode == 1, "without a passphrase it fails")
    with session.case("keys for RSA key exchange"):
        certificate, _ = session.leaf("encipherment", "--key-type", "rsa", "--key-encipherment")
        text = run_ok([openssl, "x509", "-in", certificate, "-noout", "-ext", "keyUsage"]).text
        matches(r"Digital Signature, Key Encipherment", text, "OpenSSL's view")
        for words in (["leaf", "--ca", session.ca(), "--key-type", "p256"], ["ca", "--key-type", "rsa"]):
            refused = run([session.tool, "cert", *words, "--name", "localhost", "--key-encipherment", "--out", session.path("refused")])
            equal(refused.popen.returncode, 2, "exit status where the key cannot encrypt, or is an authority's")
            check(not os.path.exists(session.path("refused.pem")), "nothing is written")
