"""Node's tls module in both roles."""

import json
import os
import re

from harness import MissingPeer, Process, check, equal, program, run, run_ok

GROUPS = {"x25519": "X25519", "x448": "X448", "secp256r1": "prime256v1", "secp384r1": "secp384r1", "secp521r1": "secp521r1"}
SUITES = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256",
          "TLS_AES_128_CCM_8_SHA256"]
KEY_TYPES = {"rsa": "rsa_pss_rsae_sha256", "rsa-pss": "rsa_pss_pss_sha256", "p256": "ecdsa_secp256r1_sha256",
             "p384": "ecdsa_secp384r1_sha384", "p521": "ecdsa_secp521r1_sha512", "ed25519": "ed25519", "ed448": "ed448"}
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node", "peer.js")


def node():
    path = program("node", "nodejs")
    found = re.search(r"v(\d+)", bytes(run([path, "--version"]).stdout).decode())
    if not found or int(found[1]) < 20:
        raise MissingPeer("Node 20 or later is needed; tools/setup installs it")
    return path


def reports(process):
    return [json.loads(line) for line in bytes(process.stdout).decode().splitlines() if line.startswith("{")]


def against_server(session):
    """Lockstep's client, Node's server."""
    def one(server_options, client_options, count=1, credential=None):
        certificate, key = credential or session.leaf("p256")
        words = json.dumps({"cert": certificate, "key": key, **server_options})
        with Process([node(), SCRIPT, "server", words]) as server:
            port = int(server.wait_for(r"^port (\d+)$").group(1))
            client = session.client(port, *client_options, stdin=b"over the wire\n")
            server.wait_for(r"(?:^\{.*\}\n){%d}" % count)
            equal(client.output, b"over the wire\n", "what Node sent back")
            return client.reports, reports(server)

    for group, name in GROUPS.items():
        for retry in (False, True):
            with session.case(f"Node's server, group {group}{' after HelloRetryRequest' if retry else ''}"):
                first = "x25519" if group != "x25519" else "secp256r1"
                options = ["--group", f"{first},{group}", "--key-share", first] if retry else ["--group", group]
                ours, theirs = one({"groups": name}, options)
                equal((ours[0]["group"].lower(), ours[0]["hello_retry_request"]), (group, retry), "group, HelloRetryRequest")
                check(theirs[0]["ok"], f"Node's report: {theirs[0]}")
    for suite in SUITES:
        with session.case(f"Node's server, suite {suite}"):
            ours, theirs = one({"suites": ":".join(SUITES)}, ["--suite", suite])
            equal((ours[0]["suite"], theirs[0]["suite"]), (suite, suite), "both sides' suite")
            equal(theirs[0]["version"], "TLSv1.3", "Node's version")
    for key_type, scheme in KEY_TYPES.items():
        with session.case(f"Node's server, certificate {key_type}"):
            ours, _ = one({}, [], credential=session.leaf(key_type, "--key-type", key_type))
            equal((ours[0]["peer_scheme"], ours[0]["verdict"]), (scheme, "ok"), "scheme and verdict")
    for method, version in (("TLSv1_2_method", "TLSv1.2"), ("SSLv23_method", "TLSv1.2"), ("TLS_method", "TLSv1.3")):
        with session.case(f"Node's server and our client, secureProtocol {method}"):
            ours, theirs = one({"method": method}, [])
            equal((ours[0]["version"], theirs[0]["version"]), (version, version), "version, as Node has it")
            ours, _ = one({"method": "TLS_method"}, ["--method", method])
            equal(ours[0]["version"], version, "version, as we have it")
    with session.case("Node's server, client certificate"):
        certificate, key = session.leaf("client-p256", "--client", names=("someone@example.com",))
        _, theirs = one({"clientAuth": True, "ca": session.ca()}, ["--cert", certificate, "--key", key])
        equal(theirs[0]["peer"], "someone@example.com", "whom Node saw")
    with session.case("Node's server, resumption"):
        # Once: Node sends no new ticket in a connection that was resumed.
        ours, theirs = one({}, ["--resume", "1"], count=2)
        equal([each["resumed"] for each in ours], [False, True], "ours")
        equal([each["resumed"] for each in theirs], [False, True], "Node's")
    with session.case("Node's server, ALPN"):
        ours, theirs = one({"alpn": ["h2", "http/1.1"]}, ["--alpn", "http/1.1"])
        equal((ours[0]["alpn"], theirs[0]["alpn"]), ("http/1.1", "http/1.1"), "both sides' protocol")


def against_client(session):
    """Node's client, Lockstep's server."""
    def one(server_options, client_options, count=1, credential=None):
        with session.server("--echo", *server_options, credentials=[credential or session.leaf("p256")]) as server:
            words = json.dumps({"port": server.port, "ca": session.ca(), "count": count, **client_options})
            client = run_ok([node(), SCRIPT, "client", words])
            ours = [server.next_report() for _ in range(count)]
        theirs = reports(client)
        equal([each["echo"] for each in theirs], ["over the wire"] * count, "what we sent back")
        for each in ours:
            check(each["ok"], f"our report: {each}")
        return ours, theirs

    for group, name in GROUPS.items():
        with session.case(f"Node's client, group {group}"):
            ours, theirs = one([], {"groups": name})
            equal(ours[0]["group"].lower(), group, "our group")
            check(theirs[0]["group"] in (name, group, group.upper()), f"Node's group is {theirs[0]['group']}")
        first = "X25519" if group != "x25519" else "prime256v1"
        with session.case(f"Node's client, group {group} after HelloRetryRequest"):
            ours, _ = one(["--group", group], {"groups": f"{first}:{name}"})
            equal((ours[0]["group"].lower(), ours[0]["hello_retry_request"]), (group, True), "group and HelloRetryRequest")
    for suite in SUITES:
        with session.case(f"Node's client, suite {suite}"):
            ours, theirs = one(["--suite", ",".join(SUITES)], {"suites": suite})
            equal((ours[0]["suite"], theirs[0]["suite"]), (suite, suite), "both sides' suite")
    for key_type, scheme in KEY_TYPES.items():
        with session.case(f"Node's client, certificate {key_type}"):
            ours, _ = one([], {}, credential=session.leaf(key_type, "--key-type", key_type))
            equal(ours[0]["own_scheme"], scheme, "scheme")
    with session.case("Node's client, client certificate"):
        certificate, key = session.leaf("client-p256", "--client", names=("someone@example.com",))
        ours, _ = one(["--client-auth", "require", "--client-ca", session.ca()], {"cert": certificate, "key": key})
        equal(ours[0]["client_certificate"]["subject"], "CN=someone@example.com", "whom we saw")
    with session.case("Node's client, resumption"):
        ours, theirs = one([], {}, count=3)
        equal([each["resumed"] for each in ours], [False, True, True], "ours")
        equal([each["resumed"] for each in theirs], [False, True, True], "Node's")
    with session.case("Node's client, ALPN"):
        ours, theirs = one(["--alpn", "h2,http/1.1"], {"alpn": ["http/1.1", "h2"]})
        equal((ours[0]["alpn"], theirs[0]["alpn"]), ("h2", "h2"), "both sides' protocol (our order decides)")


def main(session):
    node()
    against_server(session)
    against_client(session)
