"""What the interop tests share: processes with time-outs, certificates, the lockstep program, and cases that are counted.

Every process is started on a free loopback port and stopped by its process id. Nothing is left behind: `Process` is a context
manager, and so is every server.
"""

import argparse
import contextlib
import importlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import traceback
import zlib

from schema import Schema

TIMEOUT = 60  # seconds, for any one step; machines that build at the same time are slow


class CheckFailed(Exception):
    pass


def check(condition, what):
    if not condition:
        raise CheckFailed(what)


def equal(actual, expected, what):
    check(actual == expected, f"{what}: expected {expected!r}, got {actual!r}")


def matches(pattern, text, what):
    found = re.search(pattern, text, re.MULTILINE)
    check(found, f"{what}: no match for {pattern!r} in:\n{text}")
    return found


class MissingPeer(Exception):
    """A program that the test needs is not installed."""


def program(*names):
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    raise MissingPeer(f"{' or '.join(names)} is not installed; tools/setup installs it")


class Process:
    """A child process whose output is collected in the background."""

    def __init__(self, argv, *, cwd=None, env=None, stdin=True, pass_fds=(), before=None):
        self.argv = [str(word) for word in argv]
        self.popen = subprocess.Popen(
            self.argv, cwd=cwd, env=env, pass_fds=pass_fds, preexec_fn=before, start_new_session=True,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.stdout = bytearray()
        self.stderr = bytearray()
        self._changed = threading.Condition()
        self._open_streams = 2
        self._readers = [
            threading.Thread(target=self._collect, args=(self.popen.stdout, self.stdout), daemon=True),
            threading.Thread(target=self._collect, args=(self.popen.stderr, self.stderr), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        CURRENT_PROCESSES.append(self)

    def _collect(self, stream, into):
        while True:
            data = os.read(stream.fileno(), 65536)
            with self._changed:
                if data:
                    into += data
                else:
                    self._open_streams -= 1
                self._changed.notify_all()
            if not data:
                return

    @property
    def text(self):
        with self._changed:
            return (bytes(self.stdout) + bytes(self.stderr)).decode(errors="replace")

    def wait_for(self, pattern, timeout=TIMEOUT):
        """Waits until the output has a match."""
        expression = re.compile(pattern, re.MULTILINE)
        end = time.monotonic() + timeout
        with self._changed:
            while True:
                for stream in (self.stdout, self.stderr):
                    found = expression.search(bytes(stream).decode(errors="replace"))
                    if found:
                        return found
                left = end - time.monotonic()
                if self._open_streams == 0 or left <= 0:
                    why = "ended" if self._open_streams == 0 else f"took more than {timeout} s"
                    raise CheckFailed(f"{self.argv[0]} {why} without printing {pattern!r}")
                self._changed.wait(left)

    def send(self, data):
        self.popen.stdin.write(data)
        self.popen.stdin.flush()

    def send_in_background(self, data):
        def feed():
            with contextlib.suppress(BrokenPipeError, OSError):
                self.popen.stdin.write(data)
                self.popen.stdin.close()
        threading.Thread(target=feed, daemon=True).start()

    def close_stdin(self):
        with contextlib.suppress(BrokenPipeError):
            self.popen.stdin.close()

    def finish(self, timeout=TIMEOUT):
        """Waits for the end and returns the exit status."""
        try:
            status = self.popen.wait(timeout)
        except subprocess.TimeoutExpired as late:
            raise CheckFailed(f"{self.argv[0]} did not end within {timeout} s") from late
        for reader in self._readers:
            reader.join(5)
        return status

    def stop(self, how=signal.SIGTERM):
        if self.popen.poll() is None:
            self.popen.send_signal(how)
            try:
                self.popen.wait(30)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait(10)
        for stream in (self.popen.stdin,):
            if stream:
                with contextlib.suppress(BrokenPipeError, OSError):
                    stream.close()
        for reader in self._readers:
            reader.join(5)
        return self.popen.returncode

    def describe(self):
        tail = lambda data: data[-3000:].decode(errors="replace")
        with self._changed:
            return (f"$ {' '.join(self.argv)}\n[status {self.popen.poll()}]\n--- stdout\n{tail(self.stdout)}\n"
                    f"--- stderr\n{tail(self.stderr)}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


CURRENT_PROCESSES = []


def run(argv, *, stdin=b"", timeout=TIMEOUT, cwd=None, env=None, before=None):
    """Runs to the end and returns the process; `before` is called in it at its very beginning."""
    process = Process(argv, cwd=cwd, env=env, before=before)
    with process:
        process.send_in_background(stdin)
        process.finish(timeout)
    return process


def run_ok(argv, **options):
    process = run(argv, **options)
    equal(process.popen.returncode, 0, f"exit status of {' '.join(process.argv[:3])}")
    return process


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_listening(port, process, timeout=TIMEOUT):
    """For peers that do not say when they listen. Looks at the kernel's table, so that no connection is made."""
    end = time.monotonic() + timeout
    wanted = f":{port:04X}"
    while time.monotonic() < end:
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            with open(table) as lines:
                for line in lines:
                    fields = line.split()
                    if fields[1].endswith(wanted) and fields[3] == "0A":
                        return
        check(process.popen.poll() is None, f"{process.argv[0]} ended before it listened")
        time.sleep(0.02)
    raise CheckFailed(f"{process.argv[0]} does not listen on port {port}")


class Report(dict):
    """A JSON report of the lockstep program, with the process that printed it."""


_SCHEMA = Schema()


def check_document(document, name):
    """That what --json printed is the definition of this name in docs/lockstep.schema.json."""
    equal(_SCHEMA.problems(document, name), [], f"{json.dumps(document)} is `{name}`")


class Client:
    """One run of `lockstep client`."""

    def __init__(self, process):
        self.process = process
        self.status = process.popen.returncode
        self.output = bytes(process.stdout)
        lines = [line for line in bytes(process.stderr).decode(errors="replace").splitlines() if line.startswith("{")]
        self.reports = [json.loads(line) for line in lines]
        for report in self.reports:
            check_document(report, "client" if "host" in report else "failure")

    @property
    def report(self):
        check(self.reports, "lockstep client printed no report")
        return self.reports[-1]


class Server:
    """A running `lockstep server`; its reports come one a connection, in the order in which connections end."""

    def __init__(self, process):
        self.process = process
        listening = json.loads(process.wait_for(r'^(\{.*"listening".*\})$').group(1))
        self.port = listening["port"]
        self._taken = 0

    def reports_of(self, suites, count=1):
        """`count` reports of each suite, in the order of the suites, resumed ones last. A program's connections follow each other, but
        one may be reported before another that began earlier."""
        order = [suite.name for suite in suites]
        reports = [self.next_report() for _ in range(count * len(suites))]
        equal(sorted(report.get("suite", "none") for report in reports), sorted(order * count), "suites that were reported")
        return sorted(reports, key=lambda report: (order.index(report["suite"]), report["resumed"]))

    def next_report(self, timeout=TIMEOUT):
        def reports():
            text = bytes(self.process.stdout).decode()
            return [json.loads(line) for line in text.splitlines(keepends=True)
                    if line.startswith("{") and line.endswith("\n") and '"listening"' not in line]
        end = time.monotonic() + timeout
        while True:
            found = reports()
            if len(found) > self._taken:
                self._taken += 1
                check_document(found[self._taken - 1], "server")
                return found[self._taken - 1]
            check(self.process.popen.poll() is None, "lockstep server ended")
            check(time.monotonic() < end, "lockstep server reported no connection")
            time.sleep(0.01)

    def open_sockets(self):
        """How many sockets the server holds: one, which listens, when no connection is left open. A connection in a loop is
        reported when its outcome is known, and may then take its time to end so that the peer can read the last bytes."""
        end = time.monotonic() + 5
        while (count := self._open_sockets()) > 1 and time.monotonic() < end:
            time.sleep(0.02)
        return count

    def _open_sockets(self):
        folder = f"/proc/{self.process.popen.pid}/fd"
        count = 0
        for name in os.listdir(folder):
            with contextlib.suppress(OSError):
                count += os.readlink(f"{folder}/{name}").startswith("socket:")
        return count


class Session:
    """One run of one test: the program under test, a work folder, certificates, and the count of cases."""

    def __init__(self, tool, work, peers=""):
        self.tool = os.path.abspath(tool)
        self.peers = peers
        self.work = os.path.abspath(work)
        self.passed = []
        self.failed = []
        self.notes = []
        self.current_case = ""
        self._loops = None
        shutil.rmtree(self.work, ignore_errors=True)
        os.makedirs(self.work)

    # --- cases ---

    @contextlib.contextmanager
    def case(self, name):
        self.current_case = name
        del CURRENT_PROCESSES[:]
        started = time.monotonic()
        try:
            yield
        except MissingPeer:
            raise
        except Exception as problem:  # pylint: disable=broad-except  (any failure fails this case and no other)
            self.failed.append(name)
            print(f"FAILED  {name}: {problem}", flush=True)
            if not isinstance(problem, CheckFailed):
                traceback.print_exc()
            for process in CURRENT_PROCESSES:
                print("  | " + process.describe().replace("\n", "\n  | "), flush=True)
        else:
            self.passed.append(name)
            print(f"ok      {name}  ({time.monotonic() - started:.2f} s)", flush=True)
        finally:
            for process in CURRENT_PROCESSES:
                process.stop()

    def note(self, text):
        self.notes.append(text)
        print(f"note    {text}", flush=True)

    # --- files ---

    def path(self, name):
        return os.path.join(self.work, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    # --- certificates, made by the program under test ---

    def ca(self, name="ca", *options):
        if not os.path.exists(self.path(name + ".pem")):
            run_ok([self.tool, "cert", "ca", "--quiet", "--out", self.path(name),
                    *([] if "--subject" in options else ["--subject", f"CN=Authority {name}"]), *options])
        return self.path(name + ".pem")

    def leaf(self, name, *options, ca="ca", names=("localhost", "127.0.0.1")):
        """The paths of a certificate and its key."""
        certificate, key = self.path(name + ".pem"), self.path(name + ".key.pem")
        if not os.path.exists(certificate):
            self.ca(ca)
            words = [word for each in names for word in ("--name", each)]
            run_ok([self.tool, "cert", "leaf", "--quiet", "--ca", self.path(ca + ".pem"), "--ca-key",
                    self.path(ca + ".key.pem"), "--out", self.path(name), *words, *options])
        return certificate, key

    # --- the program under test ---

    def client_process(self, port, *options, ca=None, json_report=True):
        words = [self.tool, "client", f"localhost:{port}", "--address", "127.0.0.1", "--ca", ca or self.ca(),
                 *([] if "--connect-timeout" in options else ["--connect-timeout", "50"])]
        if json_report:
            words.append("--json")
        return Process(words + list(options))

    def client(self, port, *options, stdin=b"", ca=None, ok=True, timeout=TIMEOUT):
        process = self.client_process(port, *options, ca=ca)
        with process:
            process.send_in_background(stdin)
            process.finish(timeout)
        result = Client(process)
        if ok:
            equal(result.status, 0, "exit status of lockstep client")
            check(result.report["ok"], "lockstep client reports a failure")
        return result

    def loops(self):
        """The kinds of loop that this build's server has."""
        if self._loops is None:
            text = run_ok([self.tool, "server", "--help"]).text
            self._loops = re.search(r"--loop (\S+)", text).group(1).split("|")
        return self._loops

    @contextlib.contextmanager
    def server(self, *options, credentials=None):
        """Yields a Server. Asserts that it stops cleanly. Which kind of loop it runs depends on the case's name, so that
        every peer meets all of them."""
        pairs = credentials if credentials is not None else [self.leaf("p256")]
        words = [self.tool, "server", "--listen", "127.0.0.1", "--port", "0", "--json"]
        watched = {"--tape", "--trace", "--keylog-failed"} & set(options)  # which is for connections that have a thread
        if "--loop" not in options and not watched:
            kinds = self.loops()
            words += ["--loop", kinds[zlib.crc32(self.current_case.encode()) % len(kinds)]]
        for certificate, key in pairs:
            words += ["--cert", certificate, "--key", key]
        with Process(words + list(options)) as process:
            yield Server(process)
            if process.popen.poll() is None:
                equal(process.stop(signal.SIGTERM), 0, "exit status of lockstep server after SIGTERM")
            else:
                equal(process.popen.returncode, 0, "exit status of lockstep server")


def main(prefix, tests, description):
    """Runs the test that the command line names, one of `tests`, which say the module of each; returns the exit status."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("name", choices=tests)
    parser.add_argument("--tool", required=True, help="the lockstep program")
    parser.add_argument("--work", required=True, help="a folder that is emptied and used")
    parser.add_argument("--peers", default="", help="where peers are that were built with the tests")
    arguments = parser.parse_args()

    session = Session(arguments.tool, os.path.join(arguments.work, arguments.name), arguments.peers)
    name = f"{prefix}.{arguments.name}"
    try:
        importlib.import_module(tests[arguments.name]).main(session)
    except MissingPeer as missing:
        print(f"{name}: {missing}")
        if os.environ.get("CI") == "true":
            print("In CI that is a failure.")
            return 1
        return 77
    print(f"{name}: {len(session.passed)} cases passed, {len(session.failed)} failed")
    if session.failed:
        print("failed: " + "; ".join(session.failed))
    if not session.passed:
        print("no case ran, which proves nothing")
    return 0 if session.passed and not session.failed else 1


# The key types of `lockstep cert` and the scheme with which TLS 1.3 signs with them.
KEY_TYPES = {
    "rsa": "rsa_pss_rsae_sha256",
    "rsa-pss": "rsa_pss_pss_sha256",
    "p256": "ecdsa_secp256r1_sha256",
    "p384": "ecdsa_secp384r1_sha384",
    "p521": "ecdsa_secp521r1_sha512",
    "brainpool256": "ecdsa_brainpoolP256r1tls13_sha256",
    "brainpool384": "ecdsa_brainpoolP384r1tls13_sha384",
    "brainpool512": "ecdsa_brainpoolP512r1tls13_sha512",
    "ed25519": "ed25519",
    "ed448": "ed448",
    "mldsa44": "mldsa44",
    "mldsa65": "mldsa65",
    "mldsa87": "mldsa87",
}

SUITES = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256",
          "TLS_AES_128_CCM_8_SHA256"]
DEFAULT_SUITES = SUITES[:3]

GROUPS = ["X25519MLKEM768", "x25519", "secp256r1", "secp384r1", "secp521r1", "x448", "brainpoolP256r1tls13",
          "brainpoolP384r1tls13", "brainpoolP512r1tls13", "ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192",
          "MLKEM512", "MLKEM768", "MLKEM1024", "SecP256r1MLKEM768", "SecP384r1MLKEM1024"]
