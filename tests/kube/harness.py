# SPDX-License-Identifier: Apache-2.0
"""What a test of the API client has: servers, clients, files, patience."""
import json
import os
import re
import signal
import subprocess
import threading
import time

from apiserver import ApiServer

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
PATIENCE = 15.0


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

    def say(self, text):
        """A line of output; tests run side by side."""
        self.said.append(text)

    def server(self, **attributes):
        server = ApiServer(self.certs + "/server.pem",
                           attributes.pop("port", 0))
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

    def follow(self, server, idle=None, **config):
        command = [BUILD + "/kube/follow", self.config(server, **config)]
        return self.run(command + ([str(idle)] if idle else []))

    def run(self, command, env=None):
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
