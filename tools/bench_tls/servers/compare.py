#!/usr/bin/env python3
"""Measures Lockstep's servers beside nginx and a bare OpenSSL loop, in one run. Called by `tools/bench server`."""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

SERVERS = ["lockstep epoll", "lockstep io_uring", "nginx", "OpenSSL"]
LOADS = [
    # title, file, wrk's connections, its processors, headers, unit
    ("keep-alive, 1 KiB", "1k.bin", 32, "1", [], "requests/s"),
    # A handshake costs wrk more than any of these servers: on one processor it would measure itself.
    ("one request a connection, 1 KiB", "1k.bin", 32, "0,1", ["-H", "Connection: close"], "requests/s"),
    ("one request a connection, 1 KiB, of 128 at once", "1k.bin", 128, "0,1", ["-H", "Connection: close"], "requests/s"),
    ("bodies of 1 MB", "1m.bin", 8, "1", [], "MB/s"),
]


class Server:
    """One server on processor 0, until it is stopped."""

    def __init__(self, what, bench, work, file):
        self.port = str(free_port())
        self.processes = []
        if what.startswith("lockstep"):
            loop = {"lockstep epoll": "epoll", "lockstep io_uring": "uring"}[what]
            command = [f"{bench}/bin/lockstep", "server", "--loop", loop, "--quiet", "--listen", "127.0.0.1", "--port", self.port,
                       "--cert", f"{work}/cert.pem", "--key", f"{work}/cert.key.pem", "--dir", f"{work}/www",
                       "--group", "x25519", "--suite", "TLS_AES_128_GCM_SHA256"]
        elif what == "nginx":
            with open(f"{work}/nginx.conf", "w", encoding="utf-8") as conf:
                conf.write(NGINX.format(work=work, port=self.port))
            command = ["nginx", "-p", work, "-c", f"{work}/nginx.conf"]
        else:
            command = [f"{bench}/bin/openssl_server", self.port, f"{work}/cert.pem", f"{work}/cert.key.pem", f"{work}/www/{file}"]
        self.process = subprocess.Popen(["taskset", "-c", "0", *command], stdout=subprocess.DEVNULL, stderr=open(f"{work}/server.log", "w"))
        wait_for(self.port, work)

    def worker(self):
        """The process that serves: nginx has a child for it."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as children:
            return int((children.read().split() or [self.process.pid])[0])

    def cpu(self):
        """Seconds of processor that it has used."""
        with open(f"/proc/{self.worker()}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


NGINX = """worker_processes 1; pid {work}/nginx.pid; error_log {work}/nginx.err; daemon off; user root;
events {{ worker_connections 16000; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; default_type application/octet-stream;
client_body_temp_path {work}/t1; proxy_temp_path {work}/t2; fastcgi_temp_path {work}/t3; uwsgi_temp_path {work}/t4; scgi_temp_path {work}/t5;
server {{ listen 127.0.0.1:{port} ssl reuseport deferred backlog=4096; root {work}/www; ssl_protocols TLSv1.3; ssl_ecdh_curve X25519;
ssl_certificate {work}/cert.pem; ssl_certificate_key {work}/cert.key.pem; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256; }} }}
"""


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, work):
    import socket
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                return
        time.sleep(0.05)
    with open(f"{work}/server.log", encoding="utf-8") as log:
        sys.exit("a server did not start: " + log.read())


def wrk(server, file, connections, processors, headers, seconds):
    before = server.cpu()
    threads = len(processors.split(","))
    output = subprocess.run(["taskset", "-c", processors, "wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", *headers,
                             f"https://127.0.0.1:{server.port}/{file}"], capture_output=True, text=True, check=True).stdout
    used = server.cpu() - before
    requests = int(re.search(r"(\d+) requests in", output).group(1))
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1))
    errors = re.search(r"Socket errors:.*", output)
    refused = re.search(r"Non-2xx.*", output)
    if refused or requests == 0:
        sys.exit(f"wrk: {output}")
    # Without keep-alive wrk counts every end of a connection as a read error.
    return rate, used / requests * 1e6, errors.group(0) if errors and not headers else None


def idle_memory(what, bench, work, connections):
    server = Server(what, bench, work, "1k.bin")
    output = subprocess.run([f"{bench}/bin/lockstep", "load", f"127.0.0.1:{server.port}", "--path", "/1k.bin", "--insecure", "--json",
                             "--connections", str(connections), "--hold", "2", "--pid", str(server.worker()), "--group", "x25519"],
                            capture_output=True, text=True).stdout
    server.stop()
    report = json.loads(output)
    return report["idle"]["server_bytes_per_connection"], report["responses"], report["failed"]


def main():
    parser = argparse.ArgumentParser(prog="tools/bench server", description=__doc__)
    parser.add_argument("--bench", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, default=3, help="each server's time in each round [3]")
    parser.add_argument("--rounds", type=int, default=5, help="[5]")
    parser.add_argument("--connections", type=int, default=10000, help="idle ones, for the memory [10000]")
    parser.add_argument("--json", action="store_true", help="a report for programs")
    parser.add_argument("--page", metavar="FILE", help="write the table into this page, under its heading \"## Servers\"")
    options = parser.parse_args()
    for program in ("wrk", "nginx", "taskset"):
        if not shutil.which(program):
            sys.exit(f"tools/bench server: no {program} here; tools/setup installs it")
    if os.cpu_count() < 2:
        sys.exit("tools/bench server: server and client need a processor each")

    report = {"loads": [], "memory": []}
    with tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)
        subprocess.run([f"{options.bench}/bin/lockstep", "cert", "self-signed", "--name", "127.0.0.1", "--name", "localhost", "--out", f"{work}/cert"],
                       check=True, stdout=subprocess.DEVNULL)
        os.mkdir(f"{work}/www")
        for name, size in (("1k.bin", 1024), ("1m.bin", 1_000_000)):
            with open(f"{work}/www/{name}", "wb") as file:
                file.write(os.urandom(size))
        for title, file, connections, processors, headers, unit in LOADS:
            figures = {what: {"rate": [], "cpu": []} for what in SERVERS}
            notes = []
            for turn in range(options.rounds):
                for what in SERVERS:
                    print(f"\r\x1b[K{title}: {turn + 1} of {options.rounds}, {what}", end="", file=sys.stderr)
                    server = Server(what, options.bench, work, file)
                    rate, cpu, errors = wrk(server, file, connections, processors, headers, options.seconds)
                    server.stop()
                    figures[what]["rate"].append(rate)
                    figures[what]["cpu"].append(cpu)
                    if errors:
                        notes.append(f"{what}: {errors}")
            row = {"title": title, "unit": unit, "notes": notes, "servers": {}}
            for what in SERVERS:
                mine, theirs = figures[what], figures["nginx"]
                row["servers"][what] = {
                    "median": statistics.median(mine["rate"]),
                    "ratio_to_nginx": statistics.median(a / b for a, b in zip(mine["rate"], theirs["rate"])),
                    "cpu_us_per_request": statistics.median(mine["cpu"]),
                    "cpu_ratio_to_nginx": statistics.median(b / a for a, b in zip(mine["cpu"], theirs["cpu"])),
                }
            report["loads"].append(row)
        for what in SERVERS:
            print(f"\r\x1b[K{options.connections} idle connections: {what}", end="", file=sys.stderr)
            size, answered, failed = idle_memory(what, options.bench, work, options.connections)
            report["memory"].append({"server": what, "bytes_per_connection": size, "answered": answered, "failed": failed})
    print("\r\x1b[K", end="", file=sys.stderr)

    text = tables(report, options)
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        print(text)
    if options.page:
        with open(options.page, encoding="utf-8") as page:
            before, rest = page.read().split("## Servers\n", 1)
        rest = rest[rest.index("\n## "):]
        with open(options.page, "w", encoding="utf-8") as page:
            page.write(before + "## Servers\n\n" + WORDS + "\n\n" + text + "\n" + rest)


WORDS = """`tools/bench server` runs `lockstep server` over epoll and io_uring, nginx and a bare loop around OpenSSL's libssl turn by turn, each on processor 0,
with wrk on processor 1: TLS 1.3, X25519, AES-128-GCM, one P-256 certificate for all. wrk is OpenSSL as well, and often the slower end: what a
request costs the server's processor is told beside the rate. Its connections resume. With one request a connection wrk has both processors, beside
the server on one of them: with one for itself it is the end that limits, and measures itself. (Ours and nginx accept with the first bytes,
TCP_DEFER_ACCEPT.) With few connections a server that is quicker than wrk wakes for each of their steps, which costs it more than the same under
load: hence the line with 128. The memory is what 10,000 idle connections of
`lockstep load --hold` add to the server's private resident set (the kernel's own memory apart); all of them answer when they are woken."""


def tables(report, options):
    lines = ["| | " + " | ".join(SERVERS) + " | best of ours to nginx |", "| --- |" + " ---: |" * (len(SERVERS) + 1)]
    for row in report["loads"]:
        servers = row["servers"]
        best = max(servers[what]["ratio_to_nginx"] for what in SERVERS[:2])
        lines.append(f"| {row['title']}, {row['unit']} | " + " | ".join(f"{servers[what]['median']:,.0f}" for what in SERVERS) + f" | **{best:.2f}** |")
        best = max(servers[what]["cpu_ratio_to_nginx"] for what in SERVERS[:2])
        lines.append("| processor, µs a request | " + " | ".join(f"{servers[what]['cpu_us_per_request']:,.0f}" for what in SERVERS) +
                     f" | **{best:.2f}** |")
    sizes = {row["server"]: row for row in report["memory"]}
    best = sizes["nginx"]["bytes_per_connection"] / max(1, min(sizes[what]["bytes_per_connection"] for what in SERVERS[:2]))
    lines.append(f"| memory of an idle connection ({options.connections:,}), bytes | " +
                 " | ".join(f"{sizes[what]['bytes_per_connection']:,.0f}" for what in SERVERS) + f" | **{best:.1f}** |")
    lines.append("| of them answered when woken | " + " | ".join(f"{sizes[what]['answered']:,}" for what in SERVERS) + " | |")
    return "\n".join(lines)


main()
