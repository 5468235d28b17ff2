"""wolfSSL and Mbed TLS in both roles, TLS 1.3 and TLS 1.2, by the programs in libraries/, which are built where the library is."""

import json
import os

import suites12
from harness import SUITES, Client, MissingPeer, Process, check, equal, run_ok
from suites12 import names
from tls12 import LINE, agreed, client_pair, credentials, one_of_each, only, talk

KEYS = ("p256", "rsa")  # of tls12.credentials


class Peer:
    """A peer's program. `one_certificate` where a server of it has room for no more, `insists` where one cannot do without extended
    master secret, `renegotiates` where it can."""

    def __init__(self, session, name, package, one_certificate=False, insists=False, renegotiates=False):
        self.session, self.name, self.one_certificate, self.insists, self.renegotiates = session, name, one_certificate, insists, renegotiates
        self.program = os.path.join(session.peers, f"{name}_peer")
        if not os.path.exists(self.program):
            raise MissingPeer(f"{name}_peer was not built, because {package} was not installed; tools/setup installs it")
        self.suites = run_ok([self.program, "suites"]).text.split()

    def server(self, suites, *options, keys=KEYS):
        """Use as a context manager. `.port` is its port."""
        pairs = [word for (certificate, key), name in zip(credentials(self.session), KEYS) if name in keys
                 for word in ("--cert", certificate, "--key", key)]
        process = Process([self.program, "server", "--suites", suites, "--dh", suites12.dh_parameters(self.session), *pairs, *options])
        process.port = int(process.wait_for(r"^port (\d+)$").group(1))
        return process

    def clients(self, port, suites, *options):
        """A connection with each suite and, by --count, more. Their reports."""
        words = [self.program, "client", "--port", port, "--ca", self.session.ca(), "--suites", suites, *options]
        reports = [json.loads(line) for line in bytes(run_ok(words).stdout).decode().splitlines()]
        for report in reports:
            check(report["ok"], f"its report: {report}")
        return reports

    def per_certificate(self, suites):
        """Which suites go to servers with which certificates."""
        if not self.one_certificate:
            return [(suites, KEYS)]
        return [(some, (key,)) for key in KEYS if (some := [suite for suite in suites if suite.key == key])]


def tls13(session, peer):
    suites = [suite for suite in SUITES if suite in peer.suites]
    with session.case("its server, every suite of TLS 1.3, and resumption"):
        with peer.server(",".join(suites), "--tls1.3", keys=("p256",)) as server:
            for suite in suites:
                client = session.client(server.port, "--tls1.3", "--suite", suite, "--resume", "1", stdin=LINE)
                equal([(report["version"], report["suite"], report["resumed"]) for report in client.reports],
                      [("TLSv1.3", suite, False), ("TLSv1.3", suite, True)], "version, suite, resumed")
                equal(client.output, LINE, "what came back")
    with session.case("its client, every suite of TLS 1.3, and resumption"):
        with session.server("--echo", "--suite", ",".join(suites)) as server:
            peer.clients(server.port, ",".join(suites), "--tls1.3", "--count", "2")
            for suite in suites:
                for resumed in (False, True):
                    report = server.next_report()
                    check(report["ok"], f"our report: {report}")
                    equal((report["version"], report["suite"], report["resumed"]), ("TLSv1.3", suite, resumed), "version, suite, resumed")
    with session.case("client certificates in TLS 1.3, both roles"):
        mutual(session, peer, SUITES[:1], "--tls1.3")


def mutual(session, peer, suites, version):
    """A connection in each role with client certificates, and one without, which fails."""
    certificate, key = session.leaf("client-p256", "--key-type", "p256", "--client", names=("someone@example.com",))
    more = ["--tls1.3"] if version == "--tls1.3" else []
    with peer.server(",".join(suites), "--ca", session.ca(), *more, keys=("p256",)) as server:
        session.client(server.port, version, "--cert", certificate, "--key", key, stdin=LINE)
        session.client(server.port, version, stdin=LINE, ok=False)
        server.wait_for(r'^\{"ok": true.*CN=someone@example.com')
        server.wait_for(r'^\{"ok": false')
    with session.server("--echo", version, "--suite", ",".join(suites), "--client-auth", "require", "--client-ca", session.ca()) as server:
        peer.clients(server.port, suites[0], "--cert", certificate, "--key", key, *more)
        report = server.next_report()
        equal((report["client_verdict"], report["client_certificate"]["subject"]), ("ok", "CN=someone@example.com"), "whom we saw")


