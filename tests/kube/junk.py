# SPDX-License-Identifier: Apache-2.0
"""What is no JSON, no UTF-8, or no object: on the wire, in streams and lists."""
import json

from harness import ALL, FAST, check, eventually, test, unseen

LONG = b"x" * (16 << 20)


def pod(name, ip, meta=b"", more=b"", version=b"%d"):
    """A Pod in JSON, with more members in its metadata and in itself."""
    return (b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s",'
            b'"namespace":"x","uid":"x-%s","resourceVersion":"%s"%s},'
            b'"spec":{"nodeName":"n","containers":[]},'
            b'"status":{"phase":"Running","podIPs":[{"ip":"%s"}]}%s}' %
            (name, name, version, meta, ip, more))


def nested(depth):
    return b',"x":' + b"[" * depth + b"]" * depth


# What is taken for what it says: a member that is not needed harms nothing.
TAKEN = {
    "an escaped NUL": (b',"annotations":{"a":"x\\u0000y"}', b""),
    "a lone surrogate": (b',"annotations":{"a":"\\ud800"}', b""),
    "surrogates in the wrong order": (b',"annotations":{"a":"\\udc00\\ud800"}',
                                      b""),
    "2^63": (b',"generation":9223372036854775808', b""),
    "2^64, and more": (b',"generation":18446744073709551616,"x":1e999', b""),
    "33 levels": (b"", nested(31)),
    "65 levels": (b"", nested(63)),
    "1000 levels": (b"", nested(1000)),
    "a string of 15 MiB": (b',"annotations":{"a":"%s"}' % LONG[:15 << 20], b""),
    "a key of 1 MiB": (b',"annotations":{"%s":"a"}' % LONG[:1 << 20], b""),
    "100,000 members": (b',"annotations":{' + b",".join(
        b'"k%d":""' % i for i in range(100000)) + b"}", b""),
}

# Of which the object is refused, and named: its last good version stays.
REFUSED = {
    "a NUL in a label": (b',"labels":{"a":"x\\u0000y"}', b""),
    "labels that are a list": (b',"labels":["a"]', b""),
    "a label that is a number": (b',"labels":{"a":9223372036854775808}', b""),
    "an address that is none": (b"", b',"status":{"podIPs":[{"ip":"10.0.0"}]}'),
}

# What cannot be read at all: the stream is given up, and asked for again.
BROKEN = {
    "a NUL": b'{"type":"ADDED",\0"object":{}}',
    "a NUL in a string": b'{"type":"ADDED\0","object":{}}',
    "a byte order mark": b"\xef\xbb\xbf" + b'{"type":"ADDED","object":{}}',
    "UTF-16": '{"type":"ADDED"}'.encode("utf-16"),
    "a byte that is no UTF-8": b'{"type":"ADDED","object":{"a":"\xff"}}',
    "an overlong slash": b'{"type":"ADDED","object":{"a":"\xc0\xaf"}}',
    "a surrogate in UTF-8": b'{"type":"ADDED","object":{"a":"\xed\xa0\x80"}}',
    "half a character": b'{"type":"ADDED","object":{"a":"\xe2\x82"}}',
    "a type twice": b'{"type":"ADDED","type":"DELETED","object":{}}',
    "10,001 levels": b'{"type":"ADDED","object":' + b"[" * 10001 +
                     b"]" * 10001 + b"}",
    "half an object": b'{"type":"ADDED","object":{"kind":"Pod"',
    "two values": b'{"type":"ADDED","object":{}}{}',
    "null": b"null",
    "a list": b"[]",
    "a number": b"7",
    "a page": b"<html></html>",
    "single quotes": b"{'type':'ADDED','object':{}}",
    "a comma too much": b'{"type":"ADDED","object":{},}',
    "NaN": b'{"type":"ADDED","object":NaN}',
    "a comment": b'/* */{"type":"ADDED","object":{}}',
    "a string of 16 MiB": b'{"type":"%s","object":{}}' % LONG,
    "another kind": b'{"type":"ADDED","object":{"kind":"Service",'
                    b'"apiVersion":"v1","metadata":{"name":"a"}}}',
    "a Table": b'{"type":"ADDED","object":{"kind":"Table",'
               b'"apiVersion":"meta.k8s.io/v1","rows":[]}}',
    "a Table of old": b'{"type":"ADDED","object":{"kind":"Table",'
                      b'"apiVersion":"meta.k8s.io/v1beta1","rows":[]}}',
    "a Table of others": b'{"type":"ADDED","object":{"kind":"Table",'
                         b'"apiVersion":"example.com/v1","rows":[]}}',
}


