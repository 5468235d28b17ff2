"""tshark reads a recorded connection with our key log: every suite of TLS 1.3 with both roles' logs, and TLS 1.2 of every kind."""

import json
import os
import re
import socket
import struct
import threading

import openssl_peer
from harness import SUITES, check, equal, matches, program, run_ok


class Tap:
    """A TCP proxy on loopback that remembers what went which way."""

    def __init__(self, port):
        self.packets = []  # (from_client, bytes) in the order of arrival
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._target = port
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        client, _ = self._listener.accept()
        server = socket.create_connection(("127.0.0.1", self._target))
        back = threading.Thread(target=self._copy, args=(server, client, False), daemon=True)
        back.start()
        self._copy(client, server, True)
        back.join(30)
        client.close()
        server.close()

    def _copy(self, source, target, from_client):
        while data := source.recv(16384):
            with self._lock:
                self.packets.append((from_client, data))
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)

    def finish(self):
        self._thread.join(30)
        self._listener.close()
        check(not self._thread.is_alive(), "the connection is over")

    def pcap(self):
        """The connection as a capture file, in packets that never were: TCP over IPv4, without a link layer."""
        client, server = (0x7f000001, 50000), (0x7f000001, 443)
        sequence = {True: 1000, False: 2000}
        out = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101)]  # LINKTYPE_RAW
        count = 0

        def packet(from_client, flags, data=b""):
            nonlocal count
            count += 1
            (source, source_port), (target, target_port) = (client, server) if from_client else (server, client)
            tcp = struct.pack(">HHIIBBHHH", source_port, target_port, sequence[from_client], sequence[not from_client],
                              0x50, flags, 65535, 0, 0) + data
            address = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(tcp), count, 0, 64, 6, 0, source, target)
            frame = address + tcp
            out.append(struct.pack("<IIII", 1_700_000_000, count, len(frame), len(frame)) + frame)
            sequence[from_client] += len(data) + (1 if flags & 0x03 else 0)

        packet(True, 0x02)
        packet(False, 0x12)
        packet(True, 0x10)
        for from_client, data in self.packets:
            for start in range(0, len(data), 1400):
                packet(from_client, 0x18, data[start:start + 1400])
        packet(True, 0x11)
        packet(False, 0x11)
        return b"".join(out)