def their_server(session, peer, suites):
    cbc, each = [suite for suite in suites if suite.cbc], one_of_each(suites)
    for title, some, option, etm, ems in (("every suite", suites, None, True, True),
                                          ("CBC without encrypt-then-MAC", cbc, "--no-etm", False, True),
                                          ("without extended master secret", each, "--no-ems", True, False)):
        if peer.insists and not ems:
            continue
        with session.case(f"its server, {title}"):
            for part, keys in peer.per_certificate(some):
                with peer.server(names(part), *([option] if option else []), keys=keys) as server:
                    talk(session, server.port, part, etm, "--allow-no-ems", ems=ems)
    for how, options in (("ticket", []), ("session id", ["--no-tickets"])):
        with session.case(f"its server, resumption by {how}"):
            for part, keys in peer.per_certificate(each):
                with peer.server(names(part), *options, keys=keys) as server:
                    for suite in part:
                        client = session.client(server.port, *only([suite]), "--resume", "2", stdin=LINE)
                        equal([report["resumed"] for report in client.reports], [False, True, True], "resumed")
                        agreed(client.report, suite, True)


def their_client(session, peer, suites):
    cbc, each = [suite for suite in suites if suite.cbc], one_of_each(suites)

    def reports(server, some, etm, ems, *options, count=1):
        peer.clients(server.port, names(some), *options, "--count", count)
        for place, report in enumerate(server.reports_of(some, count)):
            agreed(report, some[place // count], etm)
            equal((report["extended_master_secret"], report["resumed"]), (ems, place % count > 0), "extended master secret, resumed")

    with session.server("--echo", "--allow-no-ems", "--session-ids", "--suite", names(suites), credentials=credentials(session)) as server:
        with session.case("its client, every suite"):
            reports(server, suites, True, True)
        with session.case("its client, CBC without encrypt-then-MAC"):
            reports(server, cbc, False, True, "--no-etm")
        with session.case("its client, resumption by ticket"):
            reports(server, each, True, True, count=3)
        with session.case("its client, resumption by session id, without extended master secret"):
            reports(server, each, True, False, "--no-tickets", "--no-ems", count=3)


def renegotiation(session, peer, suite):
    """Each side begins one when it has `--renegotiate` (the peer) or `begin` (we); the peer's comes last."""
    certificate, key = client_pair(session)
    for ours, count in (("freely", 1), ("begin", 2)):
        with session.case(f"its server, which renegotiates, as we do {ours}"), peer.server(suite.name, "--renegotiate") as server:
            process = session.client_process(server.port, *only([suite]), "--renegotiate", ours)
            for number in (1, 2):  # the second line waits until the handshake is over that was asked for in front of the first's echo
                process.send(LINE)
                process.wait_for(r"(?:over the wire\n){%d}" % number)
            process.close_stdin()
            equal((process.finish(), Client(process).report["renegotiations"]), (0, count), "status and renegotiations")
        with session.case(f"its client, which renegotiates, as we do {ours}"):
            with session.server("--echo", "--renegotiate", ours, "--client-auth", "request", "--client-ca", session.ca(), *only([suite])) as server:
                peer.clients(server.port, suite.name, "--renegotiate", "--cert", certificate, "--key", key)
                report = server.next_report()
                agreed(report, suite, True)
                # Both sides' wishes may meet in one.
                check(1 <= report["renegotiations"] <= count, f"{report['renegotiations']} renegotiations")
                equal(report["client_verdict"], "ok", "whom we saw")


# A pre-shared key, and the words that tell a peer's program of it.
IDENTITY, KEY = "sensor 7", "00112233445566778899aabbccddeeff"
SHARED = ["--psk", IDENTITY, KEY]


def shared_keys(session, peer, suites):
    ours = ["--psk-file", session.write("psk", f"{IDENTITY}:{KEY}\n".encode())]
    os.chmod(ours[1], 0o600)
    for some, how, etm in ((suites, "", True), ([suite for suite in suites if suite.cbc], ", CBC without encrypt-then-MAC", False)):
        without = [] if etm else ["--no-etm"]
        with session.case(f"its server, every suite with a pre-shared key{how}"):
            with peer.server(names(some), *SHARED, *without, keys=("rsa",)) as server:
                talk(session, server.port, some, etm, *ours)
        with session.case(f"its client, every suite with a pre-shared key{how}"):
            with session.server("--echo", *ours, "--suite", names(some), credentials=credentials(session)[1:]) as server:
                peer.clients(server.port, names(some), *SHARED, *without)
                for suite, report in zip(some, server.reports_of(some)):
                    agreed(report, suite, etm)


def against(session, peer):
    ours, with_keys = suites12.known(session)
    suites = suites12.common(session, peer.name, ours, peer.suites)
    session.ca()
    tls13(session, peer)
    their_server(session, peer, suites)
    their_client(session, peer, suites)
    if with_keys:
        shared_keys(session, peer, suites12.common(session, f"{peer.name} with pre-shared keys", with_keys, peer.suites))
    if peer.renegotiates:
        renegotiation(session, peer, suites[0])
    with session.case("client certificates in TLS 1.2, both roles"):
        mutual(session, peer, [suites[0].name], "--tls1.2")
