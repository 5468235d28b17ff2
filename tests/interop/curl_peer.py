"""curl against Lockstep's server."""

import json
import os

from harness import check, equal, matches, program, run


def main(session):
    curl = program("curl")

    def fetch(server, path="/", *options):
        process = run([curl, "--silent", "--show-error", "--verbose", "--cacert", session.ca(), "--resolve",
                       f"localhost:{server.port}:127.0.0.1", *options, f"https://localhost:{server.port}{path}"])
        return process, bytes(process.stdout)

    with session.server() as server:
        with session.case("curl fetches the page"):
            process, body = fetch(server)
            equal(process.popen.returncode, 0, "exit status of curl")
            report = server.next_report()
            check(report["ok"], f"our report: {report}")
            matches(r"SSL connection using TLSv1.3", process.text, "curl's version")
            equal((report["version"], report["alpn"], report["server_name"]), ("TLSv1.3", "http/1.1", "localhost"),
                  "version, ALPN, SNI")
            matches(rf"^suite: {report['suite']}$", body.decode(), "the page's suite")
            matches(r"^ALPN: http/1.1$", body.decode(), "the page's ALPN")
        with session.case("curl fetches the page as HTML and as JSON"):
            _, body = fetch(server, "/", "-H", "Accept: text/html")
            server.next_report()
            check(body.startswith(b"<!doctype html>"), "it is HTML")
            _, body = fetch(server, "/", "-H", "Accept: application/json")
            server.next_report()
            equal(json.loads(body)["version"], "TLSv1.3", "version")
        with session.case("HEAD, and a method that is not allowed"):
            process, _ = fetch(server, "/", "--head")
            equal((process.popen.returncode, server.next_report()["status"]), (0, 200), "HEAD")
            process, body = fetch(server, "/", "--request", "DELETE")
            equal(server.next_report()["status"], 405, "DELETE")
        with session.case("what a client sends is escaped in the page"):
            _, body = fetch(server, "/<script>", "-H", "Accept: text/html")
            server.next_report()
            check(b"<script>" not in body and b"&lt;script&gt;" in body, "markup is escaped")
    folder = session.path("www")
    os.makedirs(folder + "/below")
    session.write("www/a file.txt", b"contents\n")
    session.write("www/below/page.html", b"<p>below</p>")
    session.write("www/.hidden", b"secret")
    session.write("outside.txt", b"secret")
    os.symlink(session.path("outside.txt"), folder + "/link.txt")
    with session.server("--dir", folder) as server:
        for path, status, expected in (("/a%20file.txt", 200, b"contents\n"), ("/below/page.html", 200, b"<p>below</p>"),
                                       ("/below//page.html?x=/..", 200, b"<p>below</p>")):
            with session.case(f"a file, {path}"):
                _, body = fetch(server, path)
                equal((server.next_report()["status"], body), (status, expected), "status and contents")
        for path, status in (("/../outside.txt", 404), ("/%2e%2e/outside.txt", 404), ("/below/%2e%2e%2f%2e%2e/outside.txt", 404),
                             ("/link.txt", 404), ("/.hidden", 404), ("/a%00b", 400), ("/%zz", 400), ("/missing", 404),
                             ("//etc/passwd", 404), ("/a%20file.txt/", 200)):
            with session.case(f"nothing outside the folder, {path}"):
                _, body = fetch(server, path, "--path-as-is")
                equal(server.next_report()["status"], status, "status")
                check(b"secret" not in body and b"root:" not in body, "nothing leaks")
        with session.case("a listing"):
            _, body = fetch(server, "/")
            check(b'href="/a%20file.txt"' in body and b"below/" in body and b"hidden" not in body, body.decode())
            server.next_report()
