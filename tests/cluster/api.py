# SPDX-License-Identifier: Apache-2.0
"""The API server as the administrator's client certificate sees it."""
import http.client
import json
import ssl

TIMEOUT = 30
WATCH_TIMEOUT = 300
MERGE = "application/merge-patch+json"


class Refused(Exception):
    """An answer that is an error; code is its HTTP status."""

    def __init__(self, code, body):
        super().__init__("%d: %s" % (code, body[:300]))
        self.code = code


class Api:
    """One connection per request: the server comes and goes in the tests."""

    def __init__(self, port, pki):
        self.port = port
        self.tls = ssl.create_default_context(cafile=pki.file("ca.crt"))
        self.tls.load_cert_chain(pki.file("admin.crt"), pki.file("admin.key"))

    def _send(self, method, path, body, kind, timeout):
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, context=self.tls, timeout=timeout)
        try:
            connection.request(
                method, path, None if body is None else json.dumps(body),
                {"Content-Type": kind, "Accept": "application/json"})
            answer = connection.getresponse()
            if answer.status >= 400:
                raise Refused(answer.status, answer.read().decode())
        except BaseException:
            connection.close()
            raise
        return connection, answer

    def raw(self, path, timeout=TIMEOUT):
        """The text at a path."""
        connection, answer = self._send("GET", path, None, "text/plain",
                                        timeout)
        try:
            return answer.read().decode()
        finally:
            connection.close()

    def call(self, method, path, body=None, kind="application/json"):
        """The object that is answered."""
        connection, answer = self._send(method, path, body, kind, TIMEOUT)
        try:
            return json.loads(answer.read())
        finally:
            connection.close()

    def watch(self, path, version):
        """Events from a version on, until the server ends the stream."""
        connection, answer = self._send(
            "GET", "%s?watch=1&resourceVersion=%s" % (path, version), None,
            "application/json", WATCH_TIMEOUT)
        try:
            for line in answer:
                yield json.loads(line)
        finally:
            connection.close()
