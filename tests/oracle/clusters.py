# SPDX-License-Identifier: Apache-2.0
"""Random clusters: Namespaces, Pods and NetworkPolicies that collide.

Everything is drawn from small pools, so that labels, names, addresses, blocks
and ports meet; every list and map also comes absent, null and empty.
"""
import ipaddress

NAMESPACES = ["a", "b", "a-b", "c"]
KEYS = ["k", "l", "m"]
VALUES = ["", "1", "2"]
PROTOCOLS = ["TCP", "UDP", "SCTP"]
PORT_NAMES = ["http", "dns", "x"]
NUMBERS = [1, 53, 80, 81, 82, 8080, 65535]
PHASES = ["Running"] * 24 + ["Pending", "Succeeded", "Failed"]
TIMES = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]
NODES = ["192.168.0.1", "192.168.0.2", "fd00:0:0:1::1"]
NODE_NAMES = ["n1", "n2"]
V4 = ["10.0.0.%d" % n for n in range(10)] + [
    "10.0.1.0", "10.0.1.255", "10.128.0.1", "0.0.0.1", "127.255.255.255",
    "128.0.0.0", "255.255.255.254"]
V6 = ["fd00::%x" % n for n in range(8)] + [
    "fd00::1:0", "fd00:0:0:1::", "7fff:ffff::1", "8000::", "::2",
    "fd00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]
LENGTHS4 = [0, 1, 2, 7, 8, 9, 15, 16, 23, 24, 25, 28, 29, 30, 31, 32]
LENGTHS6 = [0, 1, 2, 8, 48, 63, 64, 65, 112, 120, 121, 125, 126, 127, 128]


def one_of_shapes(random, value, empty):
    """absent (None), null, empty, or the value: ("absent",) or (value,)."""
    shape = random.choice(["absent", "null", "empty"] + ["value"] * 15)
    if shape == "absent":
        return ()
    return ({"null": None, "empty": empty}.get(shape, None)
            if shape != "value" else value(),)


def put(random, target, key, value, empty):
    """Sets a field in one of the shapes that it can have."""
    shape = one_of_shapes(random, value, empty)
    if shape:
        target[key] = shape[0]


def some(random, most, make):
    return [make() for _ in range(random.randint(1, most))]


def labels(random):
    return {key: random.choice(VALUES) for key in KEYS
            if random.random() < 0.5}


def requirement(random, keys):
    operator = random.choice(["In", "NotIn", "Exists", "DoesNotExist"])
    result = {"key": random.choice(keys), "operator": operator}
    if operator in ("In", "NotIn"):
        pool = VALUES + (NAMESPACES if "/" in result["key"] else [])
        result["values"] = some(random, 3, lambda: random.choice(pool))
    elif random.random() < 0.3:
        result["values"] = []
    return result


def selector(random, of_namespaces=False, empty=0.15):
    keys = KEYS + (["kubernetes.io/metadata.name"] if of_namespaces else [])
    result = {}
    if random.random() < empty:
        return result

    def match_labels():
        key = random.choice(keys)
        return {key: random.choice(NAMESPACES if "/" in key else VALUES)}

    kind = random.choice(["labels", "expressions", "expressions", "both"])
    if kind != "expressions":
        put(random, result, "matchLabels", match_labels, {})
    if kind != "labels":
        put(random, result, "matchExpressions",
            lambda: some(random, 2, lambda: requirement(random, keys)), [])
    return result


def block(random):
    """A CIDR, often with host bits, and excepts inside it."""
    v6 = random.random() < 0.4
    address = random.choice(V6 + NODES[2:] if v6 else V4 + NODES[:2])
    lengths = LENGTHS6 if v6 else LENGTHS4
    length = random.choice(lengths)
    result = {"cidr": "%s/%d" % (address, length)}
    outer = ipaddress.ip_network(result["cidr"], strict=False)
    if random.random() < 0.5:
        return result
    inside = [one for one in (V6 if v6 else V4)
              if ipaddress.ip_address(one) in outer] or [address]

    def excepts():
        return some(random, 3, lambda: "%s/%d" % (
            random.choice(inside),
            random.choice([one for one in lengths if one >= length])))

    put(random, result, "except", excepts, [])
    return result


def peer(random):
    kind = random.choice(["pods", "namespaces", "both", "block"])
    result = {}
    if kind == "block":
        result["ipBlock"] = block(random)
    if kind in ("pods", "both"):
        result["podSelector"] = selector(random)
    if kind in ("namespaces", "both"):
        result["namespaceSelector"] = selector(random, True)
    for key in ("podSelector", "namespaceSelector", "ipBlock"):
        if key not in result and random.random() < 0.1:
            result[key] = None
    return result


def port(random):
    result = {}
    if random.random() < 0.7:
        result["protocol"] = random.choice(PROTOCOLS + ["TCP", None])
    kind = random.choice(["none", "number", "range", "range", "name", "name"])
    if kind == "name":
        result["port"] = random.choice(PORT_NAMES + ["unknown"])
    elif kind in ("number", "range"):
        result["port"] = random.choice(NUMBERS)
    if kind == "range":
        result["endPort"] = random.choice([number for number in NUMBERS
                                           if number >= result["port"]])
    elif random.random() < 0.1:
        result["endPort"] = None
    return result


def rule(random, peers):
    result = {}
    put(random, result, peers, lambda: some(random, 2, lambda: peer(random)),
        [])
    put(random, result, "ports", lambda: some(random, 3, lambda: port(random)),
        [])
    return result


def policy(random, namespace, name):
    spec = {}
    put(random, spec, "podSelector", lambda: selector(random, empty=0.3), {})
    for rules, peers in (("ingress", "from"), ("egress", "to")):
        put(random, spec, rules,
            lambda peers=peers: some(random, 2, lambda: rule(random, peers)),
            [])
    put(random, spec, "policyTypes", lambda: random.choice(
        [["Ingress"], ["Egress"], ["Ingress", "Egress"],
         ["Egress", "Ingress"]]), [])
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": namespace,
                         "uid": "%032x" % random.getrandbits(128)},
            "spec": spec}


