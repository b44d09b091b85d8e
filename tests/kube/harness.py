# SPDX-License-Identifier: Apache-2.0
"""What a test of the API client has: servers, clients, files, patience."""
import json
import os
import re
import signal
import subprocess
import threading
import time

from apiserver import TYPES, ApiServer

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
PATIENCE = 15.0
FULL = os.environ.get("KNP_FULL", "0") not in ("", "0")
# How fast time passes where a client has to wait many times.
FAST = 50
# Of the state that a server begins with.
ALL = r"namespaces=x pods=x/p@10\.0\.0\.1 policies=x/q$"
TESTS = []
# No resource is asked for more often than so many times in so many seconds.
RATES = ((5, 0.8), (10, 5.0), (15, 10.0))


def test(function):
    TESTS.append(function)
    return function


class Failed(Exception):
    pass


def check(good, what):
    if not good:
        raise Failed(what)


def eventually(condition, what, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while not condition():
        check(time.monotonic() < deadline, "not within %d s: %s" %
              (patience, what))
        time.sleep(0.01)


def count(server, resource, what):
    return sum(1 for r in server.log
               if r.resource == resource and r.what() == what)


def later(server, resource, what, after):
    return [r for r in server.log[after:]
            if r.resource == resource and r.what() == what]


def unseen(server, change, hook=None):
    """Do something while the server's client has no stream, and stands still:
    a request that was held up meanwhile could be given up, where its time
    passes fast. What it asks from then on is answered by the hook, if there is
    one."""
    client = server.client
    client.signal(signal.SIGSTOP)
    os.waitid(os.P_PID, client.process.pid, os.WSTOPPED)
    server.cut()
    change()
    server.hook = hook
    client.signal(signal.SIGCONT)


def end(server, name):
    """A namespace is being deleted."""
    server.put("namespaces", name,
               metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})


def crowded(at, most, seconds):
    """Whether more than so many of these times are within so many seconds."""
    at = sorted(at)
    return any(b - a < seconds for a, b in zip(at, at[most:]))


class Once:
    """Answers the first request of a kind that it is armed for."""

    def __init__(self, resource, what, answer):
        self.wanted = resource, what
        self.answer = answer
        self.seen = []

    def __call__(self, request):
        if (request.resource, request.what()) != self.wanted or self.seen:
            return False
        self.seen.append(request)
        self.answer(request)
        return True


class Client:
    """A program whose lines are collected."""

    def __init__(self, command, env=None):
        self.lines = []
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})})
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.decode().rstrip("\n"))

    def batches(self):
        return [line for line in self.lines if line.startswith("batch ")]

    def has(self, pattern):
        return any(re.search(pattern, line) for line in list(self.lines))

    def expect(self, pattern, patience=PATIENCE):
        eventually(lambda: self.has(pattern), "line %r" % pattern, patience)

    def last(self, pattern, patience=PATIENCE):
        """The newest batch is this."""
        eventually(lambda: self.batches() and
                   re.search(pattern, self.batches()[-1]),
                   "last batch %r" % pattern, patience)

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, status=0):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        got = self.process.wait(PATIENCE)
        self.thread.join(PATIENCE)
        check(got == status, "the client ended with status %s" % got)


