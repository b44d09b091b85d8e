# SPDX-License-Identifier: Apache-2.0
"""An API server that does what it is told, right or wrong.

It keeps Namespaces, Pods and NetworkPolicies with one resourceVersion, and
serves list and watch of them over TLS as kube-apiserver does: pages, bookmarks,
initial events, 410 for what is forgotten. A test puts a hook in front of it,
which sees each request first and may answer in its stead.
"""
import base64
import json
import os
import socket
import ssl
import struct
import subprocess
import threading
import time
import urllib.parse

TYPES = {
    "namespaces": ("/api/v1/namespaces", "v1", "Namespace"),
    "pods": ("/api/v1/pods", "v1", "Pod"),
    "networkpolicies": ("/apis/networking.k8s.io/v1/networkpolicies",
                        "networking.k8s.io/v1", "NetworkPolicy"),
}


def list_of(resource, version, items, **meta):
    """A list as it is answered, with more members in its metadata."""
    _, api, kind = TYPES[resource]
    return {"kind": kind + "List", "apiVersion": api, "items": items,
            "metadata": {"resourceVersion": str(version), **meta}}


def make_ca(folder, name):
    """A CA of its own: NAME.crt, NAME.key."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
         "/CN=" + name, "-keyout", "%s/%s.key" % (folder, name), "-out",
         "%s/%s.crt" % (folder, name)], check=True, capture_output=True)
    return "%s/%s.crt" % (folder, name)


def make_cert(folder, ca, name, san):
    """A certificate of a CA: NAME.pem, with its key."""
    base = "%s/%s" % (folder, name)
    subprocess.run(
        ["openssl", "req", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=" + name,
         "-keyout", base + ".key", "-out", base + ".csr"],
        check=True, capture_output=True)
    with open(base + ".ext", "w", encoding="ascii") as out:
        out.write("subjectAltName=%s\n" % san)
    subprocess.run(
        ["openssl", "x509", "-req", "-in", base + ".csr", "-CA",
         "%s/%s.crt" % (folder, ca), "-CAkey", "%s/%s.key" % (folder, ca),
         "-set_serial", "0x" + os.urandom(8).hex(), "-days", "2", "-extfile",
         base + ".ext", "-out", base + ".crt"],
        check=True, capture_output=True)
    with open(base + ".pem", "wb") as out:
        for end in (".crt", ".key"):
            with open(base + end, "rb") as part:
                out.write(part.read())
    return base + ".pem"


class Gone(Exception):
    """The peer, or the whole server, is gone."""


class Request:
    """One request, and the ways to answer it."""

    def __init__(self, server, sock, method, target, headers):
        self.server, self.sock = server, sock
        self.connection = server.numbers[sock]
        self.method, self.headers = method, headers
        parts = urllib.parse.urlsplit(target)
        self.path = parts.path
        self.query = dict(urllib.parse.parse_qsl(parts.query))
        self.resource = next((name for name, (path, _, _) in TYPES.items()
                              if path == parts.path), None)
        self.watch = self.query.get("watch") == "1"
        self.initial = self.query.get("sendInitialEvents") == "true"
        self.at = time.monotonic()
        self.body = b""
        self.status = None

    def what(self):
        """list, watch or watchlist"""
        if not self.watch:
            return "list"
        return "watchlist" if self.initial else "watch"

    def raw(self, data):
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Gone from error

    def send(self, status, body=b"", headers=None, kind="application/json"):
        """A whole answer."""
        self.status = status
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        lines = ["HTTP/1.1 %d X" % status, "Content-Type: " + kind,
                 "Content-Length: %d" % len(body)]
        lines += ["%s: %s" % item for item in (headers or {}).items()]
        self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def refuse(self, code, reason="", message="", headers=None, **details):
        self.send(code, status_of(code, reason, message, **details), headers)

    def start(self, kind="application/json"):
        """The head of a stream."""
        self.status = 200
        self.raw(("HTTP/1.1 200 OK\r\nContent-Type: %s\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n" % kind).encode())

    def chunk(self, data):
        self.raw(b"%x\r\n%s\r\n" % (len(data), data))

    def event(self, kind, obj):
        self.chunk(json.dumps({"type": kind, "object": obj}).encode() + b"\n")

    def bookmark(self, version, initial_end=False):
        meta = {"resourceVersion": str(version)}
        if initial_end:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        _, api, kind = TYPES[self.resource]
        self.event("BOOKMARK", {"apiVersion": api, "kind": kind,
                                "metadata": meta})

    def end(self):
        self.raw(b"0\r\n\r\n")

    def reset(self):
        """RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        raise Gone


def status_of(code, reason="", message="", **details):
    return {"kind": "Status", "apiVersion": "v1", "metadata": {},
            "status": "Failure", "code": code, "reason": reason,
            "message": message, "details": details}


def forbid(resource):
    """A hook: who asks for this resource may not."""
    def hook(request):
        if request.resource != resource:
            return False
        request.refuse(403, "Forbidden", "no")
        return True

    return hook


