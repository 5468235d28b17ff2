"""What is printed for people: help, version, manual pages, completions, and what a wrong command line is told."""

import json
import os
import re
import shutil
import subprocess

from harness import check, equal, matches, program, run, run_ok

COMMANDS = ["client", "server", "load", "cert", "verify", "inspect", "explain", "scan", "ciphers", "replay", "version", "help"]


def stdout(process):
    return bytes(process.stdout).decode()


def stderr(process):
    return bytes(process.stderr).decode()


def options_of(help_text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z0-9.-]+", "\n".join(
        line for line in help_text.splitlines() if line.startswith("  -"))))


def helps(session):
    with session.case("the help lists every command"):
        text = stdout(run_ok([session.tool, "--help"]))
        for command in COMMANDS:
            matches(rf"^  {command} ", text, command)
        equal(stdout(run_ok([session.tool, "help"])), text, "`lockstep help`")
        check("completion" not in text, "what is for packagers is not in the way")
    for command in COMMANDS:
        with session.case(f"{command} --help"):
            text = stdout(run_ok([session.tool, command, "--help"]))
            matches(rf"^Usage: lockstep {command}", text, "the usage")
            equal(stdout(run_ok([session.tool, "help", command])), text, f"`lockstep help {command}`")
    with session.case("without a word: the help, and a status that scripts notice"):
        found = run([session.tool])
        equal((found.popen.returncode, stdout(found)), (2, ""), "status and output")
        matches(r"^Usage: lockstep", stderr(found), "help")
    for words in (["version"], ["--version"], ["-V"]):
        with session.case(f"lockstep {words[0]}"):
            text = stdout(run_ok([session.tool, *words]))
            matches(r"^lockstep \d+\.\d+\.\d+$", text, "the version")
            matches(r"providers +.*botan \(Botan 3\.\d+", text, "providers")
            matches(r"AES-128-GCM +\S+", text, "kernels")
            matches(r"compiler +(clang|g\+\+) \d+", text, "the compiler")


