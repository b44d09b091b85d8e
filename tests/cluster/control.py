# SPDX-License-Identifier: Apache-2.0
"""What the guest may have done on this machine: named actions over TCP.

A request is the secret, the number of arguments, each argument, and the number
of bytes of standard input, one a line, and then these bytes. The answer is the
exit status on one line, and the output until the end of the stream.
"""
import functools
import hmac
import http.client
import json
import secrets
import signal
import socketserver
import threading

import api
import servers as processes

USAGE = 2


class Actions:
    """Each action takes arguments and input, and gives a status and output."""

    def __init__(self, servers, account, suite=None):
        self.servers, self.account = servers, account
        self.actions = {
            ("apiserver", "start"): servers.start_apiserver,
            ("apiserver", "start", "older"): lambda: servers.start_apiserver(
                "--feature-gates=WatchList=false"),
            ("apiserver", "stop"): servers.apiserver.stop,
            ("apiserver", "pause"): lambda: servers.apiserver.signal(
                signal.SIGSTOP),
            ("apiserver", "resume"): lambda: servers.apiserver.signal(
                signal.SIGCONT),
            ("etcd", "compact"): servers.compact,
            ("token", "rotate"): account.rotate,
            ("rbac", "restore"): account.restore,
            ("requests",): self._requests,
        }
        if suite is not None:
            self.actions["suite", "start"] = suite.start
            self.actions["suite", "next"] = suite.next

    def _requests(self):
        with open(self.servers.audit, encoding="utf-8") as log:
            return log.read().rstrip("\n")

    def _patch(self, path, data):
        self.servers.client.call("PATCH", path, json.loads(data),
                                 api.MERGE)

    def run(self, arguments, data):
        if arguments[:1] == ["kubectl"]:
            return self.servers.kubectl(arguments[1:], data)
        if arguments == ["can-i"]:
            return self.servers.kubectl(["auth", "can-i", "--list"],
                                        kubeconfig=self.account.kubeconfig)
        action = self.actions.get(tuple(arguments))
        if arguments[:1] == ["patch"] and arguments[2:] == ["-"]:
            action = functools.partial(self._patch, arguments[1], data)
        if arguments[:2] == ["rbac", "without"] and len(arguments) == 4:
            action = functools.partial(self.account.without, *arguments[2:])
        if action is None:
            return USAGE, ("no action %s" % " ".join(arguments)).encode()
        try:
            said = action()
        except (OSError, ValueError, api.Refused, processes.Failed,
                http.client.HTTPException) as error:
            return 1, str(error).encode()
        return 0, b"" if said is None else ("%s\n" % said).encode()


class Handler(socketserver.StreamRequestHandler):
    def _line(self):
        return self.rfile.readline().decode().rstrip("\n")

    def handle(self):
        if not hmac.compare_digest(self._line(), self.server.secret):
            return
        arguments = [self._line() for _ in range(int(self._line()))]
        data = self.rfile.read(int(self._line()))
        status, output = self.server.actions.run(arguments, data)
        self.wfile.write(b"%d\n" % status + output)


class Control(socketserver.ThreadingTCPServer):
    """The service, on the loopback, while the context lasts."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, actions):
        super().__init__(("127.0.0.1", 0), Handler)
        self.actions = actions
        self.secret = secrets.token_hex(16)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def address(self):
        return "%d %s\n" % (self.server_address[1], self.secret)
