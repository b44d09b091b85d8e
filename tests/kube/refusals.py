# SPDX-License-Identifier: Apache-2.0
"""Refusals in every place, servers that are late, older, others, or away."""
import signal
import socket
import struct
import threading
import time

from apiserver import list_of, status_of
from harness import (ALL, FAST, PATIENCE, Once, check, count, crowded,
                     eventually, later, test, unseen)

# A timer of the client's begins with the turn of its loop: it is early by what
# that turn took, 40 ms on a busy machine, which is ten times as long for it.
EARLY = 0.4


def in_stream(status):
    """An answer: a stream that says no more than that."""
    def answer(request):
        request.start()
        request.event("ERROR", status)
        request.end()
    return answer


# ---- 410 --------------------------------------------------------------------


def expires(w, once, watchlist=True, synced=True, many=0):
    """The client meets this refusal, and has the truth in the end."""
    server = w.server(watchlist=watchlist)
    for i in range(many):
        server.pod("p%d" % i, "10.1.%d.%d" % (i // 250, i % 250 + 1))
    if not synced:
        server.hook = once
    client = w.follow(server, speed=FAST)
    if synced:
        client.last(r"policies=x/q$")

        def change():
            server.delete("pods", "p", "x")
            server.pod("r", "10.0.0.2")

        unseen(server, change, once)
    eventually(lambda: once.seen, "the refusal")
    w.truth(client, server)
    check(not any(" pods= " in line for line in client.batches()),
          "never without pods")
    client.stop()
    return server


@test
def what_is_gone_is_listed_wherever_that_is_said(w):
    gone = status_of(410, "Expired", "too old")

    def refuse(request):
        request.send(410, gone)

    server = expires(w, Once("pods", "watch", refuse))
    check(count(server, "pods", "watchlist") == 2, "a list, by HTTP")
    server = expires(w, Once("pods", "watch", in_stream(gone)))
    check(count(server, "pods", "watchlist") == 2, "a list, in the stream")

    def late(request):
        request.start()
        request.event("ADDED", dict(
            request.server.objects["pods"]["x", "r"]))
        request.event("ERROR", gone)
        request.end()

    server = expires(w, Once("pods", "watch", late))
    check(count(server, "pods", "watchlist") == 2, "a list, after an event")
    expires(w, Once("pods", "watchlist", refuse), synced=False)
    expires(w, Once("pods", "watchlist", in_stream(gone)), synced=False)
    expires(w, Once("pods", "list", refuse), watchlist=False, synced=False)


@test
def what_is_gone_on_a_later_page_is_listed_at_once(w):
    class Second(Once):
        def __call__(self, request):
            return "continue" in request.query and super().__call__(request)

    once = Second("pods", "list", lambda r: r.refuse(410, "Expired", "old"))
    server = expires(w, once, watchlist=False, synced=False, many=700)
    check([r.query["limit"] for r in later(server, "pods", "list", 0)] ==
          ["500", "500", "0"], "all at once")


@test
def a_list_since_a_version_that_is_gone_asks_for_the_newest(w):
    server = w.server(watchlist=False)
    client = w.follow(server, speed=FAST)
    client.last(ALL)
    before = len(server.log)

    def hook(request):
        if request.resource != "pods" or "resourceVersion" not in \
                request.query:
            return False
        request.refuse(410, "Expired", "too old")
        return True

    unseen(server, lambda: server.delete("pods", "p", "x"), hook)
    client.last(r"pods= ")
    server.hook = None
    w.truth(client, server)
    asked = [(r.what(), "resourceVersion" in r.query)
             for r in server.log[before:] if r.resource == "pods"]
    # The version of the list is gone at once, too, which the hook says of all.
    check(asked[:3] == [("watch", True), ("list", True), ("list", False)],
          "since, then the newest: %s" % asked[:4])
    client.stop()


# ---- 429, 5xx ---------------------------------------------------------------


def waited(w, what, answer, speed=10):
    """How long it is until the request is sent again, in its seconds, and the
    server."""
    server = w.server(watchlist=what != "list")
    once = Once("pods", what, answer)
    if what == "watch":
        client = w.follow(server, speed=speed)
        client.last(ALL)
        unseen(server, lambda: server.pod("r", "10.0.0.2"), once)
    else:
        server.hook = once
        client = w.follow(server, speed=speed)
    w.truth(client, server)
    check(not any(" pods= " in line for line in client.batches()), "of all")
    client.stop()
    asked = [r for r in server.log if r.resource == "pods" and
             r.what() == what and r.at >= once.seen[0].at]
    check(len(asked) >= 2, "it is asked again, in the same way")
    check(asked[0].query.get("resourceVersion") ==
          asked[1].query.get("resourceVersion"), "the same version")
    if what == "watch":
        check(count(server, "pods", "watchlist") == 1, "no list again")
    return (asked[1].at - asked[0].at) * speed + EARLY


@test
def what_may_pass_is_asked_again_after_a_while(w):
    for what in ("list", "watchlist", "watch"):
        for code in (429, 500, 502, 503, 504):
            took = waited(w, what, lambda r, code=code: r.send(code, b""))
            check(took >= 0.8, "%s, %d: %.2f s" % (what, code, took))


@test
def retry_after_is_heeded_where_it_makes_sense(w):
    for what in ("list", "watchlist", "watch"):
        for code in (429, 503):
            took = waited(w, what, lambda r, code=code: r.refuse(
                code, "", "", {"Retry-After": "9"}))
            check(took >= 9, "%s, %d: %.2f s" % (what, code, took))
    for text, speed, least, most in (
            ("x", 10, 0.8, 30), ("-5", 10, 0.8, 30),
            ("86400000", 100, 300, 1300)):
        took = waited(w, "watch", lambda r, text=text: r.refuse(
            429, "", "", {"Retry-After": text}), speed)
        check(least <= took < most, "Retry-After: %s: %.2f s" % (text, took))
    took = waited(w, "watch", in_stream(status_of(
        429, "TooManyRequests", "", retryAfterSeconds=9)))
    check(took >= 9, "in the stream: %.2f s" % took)


@test
def refusals_without_end_cause_no_list_and_few_requests(w):
    server = w.server()
    client = w.follow(server, speed=200)
    client.last(ALL)
    before = len(server.log)
    codes = [429, 502, 503, 504]

    def hook(request):
        request.send(codes[len(server.log) % 4], b"")
        return True

    server.hook = hook
    server.cut()
    time.sleep(3)
    server.hook = None
    asked = [r for r in server.log[before:] if r.resource == "pods"]
    check(all(r.what() == "watch" for r in asked), "no list")
    # 600 s: 0.8 s and its doubles, and then 30 s, or more by chance
    check(5 <= len(asked) <= 26, "%d requests in 600 s" % len(asked))
    w.truth(client, server)
    client.stop()


@test
def a_refusal_is_understood_whatever_its_body(w):
    bodies = (b"", b"forbidden", b'{"kind":"Status"', b'{"kind":"Status",'
              b'"apiVersion":"v1","code":200,"reason":7,"message":[]}',
              b"\0" * 100000, b"[" * 70000)
    for body in bodies:
        server = w.server()
        once = Once("pods", "watchlist",
                    lambda r, body=body: r.send(403, body))
        server.hook = once
        client = w.follow(server, speed=FAST)
        client.expect(r"^waiting pods: 403 forbidden: knpd may not watch pods")
        client.last(ALL)
        client.stop()

    def cut(request):
        request.raw(b"HTTP/1.1 403 X\r\nContent-Length: 99\r\n\r\n{")
        request.sock.close()

    check(waited(w, "watchlist", cut) >= 0.8, "a refusal that was cut")


@test
def a_watch_that_the_server_does_not_understand_leads_to_a_list(w):
    for answer in (in_stream(status_of(422, "Invalid", "x")),
                   in_stream(status_of(499, "Teapot", "x")),
                   lambda r: r.refuse(400, "BadRequest", "x")):
        server = expires(w, Once("pods", "watch", answer))
        check(count(server, "pods", "watchlist") == 2, "one list")


@test
def what_the_server_cannot_read_any_more_goes_with_a_list(w):
    # Somebody has deleted an object whose bytes in etcd are broken: watches end
    # so, and no event tells of it.
    unreadable = in_stream(status_of(500, "StoreReadError", "corrupt object"))
    server = w.server()
    client = w.follow(server, speed=FAST)
    client.last(ALL)

    def hook(request):
        if request.resource != "pods" or request.what() != "watch" or \
                count(server, "pods", "watchlist") > 1:
            return False
        unreadable(request)
        return True

    def change():
        server.delete("pods", "p", "x")
        server.pod("r", "10.0.0.2")
        server.history["pods"].clear()

    unseen(server, change, hook)
    w.truth(client, server)
    check(count(server, "pods", "watchlist") == 2, "one list")
    client.stop()


# ---- pages ------------------------------------------------------------------


@test
def a_list_has_as_many_pages_as_it_has(w):
    for objects, pages in ((0, 1), (1, 1), (500, 1), (501, 2), (1000, 2),
                           (1001, 3)):
        server = w.server(watchlist=False)
        server.delete("pods", "p", "x")
        for i in range(objects):
            server.pod("p%d" % i, "10.%d.%d.9" % (i // 250 + 1, i % 250))
        client = w.follow(server, speed=FAST)
        client.last(r"policies=x/q$")
        check(w.truth(client, server)[0] == objects + 2, "all objects")
        lists = later(server, "pods", "list", 0)
        check(len(lists) == pages, "%d objects: %d pages" %
              (objects, len(lists)))
        client.stop()


@test
def it_ends_and_lists_again_whatever_is_under_way(w):
    def never(request):
        time.sleep(PATIENCE)
        return True

    def head(request):
        request.start()
        return never(request)

    def half(request):
        request.start()
        request.event("ADDED", request.server.objects["pods"]["x", "p"])
        request.chunk(b'{"type":')
        return never(request)

    for stuck in (never, head, half):
        server = w.server()
        server.hook = lambda r, stuck=stuck: r.resource == "pods" and stuck(r)
        client = w.follow(server)
        eventually(lambda s=server: len(s.log) >= 3, "they are under way")
        client.signal(signal.SIGHUP)
        eventually(lambda s=server: len(s.log) >= 6, "they are asked again")
        server.hook = None
        client.signal(signal.SIGHUP)
        client.last(ALL)
        w.truth(client, server)
        client.stop()
        server = w.server()
        server.hook = lambda r, stuck=stuck: r.resource == "pods" and stuck(r)
        client = w.follow(server)
        eventually(lambda s=server: len(s.log) >= 3, "they are under way")
        start = time.monotonic()
        client.stop()
        check(time.monotonic() - start < 5, "it ends at once")


# ---- other states -----------------------------------------------------------


def too_large(request, version):
    request.refuse(504, "Timeout", "Too large resource version: %s, current: 5"
                   % version, causes=[{"reason": "ResourceVersionTooLarge",
                                       "message": "Too large"}],
                   retryAfterSeconds=1)
    return True


@test
def a_replica_that_lags_takes_nothing_back(w):
    server = w.server(watchlist=False)
    client = w.follow(server, speed=FAST)
    client.last(ALL)
    # The replica is as far as this.
    version, old = server.snapshot("networkpolicies")
    server.policy("new")
    client.last(r"policies=x/new,x/q$")
    lags = [5]

    def hook(request):
        if request.resource != "networkpolicies" or not lags[0]:
            return False
        asked = request.query.get("resourceVersion")
        if request.what() == "watch":
            request.refuse(410, "Expired", "too old")
        elif asked:
            # It is not as new as that, and says so, or does not.
            lags[0] -= 1
            if lags[0] % 2:
                return too_large(request, asked)
            request.send(200, list_of(request.resource, version, old))
        else:
            # The newest state is not to be had from it.
            request.refuse(504, "Timeout", "etcd is slow")
            lags[0] -= 1
        return True

    server.hook = hook
    server.cut()
    eventually(lambda: not lags[0], "it has caught up")
    server.pod("r", "10.0.0.2")
    client.last(r"x/r@10\.0\.0\.2 policies=x/new,x/q$")
    w.truth(client, server)
    seen = [line for line in client.batches() if "x/new" in line]
    check(client.batches()[-len(seen):] == seen, "never without x/new again")
    client.stop()


@test
def a_server_that_was_restored_is_believed(w):
    server = w.server()
    server.version = 5000
    server.policy("late")
    server.pod("late", "10.0.0.9")
    client = w.follow(server, speed=FAST)
    client.last(r"policies=x/late,x/q$")
    server.stop()
    # Another etcd, from a backup: fewer objects, and versions that were seen.
    again = w.server(port=server.port)
    again.hook = lambda r: int(r.query.get("resourceVersion") or 0) > \
        again.version and too_large(r, r.query["resourceVersion"])
    w.truth(client, again)
    client.last(ALL)
    client.stop()


@test
def an_event_of_an_older_version_is_not_taken(w):
    server = w.server()
    client = w.follow(server, speed=FAST)
    client.last(ALL)

    def answer(request):
        old = dict(request.server.objects["pods"]["x", "p"])
        old["metadata"] = dict(old["metadata"], resourceVersion="7")
        old["status"] = {"podIPs": [{"ip": "10.9.9.9"}]}
        request.start()
        request.event("MODIFIED", old)
        time.sleep(0.2)

    unseen(server, lambda: server.pod("r", "10.0.0.2"),
           Once("pods", "watch", answer))
    w.truth(client, server)
    check(count(server, "pods", "watchlist") == 2, "a list")
    check(not client.has(r"10\.9\.9\.9"), "not for a moment")
    client.stop()


@test
def what_happened_unseen_is_found(w):
    def change():
        # Came and went; was replaced, under its name; moved to another owner.
        server.pod("brief", "10.0.0.7")
        server.delete("pods", "brief", "x")
        server.delete("pods", "p", "x")
        server.put("pods", "p", "x", metadata={"uid": "another"},
                   spec={"nodeName": "n"},
                   status={"podIPs": [{"ip": "10.0.0.8"}]})
        server.pod("heir", "10.0.0.1")
        server.delete("networkpolicies", "q", "x")
        server.put("networkpolicies", "q", "x", metadata={"uid": "another"},
                   spec={"podSelector": {}, "ingress": [{}]})

    for forget in (False, True):
        server = w.server()
        client = w.follow(server, speed=FAST)
        client.last(ALL)
        unseen(server, lambda: (change(), forget and server.forget()))
        w.truth(client, server)
        check(client.has(r"x/heir@10\.0\.0\.1,x/p@10\.0\.0\.8 "), "both")
        check(count(server, "pods", "watchlist") == 1 + forget, "lists")
        client.stop()


@test
def another_uid_in_place_is_another_object(w):
    server = w.server()
    client = w.follow(server, speed=FAST)
    client.last(ALL)
    server.put("pods", "p", "x", metadata={"uid": "b"}, spec={},
               status={"podIPs": [{"ip": "10.0.0.1"}]})
    server.put("networkpolicies", "q", "x", metadata={"uid": "b"},
               spec={"podSelector": {}, "policyTypes": ["Egress"]})
    w.truth(client, server)
    client.stop()


@test
def another_cluster_changes_nothing_until_it_is_trusted(w):
    server = w.server()
    path = w.write("ca.crt", w.read_cert("ca.crt"))
    client = w.follow(server, speed=FAST, **{"certificate-authority": path})
    client.last(ALL)
    told = len(client.batches())
    server.stop()
    other = w.server(port=server.port, version=77, cert="other-server.pem")
    other.delete("networkpolicies", "q", "x")
    other.put("pods", "p", "x", metadata={"uid": "b"}, spec={"nodeName": "n"},
              status={"podIPs": [{"ip": "10.7.0.1"}]})
    client.expect(r"^waiting \S+: .*certificate")
    w.truth(client, server)
    check(len(client.batches()) == told and not other.log,
          "nobody was asked, and nothing changed")
    # Trusted, but not complete: one of its lists does not come.
    hold = threading.Event()

    def hook(request):
        if request.resource == "networkpolicies":
            hold.wait(PATIENCE)
        return False

    other.hook = hook
    w.write("ca.crt", w.read_cert("other.crt"))
    client.last(r"x/p@10\.7\.0\.1 policies=x/q$")
    hold.set()
    w.truth(client, other)
    client.stop()


# ---- away -------------------------------------------------------------------


class Nobody:
    """A port where each connection is ended at once; and counted."""

    def __init__(self, port):
        self.at = []
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.at.append(time.monotonic())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
            sock.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@test
def eight_hours_without_a_server_change_nothing(w):
    speed = 4800
    server = w.server()
    client = w.follow(server, speed=FAST)
    client.last(ALL)
    server.stop()
    nobody = Nobody(server.port)
    w.clock(client, 0, speed)
    start = time.monotonic()
    while time.monotonic() - start < 8 * 3600 / speed:
        w.truth(client, server)
        time.sleep(0.5)
    w.clock(client, 0, FAST)
    hours = (time.monotonic() - start) * speed / 3600
    nobody.close()
    asked = len(nobody.at)
    check(len(client.batches()) == 1, "nothing changed")
    # Each of three resources: at first more often, then once in 30 s at most.
    check(100 < asked <= 3 * (hours * 120 + 8), "%d requests in %.1f h" %
          (asked, hours))
    check(not crowded(nobody.at, 200, 1800 / speed), "evenly")
    again = w.server(port=server.port, version=900)
    again.delete("networkpolicies", "q", "x")
    again.policy("other")
    again.forget()
    w.truth(client, again)
    check(len(client.batches()) >= 2, "the truth")
    client.expect("^waiting -$")
    client.stop()
    w.say("# figure: an API server away for %.1f h of a clock %d times as fast:"
          " %d connections of three resources, %.3f/s; nothing changed" %
          (hours, speed, asked, asked / hours / 3600))