def wrong_words(session):
    cases = [
        (["clint", "localhost"], r"no command 'clint'", r"Perhaps you mean `client`"),
        (["frobnicate", "--help"], r"no command 'frobnicate'", r"`lockstep help` lists"),
        (["help", "sever"], r"no command 'sever'", r"Perhaps you mean `server`"),
        (["client", "localhost", "--conect-timeout", "3"], r"no option --conect-timeout", r"Perhaps you mean --connect-timeout"),
        (["client", "localhost", "--cipher", "TLS_AES_128_GCM_SHA256"], r"no option --cipher\n", r"lockstep client --help"),
        (["client", "localhost", "--connect"], r"no option --connect\n", r"Perhaps you mean --connect-timeout"),
        (["client", "--client-auth", "none", "localhost"], r"no option --client-auth", r"It is an option of `server`"),
        (["--provder", "botan", "client", "localhost"], r"no option --provder", r"lockstep --help"),
        (["verify", "one.pem", "two.pem", "--any-name"], r"'two.pem' is one word too many", r"lockstep verify --help"),
        (["client"], r"HOST is required", r"lockstep client --help"),
        (["cert", "leaf", "--name", "x", "--out", "x", "--ca", "nowhere/ca.pem"], r"not beside its certificate, in nowhere/ca\.key\.pem", r"--help"),
        (["cert", "issue", "--out", "x"], r"KIND: 'issue' is none of ca, leaf, self-signed", r"lockstep cert --help"),
        (["server", "--cert", "x.pem", "--loop", "epol"], r"--loop: 'epol' is none of .*epoll", r"Perhaps you mean epoll"),
        (["client", "localhost", "--starttls", "stmp"], r"--starttls: 'stmp' is none of smtp, imap, ldap, postgres", r"Perhaps you mean smtp"),
        (["client", "localhost", "--provider", "botn"], r"--provider: 'botn' is none of best, botan", r"Perhaps you mean botan"),
        (["server", "--port", "x"], r"--port: 'x' is not what it takes", r"--port PORT: .*lockstep server --help"),
        (["server", "--port", "70000"], r"--port: '70000' is not what it takes", r"--port PORT: "),
        (["client", "localhost", "--cacert", "x.pem"], r"no option --cacert", r"Perhaps you mean --ca\. "),
        (["client", "localhost", "-tls1_2"], r"no option -tls1_2", r"Perhaps you mean --tls1\.2\. "),
        (["client", "localhost", "--tls-max", "1.2"], r"no option --tls-max", r"Perhaps you mean --max-version\. "),
        (["client", "localhost", "--min-version", "1.1"], r"--min-version: '1.1' is none of 1\.2, 1\.3", r"--help"),
        (["client", "localhost", "--min-version", "1.3", "--max-version", "1.2"], r"--min-version is above --max-version", r"--help"),
        (["client", "localhost", "--tls1.2", "--tls1.3"], r"choose one of --tls1\.2, --tls1\.3, --method, and --min-version", r"--help"),
        (["client", "localhost", "--method", "TLSv1_method"], r"--method 'TLSv1_method': TLSv1\.0 is not spoken", r"--help"),
        (["client", "localhost", "--method", "TLS_server_method"], r"for the other end", r"--help"),
        (["client", "localhost", "--tls1.2", "--suite", "TLS_AES_128_GCM_SHA256"], r"suites", r"."),
        (["server", "--allow-no-renegotiation-info"], r"no option --allow-no-renegotiation-info", r"It is an option of `client`"),
        (["server", "--false-start"], r"no option --false-start", r"It is an option of `client`"),
        (["client", "localhost", "--false-start"], r"say --get PATH", r"--help"),
        (["client", "localhost", "--get", "/", "--resume", "1", "--false-start", "--early-data"], r"choose one of --false-start", r"--help"),
        (["client", "localhost", "--nextprotoneg", "h2"], r"no option --nextprotoneg", r"Perhaps you mean --npn\. "),
        (["client", "-connect", "localhost:1"], r"no option -connect", r"Perhaps you mean HOST:PORT\. "),
        (["server", "--cacert", "x.pem"], r"no option --cacert", r"Perhaps you mean --client-ca\. "),
        (["verify", "x.pem", "--private-pki", "--web-pki"], r"--private-pki excludes --web-pki", r"lockstep verify --help"),
        (["load", "http://localhost/"], r"not fetched over TLS", r"lockstep load --help"),
    ]
    for words, what, advice in cases:
        with session.case(f"wrong: {' '.join(words)}"):
            found = run([session.tool, *words])
            equal((found.popen.returncode, stdout(found)), (2, ""), "status and output")
            matches(r"^error: lockstep", stderr(found), "it is an error")
            matches(what, stderr(found), "what is wrong")
            matches(advice, stderr(found), "what to do")
    with session.case("an option that may be repeated takes one value each time"):
        certificate, _ = session.leaf("p256")
        other = session.ca("other")
        run_ok([session.tool, "verify", "--ca", session.ca(), certificate, "--host", "localhost"])
        run_ok([session.tool, "verify", "--ca", other, "--ca", session.ca(), certificate, "--host", "localhost"])
        found = run([session.tool, "client", "--ca", session.ca(), "localhost:1", "--address", "127.0.0.1", "--get", "/"])
        equal(found.popen.returncode, 1, "status")
        matches(r"refused", stderr(found), "why")
    with session.case("the column of OpenSSL's names is there where one differs"):
        text = stdout(run_ok([session.tool, "ciphers"]))
        suites = json.loads(stdout(run_ok([session.tool, "ciphers", "--json"])))["suites"]
        differs = any(suite["name"] != suite["openssl_name"] for suite in suites)
        equal("OpenSSL's name" in text, differs, "the column")


