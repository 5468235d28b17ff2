"""What is asked for on a terminal: the passphrase of a key, unseen."""

import contextlib
import os
import pty
import select
import signal
import termios
import time

from harness import check, equal, matches, program, run, run_ok

PASSPHRASE = "open sesame"


class Terminal:
    """A program with a terminal of its own."""

    def __init__(self, words):
        self.text = ""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execv(words[0], words)

    def wait_for(self, text, timeout=30):
        end = time.monotonic() + timeout
        while text not in self.text:
            check(time.monotonic() < end, f"no {text!r} in {self.text!r}")
            if not self._read(0.1):
                check(text in self.text, f"the program ended without {text!r}: {self.text!r}")

    def _read(self, patience):
        """False at the end."""
        if not select.select([self.master], [], [], patience)[0]:
            return True
        try:
            data = os.read(self.master, 4096)
        except OSError:
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def echoes(self):
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)

    def type(self, text):
        os.write(self.master, text.encode())

    def finish(self):
        while self._read(10):
            pass
        _, status = os.waitpid(self.pid, 0)
        with contextlib.suppress(OSError):
            os.close(self.master)
        return status


def main(session):
    openssl = program("openssl")
    certificate, key = session.leaf("p256")
    locked = session.path("locked.pem")
    run_ok([openssl, "pkcs8", "-topk8", "-in", key, "-out", locked, "-passout", "pass:" + PASSPHRASE])
    os.chmod(locked, 0o600)
    words = [session.tool, "cert", "leaf", "--name", "x.example", "--ca", session.ca(), "--ca-key", session.path("ca.key.pem"), "--key",
             locked, "--force", "--out", session.path("new")]

    with session.case("the passphrase is asked for, and not shown"):
        terminal = Terminal(words)
        terminal.wait_for("Passphrase of")
        matches("locked.pem", terminal.text, "which key")
        check(not terminal.echoes(), "the terminal does not show what is typed")
        terminal.type(PASSPHRASE + "\n")
        equal(terminal.finish(), 0, "status")
        check(PASSPHRASE not in terminal.text, "it was shown")
    with session.case("a wrong passphrase is told"):
        terminal = Terminal(words)
        terminal.wait_for("Passphrase of")
        terminal.type("wrong\n")
        equal(os.waitstatus_to_exitcode(terminal.finish()), 1, "status")
        matches("passphrase", terminal.text.split("\n", 1)[1], "why")
    for number in (signal.SIGINT, signal.SIGTERM):
        with session.case(f"{number.name} at the prompt ends the program and leaves the terminal as it was"):
            terminal = Terminal(words)
            terminal.wait_for("Passphrase of")
            if number == signal.SIGINT:
                terminal.type("\x03")
            else:
                os.kill(terminal.pid, number)
            end = time.monotonic() + 10
            while not terminal.echoes() and time.monotonic() < end:
                time.sleep(0.02)
            check(terminal.echoes(), "the terminal shows again what is typed")
            equal(os.waitstatus_to_exitcode(terminal.finish()), -number, "how it ended")
    with session.case("what is longer than is asked for is refused, not cut"):
        longest = "x" * 1024
        run_ok([openssl, "pkcs8", "-topk8", "-in", key, "-out", session.path("long.pem"), "-passout", "pass:" + longest])
        os.chmod(session.path("long.pem"), 0o600)
        for typed, status in ((longest, 0), (longest + "y", 1), (longest * 3, 1)):
            terminal = Terminal([session.path("long.pem") if word == locked else word for word in words])
            terminal.wait_for("Passphrase of")
            terminal.type(typed + "\n")
            equal(os.waitstatus_to_exitcode(terminal.finish()), status, f"status with {len(typed)} bytes")
            if status != 0:
                matches("longer than 1024 bytes", terminal.text, "why")
    with session.case("the server asks, too"):
        terminal = Terminal([session.tool, "server", "--listen", "127.0.0.1", "--port", "0", "--cert", certificate, "--key", locked])
        terminal.wait_for("Passphrase of")
        terminal.type(PASSPHRASE + "\n")
        terminal.wait_for("listening on")
        os.kill(terminal.pid, signal.SIGTERM)
        equal(terminal.finish(), 0, "status")
    with session.case("without a terminal nobody is asked"):
        found = run(words)
        equal(found.popen.returncode, 1, "status")
        matches(r"give its passphrase", found.text, "what to do")
    with session.case("--passphrase-file is taken without asking"):
        secret = session.write("passphrase", PASSPHRASE.encode() + b"\n")
        os.chmod(secret, 0o600)
        terminal = Terminal([*words, "--passphrase-file", secret])
        equal(terminal.finish(), 0, "status")
        check("Passphrase of" not in terminal.text, "it asked all the same")
