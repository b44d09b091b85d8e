# SPDX-License-Identifier: Apache-2.0
"""etcd, kube-apiserver and a part of kube-controller-manager as processes."""
import base64
import concurrent.futures
import ctypes
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import time

import api
import pki

START_SECONDS = 60
# A server that is asked to stop waits for its watches; a crash does not.
STOP_SECONDS = 1
POLL = 0.05
# Below the ports that the kernel gives out: a port stays ours while the server
# that had it is stopped.
PORTS = range(20000, 30000)
CONTROLLERS = ("namespace-controller", "serviceaccount-controller",
               "root-ca-certificate-publisher-controller")
# What Services need on a node that has a proxy.
NODE_CONTROLLERS = ("endpointslice-controller",)
ISSUER = "https://kubernetes.default.svc"
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1", "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata",
               "users": ["system:serviceaccount:kube-system:knpd"]},
              {"level": "None"}]}
PR_SET_PDEATHSIG = 1


class Failed(Exception):
    """Something did not start."""


def free_port():
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


# What a process dies with is not its parent but the thread that made it.
SPAWNER = concurrent.futures.ThreadPoolExecutor(max_workers=1)


class Process:
    """One server. Its log is NAME.log in the folder, over all its starts."""

    def __init__(self, name, folder, command):
        self.name, self.command = name, command
        self.log = os.path.join(folder, name + ".log")
        self.process = None

    def start(self, *more):
        """With more arguments, for this time."""
        SPAWNER.submit(self._spawn, more).result()

    def _spawn(self, more):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command + list(more), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=die_with_parent)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        if self.running():
            self.process.send_signal(number)

    def stop(self):
        """Stopped or paused, it is gone after this."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            if self.process is not None:
                self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-15:])


class Servers:
    """All of them, in a folder of their own."""

    def __init__(self, programs, folder, controllers=CONTROLLERS):
        self.folder, self.programs = folder, programs
        self.pki = pki.Pki(self.file("pki"))
        self.port = free_port()
        self.etcd_port = free_port()
        self.client = api.Api(self.port, self.pki)
        self.audit = self.file("audit.log")
        with open(self.file("audit-policy.json"), "w",
                  encoding="utf-8") as policy:
            json.dump(AUDIT_POLICY, policy)
        self.etcd = self._etcd()
        self.apiserver = self._apiserver()
        self.admin = self._admin_kubeconfig()
        self.manager = self._manager(controllers)

    def file(self, name):
        return os.path.join(self.folder, name)

    def _process(self, name, flags):
        return Process(name, self.folder,
                       [os.path.join(self.programs, name)] +
                       ["--%s=%s" % flag for flag in flags.items()])

    def _etcd(self):
        client = "http://127.0.0.1:%d" % self.etcd_port
        peer = "http://127.0.0.1:%d" % free_port()
        return self._process("etcd", {
            "data-dir": self.file("etcd"), "unsafe-no-fsync": "true",
            "listen-client-urls": client, "advertise-client-urls": client,
            "listen-peer-urls": peer, "initial-advertise-peer-urls": peer,
            "initial-cluster": "default=" + peer, "log-level": "warn"})

    def _apiserver(self):
        return self._process("kube-apiserver", {
            "etcd-servers": "http://127.0.0.1:%d" % self.etcd_port,
            "bind-address": "127.0.0.1", "secure-port": self.port,
            "tls-cert-file": self.pki.file("server.crt"),
            "tls-private-key-file": self.pki.file("server.key"),
            "client-ca-file": self.pki.file("ca.crt"),
            "service-account-issuer": ISSUER,
            "service-account-signing-key-file": self.pki.file("accounts.key"),
            "service-account-key-file": self.pki.file("accounts.pub"),
            "service-cluster-ip-range": "10.96.0.0/16",
            "kubelet-client-certificate": self.pki.file("admin.crt"),
            "kubelet-client-key": self.pki.file("admin.key"),
            "kubelet-certificate-authority": self.pki.file("ca.crt"),
            "kubelet-preferred-address-types": "ExternalIP",
            "endpoint-reconciler-type": "none",
            "authorization-mode": "RBAC", "profiling": "false",
            "audit-policy-file": self.file("audit-policy.json"),
            "audit-log-path": self.audit})

    def _manager(self, controllers):
        return self._process("kube-controller-manager", {
            "kubeconfig": self.admin, "leader-elect": "false",
            "controllers": ",".join(controllers), "secure-port": 0,
            "root-ca-file": self.pki.file("ca.crt")})

    def _admin_kubeconfig(self):
        return self.kubeconfig("admin.kubeconfig", {
            "client-certificate": self.pki.file("admin.crt"),
            "client-key": self.pki.file("admin.key")})

    def kubeconfig(self, name, user, host="127.0.0.1", authority=None):
        """Writes one with a single user, and gives its path. JSON is YAML."""
        path = self.file(name)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({
                "apiVersion": "v1", "kind": "Config", "current-context": "test",
                "clusters": [{"name": "test", "cluster": {
                    "server": "https://%s:%d" % (host, self.port),
                    "certificate-authority":
                        authority or self.pki.file("ca.crt")}}],
                "users": [{"name": "test", "user": user}],
                "contexts": [{"name": "test", "context": {
                    "cluster": "test", "user": "test"}}]}, file, indent=1)
            file.write("\n")
        return path

    def _wait(self, process, ready, what):
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                if ready():
                    return
            except (OSError, api.Refused, http.client.HTTPException):
                pass
            if not process.running() or time.monotonic() > deadline:
                raise Failed("%s: %s; its log ends:\n%s" %
                             (process.name, what, process.tail()))
            time.sleep(POLL)

    def _account_is_there(self):
        self.client.call(
            "GET", "/api/v1/namespaces/default/serviceaccounts/default")
        return True

    def start_apiserver(self, *more):
        if not self.apiserver.running():
            self.apiserver.start(*more)
        self._wait(self.apiserver,
                   lambda: self.client.raw("/readyz") == "ok",
                   "is not ready")

    def start(self):
        self.etcd.start()
        self.start_apiserver()
        self.manager.start()
        self._wait(self.manager, self._account_is_there,
                   "makes no ServiceAccount")

    def stop(self):
        for process in (self.manager, self.apiserver, self.etcd):
            process.stop()

    def kubectl(self, arguments, data=b"", kubeconfig=None):
        """Its exit status and what it printed."""
        done = subprocess.run(
            [os.path.join(self.programs, "kubectl"),
             "--kubeconfig", kubeconfig or self.admin,
             "--cache-dir", self.file("kubectl-cache"), *arguments],
            input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            check=False)
        return done.returncode, done.stdout

    def _etcd_call(self, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.etcd_port,
                                                timeout=api.TIMEOUT)
        try:
            connection.request("POST", "/v3/" + path, json.dumps(body))
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200:
            raise Failed("etcd: %s: %s" % (path, text))
        return json.loads(text)

    def compact(self):
        """Forgets every version of every object but the newest."""
        key = base64.b64encode(b"/").decode()
        now = self._etcd_call("kv/range", {"key": key})["header"]["revision"]
        self._etcd_call("kv/compaction", {"revision": now, "physical": True})
        return now
