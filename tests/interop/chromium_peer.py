"""Headless Chromium loads the server's page; its own security state is read through the DevTools protocol.

The authority is put into a certificate store of its own, in a private HOME, so that Chromium judges the connection as it would
any other: nothing is ignored.
"""

import base64
import contextlib
import json
import os
import select
import time

from harness import CheckFailed, Process, check, equal, program, run_ok

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions",
         "--disable-dev-shm-usage", "--metrics-recording-only", "--no-proxy-server", "--remote-debugging-pipe",
         "--window-size=900,700", "--host-resolver-rules=MAP localhost 127.0.0.1"]


class Browser:
    """Chromium with the DevTools protocol over a pair of pipes."""

    def __init__(self, session, home, profile):
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        # DevTools speaks over descriptors 3 (in) and 4 (out); the shell moves ours there.
        words = ["bash", "-c", f'exec 3<&{to_browser} 4>&{from_browser}; exec "$@"', "bash", program("chromium", "chromium-browser",
                 "google-chrome"), f"--user-data-dir={profile}", *FLAGS, "about:blank"]
        environment = dict(os.environ, HOME=home, XDG_CONFIG_HOME=home + "/.config", XDG_CACHE_HOME=home + "/.cache",
                           XDG_DATA_HOME=home + "/.local/share")
        self.process = Process(words, env=environment, stdin=False, pass_fds=(to_browser, from_browser))
        os.close(to_browser)
        os.close(from_browser)
        self._buffer = b""
        self._id = 0
        self.events = []

    def _message(self, end):
        while b"\0" not in self._buffer:
            left = end - time.monotonic()
            check(left > 0, "Chromium does not answer")
            ready, _, _ = select.select([self._read], [], [], left)
            if ready:
                data = os.read(self._read, 1 << 20)
                check(data, "Chromium ended")
                self._buffer += data
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, parameters=None, target=None, timeout=60):
        self._id += 1
        request = {"id": self._id, "method": method, "params": parameters or {}}
        if target:
            request["sessionId"] = target
        os.write(self._write, json.dumps(request).encode() + b"\0")
        end = time.monotonic() + timeout
        while True:
            message = self._message(end)
            if message.get("id") == self._id:
                check("error" not in message, f"{method}: {message.get('error')}")
                return message["result"]
            self.events.append(message)

    def wait_for(self, method, accept=lambda parameters: True, timeout=60):
        end = time.monotonic() + timeout
        seen = 0
        while True:
            for event in self.events[seen:]:
                if event.get("method") == method and accept(event["params"]):
                    return event["params"]
            seen = len(self.events)
            self.events.append(self._message(end))

    def close(self):
        with contextlib.suppress(CheckFailed, OSError):
            self.call("Browser.close", timeout=10)
        with contextlib.suppress(CheckFailed):
            self.process.finish(10)
        self.process.stop()
        os.close(self._read)
        os.close(self._write)


def trusting_browser(session):
    """A browser that trusts the session's authority."""
    program("chromium", "chromium-browser", "google-chrome")
    certutil = program("certutil")
    home = session.path("home")
    for store in (".pki/nssdb", ".local/share/pki/nssdb"):
        os.makedirs(os.path.join(home, store))
        database = "sql:" + os.path.join(home, store)
        run_ok([certutil, "-N", "-d", database, "--empty-password"])
        run_ok([certutil, "-A", "-d", database, "-t", "C,,", "-n", "interop", "-i", session.ca()])

    return Browser(session, home, session.path("profile"))


def load(browser, url):
    """Loads a page in a tab of its own, and waits until it is there."""
    target = browser.call("Target.createTarget", {"url": "about:blank"})["targetId"]
    tab = browser.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
    browser.call("Page.enable", target=tab)
    browser.call("Page.navigate", {"url": url}, target=tab)
    browser.wait_for("Page.loadEventFired")


