# SPDX-License-Identifier: Apache-2.0
"""The generator API server and a knpd that follows it, as the benchmark runs them."""
import http.client
import json
import os
import select
import shutil
import socket
import subprocess
import tempfile
import time

BUILD = os.environ.get("BUILD", "build")
TICKS = os.sysconf("SC_CLK_TCK")

KUBECONFIG = """apiVersion: v1
kind: Config
current-context: bench
contexts:
- name: bench
  context: {cluster: bench, user: bench}
clusters:
- name: bench
  cluster:
    server: http://127.0.0.1:%d
users:
- name: bench
  user:
    token: bench
"""


class Failed(Exception):
    """A measurement that did not come about."""


class Server:
    """kube_server with a cluster; ends with the standard input it was given."""

    def __init__(self, **options):
        command = [os.path.join(BUILD, "bench", "kube_server")]
        for name, value in options.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        words = self.process.stdout.readline().split()
        if len(words) != 2 or words[0] != "ready":
            raise Failed("kube_server did not start")
        self.port = int(words[1])
        self.http = http.client.HTTPConnection("127.0.0.1", self.port)

    def ask(self, command):
        """One command of control.h; a refused one is an error of the benchmark."""
        self.http.request("POST", "/control", command)
        reply = self.http.getresponse()
        answer = json.loads(reply.read())
        if reply.status != 200:
            raise Failed("%s: %s" % (command, answer.get("error")))
        return answer

    def get(self, path):
        """Status and JSON body of one request."""
        self.http.request("GET", path)
        reply = self.http.getresponse()
        return reply.status, json.loads(reply.read())

    def throw_away(self, path, end=None):
        """Reads an answer to its end, or to a text in it: bytes, seconds."""
        buffer = bytearray(1 << 20)
        total, tail = 0, b""
        start = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.port)) as s:
            s.sendall(("GET %s HTTP/1.1\r\nHost: bench\r\n"
                       "Connection: close\r\n\r\n" % path).encode())
            count = 1
            while count:
                count = s.recv_into(buffer)
                total += count
                # Looks at the last bytes only: what ends it is short.
                tail = (tail + bytes(buffer[max(0, count - 512):count]))[-512:]
                if end and end in tail:
                    break
        return total, time.monotonic() - start

    def stop(self):
        self.http.close()
        self.process.stdin.close()
        self.process.wait()


class Commit:
    """A line of knpd's --backend=null:PATH."""

    def __init__(self, line):
        words = line.split()
        if len(words) != 6 or words[0] != "commit":
            raise Failed("not a commit: %r" % line)
        (self.generation, self.ns, self.puts, self.deletes,
         self.bytes) = (int(word) for word in words[1:])


class Knpd:
    """knpd as a node, with the backend that keeps nothing."""

    def __init__(self, server, node, folder):
        config = os.path.join(folder, "kubeconfig")
        with open(config, "w", encoding="ascii") as f:
            f.write(KUBECONFIG % server.port)
        os.chmod(config, 0o600)
        fifo = os.path.join(folder, "commits")
        if not os.path.exists(fifo):
            os.mkfifo(fifo)
        # In memory, as /run is.
        shm = "/dev/shm" if os.path.isdir("/dev/shm") else folder
        self.runtime = tempfile.mkdtemp(prefix="knp-bench.", dir=shm)
        self.log = os.path.join(folder, "knpd.log")
        # Both ends: knpd may open it before or after, and close it.
        self.fifo = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        self.rest = b""
        self.commits = []
        self.started = time.monotonic_ns()
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [os.path.join(BUILD, "knpd"), "--kubeconfig", config,
                 "--node", node, "--start-spread", "0", "--runtime-dir", self.runtime,
                 "--backend=null:" + fifo], stdout=log, stderr=log)
        self.clock = ~self.process.pid << 3 | 2

    def cpu(self):
        """Seconds of CPU, user and kernel, all threads (CPUCLOCK_SCHED)."""
        return time.clock_gettime(self.clock)

    def cpu_split(self):
        """User and kernel seconds, in clock ticks' precision."""
        with open("/proc/%d/stat" % self.process.pid, encoding="ascii") as f:
            words = f.read().rpartition(")")[2].split()
        return int(words[11]) / TICKS, int(words[12]) / TICKS

    def waited(self):
        """Seconds that its first thread was ready and had no CPU."""
        with open("/proc/%d/schedstat" % self.process.pid,
                  encoding="ascii") as f:
            return int(f.read().split()[1]) / 1e9

    def memory(self):
        """VmRSS, VmHWM, RssAnon and RssFile in bytes."""
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as f:
            lines = dict(line.split(":", 1) for line in f)
        return {key: int(lines[key].split()[0]) * 1024
                for key in ("VmRSS", "VmHWM", "RssAnon", "RssFile")}

    def forget_peak(self):
        """VmHWM starts again from what is resident now."""
        with open("/proc/%d/clear_refs" % self.process.pid, "w",
                  encoding="ascii") as f:
            f.write("5")

    def read_commits(self, seconds):
        """Takes what was committed; waits that long for the first."""
        if not select.select([self.fifo], [], [], seconds)[0]:
            return 0
        data = self.rest + os.read(self.fifo, 1 << 16)
        lines = data.split(b"\n")
        self.rest = lines.pop()
        self.commits += [Commit(line.decode()) for line in lines]
        return len(lines)

    def wait_commit(self, seconds):
        """The next commit that was not seen yet, None if there is none."""
        end = time.monotonic() + seconds
        while not self.commits:
            left = end - time.monotonic()
            if left <= 0:
                return None
            if self.process.poll() is not None:
                raise Failed("knpd ended with status %d, see %s" %
                             (self.process.returncode, self.log))
            self.read_commits(min(left, 0.5))
        return self.commits.pop(0)

    def drain(self):
        """All commits there are by now."""
        while self.read_commits(0):
            pass
        commits, self.commits = self.commits, []
        return commits

    def settle(self, quiet, most=60):
        """Waits until knpd is at rest; the commits of that time."""
        end = time.monotonic() + most
        commits = self.drain()
        before = self.cpu()
        while True:
            time.sleep(quiet)
            new = self.drain()
            now = self.cpu()
            commits += new
            if not new and now - before < 0.01 * quiet:
                return commits
            if time.monotonic() > end:
                raise Failed("knpd does not come to rest")
            before = now

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.runtime, ignore_errors=True)
        os.close(self.fifo)
