"""The command line itself: help, exit statuses, errors that say what to do, and what it must never do."""

import contextlib
import json
import os
import resource
import signal
import socket
import ssl
import stat
import threading
import time

from harness import Process, check, equal, matches, run, run_ok


def starttls_server(dialogue, behind):
    """A plain-text server that talks as told (bytes to send; or a prefix to expect), then hands over to a TLS server."""
    listener = socket.create_server(("127.0.0.1", 0))

    def copy(source, target):
        try:
            while data := source.recv(16384):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def serve():
        client, _ = listener.accept()
        client.settimeout(20)
        for say, expect in dialogue:
            if say:
                client.sendall(say)
            if expect:
                received = b""
                while not received.startswith(expect):
                    data = client.recv(1024)
                    if not data:
                        return
                    received += data
        if behind:
            server = socket.create_connection(("127.0.0.1", behind))
            threading.Thread(target=copy, args=(server, client), daemon=True).start()
            copy(client, server)
        else:
            client.close()
        listener.close()
    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


LDAP_REQUEST = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"
STARTTLS = {
    "smtp": [(b"220-mail ready\r\n220 go\r\n", b"EHLO "), (b"250-mail\r\n250 STARTTLS\r\n", b"STARTTLS\r\n"), (b"220 go\r\n", None)],
    "imap": [(b"* OK ready\r\n", b"a1 STARTTLS\r\n"), (b"* CAPABILITY IMAP4rev2\r\na1 OK begin\r\n", None)],
    "ldap": [(None, LDAP_REQUEST), (b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00", None)],
    "postgres": [(None, b"\x00\x00\x00\x08\x04\xd2\x16\x2f"), (b"S", None)],
}
REFUSALS = {
    "smtp": [(b"220 go\r\n", b"EHLO "), (b"250 no such thing\r\n", None)],
    "imap": [(b"* OK ready\r\n", b"a1 STARTTLS\r\n"), (b"a1 BAD no\r\n", None)],
    "ldap": [(None, LDAP_REQUEST), (b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00", None)],
    "postgres": [(None, b"\x00\x00\x00\x08\x04\xd2\x16\x2f"), (b"N", None)],
}


def starttls(session):
    for protocol, dialogue in STARTTLS.items():
        with session.case(f"STARTTLS over {protocol}"):
            with session.server("--echo") as server:
                port = starttls_server(dialogue, server.port)
                client = session.client(port, "--starttls", protocol, stdin=b"over the wire\n")
                equal(client.output, b"over the wire\n", "the echo")
        with session.case(f"STARTTLS over {protocol}, refused"):
            client = session.client_process(starttls_server(REFUSALS[protocol], None), "--starttls", protocol)
            equal(client.finish(), 1, "exit status")
            matches(r"does not start TLS", client.text, "the reason")
        with session.case(f"STARTTLS over {protocol}, with bytes injected behind the consent"):
            injected = dialogue[:-1] + [(dialogue[-1][0] + b"injected\r\n", None)]
            client = session.client_process(starttls_server(injected, None), "--starttls", protocol)
            equal(client.finish(), 1, "exit status")
            matches(r"injecting", client.text, "the reason")


def command_line(session):
    for words in ([], ["client"], ["server"], ["cert"], ["verify"], ["inspect"], ["explain"], ["scan"], ["ciphers"], ["replay"]):
        with session.case(f"lockstep {' '.join(words)} --help"):
            found = run_ok([session.tool, *words, "--help"])
            check(len(bytes(found.stdout)) > 300, "there is help")
            check(b"\x1b" not in bytes(found.stdout), "no colour when it is no terminal")
    usage = {
        "an unknown subcommand": ["frobnicate"],
        "an unknown option": ["client", "localhost", "--frobnicate"],
        "an unknown suite": ["client", "localhost", "--suite", "TLS_ROT13"],
        "an unknown group": ["client", "localhost", "--group", "x1"],
        "an unknown scheme": ["client", "localhost", "--scheme", "rot13"],
        "an unknown key type": ["cert", "ca", "--key-type", "rot13", "--out", session.path("never")],
        "a bad port": ["client", "localhost:http"],
        "a bad moment": ["verify", session.ca(), "--host", "localhost", "--ca", session.ca(), "--time", "yesterday"],
        "a server without certificate": ["server", "--port", "0"],
        "a certificate without key": ["server", "--port", "0", "--cert", session.ca()],
        "a leaf without name": ["cert", "leaf", "--ca", session.ca(), "--ca-key", session.path("ca.key.pem"), "--out",
                                session.path("never")],
        "early data without a request": ["client", "localhost", "--early-data", "--resume", "1"],
        "early data without a session": ["client", "localhost", "--early-data", "--get", "/"],
        "replay without tape": ["replay"],
        "no host for a server's chain": ["verify", session.ca(), "--ca", session.ca()],
        "a group's key share that is not offered": ["client", "localhost", "--group", "x25519", "--key-share", "secp256r1"],
    }
    for name, words in usage.items():
        with session.case(f"wrong use: {name}"):
            found = run([session.tool, *words])
            equal(found.popen.returncode, 2, "exit status")
            matches(r"^error: ", found.text, "it says so")
            check(not bytes(found.stdout), "nothing goes to standard output")
    with session.case("an unknown name is answered with the known ones"):
        found = run([session.tool, "client", "localhost", "--group", "x1"])
        matches(r"X25519MLKEM768", found.text, "the known ones")
    failures = {
        "a file that is not there": (["verify", "/nonexistent.pem", "--host", "a", "--ca", session.ca()], "nonexistent.pem"),
        "a file that holds no certificate": (["verify", session.write("empty.pem", b""), "--host", "a", "--ca", session.ca()], ""),
        "a key that does not belong": (["server", "--port", "0", "--cert", session.leaf("p256")[0], "--key",
                                        session.path("ca.key.pem")], "belong"),
        "an existing file": (["cert", "ca", "--out", session.path("ca")], "--force"),
        "nobody listens": (["client", "127.0.0.1:1", "--ca", session.ca()], "refused"),
        "no such host": (["client", "nowhere.invalid", "--ca", session.ca()], "nowhere.invalid"),
        "a port that is taken": (["server", "--listen", "127.0.0.1", "--port", "{port}", "--cert", session.leaf("p256")[0], "--key",
                                  session.leaf("p256")[1]], "in use"),
    }
    with session.server() as server:
        for name, (words, pattern) in failures.items():
            with session.case(f"failure: {name}"):
                found = run([session.tool, *[word.format(port=server.port) for word in words]])
                equal(found.popen.returncode, 1, "exit status")
                matches(r"^error: ", found.text, "it says so")
                matches(pattern, found.text, "the reason")
    with session.case("ciphers lists what the build can do"):
        found = json.loads(bytes(run_ok([session.tool, "ciphers", "--json"]).stdout))
        equal((len(found["groups"]), len(found["keys"])), (22, 13), "groups, key types")
        of = {version: [suite for suite in found["suites"] if suite["version"] == version] for version in found["versions"]}
        equal(list(of), ["TLSv1.3", "TLSv1.2"], "versions")
        equal(len(of["TLSv1.3"]), 5, "suites of TLS 1.3")
        equal([suite["openssl_name"] for suite in of["TLSv1.2"]][0], "ECDHE-ECDSA-AES128-GCM-SHA256", "OpenSSL's name")
        for suite in of["TLSv1.2"]:
            equal(suite["insecure"] and suite["use"] == "default", False, f"{suite['name']} is on though insecure")
            check(suite["insecure"] or "_CBC_" not in suite["name"], f"{suite['name']} is insecure")
        use = {suite["name"]: suite["use"] for suite in found["suites"]}
        equal(use["TLS_AES_128_GCM_SHA256"], "default", "AES-128-GCM")
        equal(use["TLS_AES_128_CCM_8_SHA256"], "opt-in", "CCM_8")
        text = bytes(run_ok([session.tool, "ciphers"]).stdout).decode()
        matches(r"^\s*insecure suite [^$]*TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA ", text, "insecure ones apart")
        check(b"X25519MLKEM768" in bytes(run_ok([session.tool, "ciphers"]).stdout), "as text")


def conduct(session):
    with session.case("verification is on by default, and --no-verify is loud"):
        with session.server() as server:
            words = [session.tool, "client", f"localhost:{server.port}", "--address", "127.0.0.1", "--get", "/"]
            refused = run(words)
            equal(refused.popen.returncode, 1, "exit status")
            matches(r"UNABLE_TO_GET_ISSUER_CERT_LOCALLY", refused.text, "the reason")
            check(not bytes(refused.stdout), "nothing was sent or received")
            accepted = run(words + ["--no-verify"])
            equal(accepted.popen.returncode, 0, "exit status with --no-verify")
            matches(r"warning: .*NOT verified", accepted.text, "the warning")
            matches(r"UNABLE_TO_GET_ISSUER_CERT_LOCALLY", accepted.text, "the verdict is told all the same")
    with session.case("--quiet prints nothing but the connection"):
        with session.server() as server:
            found = run_ok([session.tool, "client", f"localhost:{server.port}", "--address", "127.0.0.1", "--ca", session.ca(),
                            "--get", "/", "--quiet"])
            check(not found.stderr and found.stdout, "standard error is empty")
    with session.case("--once ends with the connection's success"):
        with session.server("--once") as server:
            session.client(server.port, "--get", "/")
            equal(server.process.finish(), 0, "exit status")
    with session.case("--count and the port file"):
        path = session.path("port")
        with session.server("--count", "3", "--port-file", path) as server:
            equal(int(open(path).read()), server.port, "port")
            for _ in range(3):
                session.client(server.port, "--get", "/")
            equal(server.process.finish(), 0, "exit status")
    with session.case("client and server prove themselves to each other"):
        certificate, key = session.leaf("someone", "--client", names=("someone@example.com",))
        with session.server("--client-auth", "require", "--client-ca", session.ca()) as server:
            session.client(server.port, "--get", "/", "--cert", certificate, "--key", key)
            equal(server.next_report()["client_verdict"], "ok", "our verdict on the client")
    with session.case("--once ends with the connection's failure"):
        certificate, key = session.leaf("p256")
        with Process([session.tool, "server", "--listen", "127.0.0.1", "--port", "0", "--json", "--once", "--cert", certificate,
                      "--key", key]) as process:
            port = json.loads(process.wait_for(r'^(\{.*"listening".*\})$').group(1))["port"]
            with socket.create_connection(("127.0.0.1", port)) as raw:
                raw.sendall(b"this is not TLS at all")
                while raw.recv(1024):
                    pass
            equal(process.finish(), 1, "exit status")
    with session.case("many connections at once"):
        with session.server("--echo") as server:
            clients = [session.client_process(server.port) for _ in range(20)]
            for number, client in enumerate(clients):
                client.send(b"number %d\n" % number)
            for number, client in enumerate(clients):
                client.wait_for(rf"^number {number}$")
            for client in clients:
                client.close_stdin()
            for client in clients:
                equal(client.finish(), 0, "exit status")
            for _ in clients:
                check(server.next_report()["ok"], "our report")
            equal(server.open_sockets(), 1, "sockets left open")
    with session.case("more connections than --threads wait their turn"):
        with session.server("--echo", "--threads", "2") as server:
            clients = [session.client_process(server.port) for _ in range(6)]
            for client in clients:
                client.send_in_background(b"hello\n")
            for client in clients:
                equal(client.finish(), 0, "exit status")
    with session.case("SIGTERM ends connections in progress"):
        with session.server("--echo") as server:
            client = session.client_process(server.port)
            client.send(b"hello\n")
            client.wait_for(r"^hello$")
            started = time.monotonic()
            equal(server.process.stop(), 0, "exit status of the server")
            check(time.monotonic() - started < 5, "it does not wait for the client")
            client.finish()
    with session.case("a client that says nothing is dropped"):
        with session.server("--timeout", "0.5") as server:
            with socket.create_connection(("127.0.0.1", server.port)) as raw:
                raw.settimeout(10)
                while raw.recv(1024):
                    pass
            report = server.next_report()
            equal(report["error"]["condition"], "timeout", "our report")
            equal(server.open_sockets(), 1, "sockets left open")
    with session.case("no secret is printed"):
        keys = session.path("secret.keys")
        with session.server() as server:
            client = session.client(server.port, "--get", "/", "--keylog", keys, "--session-out", session.path("secret.session"))
            everything = client.process.text + server.process.text
        with open(keys) as lines:
            for line in lines:
                check(line.split()[2] not in everything, "a secret of the key log")
        for path in (session.path("p256.key.pem"),):
            check(open(path).read().splitlines()[1] not in everything, "the private key")
        equal(os.stat(keys).st_mode & 0o777, 0o600, "mode of the key log")


def impatient_server(session):
    """A TLS server that takes its time to answer, and does not answer a client that has ended its side by then."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*session.leaf("p256"))
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listener, context.wrap_socket(listener.accept()[0], server_side=True) as client:
            client.recv(1024)
            client.settimeout(0.3)
            with contextlib.suppress(socket.timeout):
                if not client.recv(1024):
                    return client.unwrap()
            client.sendall(b"the answer\n")
            client.settimeout(20)
            client.unwrap()
    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def half_close(session):
    with session.case("a peer that ends without an answer is a failure"):
        client = session.client(impatient_server(session), stdin=b"question\n", ok=False)
        equal((client.status, client.output), (1, b""), "exit status, and the answer")
        equal(client.report["error"]["condition"], "no_answer", "condition")
        matches(r"--keep-open", client.report["error"]["advice"], "what to do")
    with session.case("--send-only wants no answer"):
        equal(session.client(impatient_server(session), "--send-only", stdin=b"question\n").output, b"", "the answer")
    with session.case("who says nothing gets nothing"):
        equal(session.client(impatient_server(session)).output, b"", "the answer")
    with session.case("--keep-open leaves the end to the peer"):
        client = session.client(impatient_server(session), "--keep-open", stdin=b"question\n")
        equal(client.output, b"the answer\n", "the answer")


def occupy(session, what, path):
    """Puts there what no secret may replace. False when it cannot be made."""
    if what == "a named pipe":
        os.mkfifo(path)
    elif what == "a folder":
        os.mkdir(path)
    elif what == "a socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(os.path.relpath(path))  # such names are short
    elif what == "a symbolic link":
        os.symlink(session.write("linked", b"linked"), path)
    else:
        try:
            os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        except PermissionError:
            return False  # who is not root can lose no device either
    return True


def run_with_full_disk(words):
    """No file can grow: what `write` says then is as of a disk that is full."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    return run(words, before=limit)


def secrets(session):
    with session.server() as server:
        client = [session.tool, "client", f"localhost:{server.port}", "--address", "127.0.0.1", "--ca", session.ca(), "--get", "/"]
        for what in ("a named pipe", "a folder", "a socket", "a symbolic link", "a device"):
            prefix = session.path(what.split()[-1])
            path = prefix + ".key.pem"
            with session.case(f"no secret replaces {what}"):
                if not occupy(session, what, path):
                    session.note(f"{what} cannot be made here")
                    continue
                kind = stat.S_IFMT(os.lstat(path).st_mode)
                for words in ([*client, "--session-out", path], [*client, "--tape", path],
                              [session.tool, "cert", "ca", "--force", "--out", prefix]):
                    found = run(words)
                    equal(found.popen.returncode, 1, "exit status")
                    matches(f"^error: .*{path} is {what}; .*\n.*name", found.text, "the reason, and what to do")
                    equal(stat.S_IFMT(os.lstat(path).st_mode), kind, "what is there")
        equal(open(session.path("linked"), "rb").read(), b"linked", "what the link leads to")
        for option in ("--session-out", "--tape"):
            with session.case(f"{option} replaces a file, and no disk that is full loses it"):
                folder = session.path("secrets" + option)
                os.mkdir(folder)
                path = os.path.join(folder, "old")
                with open(path, "wb") as file:
                    file.write(b"old")
                os.chmod(path, 0o644)
                found = run_with_full_disk([*client, option, path])
                matches(r"old cannot be written: File too large", found.text, "the reason")
                equal(open(path, "rb").read(), b"old", "what was there")
                equal(os.listdir(folder), ["old"], "nothing is left over")
                run_ok([*client, option, path])
                check(open(path, "rb").read() != b"old", "it is replaced")
                equal(os.stat(path).st_mode & 0o777, 0o600, "its mode")
                equal(os.listdir(folder), ["old"], "nothing is left over")
        with session.case("a key log that others can read is named"):
            path = session.write("wide.keys", b"# before\n")
            for mode, who in ((0o644, "everybody"), (0o640, "its group")):
                os.chmod(path, mode)
                found = run_ok([*client, "--keylog", path])
                matches(f"^warning: {path} holds secrets and can be read by {who} \\(mode {mode:04o}\\): chmod 0600 {path}$", found.text,
                        "the warning")
            check(open(path, "rb").read().startswith(b"# before\n"), "it is appended to")
            os.chmod(path, 0o600)
            check("can be read by" not in run_ok([*client, "--keylog", path]).text, "no warning without reason")
        with session.case("secrets that others can read are named when they are loaded"):
            certificate, key = session.leaf("wide", "--client", names=("wide",))
            session_file = session.path("wide.session")
            run_ok([*client, "--session-out", session_file])
            loaded = [*client, "--cert", certificate, "--key", key, "--session-in", session_file]
            check("can be read by" not in run_ok(loaded).text, "no warning without reason")
            for path, what in ((key, "a private key"), (session_file, "a secret")):
                os.chmod(path, 0o644)
                matches(f"^warning: {path} holds {what} and can be read by everybody", run_ok(loaded).text, "the warning")
                os.chmod(path, 0o600)


def main(session):
    command_line(session)
    starttls(session)
    conduct(session)
    half_close(session)
    secrets(session)
