# SPDX-License-Identifier: Apache-2.0
"""Bytes on their way: cuts, splits, silence, encodings, certificates."""
import gzip
import json
import re
import time

from apiserver import list_of
from harness import (ALL, FAST, FULL, PATIENCE, Once, check, count, eventually,
                     later, test, unseen)


def line_of(kind, obj):
    return json.dumps({"type": kind, "object": obj}).encode() + b"\n"


def newest(server, resource):
    """The event that a watch is sent next, as a line."""
    _, kind, obj = server.history[resource][-1]
    return line_of(kind, obj)


def hwm_kb(client):
    """The most memory that a client ever had."""
    with open("/proc/%d/status" % client.process.pid,
              encoding="ascii") as source:
        return int(re.search(r"VmHWM:\s*(\d+)", source.read())[1])


# ---- cuts and splits --------------------------------------------------------


class Cuts:
    """Answers watches with a bookmark and the first bytes of an event; one byte
    more each time, for each resource, until all of the event was sent. In a
    short run that is so for pods, and for the others it is five bytes more."""

    def __init__(self, server):
        self.server = server
        self.version = server.version
        self.lines = self.at = {}
        self.cuts = 0

    def change(self):
        server = self.server
        server.put("namespaces", "y", metadata={"labels": {"a": "é"}})
        server.pod("r", "10.0.0.2", "y")
        server.policy("s", "y", ingress=[{"ports": [{"port": 80}]}])
        self.lines = {name: newest(server, name) for name in server.objects}
        self.at = {name: 0 for name in server.objects}

    def done(self):
        return self.at and all(self.at[name] == len(line)
                               for name, line in self.lines.items())

    def __call__(self, request):
        name = request.resource
        at = self.at[name]
        if at == len(self.lines[name]) or request.what() != "watch":
            return False
        step = 1 if FULL or name == "pods" else 5
        self.at[name] = min(at + step, len(self.lines[name]))
        self.cuts += 1
        request.start()
        request.bookmark(self.version)
        if at:
            request.chunk(self.lines[name][:at])
        if at % 32 == 0:
            # What is not read by then a reset takes along.
            time.sleep(0.05)
            request.reset()
        if at % 2:
            request.end()
        request.sock.close()
        return True


@test
def a_cut_at_every_byte_of_an_event_loses_nothing(w):
    server = w.server()
    client = w.follow(server, speed=FAST)
    client.last(ALL)
    cuts = Cuts(server)
    unseen(server, cuts.change, cuts)
    eventually(cuts.done, "all cuts", 60)
    w.truth(client, server)
    client.last(r"namespaces=x,y pods=x/p@10\.0\.0\.1,y/r@10\.0\.0\.2 "
                r"policies=x/q,y/s$")
    check(count(server, "pods", "watch") > len(cuts.lines["pods"]),
          "a watch for each")
    for name in cuts.lines:
        check(count(server, name, "watchlist") == 1, "no list again")
    w.say("# figure: streams that were cut within an event: %d" % cuts.cuts)
    client.stop()


def send_split(request, line, at, in_chunk):
    """An event in two reads: two chunks, or one whose bytes come in two TLS
    records; where there is nothing to split, within the chunk's size."""
    if at and not in_chunk:
        request.chunk(line[:at])
        time.sleep(0.001)
        request.chunk(line[at:])
        return
    data = b"%x\r\n%s\r\n" % (len(line), line)
    at = at + data.index(line) if at else 1
    request.raw(data[:at])
    time.sleep(0.001)
    request.raw(data[at:])


def lines_since(server, version):
    """The events of pods, as UTF-8 without escapes: a split is within a
    character, too."""
    return [json.dumps({"type": kind, "object": obj},
                       ensure_ascii=False).encode() + b"\n"
            for at, kind, obj in server.history["pods"] if at > version]


