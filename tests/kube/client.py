# SPDX-License-Identifier: Apache-2.0
"""The API client: what it asks, what it makes of the answers, whom it trusts."""
import json
import re
import signal
import socket
import threading
import time

from apiserver import forbid
from harness import (ALL, BUILD, PATIENCE, check, count, end, eventually,
                     later, test)

# ---- the plain way ----------------------------------------------------------


@test
def follows_what_is_added_changed_and_deleted(w):
    server = w.server()
    client = w.follow(server)
    client.last(ALL)
    check(len(client.batches()) == 1, "one batch for the first lists")
    server.pod("r", "10.0.0.2")
    client.last(r"pods=x/p@10\.0\.0\.1,x/r@10\.0\.0\.2 ")
    server.pod("r", "10.0.0.3")
    client.last(r"x/r@10\.0\.0\.3 ")
    server.delete("pods", "r", "x")
    server.delete("networkpolicies", "q", "x")
    server.put("namespaces", "y")
    client.last(r"namespaces=x,y pods=x/p@10\.0\.0\.1 policies=$")
    client.stop()
    for resource in ("namespaces", "pods", "networkpolicies"):
        check(count(server, resource, "watchlist") == 1, "one request each")
        check(count(server, resource, "list") == 0, "no list")


@test
def asks_for_little_and_says_who_it_is(w):
    server = w.server()
    client = w.follow(server)
    client.last(ALL)
    client.stop()
    for request in server.log:
        headers = request.headers
        check(headers["user-agent"].startswith("knpd/"), "User-Agent")
        check(headers["authorization"] == "Bearer t0", "Authorization")
        check("accept-encoding" not in headers, "no compression")
        check(("PartialObjectMetadata" in headers["accept"]) ==
              (request.resource == "namespaces"), "Accept")
        check((request.query.get("fieldSelector") ==
               "status.phase!=Succeeded,status.phase!=Failed") ==
              (request.resource == "pods"), "fieldSelector")
        check(300 <= int(request.query["timeoutSeconds"]) <= 600, "timeout")
        check("resourceVersion" not in request.query, "newest state")


@test
def announces_nothing_before_all_three_are_listed(w):
    server = w.server()
    go = threading.Event()

    def hook(request):
        if request.resource == "networkpolicies":
            go.wait(PATIENCE)
        return False

    server.hook = hook
    client = w.follow(server)
    eventually(lambda: len(server.log) == 3, "three requests")
    time.sleep(0.5)
    check(not client.batches(), "no batch while one list is missing")
    check(client.has("^waiting networkpolicies: the first list"), "it says so")
    go.set()
    client.last(ALL)
    client.stop()


