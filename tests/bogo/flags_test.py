#!/usr/bin/env python3
"""The shim under flags that only newer runners give, and what `run` makes of newer runners. Needs no runner: two shims talk to each other
through a relay.

    flags_test.py SHIM TOOL    (bogo_shim and lockstep, as built)
"""

import base64
import importlib.machinery
import importlib.util
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
NOT_IMPLEMENTED = 89
HANDSHAKE = 22

SUITES = {"AES_128_GCM": 0x1301, "AES_256_GCM": 0x1302, "CHACHA20": 0x1303}
P256, P384, X25519, MLKEM1024 = 23, 24, 29, 514
ECDSA_P256, ECDSA_P384, PSS_SHA256, PSS_SHA384, MLDSA87, PKCS1_SHA256_LEGACY = 0x0403, 0x0503, 0x0804, 0x0805, 0x0906, 0x0420
SUPPORTED_GROUPS, KEY_SHARE = 10, 51

SHIM = TOOL = WORK = None


def repeated(flag, values):
    return [word for value in values for word in (flag, str(value))]


# --- certificates ----------------------------------------------------------------------------------------------------

def tool(*words):
    subprocess.run([TOOL, "cert", *words, "--quiet"], check=True, stdout=subprocess.DEVNULL)


def self_signed(key_type):
    """The flags of a credential."""
    path = os.path.join(WORK, key_type)
    if not os.path.exists(path + ".pem"):
        tool("self-signed", "--name", "test", "--key-type", key_type, "--out", path)
    return ["-cert-file", path + ".pem", "-key-file", path + ".key.pem"]


def issued_by(name):
    ca, path = (os.path.join(WORK, prefix + name) for prefix in ("ca-", "leaf-"))
    if not os.path.exists(path + ".pem"):
        tool("ca", "--subject", f"CN={name}", "--out", ca)
        tool("leaf", "--ca", ca + ".pem", "--ca-key", ca + ".key.pem", "--name", "test", "--out", path)
    return ["-cert-file", path + ".pem", "-key-file", path + ".key.pem"]