class Lines:
    """Answers the next watch for pods with lines, and streams on from there."""

    def __init__(self, lines, version):
        self.lines, self.version = lines, version
        self.seen = []

    def __call__(self, request):
        if request.resource != "pods" or self.seen:
            return False
        self.seen.append(request)
        request.start()
        request.bookmark(self.version)
        for line in self.lines:
            request.chunk(line + b"\n")
        request.server.stream(request, self.version)
        return True


def event(kind, obj):
    return b'{"type":"%s","object":%s}' % (kind, obj)


@test
def what_is_strange_and_not_needed_harms_nothing(w):
    server = w.server()
    client = w.follow(server, speed=FAST)
    client.last(ALL)
    lines = []

    def change():
        for i, (meta, more) in enumerate(TAKEN.values()):
            server.pod("t%d" % i, "10.3.0.%d" % (i + 1))
            lines.append(event(b"ADDED", pod(
                b"t%d" % i, b"10.3.0.%d" % (i + 1), meta, more,
                b"%d" % server.version)))

    def hook(request):
        if request.resource != "pods" or request.what() != "watch" or \
                hook.seen:
            return False
        hook.seen.append(request)
        request.start()
        for line in lines:
            request.chunk(line + b"\n")
        server.stream(request, server.version)
        return True

    hook.seen = []
    unseen(server, change, hook)
    w.truth(client, server)
    check(not client.has("^fault"), "nothing is wrong")
    check(sum(r.resource == "pods" for r in server.log) == 2, "one stream")
    client.stop()


@test
def what_is_strange_in_a_list_harms_nothing(w):
    server = w.server(watchlist=False)
    items = [pod(b"t%d" % i, b"10.3.0.%d" % (i + 1), meta, more, b"5")
             for i, (meta, more) in enumerate(TAKEN.values())]
    for i in range(len(items)):
        server.pod("t%d" % i, "10.3.0.%d" % (i + 1))
    server.delete("pods", "p", "x")

    def hook(request):
        if request.resource != "pods" or request.what() != "list":
            return False
        request.send(200, b'{"kind":"PodList","apiVersion":"v1","metadata":'
                     b'{"resourceVersion":"%d"},"items":[%s]}' %
                     (server.version, b",".join(items)))
        return True

    server.hook = hook
    client = w.follow(server, speed=FAST)
    client.last("x/t0@")
    w.truth(client, server)
    check(not client.has("^fault"), "nothing is wrong")
    client.stop()


@test
def a_strange_object_is_named_and_harms_no_other(w):
    server = w.server()
    client = w.follow(server, speed=FAST)
    client.last(ALL)
    last = server.version
    lines = []
    for i, (meta, more) in enumerate(REFUSED.values()):
        # Known in a good version first.
        name, ip = b"r%d" % i, b"10.4.0.%d" % (i + 1)
        server.pod(name.decode(), ip.decode())
        if more:
            bad = pod(name, ip, meta, b"", b"%d").split(b',"status"')[0] + \
                more + b"}"
        else:
            bad = pod(name, ip, meta)
        lines.append((name, bad))
    client.last("x/r%d@" % (len(lines) - 1))

    def hook(request):
        if request.resource != "pods" or request.what() != "watch" or \
                hook.seen:
            return False
        hook.seen.append(request)
        version = server.version
        request.start()
        for name, bad in lines:
            version += 1
            request.chunk(event(b"MODIFIED", bad.replace(
                b'"resourceVersion":"%d"', b'"resourceVersion":"%d"' %
                version)) + b"\n")
        server.version = version
        server.stream(request, version)
        return True

    hook.seen = []
    unseen(server, lambda: None, hook)
    for name, _ in lines:
        client.expect(r"^fault pods: Pod x/%s: " % name.decode())
    server.pod("after", "10.4.1.1")
    client.last("x/after@")
    for i, (name, _) in enumerate(lines):
        server.pod(name.decode(), "10.4.0.%d" % (i + 1))
    client.expect("^healed$")
    w.truth(client, server)
    check(server.version > last, "versions went on")
    client.stop()


