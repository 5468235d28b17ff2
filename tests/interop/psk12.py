"""Pre-shared keys in TLS 1.2 (RFC 4279, RFC 5489) with other implementations, in both roles: every suite that both have."""

import json

import node_peer
import openssl_peer
import suites12
from harness import Process, check, equal, free_port, matches, program, run_ok, wait_until_listening

LINE = b"over the wire\n"
IDENTITY, KEY = "sensor 7", "00112233445566778899aabbccddeeff"
OTHER_KEY = "ff" + KEY[2:]


def words_of(suite):
    # Its servers have primes of their own; where OpenSSL has no certificate to go by, it would choose 1024 bits.
    return ["--suite", suite.name, *(["--allow-unknown-dh-groups"] if suite.exchange == "DHE_PSK" else [])]


def agreed(report, suite):
    check(report["ok"], f"our report: {report}")
    equal((report["version"], report["suite"]), ("TLSv1.2", suite.name), "version and suite")


def credentials(session, suite):
    return [session.leaf("rsa", "--key-type", "rsa", "--key-encipherment")] if suite.key else []


def psk_file(session, key=KEY):
    return session.write(f"psk-{key[:2]}", f"{IDENTITY}:{key}\n".encode())


def against_openssl(session, suites):
    shared = suites12.common(session, "OpenSSL with pre-shared keys", suites, [name for _, _, name, _ in suites12.of_openssl()])
    key = psk_file(session)
    every = "ALL:@SECLEVEL=0"
    theirs = ["-psk", KEY, "-psk_identity", IDENTITY]
    for hint in ([], ["-psk_hint", "factory floor"]):
        with session.case(f"OpenSSL's server, every suite, {'with a hint' if hint else 'no hint'}"):
            certificate = session.leaf("rsa", "--key-type", "rsa", "--key-encipherment")
            with openssl_peer.server(session, "-rev", "-cipher", every, "-psk", KEY, "-dhparam", suites12.dh_parameters(session), *hint,
                                     credential=certificate, version="-tls1_2") as server:
                for suite in shared:
                    client = session.client(server.port, "--psk-file", key, *words_of(suite), stdin=LINE)
                    agreed(client.report, suite)
                    equal(client.output, LINE.strip()[::-1] + b"\n", "what came back")
                client = session.client(server.port, "--psk-file", key, *words_of(shared[0]), "--resume", "2", stdin=LINE)
                equal([report["resumed"] for report in client.reports], [False, True, True], "resumed")
                wrong = session.client(server.port, "--psk-file", psk_file(session, OTHER_KEY), *words_of(shared[0]), stdin=LINE, ok=False)
                equal(wrong.report["error"]["reason"], "peer_alert", "a wrong key")
    for hint in ([], ["--psk-hint", "factory floor"]):
        with session.case(f"OpenSSL's client, every suite, {'with a hint' if hint else 'no hint'}"):
            for suite in shared:
                with session.server("--echo", "--psk-file", key, "--suite", suite.name, *hint, credentials=credentials(session, suite)) as server:
                    process = openssl_peer.client(session, server.port, "-tls1_2", "-cipher", every, *theirs)
                    with process:
                        process.wait_for(r"^\s*Verify return code")
                        process.send(LINE)
                        process.wait_for(r"^over the wire")
                        process.close_stdin()
                        process.finish()
                    report = server.next_report()
                    agreed(report, suite)
    with session.case("OpenSSL's client with a wrong key, and one that is not known"):
        ecdhe = next(suite for suite in shared if "ECDHE_PSK" in suite.name)
        for tell in ([], ["--tell-unknown-psk"]):
            with session.server("--echo", "--psk-file", key, "--suite", ecdhe.name, *tell, credentials=[]) as server:
                for words, reason in ((["-psk", OTHER_KEY, "-psk_identity", IDENTITY], "psk_mismatch"),
                                      (["-psk", KEY, "-psk_identity", "sensor 8"], "psk_identity_unknown" if tell else "psk_mismatch")):
                    process = openssl_peer.client(session, server.port, "-tls1_2", "-cipher", every, *words, stdin=b"")
                    check(process.finish() != 0, "s_client fails")
                    equal(server.next_report()["error"]["reason"], reason, "reason")


# Without RSA-PSK, which GnuTLS takes out of its lists from 3.8.4 on.
PRIORITY = ("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-PSK:+DHE-PSK:+PSK:+AES-128-CCM:+AES-256-CCM:+AES-128-CCM-8:+AES-256-CCM-8:+AES-128-CBC:"
            "+AES-256-CBC:+SHA256:+SHA384:+SHA1")