def visit(browser, tab, server, protocol, group):
    """Loads the server's page and checks that Chromium calls it secure, by what. Returns what it shows, and our report."""
    url = f"https://localhost:{server.port}/"
    browser.events.clear()
    browser.call("Page.navigate", {"url": url}, target=tab)
    response = browser.wait_for("Network.responseReceived", lambda event: event["response"]["url"] == url)["response"]
    equal(response["status"], 200, "status")
    equal(response["securityState"], "secure", "the response's security state")
    details = response["securityDetails"]
    equal((details["protocol"], details["keyExchangeGroup"], details["cipher"]), (protocol, group, "AES_128_GCM"), "protocol, group, cipher")
    equal(details["subjectName"], "localhost", "subject")
    # It may still tell of the page before.
    state = browser.wait_for("Security.visibleSecurityStateChanged", lambda event: event["visibleSecurityState"].get(
        "certificateSecurityState", {}).get("protocol") == protocol)["visibleSecurityState"]
    equal(state["securityState"], "secure", "the page's security state")
    certificate = state["certificateSecurityState"]
    equal(certificate["keyExchangeGroup"], group, "group")
    check(not certificate.get("certificateNetworkError"), "there is no certificate error")
    for weakness in ("certificateHasWeakSignature", "certificateHasSha1Signature", "modernSSL"):
        equal(certificate[weakness], weakness == "modernSSL", weakness)
    browser.wait_for("Page.loadEventFired")
    text = browser.call("Runtime.evaluate", {"expression": "document.body.innerText"}, target=tab)["result"]["value"]
    return text, end(browser, tab, server, "/")


def end(browser, tab, server, path):
    """Ends the connection on which the page came, and returns our report of it: our server keeps none open behind a request's body."""
    browser.call("Runtime.evaluate", {"expression": "fetch(location.href, {method: 'POST', body: 'x'})", "awaitPromise": True}, target=tab)
    while True:  # those that were opened ahead and not used come between
        report = server.next_report()
        if report.get("request", "").split(" ")[1:2] == [path]:
            check(report["ok"], f"our report: {report}")
            return report


def resumes(browser, tab, server):
    """Not always at once: a connection that it had opened ahead, before there was a ticket, may serve first."""
    for attempt in range(5):
        browser.events.clear()
        path = f"/again{attempt}"
        browser.call("Page.navigate", {"url": f"https://localhost:{server.port}{path}"}, target=tab)
        browser.wait_for("Network.responseReceived", lambda event: event["response"]["url"].endswith(path))
        browser.wait_for("Page.loadEventFired")
        report = end(browser, tab, server, path)
        if report["resumed"]:
            return report
    raise CheckFailed("none of five later connections was resumed")


def main(session):
    browser = trusting_browser(session)  # outside the cases: each stops what it started
    try:
        target = browser.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        tab = browser.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Network", "Security"):
            browser.call(f"{domain}.enable", target=tab)
        # What the browser opens beforehand and keeps open ends by the timeout.
        with session.server("--timeout", "10", "--compress-certificates") as server:
            with session.case("Chromium loads the page over TLS 1.3 with X25519MLKEM768, by a certificate that Brotli compressed, and calls it secure"):
                text, report = visit(browser, tab, server, "TLS 1.3", "X25519MLKEM768")
                equal(report["own_compression"], "brotli", "how our certificate went")
                check("X25519MLKEM768" in text and "TLSv1.3" in text, f"the page says so too:\n{text}")
                picture = base64.b64decode(browser.call("Page.captureScreenshot", target=tab)["data"])
                check(picture.startswith(b"\x89PNG") and len(picture) > 5000, "there is a screenshot")
                session.note("screenshot: " + session.write("chromium.png", picture))
                equal((report["version"], report["group"], report["alpn"]), ("TLSv1.3", "X25519MLKEM768", "http/1.1"),
                      "our version, group, ALPN")
            with session.case("Chromium resumes"):
                resumes(browser, tab, server)
        with session.server("--timeout", "10", "--tls1.2") as server:
            with session.case("Chromium loads the page over TLS 1.2 and calls it secure"):
                text, report = visit(browser, tab, server, "TLS 1.2", "X25519")
                check("TLSv1.2" in text, f"the page says so too:\n{text}")
                equal((report["version"], report["suite"], report["alpn"], report["extended_master_secret"]),
                      ("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "http/1.1", True), "our version, suite, ALPN, master secret")
            with session.case("Chromium resumes TLS 1.2"):
                equal(resumes(browser, tab, server)["version"], "TLSv1.2", "version")
        with session.case("Chromium refuses a server that it does not know"):
            stranger = session.leaf("stranger", ca="other-ca")
            with session.server("--timeout", "10", credentials=[stranger]) as server:
                browser.events.clear()
                result = browser.call("Page.navigate", {"url": f"https://localhost:{server.port}/"}, target=tab)
                equal(result.get("errorText"), "net::ERR_CERT_AUTHORITY_INVALID", "Chromium's error")
                report = server.next_report()
                equal(report["ok"], False, "our report")
                session.note(f"Chromium refused with {report['error'].get('alert', report['error']['condition'])}")
    finally:
        browser.close()