def home_made(session):
    """A certificate without key identifiers, for server and client."""
    openssl = program("openssl")
    _, key = session.leaf("p256")
    request, home = session.path("home.csr"), session.path("home.pem")
    extensions = session.write("home.ext", b"subjectAltName=DNS:localhost,IP:127.0.0.1\nauthorityKeyIdentifier=none\n"
                               b"subjectKeyIdentifier=none\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n")
    run_ok([openssl, "req", "-new", "-key", key, "-subj", "/CN=home", "-out", request])
    run_ok([openssl, "x509", "-req", "-in", request, "-CA", session.ca(), "-CAkey", session.path("ca.key.pem"), "-days", "30",
            "-extfile", extensions, "-out", home])
    return home, key


def below(session):
    """A certificate behind an intermediate one, for server and client."""
    between = session.path("between")
    run_ok([session.tool, "cert", "ca", "-q", "--ca", session.ca(), "--subject", "CN=Between",
            "--out", between])
    run_ok([session.tool, "cert", "leaf", "-q", "--ca", between + ".pem", "--ca-key", between + ".key.pem", "--name", "localhost",
            "--server", "--client", "--out", session.path("below")])
    return session.path("below.pem"), session.path("below.key.pem")


def judged(session, credential, good, bad, code):
    """The same certificate by verify, client, load and server: accepted with the one policy, refused with the other."""
    chain, key = credential
    anchors = ["--ca", session.ca()]
    verify = [session.tool, "verify", chain, "--host", "localhost", *anchors]
    run_ok([*verify, *good])
    refused = run([*verify, *bad])
    equal(refused.popen.returncode, 1, "status of verify")
    matches(code, stderr(refused), "verify's reason")
    with session.server(credentials=[credential]) as server:
        session.client(server.port, "--get", "/", *good)
        client = session.client(server.port, "--get", "/", *bad, ok=False)
        equal((client.status, client.report["verdict"]), (1, code), "client's status and verdict")
        load = [session.tool, "load", "-4", f"localhost:{server.port}", *anchors, "--requests", "5", "--connections", "1"]
        run_ok([*load, *good])
        equal(run([*load, *bad]).popen.returncode, 1, "status of load")
    ask = ["--client-auth", "require", "--client-ca", session.ca()]
    show = ["--get", "/", "--cert", chain, "--key", key]
    with session.server(*ask, *good) as server:
        session.client(server.port, *show)
        equal(server.next_report()["client_verdict"], "ok", "server's verdict")
    with session.server(*ask, *bad) as server:
        session.client(server.port, *show, ok=False)
        equal(server.next_report()["client_verdict"], code, "server's verdict")
    return stderr(refused)


def policies(session):
    with session.case("--private-pki in verify, client, load and server alike"):
        advice = judged(session, home_made(session), ["--private-pki"], [], "MISSING_AUTHORITY_KEY_IDENTIFIER")
        matches(r"use --private-pki", advice, "advice in the command line's own terms")
        check("Policy::" not in advice, "no name of C++")
    with session.case("--max-intermediates in verify, client, load and server alike"):
        advice = judged(session, below(session), [], ["--max-intermediates", "0"], "CERT_CHAIN_TOO_LONG")
        matches(r"Raise --max-intermediates", advice, "advice")
    with session.case("--min-rsa-bits in verify, client, load and server alike"):
        credential = session.leaf("rsa", "--key-type", "rsa", "--server", "--client")
        judged(session, credential, [], ["--min-rsa-bits", "3072"], "EE_KEY_TOO_SMALL")
    with session.case("--fips is for connections and for certificates"):
        with session.server("--fips") as server:
            report = session.client(server.port, "--get", "/", "--suite", "CHACHA20:AESGCM").report
            check("GCM" in report["suite"], "an approved suite: " + report["suite"])
            refused = session.client(server.port, "--get", "/", "--group", "x25519", ok=False)
            equal(refused.report["error"]["alert"], "handshake_failure", "a group that is not approved")
        wrong = run([session.tool, "client", "localhost:1", "--fips", "--suite", "CHACHA20", "--group", "x25519"])
        equal(wrong.popen.returncode, 2, "status")
        for setting in ("suites", "groups"):
            matches(setting + ": '[^']*' is not approved", stderr(wrong), "every contradiction")
        curved = session.leaf("brainpool", "--key-type", "brainpool256")[0]
        words = [session.tool, "verify", curved, "--host", "localhost", "--ca", session.ca()]
        equal(run(words).popen.returncode, 0, "status without")
        equal(run([*words, "--fips"]).popen.returncode, 1, "status with it")
    with session.case("--web-pki asks for more"):
        certificate, _ = session.leaf("p256")
        words = [session.tool, "verify", certificate, "--host", "localhost", "--ca", session.ca()]
        run_ok(words)
        nameless, _ = session.leaf("nameless", "--subject", "CN=elsewhere.example", names=("localhost",))
        equal(run([*words[:2], nameless, *words[3:]]).popen.returncode, 0, "status without")
        equal(run([*words[:2], nameless, *words[3:], "--web-pki"]).popen.returncode, 1, "status with it")