def container(random, name):
    ports = []
    for _ in range(random.randint(0, 3)):
        one = {"containerPort": random.choice(NUMBERS)}
        if random.random() < 0.8:
            one["name"] = random.choice(PORT_NAMES)
        if random.random() < 0.7:
            one["protocol"] = random.choice(PROTOCOLS)
        ports.append(one)
    result = {"name": name, "image": "none"}
    put(random, result, "ports", lambda: ports, [])
    return result


def pod(random, namespace, name, free):
    """@free: addresses that nobody has yet; others are taken again."""
    spec = {"nodeName": random.choice(NODE_NAMES),
            "containers": [container(random, "c%d" % n)
                           for n in range(random.randint(1, 2))]}
    if random.random() < 0.3:
        init = container(random, "i")
        if random.random() < 0.6:
            init["restartPolicy"] = "Always"
        spec["initContainers"] = [init]
    host = random.random() < 0.07
    if host:
        spec["hostNetwork"] = True
    ips = []
    for family, chance in ((V4, 0.95), (V6, 0.4)):
        if random.random() >= chance:
            continue
        if host:
            pool = [node for node in NODES if (":" in node) ==
                    (family is V6)]
        else:
            pool = [one for one in family if one in free]
        if not pool or (not host and random.random() < 0.1):
            pool = family
        ips.append(random.choice(pool))
        free.discard(ips[-1])
    random.shuffle(ips)
    status = {"phase": random.choice(PHASES)}
    if ips:
        status["podIP"] = ips[0]
        # Old objects have podIP alone.
        if len(ips) > 1 or random.random() < 0.7:
            status["podIPs"] = [{"ip": ip} for ip in ips]
    meta = {"name": name, "namespace": namespace}
    put(random, meta, "labels", lambda: labels(random), {})
    # A manifest has none; then the names say who of two is the older.
    if random.random() < 0.7:
        meta["uid"] = "%032x" % random.getrandbits(128)
    if random.random() < 0.8:
        meta["creationTimestamp"] = random.choice(TIMES)
    if random.random() < 0.05:
        meta["deletionTimestamp"] = TIMES[-1]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta,
            "spec": spec, "status": status}


def namespace(random, name):
    meta = {"name": name}
    put(random, meta, "labels", lambda: labels(random), {})
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


def cluster(random, pods=14, policies=12):
    """A list of objects in no particular order."""
    objects = []
    for name in NAMESPACES:
        if random.random() < 0.1:
            continue    # its pods are there before it
        objects.append(namespace(random, name))
    free = set(V4 + V6)
    for number in range(random.randint(2, pods)):
        objects.append(pod(random, random.choice(NAMESPACES[:2] + NAMESPACES),
                           "p%d" % number, free))
    names = set()
    for number in range(random.randint(0, policies)):
        full = (random.choice(NAMESPACES[:3]),
                random.choice(["p0", "p1", "q%d" % number]))
        if full not in names:
            names.add(full)
            objects.append(policy(random, *full))
    return objects


def flow_ends(random, pods):
    """Names of pods, addresses of pods, and addresses of nobody."""
    kind = random.choice(["pod", "v4", "v6"])
    if kind == "pod" and pods:
        return random.choice(pods)
    return random.choice(V6 + NODES[2:] if kind == "v6" else V4 + NODES[:2])