# Suites of TLS 1.2 with what is particular about the connection, and whose key log is read.
TLS12 = [("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "", "client"), ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "", "server"),
         ("TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8", "", "client"), ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "", "server"),
         ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", " without encrypt-then-MAC", "client"), ("TLS_RSA_WITH_AES_128_GCM_SHA256", "", "server")]


def tls12(session, decrypt):
    def keys(name):
        path = session.path(f"{name}.keys")
        with open(path) as lines:
            labels = {line.split()[0] for line in lines}
        equal(labels, {"CLIENT_RANDOM"}, "labels")
        return path

    for number, (suite, how, side) in enumerate(TLS12):
        with session.case(f"{suite}{how} with the {side}'s key log"):
            log = ["--keylog", session.path(f"tls12-{number}.keys")]
            pair = session.leaf("rsa", "--key-type", "rsa", "--key-encipherment") if "_RSA_" in suite else session.leaf("p256")
            with session.server("--suite", suite, *(log if side == "server" else []), credentials=[pair]) as server:
                tap = Tap(server.port)
                client = session.client(tap.port, "--get", "/the-request", "--tls1.2", "--suite", suite,
                                        *(log if side == "client" else []), *(["--no-encrypt-then-mac"] if how else []))
                tap.finish()
            equal((client.report["suite"], client.report["extended_master_secret"], client.report.get("encrypt_then_mac")),
                  (suite, True, not how if "_CBC_" in suite else None), "suite, extended master secret, encrypt-then-MAC")
            text = decrypt(tap, keys(f"tls12-{number}"), f"tls12-{number}")
            matches(r"^GET /the-request HTTP/1.1", text, "the request, decrypted")
            matches(rf"^suite: {suite}", text, "the response, decrypted")
    for mode in ("AES128-GCM-SHA256", "AES128-SHA"):
        with session.case(f"ECDHE-ECDSA-{mode} without extended master secret, and resumed"):
            log = ["--keylog", session.path(f"no-ems-{mode}.keys")]
            kept = session.path(f"no-ems-{mode}.session")
            with session.server("--allow-no-ems", "--suite", f"ECDHE-ECDSA-{mode}", *log) as server:
                for turn in (["-sess_out", kept], ["-sess_in", kept]):
                    tap = Tap(server.port)
                    process = openssl_peer.client(session, tap.port, "-tls1_2", "-no_ems", "-ign_eof", "-cipher", f"ECDHE-ECDSA-{mode}", *turn,
                                                  stdin=b"GET /the-request HTTP/1.0\r\n\r\n")
                    equal(process.finish(), 0, "exit status of s_client")
                    tap.finish()
                    report = server.next_report()
                    equal((report["extended_master_secret"], report["resumed"]), (False, "-sess_in" in turn), "extended master secret, resumed")
                    text = decrypt(tap, keys(f"no-ems-{mode}"), f"no-ems-{mode}")
                    matches(r"^GET /the-request HTTP/1.0", text, "the request, decrypted")
                    matches(r"^version: TLSv1.2", text, "the response, decrypted")


def main(session):
    tshark = program("tshark")

    def decrypt(tap, keys, name):
        capture = session.write(f"{name}.pcap", tap.pcap())
        home = session.path("home")
        os.makedirs(home, exist_ok=True)
        return run_ok([tshark, "-r", capture, "-d", "tcp.port==443,tls", "-o", f"tls.keylog_file:{keys}", "-q", "-z",
                       "follow,tls,ascii,0"], env=dict(os.environ, HOME=home), timeout=60).text

    for suite in SUITES:
        for side in ("client", "server"):
            with session.case(f"{suite} with the {side}'s key log"):
                keys = session.path(f"{suite}-{side}.keys")
                log = ["--keylog", keys]
                with session.server("--suite", suite, *(log if side == "server" else [])) as server:
                    tap = Tap(server.port)
                    client = session.client(tap.port, "--get", "/the-request", "--suite", suite, *(log if side == "client" else []))
                    tap.finish()
                    server.next_report()
                equal(os.stat(keys).st_mode & 0o777, 0o600, "mode of the key log")
                with open(keys) as lines:
                    labels = sorted(line.split()[0] for line in lines)
                check("CLIENT_HANDSHAKE_TRAFFIC_SECRET" in labels and "SERVER_TRAFFIC_SECRET_0" in labels, f"labels {labels}")
                text = decrypt(tap, keys, f"{suite}-{side}")
                matches(r"^GET /the-request HTTP/1.1", text, "the request, decrypted")
                matches(rf"^suite: {suite}", text, "the response, decrypted")
                check(client.output.decode().strip().splitlines()[-1] in text, "all of the response")
    with session.case("fingerprints of ClientHellos: JA3 and JA4"):
        for version in ("-tls1_2", "-tls1_3"):
            with session.server("--echo", "--once") as server:
                tap = Tap(server.port)
                openssl_peer.client(session, tap.port, version, "-alpn", "h2,x", stdin=b"").finish()
                tap.finish()
            capture = session.write(f"hello{version}.pcap", tap.pcap())
            told = run_ok([tshark, "-r", capture, "-d", "tcp.port==443,tls", "-Y", "tls.handshake.type==1", "-T", "fields", "-e",
                           "tls.handshake.ja3_full", "-e", "tls.handshake.ja4"], env=dict(os.environ, HOME=session.path("home"))).text
            fields = json.loads(run_ok([session.tool, "inspect", capture, "--json"]).stdout)["objects"][0]["fields"]
            check(f"{fields['ja3_text']}\t{fields['ja4']}" in told, f"{fields['ja3_text']} and {fields['ja4']}, not {told}")
    with session.case("after HelloRetryRequest, and with resumption and key updates"):
        keys = session.path("more.keys")
        with session.server("--group", "secp384r1") as server:
            path = session.path("session")
            session.client(server.port, "--get", "/", "--session-out", path)
            tap = Tap(server.port)
            client = session.client(tap.port, "--get", "/again", "--session-in", path, "--keylog", keys)
            tap.finish()
        equal((client.report["resumed"], client.report["hello_retry_request"]), (True, True), "resumed, HelloRetryRequest")
        matches(r"^GET /again HTTP/1.1", decrypt(tap, keys, "more"), "the request, decrypted")
    tls12(session, decrypt)
    with session.case("without the key log nothing is read"):
        with session.server() as server:
            tap = Tap(server.port)
            session.client(tap.port, "--get", "/the-request")
            tap.finish()
        empty = session.write("empty.keys", b"")
        check("the-request" not in decrypt(tap, empty, "blind"), "the request stays secret")
        check(not re.search(rb"the-request", tap.pcap()), "the request is not on the wire")