def against_gnutls(session, suites):
    shared = suites12.common(session, "GnuTLS with pre-shared keys", suites, suites12.of_gnutls())
    shared = [suite for suite in shared if not suite.key]
    key = psk_file(session)
    port = free_port()
    with session.case("GnuTLS's server, every suite, a hint, and resumption"):
        server = Process([program("gnutls-serv"), "--echo", "--port", port, "--pskpasswd", key, "--pskhint", "factory floor", "--priority", PRIORITY])
        with server:
            wait_until_listening(port, server)
            for suite in shared:
                client = session.client(port, "--psk-file", key, *words_of(suite), stdin=LINE)
                agreed(client.report, suite)
                equal(client.output, LINE, "what came back")
            client = session.client(port, "--psk-file", key, *words_of(shared[0]), "--resume", "2", stdin=LINE)
            equal([report["resumed"] for report in client.reports], [False, True, True], "resumed")
    with session.case("GnuTLS's client, every suite"):
        for suite in shared:
            with session.server("--echo", "--psk-file", key, "--suite", suite.name, credentials=[]) as server:
                process = Process([program("gnutls-cli"), "--port", server.port, "--pskusername", IDENTITY, "--pskkey", KEY, "--priority", PRIORITY,
                                   "127.0.0.1"])
                with process:
                    process.wait_for(r"^- Simple Client Mode|rror")
                    process.send_in_background(LINE)
                    process.finish()
                matches(r"^over the wire$", process.text, "what came back")
                agreed(server.next_report(), suite)


def against_node(session, suites):
    shared = suites12.common(session, "Node with pre-shared keys", suites, suites12.of_node(suites))
    certificate, key = session.leaf("rsa", "--key-type", "rsa", "--key-encipherment")
    given = {"version": "TLSv1.2", "psk": {"identity": IDENTITY, "key": KEY}}
    with session.case("Node's server, every suite with a pre-shared key"):
        words = {"cert": certificate, "key": key, "dh": suites12.dh_parameters(session), "suites": ":".join(suite.openssl_name for suite in shared) + ":@SECLEVEL=0", **given}
        with Process([node_peer.node(), node_peer.SCRIPT, "server", json.dumps(words)]) as server:
            port = int(server.wait_for(r"^port (\d+)$").group(1))
            for suite in shared:
                client = session.client(port, "--psk-file", psk_file(session), *words_of(suite), stdin=LINE)
                agreed(client.report, suite)
                equal(client.output, LINE, "what came back")
    with session.case("Node's client, every suite with a pre-shared key"):
        with session.server("--echo", "--psk-file", psk_file(session), "--suite", suites12.names(shared), credentials=[(certificate, key)]) as server:
            words = {"port": server.port, "ca": session.ca(), "suites": [f"{suite.openssl_name}:@SECLEVEL=0" for suite in shared], **given}
            run_ok([node_peer.node(), node_peer.SCRIPT, "client", json.dumps(words)])
            for suite in shared:
                agreed(server.next_report(), suite)


def against_erlang(session, suites):
    """Which has ECDHE_PSK with AES-CCM (RFC 8442). Without RSA_PSK: its server signs a ServerKeyExchange that has no signature."""
    shared = [suite for suite in suites12.common(session, "Erlang with pre-shared keys", suites, suites12.of_erlang()) if not suite.key]
    peer = [program("escript"), suites12.ERLANG, "psk", IDENTITY, KEY]
    certificate, key = session.leaf("rsa", "--key-type", "rsa", "--key-encipherment")
    with session.case("Erlang's server, every suite with a pre-shared key"):
        with Process([*peer, "server", certificate, key, certificate, key, *(suite.name for suite in shared)]) as server:
            port = int(server.wait_for(r"^port (\d+)$").group(1))
            for suite in shared:
                client = session.client(port, "--psk-file", psk_file(session), "--allow-no-ems", *words_of(suite), stdin=LINE)
                agreed(client.report, suite)
                equal(client.output, LINE, "what came back")
    with session.case("Erlang's client, every suite with a pre-shared key"):
        with session.server("--echo", "--psk-file", psk_file(session), "--allow-no-ems", "--suite", suites12.names(shared),
                            credentials=[(certificate, key)]) as server:
            run_ok([*peer, "client", server.port, session.ca(), *(suite.name for suite in shared)])
            for place, report in enumerate(server.reports_of(shared, 2)):
                agreed(report, shared[place // 2])


def against_both(session):
    _, suites = suites12.known(session)
    check(len(suites) >= 20, f"only {len(suites)} suites")
    against_openssl(session, suites)
    against_gnutls(session, suites)
    against_node(session, suites)
    against_erlang(session, suites)