@test
def a_stream_that_cannot_be_read_is_asked_for_again(w):
    server = w.server()
    client = w.follow(server, speed=200)
    client.last(ALL)
    for i, (what, line) in enumerate(BROKEN.items()):
        hook = Lines([line], server.version)
        unseen(server, lambda i=i: server.pod("p", "10.5.0.%d" % (i + 1)),
               hook)
        eventually(lambda hook=hook: hook.seen, "a stream with %s" % what)
        client.last(r"x/p@10\.5\.0\.%d " % (i + 1))
        told = [r for r in server.log if r.resource == "pods" and
                r.at > hook.seen[0].at]
        check(told, "%s: the stream is given up" % what)
    w.truth(client, server)
    check(not client.has("^fault"), "no object is to blame")
    client.stop()


@test
def an_item_that_is_no_object_is_told_and_harms_no_other(w):
    server = w.server(watchlist=False)
    good = pod(b"p", b"10.0.0.1", b"", b"", b"5")

    def hook(request):
        if request.resource != "pods" or request.what() != "list":
            return False
        request.send(200, b'{"kind":"PodList","apiVersion":"v1","metadata":'
                     b'{"resourceVersion":"%d"},"items":[null,%s,"a"]}' %
                     (server.version, good))
        return True

    server.hook = hook
    client = w.follow(server)
    client.expect(r"^fault pods: items\[0\]: must be an object, is null$")
    client.expect(r"^fault pods: items\[2\]: must be an object, is a string$")
    w.truth(client, server)
    client.stop()


@test
def a_list_that_cannot_be_read_is_asked_for_again(w):
    server = w.server(watchlist=False)
    good = pod(b"p", b"10.0.0.1", b"", b"", b"5")
    bodies = [line for what, line in BROKEN.items() if len(line) < 1 << 20]
    bodies += [
        b'{"kind":"PodList","apiVersion":"v1","metadata":'
        b'{"resourceVersion":"105"},"items":[%s]}' % item for item in
        (good + b",", good + good, good[:-1], b"\xff")]
    left = list(bodies)

    def hook(request):
        if request.resource != "pods" or request.what() != "list" or not left:
            return False
        request.send(200, left.pop())
        return True

    server.hook = hook
    client = w.follow(server, speed=200)
    eventually(lambda: not left, "all of them", 60)
    client.last(ALL)
    w.truth(client, server)
    check(len(client.batches()) == 1, "none was taken")
    client.stop()
    w.say("# figure: lists that are none: %d, streams: %d" %
          (len(bodies), len(BROKEN)))


@test
def what_a_streamed_list_cannot_be_read_to_leaves_no_trace(w):
    for line in (BROKEN["a NUL"], BROKEN["half an object"], b"7"):
        server = w.server()
        hook = Lines([event(b"ADDED", pod(b"no", b"10.0.0.9", b"", b"", b"5")),
                      line], server.version)
        server.hook = hook
        client = w.follow(server, speed=FAST)
        client.last(ALL)
        w.truth(client, server)
        check(hook.seen and not client.has("x/no"), "no trace")
        check(json.dumps(hook.seen[0].query).count("sendInitialEvents"),
              "it was a list")
        client.stop()