class World:
    """What one test has, all of it gone afterwards."""

    def __init__(self, folder, certs):
        self.folder, self.certs = folder, certs
        self.ca = certs + "/ca.crt"
        self.servers, self.clients = [], []
        self.said = []
        self.speed = 1
        self.started = []

    def say(self, text):
        """A line of output; tests run side by side."""
        self.said.append(text)

    def server(self, **attributes):
        cert = attributes.pop("cert", "server.pem")
        server = ApiServer(self.certs + "/" + cert, attributes.pop("port", 0))
        for key, value in attributes.items():
            setattr(server, key, value)
        server.put("namespaces", "x")
        server.pod("p", "10.0.0.1")
        server.policy("q")
        self.servers.append(server)
        return server

    def config(self, server, user=None, **cluster):
        path = self.folder + "/kubeconfig"
        cluster = {"server": "https://127.0.0.1:%d" % server.port,
                   "certificate-authority": self.ca, **cluster}
        with open(path, "w", encoding="utf-8") as out:
            json.dump({
                "kind": "Config", "apiVersion": "v1", "current-context": "c",
                "contexts": [{"name": "c", "context": {
                    "cluster": "k", "user": "u"}}],
                "clusters": [{"name": "k", "cluster": cluster}],
                "users": [{"name": "u", "user": user or {"token": "t0"}}],
            }, out)
        return path

    def follow(self, server, idle=None, speed=1, **config):
        """A client; its time passes speed times as fast."""
        self.speed = max(self.speed, speed)
        if speed > 1:
            # Bookmarks come as seldom as that for it, too.
            server.pause = min(server.pause, 30 / speed)
        command = [BUILD + "/kube/follow", self.folder,
                   self.config(server, **config)]
        server.client = self.run(command + ([str(idle)] if idle else []),
                                 {"KNP_SPEED": str(speed)})
        return server.client

    def truth(self, client, server, patience=PATIENCE):
        """The client's store holds what the server does, object by object,
        and its tables what the compiler makes of that, record by record."""
        deadline = time.monotonic() + patience
        # Before it says something it is not there.
        eventually(lambda: client.lines, "a first line")
        while True:
            with server.changed:
                items = [obj for objects in server.objects.values()
                         for obj in objects.values()]
            with open(self.folder + "/truth.json", "w",
                      encoding="utf-8") as out:
                json.dump({"kind": "List", "apiVersion": "v1",
                           "items": items}, out)
            told = sum(line.startswith("truth") for line in client.lines)
            client.signal(signal.SIGUSR1)
            eventually(lambda: sum(line.startswith("truth") for line in
                                   client.lines) > told, "the truth")
            said = [line for line in client.lines
                    if line.startswith("truth")][-1]
            match = re.match(r"truth (\d+) objects, (\d+) records$", said)
            if match:
                check(int(match[1]) == len(items), "all objects: " + said)
                return int(match[1]), int(match[2])
            check(time.monotonic() < deadline, said)
            time.sleep(0.02)

    def requests(self, server):
        """When each of the clients asked for each of the resources; pages of
        a list are one request."""
        for start, stop in zip(self.started, self.started[1:] + [1e99]):
            for resource in TYPES:
                yield [r.at for r in server.log if start <= r.at < stop and
                       r.resource == resource and "continue" not in r.query]

    def check_rates(self):
        """However it was answered, a client did not ask too often: a version
        that has expired is five requests at once, and what goes on failing is
        one in 0.8 s at most."""
        for server in self.servers:
            for at in self.requests(server):
                for most, seconds in RATES:
                    check(not crowded(at, most, seconds / self.speed),
                          "more than %d requests in %s s" % (most, seconds))

    def clock(self, client, seconds=0, speed=1):
        """The client's wall clock is wrong by that much, and its time passes
        so fast."""
        self.speed = max(self.speed, speed)
        self.write("clock", "%d %d" % (seconds, speed))
        client.signal(signal.SIGUSR2)
        client.expect("^clock %d %d$" % (seconds, speed))

    def run(self, command, env=None):
        self.started.append(time.monotonic())
        client = Client(command, env)
        self.clients.append(client)
        return client

    def write(self, name, text):
        """Replace a file as kubelet does: by a rename."""
        path = "%s/%s" % (self.folder, name)
        with open(path + ".new", "w", encoding="utf-8") as out:
            out.write(text)
        os.rename(path + ".new", path)
        return path

    def read_cert(self, name):
        with open("%s/%s" % (self.certs, name), encoding="ascii") as source:
            return source.read()

    def close(self):
        for client in self.clients:
            if client.process.poll() is None:
                client.process.kill()
                client.process.wait()
        for server in self.servers:
            server.stop()
