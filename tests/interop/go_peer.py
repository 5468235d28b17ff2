"""Go's crypto/tls in both roles."""

import json
import os
import re

from harness import MissingPeer, Process, check, equal, program, run, run_ok

GROUPS = ["X25519MLKEM768", "x25519", "secp256r1", "secp384r1", "secp521r1"]
KEY_TYPES = {"rsa": "rsa_pss_rsae_sha256", "p256": "ecdsa_secp256r1_sha256", "p384": "ecdsa_secp384r1_sha384",
             "p521": "ecdsa_secp521r1_sha512", "ed25519": "ed25519"}


def go():
    candidates = sorted((os.path.join("/usr/lib", name, "bin", "go") for name in os.listdir("/usr/lib")
                         if re.fullmatch(r"go-1\.\d+", name)), reverse=True)
    for path in [candidate for candidate in candidates if os.path.exists(candidate)] + [program("go", *candidates)]:
        found = re.search(r"go1\.(\d+)", bytes(run([path, "version"]).stdout).decode())
        if found and int(found[1]) >= 24:
            return path
    raise MissingPeer("Go 1.24 or later is needed; tools/setup installs it")


def build(session):
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "go")
    cache = os.path.join(os.path.dirname(session.work), "go-cache")
    environment = dict(os.environ, GOFLAGS="-mod=mod", GOPROXY="off", GOTOOLCHAIN="local", CGO_ENABLED="0", GOCACHE=cache,
                       GOWORK="off", GOENV="off")
    run_ok([go(), "build", "-o", session.path("peer"), "."], cwd=folder, env=environment, timeout=300)
    return session.path("peer")


def reports(process):
    return [json.loads(line) for line in bytes(process.stdout).decode().splitlines() if line.startswith("{")]


def against_server(session, peer):
    """Lockstep's client, Go's server."""
    def one(server_options, client_options, count=1, credential=None):
        certificate, key = credential or session.leaf("p256")
        with Process([peer, "server", "-cert", certificate, "-key", key, *server_options]) as server:
            port = int(server.wait_for(r"^port (\d+)$").group(1))
            client = session.client(port, *client_options, stdin=b"over the wire\n")
            server.wait_for(r"(?:^\{.*\}\n){%d}" % count)
            equal(client.output, b"over the wire\n", "what Go sent back")
            return client.reports, reports(server)

    for group in GROUPS:
        for retry in (False, True):
            with session.case(f"Go's server, group {group}{' after HelloRetryRequest' if retry else ''}"):
                first = "x25519" if group != "x25519" else "secp256r1"
                options = ["--group", f"{first},{group}", "--key-share", first] if retry else ["--group", group]
                ours, theirs = one(["-group", group], options)
                equal(ours[0]["group"].lower(), group.lower(), "our group")
                equal(ours[0]["hello_retry_request"], retry, "HelloRetryRequest")
                check(theirs[0]["ok"], f"Go's report: {theirs[0]}")
    for suite in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"):
        with session.case(f"Go's server, suite {suite}"):
            ours, theirs = one([], ["--suite", suite])
            equal((ours[0]["suite"], theirs[0]["suite"]), (suite, suite), "both sides' suite")
            equal(theirs[0]["version"], "TLS 1.3", "Go's version")
    for key_type, scheme in KEY_TYPES.items():
        with session.case(f"Go's server, certificate {key_type}"):
            ours, _ = one([], [], credential=session.leaf(key_type, "--key-type", key_type))
            equal((ours[0]["peer_scheme"], ours[0]["verdict"]), (scheme, "ok"), "scheme and verdict")
        with session.case(f"Go's server, client certificate {key_type}"):
            certificate, key = session.leaf(f"client-{key_type}", "--key-type", key_type, "--client",
                                            names=("someone@example.com",))
            ours, theirs = one(["-client-auth", "-ca", session.ca()], ["--cert", certificate, "--key", key])
            equal(ours[0]["own_scheme"], scheme, "scheme")
            equal(theirs[0]["peer"], "someone@example.com", "whom Go saw")
    with session.case("Go's server, resumption"):
        ours, theirs = one([], ["--resume", "2"], count=3)
        equal([each["resumed"] for each in ours], [False, True, True], "ours")
        equal([each["resumed"] for each in theirs], [False, True, True], "Go's")
    with session.case("Go's server, ALPN"):
        ours, theirs = one(["-alpn", "h2,http/1.1"], ["--alpn", "http/1.1"])
        equal((ours[0]["alpn"], theirs[0]["alpn"]), ("http/1.1", "http/1.1"), "both sides' protocol")
    # Neither side looks into a response.
    response = session.write("response", os.urandom(700))
    for ocsp in (False, True):
        for scts in (False, True):
            with session.case(f"Go's server, asked for {'OCSP' if ocsp else 'no OCSP'} and {'SCTs' if scts else 'no SCTs'}"):
                ours, _ = one(["-ocsp", response, "-scts", "one,another"], ["--ocsp"] * ocsp + ["--scts"] * scts)
                equal(ours[0].get("ocsp_response_bytes"), 700 if ocsp else None, "the response")
                equal(ours[0].get("scts"), 2 if scts else None, "the SCTs")
    with session.case("Go's server, client certificate with staples that it does not ask for"):
        certificate, key = session.leaf("client-p256", "--key-type", "p256", "--client", names=("someone@example.com",))
        _, theirs = one(["-client-auth", "-ca", session.ca()], ["--cert", certificate, "--key", key])
        equal((theirs[0]["ocsp_response_bytes"], theirs[0]["scts"]), (0, 0), "what came")
    with session.case("Go's server, key update"):
        ours, theirs = one([], ["--key-update"])
        equal(ours[0]["peer_key_updates"], 1, "Go updated its keys too")
        check(theirs[0]["ok"], f"Go's report: {theirs[0]}")