def issuer_of(certificate_file):
    """A certificate's issuer in DER, which stands behind version, serial number and signature algorithm."""
    with open(certificate_file, encoding="ascii") as file:
        text = file.read().split("-----BEGIN CERTIFICATE-----")[1].split("-----END")[0]
    der = base64.b64decode(text)

    def element(at):
        size, start = der[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7f
            size, start = int.from_bytes(der[start:start + count], "big"), start + count
        return start, start + size
    at = element(element(0)[0])[0]
    for _ in range(3):
        at = element(at)[1]
    return der[at:element(at)[1]]


# --- the relay -------------------------------------------------------------------------------------------------------

class Listener:
    """One shim on a socket."""

    def __init__(self, *flags, ipv6=False):
        self.socket = socket.create_server(("::1" if ipv6 else "127.0.0.1", 0), family=socket.AF_INET6 if ipv6 else socket.AF_INET)
        self.socket.settimeout(60)
        words = [SHIM, "-port", str(self.socket.getsockname()[1]), "-shim-id", "7", *(["-ipv6"] if ipv6 else []), *flags]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # pylint: disable=consider-using-with

    def accept(self):
        connection = self.socket.accept()[0]
        connection.settimeout(60)
        self.prefix = connection.recv(8, socket.MSG_WAITALL)
        return connection

    def end(self):
        """Exit status and what was said on stderr."""
        _, errors = self.process.communicate(timeout=60)
        self.socket.close()
        return self.process.returncode, errors.decode()


def records(stream):
    """Type and body of every whole record."""
    while len(stream) >= 5 and len(stream) >= 5 + int.from_bytes(stream[3:5], "big"):
        size = int.from_bytes(stream[3:5], "big")
        yield stream[0], stream[5:5 + size]
        stream = stream[5 + size:]


def in_small_records(kind, body):
    return b"".join(struct.pack(">BHH", kind, 0x0303, 1) + body[i:i + 1] for i in range(len(body)))


class Pair:
    """What became of a handshake between a client and a server. With `split`, plaintext messages come a byte a record."""

    def __init__(self, client, server, split=False):
        self.split = split
        ends = [Listener("-shim-shuts-down", *client), Listener("-server", *server)]
        connections = [end.accept() for end in ends]
        self.said = [bytearray(), bytearray()]
        threads = [threading.Thread(target=self.relay, args=(connections[i], connections[1 - i], self.said[i])) for i in (0, 1)]
        for thread in threads:
            thread.start()
        (self.client, self.client_says), (self.server, self.server_says) = (end.end() for end in ends)
        for thread in threads:
            thread.join(60)
        for connection in connections:
            connection.close()

    def relay(self, source, sink, said):
        pending = b""
        try:
            while data := source.recv(65536):
                said += data
                pending += data
                for kind, body in records(pending):
                    pending = pending[5 + len(body):]
                    whole = struct.pack(">BHH", kind, 0x0303, len(body)) + body
                    sink.sendall(in_small_records(kind, body) if self.split and kind == HANDSHAKE else whole)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def hello(self):
        """The first ClientHello's suites and extensions."""
        message = b"".join(body for kind, body in records(bytes(self.said[0])) if kind == HANDSHAKE)
        at = 4 + 2 + 32
        at += 1 + message[at]
        size = int.from_bytes(message[at:at + 2], "big")
        suites = list(struct.unpack(f">{size // 2}H", message[at + 2:at + 2 + size]))
        at += 2 + size
        at += 1 + message[at]
        end = at + 2 + int.from_bytes(message[at:at + 2], "big")
        at += 2
        extensions = {}
        while at < end:
            kind, size = struct.unpack(">HH", message[at:at + 4])
            extensions[kind] = message[at + 4:at + 4 + size]
            at += 4 + size
        return suites, extensions

    def suites(self):
        return self.hello()[0]

    def groups(self):
        data = self.hello()[1][SUPPORTED_GROUPS][2:]
        return list(struct.unpack(f">{len(data) // 2}H", data))

    def key_shares(self):
        data, groups = self.hello()[1][KEY_SHARE][2:], []
        while data:
            group, size = struct.unpack(">HH", data[:4])
            groups.append(group)
            data = data[4 + size:]
        return groups


class ShimTest(unittest.TestCase):
    def agrees(self, client, server, split=False):
        pair = Pair(client, server, split)
        self.assertEqual((pair.client, pair.client_says), (0, ""))
        self.assertEqual((pair.server, pair.server_says), (0, ""))
        return pair


# --- the tests -------------------------------------------------------------------------------------------------------

class KeyShares(ShimTest):
    def test_of_a_group_that_is_not_the_first(self):
        pair = self.agrees(["-key-shares", str(P256), "-expect-no-hrr"], [*self_signed("p256"), "-expect-curve-id", str(P256)])
        self.assertEqual(pair.key_shares(), [P256])

    def test_of_several_groups(self):
        pair = self.agrees(repeated("-key-shares", [P384, X25519]), self_signed("p256"))
        self.assertEqual(pair.key_shares(), [X25519, P384])

    def test_of_a_group_that_the_server_does_not_want(self):
        pair = self.agrees(["-key-shares", str(P384), "-expect-hrr"], [*self_signed("p256"), "-curves", str(X25519), "-expect-hrr"])
        self.assertEqual(pair.key_shares(), [P384])

    def test_none(self):
        pair = self.agrees(["-no-key-shares", "-expect-hrr"], [*self_signed("p256"), "-expect-hrr"])
        self.assertEqual(pair.key_shares(), [])


class Credentials(ShimTest):
    """Two by -new-x509-credential, and the default one, which comes last."""

    def servers(self):
        return ["-new-x509-credential", *self_signed("p384"), "-new-x509-credential", *self_signed("p256")]

    def shown(self, key_type):
        return ["-expect-peer-cert-file", self_signed(key_type)[1]]

    def test_the_first_is_preferred(self):
        self.agrees(self.shown("p384"), [*self_signed("rsa"), *self.servers(), "-expect-selected-credential", "0"])

    def test_the_second_when_the_first_cannot_sign(self):
        self.agrees(["-verify-prefs", str(ECDSA_P256), *self.shown("p256")],
                    [*self_signed("rsa"), *self.servers(), "-expect-selected-credential", "1"])

    def test_the_default_when_no_other_can_sign(self):
        self.agrees(["-verify-prefs", str(PSS_SHA256), *self.shown("rsa")],
                    [*self_signed("rsa"), *self.servers(), "-expect-selected-credential", "-1"])

    def test_another_than_expected(self):
        pair = Pair([], [*self.servers(), "-expect-selected-credential", "1"])
        self.assertEqual(pair.server, 1)
        self.assertIn("credential 0", pair.server_says)

    def test_none_can_sign(self):
        pair = Pair(["-verify-prefs", str(PSS_SHA256)], self.servers())
        self.assertEqual(pair.server, 1)
        self.assertIn(":NO_COMMON_SIGNATURE_ALGORITHMS:", pair.server_says)
        self.assertIn(":SSLV3_ALERT_HANDSHAKE_FAILURE:", pair.client_says)

    def test_each_has_its_signing_prefs(self):
        self.agrees(["-verify-prefs", str(PSS_SHA256), "-expect-peer-signature-algorithm", str(PSS_SHA256)],
                    ["-new-x509-credential", *self_signed("rsa"), "-signing-prefs", str(PSS_SHA384),
                     "-new-x509-credential", *self_signed("rsa"), "-signing-prefs", str(PSS_SHA256),
                     "-expect-selected-credential", "1"])

    def test_each_has_its_staples(self):
        def staples(ocsp, scts):
            return ["-ocsp-response", base64.b64encode(ocsp).decode(), "-signed-cert-timestamps", base64.b64encode(scts).decode()]
        ocsp, scts = bytes([1, 2, 3, 4]), bytes([0, 6, 0, 4, 5, 6, 7, 8])
        other = staples(bytes([5, 6, 7, 8]), bytes([0, 6, 0, 4, 1, 2, 3, 4]))
        expected = [word.replace("-ocsp", "-expect-ocsp").replace("-signed", "-expect-signed") for word in staples(ocsp, scts)]
        self.agrees(["-verify-prefs", str(ECDSA_P256), "-enable-ocsp-stapling", "-enable-signed-cert-timestamps", *expected],
                    [*self_signed("rsa"), *other, "-new-x509-credential", *self_signed("p384"), *other,
                     "-new-x509-credential", *self_signed("p256"), *staples(ocsp, scts)])

    def test_of_a_client_late(self):
        self.agrees(["-async", *self.servers(), "-expect-selected-credential", "1"],
                    [*self_signed("p256"), "-require-any-client-certificate", "-verify-prefs", str(ECDSA_P256), *self.shown("p256")])

    def test_of_resumptions_alone(self):
        self.agrees([], [*self_signed("rsa"), "-on-resume-new-x509-credential",
                         *("-on-resume" + word if word.startswith("-") else word for word in self_signed("p256")),
                         "-on-initial-expect-selected-credential", "-1"])

    def wants_issuer(self, *names):
        return [word for name in names for word in ("-new-x509-credential", *issued_by(name), "-must-match-issuer")]

    def asks_for_issuer(self, name):
        return [*self_signed("p256"), "-require-any-client-certificate", "-use-client-ca-list", issuer_of(issued_by(name)[1]).hex()]

    def test_the_one_whose_issuer_is_asked_for(self):
        self.agrees([*self.wants_issuer("one", "two"), "-expect-selected-credential", "1"], self.asks_for_issuer("two"))

    def test_without_must_match_issuer_any_will_do(self):
        self.agrees(["-new-x509-credential", *issued_by("one"), "-expect-selected-credential", "0"], self.asks_for_issuer("two"))

    def test_no_issuer_is_asked_for(self):
        pair = Pair([], self.wants_issuer("one", "two"))
        self.assertEqual(pair.server, 1)
        self.assertIn(":NO_MATCHING_ISSUER:", pair.server_says)
        self.agrees([], [*self_signed("rsa"), *self.wants_issuer("one", "two"), "-expect-selected-credential", "-1"])


class Profiles(ShimTest):
    def test_cnsa_202407_prefers_aes_256(self):
        self.agrees([], [*self_signed("p256"), "-expect-cipher", str(SUITES["AES_128_GCM"])])
        pair = self.agrees(["-cnsa-202407"], [*self_signed("p256"), "-cnsa-202407", "-expect-cipher", str(SUITES["AES_256_GCM"])])
        self.assertEqual(pair.suites()[:3], [SUITES[name] for name in ("AES_256_GCM", "AES_128_GCM", "CHACHA20")])
        self.agrees([], [*self_signed("p256"), "-cnsa-202407", "-expect-cipher", str(SUITES["AES_256_GCM"])])

    def test_cnsa1_202603(self):
        pair = self.agrees(["-cnsa1-202603", "-expect-peer-signature-algorithm", str(ECDSA_P384)],
                           [*self_signed("p384"), "-cnsa1-202603", "-expect-curve-id", str(MLKEM1024)])
        self.assertEqual(pair.suites(), [SUITES["AES_256_GCM"]])
        self.assertEqual(pair.groups(), [MLKEM1024, P384])
        refused = Pair(["-cnsa1-202603"], self_signed("p256"))
        self.assertIn(":SSLV3_ALERT_HANDSHAKE_FAILURE:", refused.client_says)

    def test_cnsa2_202603(self):
        pair = self.agrees(["-cnsa2-202603", "-expect-peer-signature-algorithm", str(MLDSA87)],
                           [*self_signed("mldsa87"), "-cnsa2-202603", "-expect-curve-id", str(MLKEM1024)])
        self.assertEqual((pair.suites(), pair.groups()), ([SUITES["AES_256_GCM"]], [MLKEM1024]))


class SmallRecords(ShimTest):
    def test_every_plaintext_message(self):
        self.agrees([], self_signed("p256"), split=True)
        self.agrees(["-no-key-shares", "-expect-hrr", "-async"], [*self_signed("p256"), "-async"], split=True)

    def old_hello(self, version):
        body = struct.pack(">H", version) + bytes(32) + b"\x00" + b"\x00\x02\xc0\x2f" + b"\x01\x00"
        return in_small_records(HANDSHAKE, b"\x01" + len(body).to_bytes(3, "big") + body)

    def server_told(self, stream):
        listener = Listener("-server", *self_signed("p256"))
        connection = listener.accept()
        connection.sendall(stream)
        while connection.recv(4096):
            pass
        connection.close()
        return listener.end()

    def test_an_older_version_is_still_seen(self):
        self.assertEqual(self.server_told(self.old_hello(0x0302))[0], NOT_IMPLEMENTED)
        status, said = self.server_told(self.old_hello(0x0300))  # older than whatever the flags allow
        self.assertEqual(status, 1)
        self.assertIn(":UNSUPPORTED_PROTOCOL:", said)


class Process(unittest.TestCase):
    def run_shim(self, *flags):
        return subprocess.run([SHIM, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60)

    def test_what_the_product_lacks(self):
        for flags in (["-new-delegated-credential"], ["-new-rpk-credential"], ["-new-psk-credential"], ["-new-spake2plusv1-credential"],
                      ["-trust-anchor-id", "AQ=="], ["-accepted-peer-cert-types", "2"], ["-curves-flags", "1"],
                      ["-on-resume-new-psk-credential"], ["-server-supported-groups-hint", "29"], ["-no-such-flag"], ["-key-shares"],
                      ["-server", "-new-x509-credential", *self_signed("rsa"), "-signing-prefs", str(PKCS1_SHA256_LEGACY)]):
            with self.subTest(flags=flags):
                self.assertEqual(self.run_shim(*flags).returncode, NOT_IMPLEMENTED)

    def test_no_handshaker(self):
        done = self.run_shim("-is-handshaker-supported")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"No\n", b""))

    def test_its_number_goes_first_to_the_address_of_the_flags(self):
        for ipv6 in (False, True):
            if ipv6 and not has_ipv6():
                continue
            listener = Listener("-server", *self_signed("p256"), ipv6=ipv6)
            listener.accept().close()
            self.assertEqual(listener.prefix, struct.pack("<Q", 7))
            listener.end()

    def test_it_waits_for_a_debugger(self):
        with subprocess.Popen([SHIM, "-wait-for-debugger", "-port", "1"], stderr=subprocess.DEVNULL) as process:
            _, status = os.waitpid(process.pid, os.WUNTRACED)
            self.assertTrue(os.WIFSTOPPED(status))
            process.send_signal(signal.SIGCONT)
            self.assertEqual(process.wait(60), 1)  # nobody listens there


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def load_run():
    loader = importlib.machinery.SourceFileLoader("bogo_run", os.path.join(HERE, "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("bogo_run", loader))
    loader.exec_module(module)
    return module


class Runners(unittest.TestCase):
    """`run` and the runners of checkouts."""

    def setUp(self):
        self.run_module = load_run()
        self.checkout = tempfile.mkdtemp(dir=WORK)
        self.sources = os.path.join(self.checkout, "ssl", "test", "runner")
        os.makedirs(self.sources)

    def write(self, error_map):
        with open(os.path.join(self.sources, "runner.go"), "w", encoding="utf-8") as file:
            file.write(f"package runner\n\ntype ShimConfiguration struct {{\n\t// ErrorMap maps errors.\n\tErrorMap {error_map}\n}}\n")

    def test_the_form_of_the_error_map_is_read_from_the_sources(self):
        for error_map, lists in (("map[string]string", False), ("map[string][]string", True)):
            self.write(error_map)
            self.assertIs(self.run_module.error_lists(self.sources), lists)
        self.write("[]string")
        self.assertRaises(self.run_module.Missing, self.run_module.error_lists, self.sources)

    def test_what_is_given_to_the_runner(self):
        config = {"DisabledTests": {"a": "b"}, "DisabledTestsOfNewerRunners": {"c": "d"}, "ErrorMap": {":THEIRS:": ["ours"]}, "AllCurves": [29]}
        for lists, errors in ((True, ["ours"]), (False, "ours")):
            self.assertEqual(self.run_module.runner_config(config, lists),
                             {"DisabledTests": {"a": "b", "c": "d"}, "ErrorMap": {":THEIRS:": errors}, "AllCurves": [29]})
        self.assertEqual(self.run_module.runner_config(config, True, include_disabled=True)["DisabledTests"], {})

    def test_a_checkout_is_known_by_its_sources(self):
        self.write("map[string]string")
        first = self.run_module.digest(self.checkout)
        self.assertEqual(self.run_module.digest(self.checkout), first)
        self.write("map[string][]string")
        self.assertNotEqual(self.run_module.digest(self.checkout), first)

    def test_a_folder_without_a_runner(self):
        self.assertRaises(self.run_module.Missing, self.run_module.digest, self.checkout)


if __name__ == "__main__":
    SHIM, TOOL = (os.path.abspath(path) for path in sys.argv[1:3])
    with tempfile.TemporaryDirectory(prefix="bogo-flags-") as WORK:
        unittest.main(argv=sys.argv[:1] + sys.argv[3:])