@test
def an_event_may_be_split_at_every_byte(w):
    server = w.server()
    client = w.follow(server, speed=FAST)
    client.last(ALL)
    last = server.version
    sent = []

    def put(i):
        server.put("pods", "s%d" % i, "x", spec={"nodeName": "n"},
                   metadata={"annotations": {"t": "\u00e9 \U0001f600"}},
                   status={"podIP": "10.1.%d.%d" % (i // 250, i % 250 + 1)})

    def change():
        put(0)
        for i in range(1, 2 * len(lines_since(server, last)[0])):
            put(i)

    def hook(request):
        if request.resource != "pods" or sent:
            return False
        request.start()
        for i, line in enumerate(lines_since(server, last)):
            send_split(request, line, min(i // 2, len(line) - 1), i % 2)
            sent.append(line)
        server.stream(request, server.version)
        return True

    unseen(server, change, hook)
    w.truth(client, server)
    check(len(sent) >= 2 * len(sent[0]), "each byte, in two ways")
    check(count(server, "pods", "watch") == 1, "one stream for all")
    client.stop()


@test
def many_events_may_come_in_one_read(w):
    server = w.server()
    client = w.follow(server, speed=FAST)
    client.last(ALL)
    last = server.version

    def change():
        for i in range(300):
            server.pod("m%d" % i, "10.2.%d.%d" % (i // 250, i % 250 + 1))
        for i in range(0, 300, 7):
            server.delete("pods", "m%d" % i, "x")

    def hook(request):
        if request.resource != "pods" or request.what() != "watch":
            return False
        lines = lines_since(server, last)
        request.start()
        request.chunk(lines[0] + lines[1])
        request.chunk(b"".join(lines[2:]))
        server.stream(request, server.version)
        return True

    unseen(server, change, hook)
    w.truth(client, server)
    check(count(server, "pods", "watch") == 1, "one stream for all")
    client.stop()


# ---- silence ----------------------------------------------------------------


def goes_silent(w, how, **attributes):
    """The first request for pods, once the client is in sync, is answered by
    how(request) and then by nothing, on a connection that stays open. Returns
    the lists after it."""
    server = w.server(pause=0.05, **attributes)
    client = w.follow(server, speed=150)
    client.last(ALL)
    silent = []

    def hook(request):
        if silent or request.resource != "pods":
            return False
        silent.append(request)
        how(request)
        time.sleep(PATIENCE)
        return True

    server.hook = hook
    before = len(server.log)
    server.cut()
    eventually(lambda: silent, "the silence")
    server.pod("r", "10.0.0.2")
    w.truth(client, server)
    after = [r for r in server.log if r.resource == "pods" and
             r.at > silent[0].at]
    check(after and all(r.connection != silent[0].connection for r in after),
          "another connection")
    client.stop()
    return later(server, "pods", "list", before) + \
        later(server, "pods", "watchlist", before)


@test
def a_request_that_is_not_answered_is_given_up(w):
    check(not goes_silent(w, lambda request: None), "no list")


@test
def a_stream_that_says_nothing_is_given_up(w):
    check(not goes_silent(w, lambda request: request.start()), "no list")


@test
def a_stream_that_stops_within_an_event_is_given_up(w):
    def how(request):
        request.start()
        request.chunk(b'{"type":"ADDED","object":{"apiVersion":"v1","ki')

    check(not goes_silent(w, how), "no list")


@test
def a_list_that_stops_is_given_up_and_leaves_no_trace(w):
    server = w.server(watchlist=False)

    def stop(request):
        body = b'{"kind":"PodList","apiVersion":"v1","metadata":' \
            b'{"resourceVersion":"110"},"items":[{"metadata":{"name":"no",'
        request.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Content-Length: 9999\r\n\r\n" + body)
        time.sleep(PATIENCE)

    once = server.hook = Once("pods", "list", stop)
    client = w.follow(server, speed=100)
    client.last(ALL)
    w.truth(client, server)
    check(not client.has("x/no") and once.seen, "no trace")
    client.stop()


@test
def a_resource_that_hangs_holds_up_no_other(w):
    server = w.server()
    client = w.follow(server)
    client.last(ALL)

    def hook(request):
        if request.resource != "pods":
            return False
        time.sleep(PATIENCE)
        return True

    unseen(server, lambda: None, hook)
    server.put("namespaces", "y")
    client.last("namespaces=x,y ")
    server.policy("s", "y")
    client.last("policies=x/q,y/s$")
    w.truth(client, server)
    client.stop()


@test
def a_connection_without_tls_is_given_up(w):
    server = w.server()
    client = w.follow(server, speed=150)
    client.last(ALL)
    wrap = server.tls.wrap_socket
    silent = []

    class Silent:
        def wrap_socket(self, sock, **how):
            if len(silent) < 3:
                silent.append(sock)
                time.sleep(PATIENCE)
                raise OSError
            return wrap(sock, **how)

    server.tls = Silent()
    server.pod("r", "10.0.0.2")
    server.cut()
    eventually(lambda: len(silent) == 3, "one for each resource")
    w.truth(client, server, 2 * PATIENCE)
    client.stop()


@test
def a_list_may_come_a_byte_at_a_time(w):
    server = w.server(watchlist=False)

    def hook(request):
        if request.resource != "pods" or request.what() != "list":
            return False
        version, items = server.snapshot("pods")
        text = json.dumps(list_of("pods", version, items))
        request.start()
        for byte in text.encode():
            request.chunk(bytes([byte]))
            time.sleep(0.0005)
        request.end()
        return True

    server.hook = hook
    client = w.follow(server)
    client.last(ALL)
    w.truth(client, server)
    client.stop()


# ---- encodings --------------------------------------------------------------


def first_answered(w, answer, said, what="list", resource="pods", speed=FAST):
    """The first answer is this; the client says what is wrong with it, and
    takes the second. Returns the client's greatest size in kB."""
    server = w.server(watchlist=what == "watchlist")
    once = server.hook = Once(resource, what, answer)
    client = w.follow(server, speed=speed)
    if said:
        client.expect(said)
    client.last(ALL)
    w.truth(client, server)
    check(once.seen, "it was asked")
    size = hwm_kb(client)
    client.stop()
    return size


@test
def what_follows_the_last_chunk_harms_nothing(w):
    server = w.server(watchlist=False)

    def hook(request):
        if request.what() != "list":
            return False
        version, items = server.snapshot(request.resource)
        request.start()
        request.chunk(json.dumps(
            list_of(request.resource, version, items)).encode())
        request.raw(b"0\r\nX-Checksum: 1\r\nContent-Type: text/html\r\n"
                    b"Retry-After: 99\r\n\r\n")
        return True

    server.hook = hook
    client = w.follow(server, speed=FAST)
    client.last(ALL)
    w.truth(client, server)
    check(all(count(server, name, "list") == 1 for name in server.objects),
          "one list each")
    client.stop()


@test
def what_was_not_asked_to_be_packed_is_not_unpacked(w):
    bomb = gzip.compress(b" " * (64 << 20), 9)
    plain = first_answered(w, lambda r: r.send(200, b"{}"), "^waiting ")
    size = first_answered(
        w, lambda r: r.send(200, bomb, {"Content-Encoding": "gzip"}),
        "^waiting pods: ")
    check(size < plain + (32 << 10), "%d kB, without it %d" % (size, plain))

    def stream(request):
        request.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Content-Encoding: gzip\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\n")
        request.chunk(bomb)
        request.end()

    size = first_answered(w, stream, "^waiting pods: ", "watchlist")
    check(size < plain + (32 << 10), "%d kB as a stream" % size)


@test
def what_is_of_another_type_is_no_answer(w):
    page = b"<html><h1>502 Bad Gateway</h1></html>"
    for what in ("list", "watchlist"):
        first_answered(w, lambda r: r.send(200, page, kind="text/html"),
                       r'^waiting pods: an answer of type "text/html"', what)
        first_answered(w, lambda r: r.send(200, page),
                       r"^waiting pods: ", what)
        first_answered(w, lambda r: r.raw(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
            r'^waiting pods: an answer of type ""', what)
        first_answered(w, lambda r: r.send(
            200, b"k8s\0", kind="application/vnd.kubernetes.protobuf"),
            r'^waiting pods: an answer of type "application/vnd', what)
        first_answered(w, lambda r: r.send(502, page, kind="text/html"),
                       r"^waiting pods: 502", what)


@test
def an_answer_of_a_proxy_in_the_middle_of_a_stream_is_none(w):
    def answer(request):
        request.start()
        request.event("ADDED", request.server.objects["pods"]["x", "p"])
        request.chunk(b"<html><h1>502 Bad Gateway</h1></html>\n")
        request.end()

    first_answered(w, answer, r"^waiting pods: ", "watchlist")


@test
def no_redirect_of_any_kind_is_followed(w):
    other = w.server()
    for code in (301, 302, 303, 307, 308):
        first_answered(w, lambda r, code=code: r.send(code, b"", {
            "Location": "https://127.0.0.1:%d%s" % (other.port, r.path)}),
            r"^waiting pods: %d" % code)
    check(not other.log, "the other server was asked")


@test
def a_body_that_is_cut_is_no_list(w):
    def answer(request):
        body = json.dumps(list_of("pods", 105, [])).encode()
        request.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n" % (len(body) + 10) + body)
        request.sock.close()

    first_answered(w, answer, r"^waiting pods: ")


@test
def objects_may_be_as_large_as_etcd_lets_them(w):
    server = w.server()
    server.put("pods", "large", "x", spec={"nodeName": "n"},
               metadata={"annotations": {"t": "x" * (3 << 20)}},
               status={"podIP": "10.0.0.7"})
    server.put("namespaces", "y",
               metadata={"labels": {"k%d" % i: "v" * 60
                                    for i in range(20000)}})
    client = w.follow(server)
    client.last(r"x/large@10\.0\.0\.7")
    server.put("networkpolicies", "wide", "x", spec={
        "podSelector": {}, "ingress": [{"from": [
            {"ipBlock": {"cidr": "10.%d.%d.0/24" % (i // 256, i % 256)}}
            for i in range(5000)]}]})
    client.last(r"policies=x/q,x/wide")
    check(w.truth(client, server)[1] > 5000, "all of it is enforced")
    client.stop()


# ---- certificates and clocks ------------------------------------------------

TEN_YEARS = 3652 * 86400


@test
def a_stream_outlives_the_certificate_that_it_began_with(w):
    server = w.server()
    client = w.follow(server, speed=FAST)
    client.last(ALL)
    w.clock(client, TEN_YEARS, FAST)
    server.pod("r", "10.0.0.2")
    client.last(r"x/r@10\.0\.0\.2 ")
    check(count(server, "pods", "watch") == 0, "the first stream goes on")
    before = len(client.batches())
    server.cut()
    client.expect(r"^waiting \S+: .*certificate")
    server.pod("s", "10.0.0.3")
    time.sleep(0.5)
    check(len(client.batches()) == before, "nothing changes meanwhile")
    w.clock(client, 0, FAST)
    w.truth(client, server)
    client.expect("^waiting -$")
    client.stop()


@test
def a_clock_that_is_an_hour_slow_changes_nothing_that_is_known(w):
    server = w.server()
    client = w.follow(server, speed=FAST)
    client.last(ALL)
    w.clock(client, -3600, FAST)
    server.pod("r", "10.0.0.2")
    client.last(r"x/r@10\.0\.0\.2 ")
    before = len(client.batches())
    # The certificate is younger than that: not valid yet.
    server.cut()
    client.expect(r"^waiting \S+: .*certificate")
    server.delete("pods", "p", "x")
    time.sleep(0.5)
    check(len(client.batches()) == before, "nothing changes meanwhile")
    w.clock(client, 0, FAST)
    w.truth(client, server)
    client.stop()


@test
def a_ca_that_is_replaced_does_not_end_streams(w):
    server = w.server()
    path = w.write("ca.crt", w.read_cert("ca.crt"))
    client = w.follow(server, speed=FAST, **{"certificate-authority": path})
    client.last(ALL)
    w.write("ca.crt", w.read_cert("other.crt"))
    server.use(w.certs + "/other-server.pem")
    server.pod("r", "10.0.0.2")
    client.last(r"x/r@10\.0\.0\.2 ")
    check(count(server, "pods", "watch") == 0, "the first stream goes on")
    server.cut()
    server.pod("s", "10.0.0.3")
    client.last(r"x/s@10\.0\.0\.3 ")
    w.truth(client, server)
    client.stop()


@test
def a_ca_that_is_empty_at_first_is_waited_for(w):
    server = w.server()
    path = w.write("ca.crt", "")
    client = w.follow(server, speed=FAST, **{"certificate-authority": path})
    client.expect(r"^waiting \S+: cannot use the CA file")
    check(not server.log, "nobody is asked without a CA")
    w.write("ca.crt", w.read_cert("ca.crt"))
    client.last(ALL)
    w.truth(client, server)
    client.stop()