class ApiServer:
    """See above. Attributes that tests change:

    hook       called with each Request; True: it was answered
    watchlist  whether initial events are offered
    token      what the Authorization header must say, or None
    window     how many events are remembered
    pause      seconds between bookmarks
    """

    def __init__(self, cert, port=0):
        self.hook = None
        self.watchlist = True
        self.token = None
        self.window = 1000
        self.pause = 60.0
        self.version = 100
        self.objects = {name: {} for name in TYPES}
        self.history = {name: [] for name in TYPES}
        self.oldest = 100
        self.log = []
        self.changed = threading.Condition()
        self.stopped = False
        self.socks = set()
        self.numbers = {}
        self.accepted = 0
        self.pages = {}
        self.use(cert)
        self.listener = socket.create_server(("127.0.0.1", port),
                                             reuse_port=False)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def use(self, cert):
        """Another certificate for connections from now on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert)
        self.tls = context

    # ---- the objects ----------------------------------------------------

    def put(self, resource, name, ns=None, **members):
        _, api, kind = TYPES[resource]
        meta = {"name": name, "uid": "%s-%s" % (ns, name)}
        if ns:
            meta["namespace"] = ns
        meta.update(members.pop("metadata", {}))
        with self.changed:
            self.version += 1
            meta["resourceVersion"] = str(self.version)
            obj = {"apiVersion": api, "kind": kind, "metadata": meta}
            obj.update(members)
            known = (ns, name) in self.objects[resource]
            self.objects[resource][ns, name] = obj
            self.note(resource, "MODIFIED" if known else "ADDED", obj)

    def pod(self, name, ip, ns="x"):
        self.put("pods", name, ns, spec={"nodeName": "n", "containers": []},
                 status={"phase": "Running", "podIPs": [{"ip": ip}]})

    def policy(self, name, ns="x", **spec):
        self.put("networkpolicies", name, ns, spec={"podSelector": {}, **spec})

    def delete(self, resource, name, ns=None):
        with self.changed:
            self.version += 1
            obj = dict(self.objects[resource].pop((ns, name)))
            obj["metadata"] = dict(obj["metadata"],
                                   resourceVersion=str(self.version))
            self.note(resource, "DELETED", obj)

    def note(self, resource, kind, obj):
        history = self.history[resource]
        history.append((self.version, kind, obj))
        self.changed.notify_all()

    def forget(self):
        """What etcd's compaction does: old versions are gone."""
        with self.changed:
            self.version += 1
            self.oldest = self.version
            for history in self.history.values():
                history.clear()

    # ---- connections ----------------------------------------------------

    def stop(self):
        """As if the process was killed."""
        self.stopped = True
        with self.changed:
            self.changed.notify_all()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.cut()

    def cut(self):
        """End all connections."""
        for sock in list(self.socks):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def accept(self):
        while not self.stopped:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock,),
                             daemon=True).start()

    def serve(self, sock):
        self.socks.add(sock)
        self.accepted += 1
        tls = None
        try:
            sock.settimeout(30)
            tls = self.tls.wrap_socket(sock, server_side=True)
            self.socks.add(tls)
            self.numbers[tls] = self.accepted
            while not self.stopped and self.one(tls):
                pass
        except (OSError, Gone, ValueError):
            pass
        finally:
            for each in (tls, sock):
                if each:
                    self.socks.discard(each)
                    self.numbers.pop(each, None)
                    each.close()

    def one(self, sock):
        data = b""
        while b"\r\n\r\n" not in data:
            more = sock.recv(65536)
            if not more:
                return False
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        method, target, _ = lines[0].split(" ")
        headers = {key.lower(): value.strip() for key, _, value in
                   (line.partition(":") for line in lines[1:] if line)}
        request = Request(self, sock, method, target, headers)
        while len(body) < int(headers.get("content-length", 0)):
            more = sock.recv(65536)
            if not more:
                return False
            body += more
        request.body = body
        with self.changed:
            self.log.append(request)
        self.answer(request)
        return True

    def answer(self, request):
        # A test may take it away just now.
        hook = self.hook
        if hook and hook(request):
            return
        if self.token and \
                request.headers.get("authorization") != "Bearer " + self.token:
            request.refuse(401, "Unauthorized", "Unauthorized")
        elif not request.resource:
            request.refuse(404, "NotFound", "no such path")
        elif request.initial and not self.watchlist:
            request.refuse(422, "Invalid", "sendInitialEvents is forbidden")
        elif request.watch:
            self.serve_watch(request)
        else:
            self.serve_list(request)

    def snapshot(self, resource):
        with self.changed:
            return self.version, [obj for _, obj in
                                  sorted(self.objects[resource].items(),
                                         key=lambda item: str(item[0]))]

    def serve_list(self, request):
        query = request.query
        limit = int(query.get("limit", 0))
        if query.get("continue"):
            key = query["continue"]
            if key not in self.pages:
                request.refuse(410, "Expired", "the continue token is too old")
                return
            version, items = self.pages[key]
        else:
            version, items = self.snapshot(request.resource)
        meta = {}
        if limit and len(items) > limit:
            key = base64.b64encode(os.urandom(30)).decode()
            self.pages[key] = version, items[limit:]
            meta["continue"] = key
            items = items[:limit]
        plain = [{k: v for k, v in item.items()
                  if k not in ("kind", "apiVersion")} for item in items]
        request.send(200, list_of(request.resource, version, plain, **meta))

    def serve_watch(self, request):
        version = int(request.query.get("resourceVersion") or 0)
        request.start()
        if not request.initial and version < self.oldest:
            request.event("ERROR", status_of(410, "Expired", "too old"))
            request.end()
            return
        if request.initial:
            version, items = self.snapshot(request.resource)
            for item in items:
                request.event("ADDED", item)
            request.bookmark(version, initial_end=True)
        self.stream(request, version)

    def stream(self, request, version):
        deadline = time.monotonic() + float(request.query["timeoutSeconds"])
        while time.monotonic() < deadline and not self.stopped:
            with self.changed:
                news = [e for e in self.history[request.resource]
                        if e[0] > version]
                if not news and not self.changed.wait(
                        min(self.pause, 5.0)) and self.pause < 5.0:
                    news = [(self.version, "BOOKMARK", None)]
            for version, kind, obj in news:
                if kind == "BOOKMARK":
                    request.bookmark(version)
                else:
                    request.event(kind, obj)
        request.end()