def presets(session):
    def with_environment(*words, **variables):
        return run([session.tool, *words], env=dict(os.environ, **variables))

    with session.case("the environment stands for options that are not said, and says so"):
        with session.server("--group", "x25519,secp256r1") as server:
            words = ["client", f"localhost:{server.port}", "--address", "127.0.0.1", "--ca", session.ca(), "--get", "/", "--json"]
            found = with_environment(*words, LOCKSTEP_MAX_VERSION="1.2", LOCKSTEP_GROUP="secp256r1")
            matches(r"^warning: LOCKSTEP_MAX_VERSION is set: as with --max-version 1\.2$", stderr(found), "what it says")
            report = json.loads(stderr(found).splitlines()[-1])
            equal((report["version"], report["group"]), ("TLSv1.2", "secp256r1"), "what was agreed")
            found = with_environment(*words, "--tls1.3", "--group=x25519", LOCKSTEP_MAX_VERSION="1.2", LOCKSTEP_GROUP="secp256r1")
            check("LOCKSTEP" not in stderr(found), "the command line goes first")
            report = json.loads(stderr(found).splitlines()[-1])
            equal((report["version"], report["group"]), ("TLSv1.3", "x25519"), "what was agreed")
    with session.case("the environment: commands without such an option, and a word that is none"):
        equal(stderr(with_environment("version", LOCKSTEP_GROUP="secp256r1")), "", "what version says")
        found = with_environment("client", "localhost:1", LOCKSTEP_MIN_VERSION="9")
        equal(found.popen.returncode, 2, "status")
        matches(r"--min-version: '9' is none of", stderr(found), "the reason")


def old_ways(session):
    with session.case("--npn agrees on a protocol of TLS 1.2, unless both have ALPN"):
        with session.server("--npn", "other,http/1.1") as server:
            client = session.client(server.port, "--get", "/", "--tls1.2", "--npn", "no,http/1.1")
            equal(client.report["alpn"], "http/1.1", "protocol")
            equal(server.next_report()["alpn"], "http/1.1", "protocol at the server")
            client = session.client(server.port, "--get", "/", "--tls1.2", "--npn", "other", "--alpn", "http/1.1")
            equal(client.report["alpn"], "http/1.1", "protocol by ALPN")
    with session.case("--false-start sends the request before the handshake of TLS 1.2 is complete"):
        with session.server() as server:
            ask = ["--get", "/", "--alpn", "http/1.1", "--false-start"]
            client = session.client(server.port, *ask, "--tls1.2")
            equal((client.report.get("false_start"), client.report["alpn"]), (True, "http/1.1"), "what the client says")
            newer = session.client(server.port, *ask)
            check("false_start" not in newer.report, "TLS 1.3 has none")


