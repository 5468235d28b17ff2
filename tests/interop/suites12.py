"""The suites of TLS 1.2: ours, as `lockstep ciphers` tells them, and each peer's, as the peer tells them itself."""

import ctypes
import json
import os
import re

import node_peer
import openssl_peer
from harness import MissingPeer, check, program, run_ok


ERLANG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "erlang", "peer.escript")

# The key exchanges that `lockstep client` has.
BUILT = ("ECDHE_ECDSA", "ECDHE_RSA", "DHE_RSA", "RSA", "ECDHE_PSK", "DHE_PSK", "PSK", "RSA_PSK")


class Suite:
    """A suite of ours. `exchange` is what stands before WITH in its name, `key` the key that its server's certificate has."""

    def __init__(self, report):
        self.name, self.openssl_name = report["name"], report["openssl_name"]
        self.exchange, self.rest = re.fullmatch(r"TLS_(\w+?)_WITH_(\w+)", self.name).groups()
        self.cbc = "_CBC_" in self.name
        self.psk = "PSK" in self.exchange
        self.key = "p256" if "ECDSA" in self.exchange else "rsa" if "RSA" in self.exchange else None


def known(session):
    """Ours: those with certificates alone, and those with a pre-shared key."""
    found = json.loads(bytes(run_ok([session.tool, "ciphers", "--json"]).stdout))["suites"]
    suites = [Suite(each) for each in found if each["version"] == "TLSv1.2"]
    suites = [suite for suite in suites if suite.exchange in BUILT]
    check(len(suites) >= 39, f"only {len(suites)} suites")
    return [suite for suite in suites if not suite.psk], [suite for suite in suites if suite.psk]


# As `openssl dhparam` made it.
DH_2048 = b"""-----BEGIN DH PARAMETERS-----
MIIBDAKCAQEA7ZGAGTLAV2xC6G30bECwMrYnZmTdxRKjinxIX86PDmirQ1FLoVRf
NMdAGoiEw+wvz9UzlKin1Lrxa8isM+Bz/hYTCeODVxU+ZWlFfl/yqXdIVJzfMQNU
uf4U2/iG3CUCVlwk8KDdDTS/uI/ldo79XhfVxtvT0o+h99Dd4rC4T4PiN7Uf91V7
4Jl+Sh6EdxYko7odDWMWsgSo3fvHG3ejkl6zdzTwP0ZazHbsGNcqxlAU8aNP38lR
qEkwJqjjG6X/inhEeFbMzjjxOlIpcrFXrNSHzk2sKtau2iaNDjNAAC3mq7g1ESlD
2MhqGcc/X66WOn/K2PDQA15lfhXxK/EFlwIBAgICAOE=
-----END DH PARAMETERS-----
"""


def dh_parameters(session):
    """A file with a group for DHE that has no name."""
    return session.write("dh2048.pem", DH_2048)


def names(suites):
    return ",".join(suite.name for suite in suites)


def plain(name):
    """A name as several peers write it: without WITH, and without a hash that goes without saying."""
    name = re.sub(r"_WITH(?=_)|^TLS_", "", name.upper().replace("-", "_"))
    name = re.sub(r"_SHA1$", "_SHA", re.sub(r"POLY1305_SHA256$", "POLY1305", name))
    return name.replace("PSK_DHE", "DHE_PSK")


def common(session, who, ours, theirs):
    """What both have; how many that is, is told."""
    both = [suite for suite in ours if plain(suite.name) in {plain(name) for name in theirs}]
    lacks = [suite.name for suite in ours if suite not in both]
    session.note(f"{who}: {len(both)} of our {len(ours)} suites; it lacks {', '.join(lacks) or 'none'}")
    return both


def of_openssl():
    """IANA's names, OpenSSL's names and code points, of all that it can be told to do."""
    text = run_ok([openssl_peer.openssl(), "ciphers", "-V", "-stdname", "-psk", "-tls1_2", "ALL:@SECLEVEL=0"]).text
    return re.findall(r"^\s*0x(\w\w),0x(\w\w) - (\S+)\s+- (\S+)\s", text, re.MULTILINE)


def of_gnutls():
    text = run_ok([program("gnutls-cli"), "--list"]).text
    return re.findall(r"^(TLS_\w+)\s+0x\w\w, 0x\w\w\s+TLS1\.[02]$", text, re.MULTILINE)


def of_node(ours):
    """It has OpenSSL's names, in small letters."""
    theirs = json.loads(bytes(run_ok([node_peer.node(), "-p", "JSON.stringify(tls.getCiphers())"]).stdout))
    return [suite.name for suite in ours if suite.openssl_name.lower() in theirs]


def of_erlang():
    return run_ok([program("escript"), ERLANG, "suites"]).text.split()


def of_nss():
    """Its libraries have a list; of its programs none shows it. Code points as its programs take them, by names."""
    try:
        library = ctypes.CDLL("libssl3.so")
    except OSError as problem:
        raise MissingPeer("NSS is not installed; tools/setup installs libnss3-tools") from problem
    count = ctypes.c_uint16.in_dll(library, "SSL_NumImplementedCiphers").value
    codes = [f"{code:04X}" for code in (ctypes.c_uint16 * count).in_dll(library, "SSL_ImplementedCiphers")]
    return {name: f":{first}{second}" for first, second, name, _ in of_openssl() if first + second in codes}