@test
def falls_back_to_pages_where_initial_events_are_not_offered(w):
    server = w.server(watchlist=False)
    for i in range(1100):
        server.pod("p%04d" % i, "10.1.%d.%d" % (i // 250, i % 250 + 1))
    client = w.follow(server)
    client.last(r"x/p1099@10\.1\.4\.100 policies=x/q$")
    lists = later(server, "pods", "list", 0)
    check([r.query.get("limit") for r in lists] == ["500"] * 3, "three pages")
    server.delete("pods", "p0500", "x")
    client.last(r"x/p0499@\S+,x/p0501@")
    server.forget()
    server.cut()
    eventually(lambda: count(server, "pods", "list") == 6, "a list again")
    check(count(server, "pods", "watchlist") == 1, "it was not asked again")
    again = later(server, "pods", "list", 0)[3:]
    check([r.query.get("limit") for r in again] == ["500"] * 3, "in pages")
    check(again[0].query["resourceVersion"] and
          again[0].query["resourceVersionMatch"] == "NotOlderThan",
          "not older than what is known")
    check(not any("resourceVersion" in r.query for r in again[1:]),
          "a token says the version of its page")
    client.stop()


@test
def lists_all_at_once_when_pages_expire(w):
    server = w.server(watchlist=False)
    for i in range(600):
        server.pod("p%03d" % i, "10.1.%d.%d" % (i // 250, i % 250 + 1))

    def hook(request):
        if "continue" in request.query:
            request.refuse(410, "Expired", "too old")
            return True
        return False

    server.hook = hook
    client = w.follow(server)
    client.last(r"x/p599@")
    check([r.query.get("limit") for r in later(server, "pods", "list", 0)] ==
          ["500", "500", "0"], "pages, then all at once")
    client.stop()


@test
def takes_namespaces_as_metadata_only(w):
    server = w.server()

    def hook(request):
        if request.resource != "namespaces":
            return False
        partial = {"kind": "PartialObjectMetadata",
                   "apiVersion": "meta.k8s.io/v1"}
        request.start()
        request.event("ADDED", {**partial, "metadata": {
            "name": "only-meta", "resourceVersion": "7"}})
        request.event("BOOKMARK", {**partial, "metadata": {
            "resourceVersion": "8", "annotations": {
                "k8s.io/initial-events-end": "true"}}})
        time.sleep(PATIENCE)
        return True

    server.hook = hook
    client = w.follow(server)
    client.last(r"namespaces=only-meta ")
    client.stop()


@test
def lists_again_when_told(w):
    server = w.server()
    client = w.follow(server)
    client.last(ALL)
    client.process.send_signal(signal.SIGHUP)
    eventually(lambda: count(server, "pods", "watchlist") == 2, "a new list")
    check(later(server, "pods", "watchlist", 0)[1].query["resourceVersion"],
          "from the last version")
    server.pod("r", "10.0.0.2")
    client.last(r"x/r@10\.0\.0\.2 ")
    client.stop()


# ---- streams that break -----------------------------------------------------


@test
def resumes_after_a_cut_within_an_event(w):
    server = w.server()
    client = w.follow(server)
    client.last(ALL)
    armed = threading.Event()

    def hook(request):
        if request.resource != "pods" or armed.is_set():
            return False
        armed.set()
        request.start()
        request.chunk(b'{"type":"ADDED","object":{"apiVersion":"v1","kind')
        request.sock.close()
        return True

    server.hook = hook
    before = len(server.log)
    server.cut()
    eventually(armed.is_set, "the cut")
    server.pod("r", "10.0.0.2")
    client.last(r"x/r@10\.0\.0\.2 ")
    check(not later(server, "pods", "watchlist", before) and
          not later(server, "pods", "list", before), "no list")
    versions = {r.query["resourceVersion"]
                for r in later(server, "pods", "watch", before)}
    check(len(versions) == 1, "the same version: %s" % versions)
    client.stop()


@test
def survives_resets_and_clean_ends(w):
    server = w.server()
    client = w.follow(server)
    client.last(ALL)
    seen = []

    def hook(request):
        if request.resource != "pods":
            return False
        seen.append(request)
        if len(seen) == 1:
            request.start()
            request.reset()
        if len(seen) == 2:
            request.start()
            request.end()
            return True
        return False

    server.hook = hook
    server.cut()
    server.pod("r", "10.0.0.2")
    client.last(r"x/r@10\.0\.0\.2 ")
    check(len(seen) == 3, "two failures, then an answer")
    check(all(r.what() == "watch" for r in seen), "no list")
    client.stop()


@test
def reads_an_event_that_comes_a_byte_at_a_time(w):
    server = w.server()

    def hook(request):
        if request.resource != "pods":
            return False
        if request.what() == "watch":
            return True
        request.start()
        _, items = server.snapshot("pods")
        text = json.dumps({"type": "ADDED", "object": items[0]}) + "\n"
        for byte in text.encode():
            request.chunk(bytes([byte]))
            time.sleep(0.001)
        request.bookmark(110, initial_end=True)
        time.sleep(PATIENCE)
        return True

    server.hook = hook
    client = w.follow(server)
    client.last(ALL)
    client.stop()


@test
def asks_anew_when_a_connection_is_half_open(w):
    server = w.server(watchlist=False, pause=0.2)
    silent = []

    def hook(request):
        if silent or request.resource != "pods" or request.what() != "watch":
            return False
        request.start()
        request.bookmark(server.version)
        silent.append(time.monotonic())
        time.sleep(PATIENCE)
        return True

    server.hook = hook
    client = w.follow(server, idle=2)
    client.last(ALL)
    eventually(lambda: silent, "the silent stream")
    server.pod("r", "10.0.0.2")
    client.last(r"x/r@10\.0\.0\.2 ")
    waited = time.monotonic() - silent[0]
    check(1.9 < waited < 8, "the idle time passed: %.1f s" % waited)
    check(count(server, "pods", "list") == 1, "no list again")
    client.stop()


@test
def a_bookmark_without_the_annotation_is_not_the_end_of_the_list(w):
    server = w.server()
    go = threading.Event()

    def hook(request):
        if request.resource != "pods":
            return False
        request.start()
        request.bookmark(109)
        request.event("BOOKMARK", {
            "apiVersion": "v1", "kind": "Pod", "metadata": {
                "resourceVersion": "109", "annotations": {
                    "k8s.io/initial-events-end": "yes"}}})
        go.wait(PATIENCE)
        request.bookmark(110, initial_end=True)
        time.sleep(PATIENCE)
        return True

    server.hook = hook
    client = w.follow(server)
    time.sleep(0.7)
    check(not client.batches(), "no batch before the end")
    go.set()
    client.last(r"pods= policies=x/q$")
    client.stop()


# ---- refusals ---------------------------------------------------------------


@test
def replaces_everything_after_410(w):
    server = w.server()
    client = w.follow(server)
    client.last(ALL)
    before = len(server.log)
    server.pod("s", "10.0.0.9")
    server.delete("pods", "p", "x")
    client.last(r"pods=x/s@10\.0\.0\.9 ")

    def hook(request):
        # While the client is away the world changes and is forgotten.
        if not server.away:
            server.away = True
            server.delete("pods", "s", "x")
            server.pod("t", "10.0.0.8")
            server.forget()
        return False

    server.away = False
    server.hook = hook
    server.cut()
    client.last(r"pods=x/t@10\.0\.0\.8 policies=x/q$")
    check(not any("pods= " in line for line in client.batches()),
          "never without pods")
    check(later(server, "pods", "watchlist", before), "a list")
    client.stop()


@test
def waits_as_long_as_retry_after_says_and_does_not_list(w):
    server = w.server()
    client = w.follow(server)
    client.last(ALL)
    before = len(server.log)
    seen = []

    def hook(request):
        if request.resource != "pods":
            return False
        seen.append(request)
        if len(seen) > 1:
            return False
        request.refuse(429, "TooManyRequests", "slow down",
                       {"Retry-After": "3"})
        return True

    server.hook = hook
    server.cut()
    eventually(lambda: len(seen) == 2, "the second try")
    check(seen[1].at - seen[0].at >= 3, "at least three seconds: %.2f" %
          (seen[1].at - seen[0].at))
    check(seen[0].query["resourceVersion"] == seen[1].query["resourceVersion"],
          "the same version")
    check(not later(server, "pods", "watchlist", before) and
          not later(server, "pods", "list", before), "no list")
    check(client.has("^waiting pods: 429 TooManyRequests: slow down"),
          "it says so")
    client.stop()


@test
def says_which_right_is_missing(w):
    server = w.server()
    server.hook = forbid("pods")
    client = w.follow(server)
    client.expect(r"^waiting pods: 403 forbidden: knpd may not watch pods "
                  r"\(missing from its ClusterRole\?\)$")
    check(not client.batches(), "nothing is announced")
    server.hook = None
    client.last(ALL)
    client.expect(r"^waiting -$")
    client.stop()


@test
def says_which_resource_fails_while_the_others_go_on(w):
    server = w.server()
    client = w.follow(server)
    client.last(ALL)
    server.hook = forbid("pods")
    server.cut()
    client.expect(r"^waiting pods: 403 forbidden")
    server.hook = None
    client.expect(r"^waiting -$")
    client.stop()


@test
def keeps_the_last_good_version_of_a_refused_object(w):
    server = w.server()
    client = w.follow(server)
    client.last(ALL)
    server.policy("q", podSelector={"matchLabels": {"a": 1}})
    client.expect(r"^fault networkpolicies: NetworkPolicy x/q: ")
    server.pod("r", "10.0.0.2")
    client.last(r"x/r@10\.0\.0\.2 policies=x/q$")
    server.policy("q", podSelector={"matchLabels": {"a": 1}})
    server.policy("q", podSelector={"matchLabels": {"a": "1"}})
    client.expect(r"^healed$")
    check(sum(line.startswith("fault") for line in client.lines) == 1,
          "told once")
    server.policy("q", podSelector={"matchLabels": {"a": 1}})
    client.process.send_signal(signal.SIGHUP)
    server.pod("s", "10.0.0.3")
    client.last(r"x/s@10\.0\.0\.3 policies=x/q$")
    server.delete("networkpolicies", "q", "x")
    client.last(r"policies=$")
    client.stop()


@test
def holds_the_policies_of_a_namespace_that_ends(w):
    server = w.server()
    client = w.follow(server)
    client.last(ALL)
    end(server, "x")
    eventually(lambda: len(client.batches()) == 2, "it is seen")
    server.delete("networkpolicies", "q", "x")
    eventually(lambda: len(client.batches()) == 3, "a change")
    client.last(ALL)
    # Lists do not have it either.
    client.process.send_signal(signal.SIGHUP)
    server.pod("r", "10.0.0.3", "y")
    client.last(r"pods=x/p@10\.0\.0\.1,y/r@10\.0\.0\.3 policies=x/q$")
    server.delete("pods", "p", "x")
    client.last(r"pods=y/r@10\.0\.0\.3 policies=$")
    client.stop()


# ---- what is no API server --------------------------------------------------


def holds_out(w, answer, said):
    """The client keeps what it has and says what is wrong."""
    server = w.server()
    client = w.follow(server)
    client.last(ALL)
    other = threading.Event()

    def hook(request):
        if other.is_set():
            return False
        answer(request)
        return True

    server.hook = hook
    server.cut()
    client.expect(said)
    check(len(client.batches()) == 1, "nothing changed")
    other.set()
    server.pod("r", "10.0.0.2")
    client.last(r"x/r@10\.0\.0\.2 policies=x/q$")
    client.stop()
    return server


@test
def takes_no_page_of_a_proxy_for_an_answer(w):
    holds_out(w, lambda r: r.send(200, b"<html>502</html>", kind="text/html"),
              r'^waiting .*an answer of type "text/html"')


@test
def follows_no_redirect(w):
    other = w.server()
    holds_out(w, lambda r: r.send(302, b"", {
        "Location": "https://127.0.0.1:%d/api/v1/pods" % other.port}),
        r"^waiting \S+: 302")
    check(not other.log, "the other server was asked")


@test
def reads_no_endless_headers(w):
    holds_out(w, lambda r: r.raw(b"HTTP/1.1 200 OK\r\n" +
                                 b"X-Filler: %s\r\n" % (b"x" * 1000) * 100),
              r"^waiting \S+: too many bytes of headers")


@test
def takes_no_table_for_a_list(w):
    def answer(request):
        request.send(200, {"kind": "Table", "apiVersion": "meta.k8s.io/v1",
                           "metadata": {"resourceVersion": "9"}, "rows": []})

    server = w.server(watchlist=False)

    def hook(request):
        if request.what() != "list" or server.good:
            return False
        answer(request)
        return True

    server.good = False
    server.hook = hook
    client = w.follow(server)
    client.expect(r'^waiting .*kind "meta\.k8s\.io/v1" "Table"')
    check(not client.batches(), "nothing is announced")
    server.good = True
    client.last(ALL)
    client.stop()


@test
def an_event_without_end_is_given_up(w):
    def answer(request):
        request.start()
        for _ in range(17):
            request.chunk(b"x" * (1 << 20))

    holds_out(w, answer, r"^waiting \S+: an event is longer than is believed")


# ---- being away -------------------------------------------------------------


@test
def changes_nothing_while_the_server_is_away(w):
    server = w.server()
    client = w.follow(server)
    client.last(ALL)
    server.stop()
    said = r"^waiting \S+: cannot connect to \S+: Connection refused$"
    client.expect(said)
    time.sleep(4)
    check(len(client.batches()) == 1, "nothing changed")
    check(sum(bool(re.search(said, line)) for line in client.lines) == 1,
          "the same error is told once")
    again = w.server(port=server.port)
    again.version = 500
    again.put("namespaces", "y")
    client.last(r"namespaces=x,y pods=x/p@10\.0\.0\.1 policies=x/q$")
    client.expect(r"^waiting -$")
    client.stop()


@test
def asks_less_and_less_often_while_the_server_is_away(w):
    server = w.server()
    client = w.follow(server)
    client.last(ALL)
    refused = []

    def hook(request):
        refused.append(request)
        request.refuse(503, "ServiceUnavailable", "later")
        return True

    server.hook = hook
    server.cut()
    time.sleep(12)
    client.stop()
    pods = [r.at for r in refused if r.resource == "pods"]
    steps = [b - a for a, b in zip(pods, pods[1:])]
    check(2 <= len(steps) <= 4, "three steps or so: %s" % steps)
    for i, step in enumerate(steps):
        low = 0.8 * 2 ** i
        check(low <= step < 2 * low + 0.5, "step %d is %.2f s" % (i, step))
    w.say("# figure: an API server that answers 503: pods asked after %s s" %
          ", ".join("%.1f" % step for step in steps))


# ---- who is who -------------------------------------------------------------


@test
def talks_to_nobody_whom_its_ca_did_not_sign(w):
    server = w.server()
    server.use(w.certs + "/other-server.pem")
    client = w.follow(server)
    client.expect(r"^waiting \S+: .*certificate")
    check(not client.batches() and not server.log, "no request was sent")
    client.stop()


@test
def talks_to_nobody_with_another_name(w):
    server = w.server()
    server.use(w.certs + "/named.pem")
    client = w.follow(server)
    client.expect(r"^waiting \S+: .*(name|certificate)")
    check(not server.log, "no request was sent")
    client.stop()
    client = w.follow(server, **{"tls-server-name": "api.example"})
    client.last(ALL)
    check(server.log[0].headers["host"] == "127.0.0.1:%d" % server.port,
          "Host is the server")
    client.stop()


@test
def a_proxy_of_the_environment_is_not_asked(w):
    server = w.server()
    env = {name: "http://127.0.0.1:1" for name in (
        "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")}
    client = w.run([BUILD + "/kube/follow", w.folder, w.config(server)], env)
    client.last(ALL)
    client.stop()


class Proxy:
    """One that connects with this machine's ports, and remembers for whom."""

    def __init__(self):
        self.asked = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock,),
                             daemon=True).start()

    def serve(self, sock):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = sock.recv(1)
            if not byte:
                return
            head += byte
        self.asked.append(head.decode())
        port = int(self.asked[-1].split(" ")[1].rpartition(":")[2])
        other = socket.create_connection(("127.0.0.1", port))
        # Of a proxy's own answer nothing counts.
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        threading.Thread(target=self.pump, args=(sock, other),
                         daemon=True).start()
        self.pump(other, sock)

    @staticmethod
    def pump(source, to):
        try:
            while data := source.recv(65536):
                to.sendall(data)
            to.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@test
def a_proxy_of_the_kubeconfig_is_asked_and_told_nothing(w):
    server = w.server()
    proxy = Proxy()
    client = w.follow(server, **{"proxy-url": proxy.url})
    client.last(ALL)
    check(len(proxy.asked) >= 3, "all goes by the proxy")
    for head in proxy.asked:
        check(head.startswith("CONNECT 127.0.0.1:%d " % server.port), head)
        check("t0" not in head, "the token: " + head)
    client.stop()
    proxy.close()


@test
def a_ca_may_be_replaced_while_it_runs(w):
    server = w.server()
    path = w.write("ca.crt", w.read_cert("ca.crt"))
    client = w.follow(server, **{"certificate-authority": path})
    client.last(ALL)
    w.write("ca.crt", "no certificate")
    server.cut()
    server.pod("s", "10.0.0.3")
    client.last(r"x/s@10\.0\.0\.3 ")
    server.use(w.certs + "/other-server.pem")
    server.cut()
    client.expect(r"^waiting \S+: .*certificate")
    w.write("ca.crt", w.read_cert("other.crt"))
    server.pod("r", "10.0.0.2")
    client.last(r"x/r@10\.0\.0\.2,x/s@")
    client.stop()


@test
def a_token_may_be_replaced_while_it_runs(w):
    server = w.server(token="t1")
    path = w.write("token", "t1\n")
    client = w.follow(server, user={"tokenFile": path})
    client.last(ALL)
    w.write("token", "")
    server.cut()
    server.pod("r", "10.0.0.2")
    client.last(r"x/r@10\.0\.0\.2 ")
    server.token = "t2"
    w.write("token", "t2\n")
    before = len(server.log)
    server.cut()
    server.pod("s", "10.0.0.3")
    client.last(r"x/s@10\.0\.0\.3 ", 6)
    codes = [r.status for r in server.log[before:] if r.resource == "pods"]
    check(codes[-1] == 200 and codes.count(401) <= 2, "one 401 at most, and "
          "one more for a token that others replaced: %s" % codes)
    client.stop()


@test
def a_token_that_is_not_accepted_is_said(w):
    server = w.server(token="other")
    client = w.follow(server)
    client.expect(r"^waiting \S+: 401 unauthorized")
    check(not client.has("t0"), "the token is in no line")
    client.stop()


@test
def a_client_certificate_is_shown(w):
    server = w.server()
    server.tls.verify_mode = 2
    server.tls.load_verify_locations(w.ca)
    client = w.follow(server, user={
        "client-certificate": w.certs + "/client.crt",
        "client-key": w.certs + "/client.key"})
    client.last(ALL)
    client.stop()
    client = w.follow(server)
    client.expect(r"^waiting ")
    check(not client.batches(), "nobody without a certificate")
    client.stop()


@test
def a_pod_finds_its_own_server(w):
    server = w.server(token="t5")
    w.write("token", "t5")
    w.write("ca.crt", w.read_cert("ca.crt"))
    client = w.run([BUILD + "/kube/follow", w.folder, "--in-cluster", w.folder], {
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(server.port)})
    client.last(ALL)
    client.stop()