def manual(session):
    folder = session.path("man")
    os.makedirs(folder)
    run_ok([session.tool, "man", "--folder", folder])
    pages = ["lockstep"] + [f"lockstep-{command}" for command in COMMANDS]
    with session.case("there is a page for every command"):
        equal(sorted(os.listdir(folder)), sorted(f"{page}.1" for page in pages), "pages")
    groff, man = shutil.which("groff"), shutil.which("man")
    for page in pages:
        with session.case(f"{page}(1)"):
            path = os.path.join(folder, page + ".1")
            with open(path, encoding="utf-8") as file:
                text = file.read()
            command = page.removeprefix("lockstep").removeprefix("-")
            help_text = stdout(run_ok([session.tool, *([command] if command else []), "--help"]))
            for option in options_of(help_text):
                check(option.replace("-", "\\-") in text, f"{option} is on the page")
            equal(stdout(run_ok([session.tool, "man", *([command] if command else [])])), text, "`lockstep man`")
            if groff:
                found = subprocess.run([groff, "-man", "-Tutf8", "-ww", "-z", path], capture_output=True, check=False)
                equal((found.returncode, found.stderr), (0, b""), "groff's warnings")
            if man:
                found = subprocess.run([man, "--warnings", "-l", path], capture_output=True, check=False,
                                       env=dict(os.environ, MANPAGER="cat", MANWIDTH="100", LC_ALL="C.UTF-8"))
                equal((found.returncode, found.stderr), (0, b""), "man's warnings")
                shown = re.sub(r".\x08", "", found.stdout.decode())
                matches(r"^EXIT STATUS", shown, "sections")
    if not groff and not man:
        session.note("neither groff nor man is installed: pages were not formatted")


def completions(session):
    scripts = {shell: session.path(f"completion.{shell}") for shell in ("bash", "zsh", "fish")}
    for shell, path in scripts.items():
        run_ok([session.tool, "completion", shell, "--out", path])
        with session.case(f"completion of {shell} knows every command and option"):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            equal(stdout(run_ok([session.tool, "completion", shell])), text, "`lockstep completion`")
            for command in COMMANDS:
                check(command in text, command)
                for option in options_of(stdout(run_ok([session.tool, command, "--help"]))):
                    spelt = "-l " + option.removeprefix("--") if shell == "fish" else option
                    check(spelt in text, f"{option} of {command}")
        found = shutil.which(shell)
        if found:
            with session.case(f"{shell} reads its completion"):
                result = subprocess.run([found, "-n", path], capture_output=True, check=False)
                equal((result.returncode, result.stderr), (0, b""), "a syntax check")
        else:
            session.note(f"{shell} is not installed: its completion was not read by it")

    bash = shutil.which("bash")

    def completed(*words):
        script = f'source {scripts["bash"]}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lockstep; printf "%s\\n" "${{COMPREPLY[@]}}"'
        result = subprocess.run([bash, "--norc", "-c", script, "bash", "lockstep", *words], capture_output=True, check=True,
                                cwd=session.work, text=True)
        equal(result.stderr, "", "bash complains")
        return result.stdout.split()

    session.ca()
    for words, wanted in [
        (["cl"], ["client"]),
        (["se"], ["server"]),
        (["ins"], ["inspect"]),
        (["--ver"], ["--version"]),
        (["help", "ver"], ["verify", "version"]),
        (["client", "--starttls", ""], ["smtp", "imap", "ldap", "postgres"]),
        (["client", "--no-gr"], ["--no-grease"]),
        (["client", "host", "--timeout", ""], []),
        (["cert", ""], ["ca", "leaf", "self-signed"]),
        (["verify", "--ca", "ca."], ["ca.pem", "ca.key.pem"]),
        (["verify", "ca.p"], ["ca.pem"]),
        (["--json", "verify", "--private"], ["--private-pki"]),
        (["server", "--provider", ""], None),
    ]:
        with session.case(f"bash completes: lockstep {' '.join(words)}"):
            found = completed(*words)
            if wanted is None:
                check("botan" in found, f"providers in {found}")
            else:
                equal(sorted(found), sorted(wanted), "what it offers")


def main(session):
    helps(session)
    wrong_words(session)
    policies(session)
    presets(session)
    old_ways(session)
    manual(session)
    completions(session)