def against_client(session, peer):
    """Go's client, Lockstep's server."""
    def one(server_options, client_options, count=1, credential=None):
        with session.server("--echo", *server_options, credentials=[credential or session.leaf("p256")]) as server:
            client = run_ok([peer, "client", "-address", f"127.0.0.1:{server.port}", "-ca", session.ca(), "-count", count,
                             *client_options])
            ours = [server.next_report() for _ in range(count)]
        theirs = reports(client)
        equal([each["echo"] for each in theirs], ["over the wire"] * count, "what we sent back")
        for each in ours:
            check(each["ok"], f"our report: {each}")
        return ours, theirs

    for group in GROUPS:
        with session.case(f"Go's client, group {group}"):
            ours, _ = one([], ["-group", group])
            equal(ours[0]["group"].lower(), group.lower(), "our group")
    for group in ("secp256r1", "secp384r1", "secp521r1"):
        # Go's shares by default: X25519MLKEM768 and X25519.
        with session.case(f"Go's client, group {group} after HelloRetryRequest"):
            ours, _ = one(["--group", group, "--cookie"], [])
            equal((ours[0]["group"].lower(), ours[0]["hello_retry_request"]), (group, True), "group and HelloRetryRequest")
    for suite in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"):
        with session.case(f"Go's client, suite {suite}"):
            ours, theirs = one(["--suite", suite], [])
            equal((ours[0]["suite"], theirs[0]["suite"]), (suite, suite), "both sides' suite")
    for key_type, scheme in KEY_TYPES.items():
        with session.case(f"Go's client, certificate {key_type}"):
            ours, _ = one([], [], credential=session.leaf(key_type, "--key-type", key_type))
            equal(ours[0]["own_scheme"], scheme, "scheme")
        with session.case(f"Go's client, client certificate {key_type}"):
            certificate, key = session.leaf(f"client-{key_type}", "--key-type", key_type, "--client",
                                            names=("someone@example.com",))
            ours, _ = one(["--client-auth", "require", "--client-ca", session.ca()], ["-cert", certificate, "-key", key])
            equal((ours[0]["peer_scheme"], ours[0]["client_verdict"]), (scheme, "ok"), "scheme and verdict")
    with session.case("Go's client, resumption"):
        ours, theirs = one([], ["-group", "X25519MLKEM768"], count=3)
        equal([each["resumed"] for each in ours], [False, True, True], "ours")
        equal([each["resumed"] for each in theirs], [False, True, True], "Go's")
    # Go's client always asks for both.
    response = session.write("response", os.urandom(700))
    scts = session.write("scts", b"\0\x0e" + b"\0\3one" + b"\0\7another")
    for options, expected in (([], (0, 0)), (["--ocsp-response", response], (700, 0)), (["--sct-list", scts], (0, 2)),
                              (["--ocsp-response", response, "--sct-list", scts], (700, 2))):
        with session.case(f"Go's client, staples of {expected[0]} bytes and {expected[1]} SCTs"):
            _, theirs = one(options, [])
            equal((theirs[0]["ocsp_response_bytes"], theirs[0]["scts"]), expected, "what Go saw")
    with session.case("Go's client, ALPN"):
        ours, theirs = one(["--alpn", "h2,http/1.1"], ["-alpn", "http/1.1,h2"])
        equal((ours[0]["alpn"], theirs[0]["alpn"]), ("h2", "h2"), "both sides' protocol (our order decides)")


def main(session):
    peer = build(session)
    against_server(session, peer)
    against_client(session, peer)
