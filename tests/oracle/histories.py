# SPDX-License-Identifier: Apache-2.0
"""Random histories: what happens to a random cluster, as watch events."""
import copy
import itertools

import clusters
import follower

STEPS = 12
# A restart at each of these places, see address_histories().
RESTARTS = 6
# Pods and policies at most; now and then a large cluster.
SIZES = [(4, 3)] * 6 + [(8, 6)] * 5 + [(14, 12)] * 2 + [(50, 30)]


class World:
    """The objects that there are, and events that change them."""

    def __init__(self, random, objects):
        self.random = random
        self.state = {}
        self.events = []
        self.counter = 100
        for obj in objects:
            self.put(obj)

    def put(self, obj):
        name = follower.name_of(obj)
        kind = "MODIFIED" if name in self.state else "ADDED"
        event = {"type": kind, "object": copy.deepcopy(obj)}
        follower.apply_event(self.state, event)
        self.events.append(event)

    def delete(self, obj):
        """The last state comes with the event, as from an API server."""
        event = {"type": "DELETED", "object": copy.deepcopy(obj)}
        follower.apply_event(self.state, event)
        self.events.append(event)

    def some(self, kind):
        """A copy of one of a kind, None if there is none."""
        found = [obj for name, obj in sorted(self.state.items())
                 if name[0] == kind]
        return copy.deepcopy(self.random.choice(found)) if found else None

    def fresh(self, prefix):
        self.counter += 1
        return "%s%d" % (prefix, self.counter)

    def free(self):
        taken = set()
        for obj in self.state.values():
            status = obj.get("status") or {}
            taken |= {entry["ip"] for entry in status.get("podIPs") or []}
        return set(clusters.V4 + clusters.V6) - taken

    def take(self):
        events, self.events = self.events, []
        return events


# ---- what may happen: each returns nothing, and may do nothing ------------

def add_pod(world):
    namespace = world.random.choice(clusters.NAMESPACES)
    world.put(clusters.pod(world.random, namespace, world.fresh("p"),
                           world.free()))


def delete_one(kind):
    """Of a namespace, the objects may still be there."""
    def happening(world):
        obj = world.some(kind)
        if obj:
            world.delete(obj)
    return happening


def relabel_pod(world):
    pod = world.some("Pod")
    if pod:
        clusters.put(world.random, pod["metadata"], "labels",
                     lambda: clusters.labels(world.random), {})
        world.put(pod)


def change_ports(world):
    pod = world.some("Pod")
    if pod:
        pod["spec"]["containers"] = [clusters.container(world.random, "c0")]
        world.put(pod)


def change_phase(world):
    pod = world.some("Pod")
    if pod:
        pod["status"]["phase"] = world.random.choice(
            ["Pending", "Running", "Succeeded", "Failed"])
        world.put(pod)


def terminate(world):
    pod = world.some("Pod")
    if pod:
        pod["metadata"]["deletionTimestamp"] = clusters.TIMES[-1]
        world.put(pod)


def set_addresses(pod, ips):
    pod["status"]["podIP"] = ips[0] if ips else ""
    pod["status"]["podIPs"] = [{"ip": ip} for ip in ips]


def change_addresses(world):
    """Another address, none any more, or one more."""
    pod = world.some("Pod")
    if pod:
        free = sorted(world.free())
        ips = [ip for family in (clusters.V4, clusters.V6) for ip in
               [one for one in free if one in family][:1]]
        set_addresses(pod, world.random.choice([[], ips[:1], ips, ips[::-1]]))
        world.put(pod)


def hand_over(world):
    """Another pod gets the addresses, before or after the first is gone."""
    old, new = world.some("Pod"), world.some("Pod")
    if not old or follower.name_of(old) == follower.name_of(new):
        return
    if world.random.random() < 0.5:
        new = clusters.pod(world.random, new["metadata"]["namespace"],
                           world.fresh("p"), world.free())
    status = old["status"]
    set_addresses(new, [entry["ip"] for entry in status.get("podIPs") or []])
    gone = copy.deepcopy(old)
    gone["status"]["phase"] = "Succeeded"
    steps = [lambda: world.put(new)]
    steps.append(world.random.choice([lambda: world.put(gone),
                                      lambda: world.delete(old),
                                      lambda: None]))
    world.random.shuffle(steps)
    for step in steps:
        step()


def recreate_pod(world):
    """The same name, another pod; with or without the DELETED."""
    old = world.some("Pod")
    if old:
        meta = old["metadata"]
        if world.random.random() < 0.5:
            world.delete(old)
        world.put(clusters.pod(world.random, meta["namespace"], meta["name"],
                               world.free()))


def add_policy(world):
    namespace = world.random.choice(clusters.NAMESPACES[:3])
    world.put(clusters.policy(world.random, namespace, world.fresh("q")))


def update_policy(world):
    """In place: all of the spec, or one field of it."""
    policy = world.some("NetworkPolicy")
    if policy:
        meta = policy["metadata"]
        other = clusters.policy(world.random, meta["namespace"], meta["name"])
        field = world.random.choice(["podSelector", "ingress", "egress",
                                     "policyTypes", None])
        if field is None:
            policy["spec"] = other["spec"]
        elif field in other["spec"]:
            policy["spec"][field] = other["spec"][field]
        else:
            policy["spec"].pop(field, None)
        world.put(policy)


def put_namespace(world):
    """New, late, or relabelled."""
    world.put(clusters.namespace(world.random,
                                 world.random.choice(clusters.NAMESPACES)))


def recreate_namespace(world):
    namespace = world.some("Namespace")
    if namespace:
        name = namespace["metadata"]["name"]
        world.delete(namespace)
        if world.random.random() < 0.5:
            for obj in sorted(world.state.values(), key=follower.name_of):
                if obj["metadata"].get("namespace") == name:
                    world.delete(obj)
        world.put(clusters.namespace(world.random, name))


def end_namespace(world):
    """It has a deletionTimestamp now."""
    namespace = world.some("Namespace")
    if namespace:
        namespace["metadata"]["deletionTimestamp"] = clusters.TIMES[-1]
        world.put(namespace)


def finish_namespace(world):
    """One that ends loses some of its objects, in any order, or all."""
    ending = [name for (kind, _, name), obj in sorted(world.state.items())
              if kind == "Namespace" and
              "deletionTimestamp" in obj["metadata"]]
    if not ending:
        end_namespace(world)
        return
    name = world.random.choice(ending)
    inside = [obj for _, obj in sorted(world.state.items())
              if obj["metadata"].get("namespace") == name]
    world.random.shuffle(inside)
    if world.random.random() < 0.5:
        # As a controller that has not heard of pods first.
        inside.sort(key=lambda obj: obj["kind"] == "Pod")
    whole = world.random.random() < 0.3
    for obj in inside if whole else inside[:world.random.randint(1, 3)]:
        world.delete(obj)
    if whole:
        world.delete(world.state["Namespace", "", name])


def say_again(world):
    """An event that changes nothing."""
    obj = world.some(world.random.choice(["Pod", "Namespace",
                                          "NetworkPolicy"]))
    if obj:
        world.put(obj)


def delete_unknown(world):
    world.delete(clusters.pod(world.random, "a", "nobody", set()))


def restart(world):
    world.events.append({"type": world.random.choice(["restart", "forget"])})


HAPPENINGS = [
    add_pod, add_pod, delete_one("Pod"), relabel_pod, relabel_pod,
    change_ports, change_ports, change_phase, terminate, change_addresses,
    hand_over, hand_over, hand_over, recreate_pod, add_policy, add_policy,
    delete_one("NetworkPolicy"), update_policy, update_policy, update_policy,
    put_namespace, put_namespace, put_namespace, delete_one("Namespace"),
    recreate_namespace, end_namespace, finish_namespace, finish_namespace,
    finish_namespace, say_again, delete_unknown, restart,
]


def history(random):
    """A cluster that comes in some order, and what happens to it then."""
    pods, policies = random.choice(SIZES)
    objects = clusters.cluster(random, pods, policies)
    random.shuffle(objects)
    world = World(random, objects)
    first = world.take()
    cut = random.randint(0, len(first))
    steps = [part for part in (first[:cut], first[cut:]) if part]
    while len(steps) < STEPS:
        for _ in range(random.choice([1, 1, 1, 2, 4])):
            random.choice(HAPPENINGS)(world)
        steps.append(world.take())
    return {"node": random.choice([None, "n1"]), "steps": steps}


# ---- policies that cannot be read as a whole --------------------------------

def places(value):
    """Every map and every list in an object, the outer before the inner."""
    if isinstance(value, (dict, list)):
        yield value
        for inner in (value.values() if isinstance(value, dict) else value):
            yield from places(inner)


def damage(random, policy):
    """One field more, or a value of the wrong type, somewhere in the spec."""
    policy = copy.deepcopy(policy)
    place = random.choice(list(places(policy["spec"])))
    if not place or (isinstance(place, dict) and random.random() < 0.5):
        place = place if isinstance(place, dict) else policy["spec"]
        place["surprise"] = 1
    else:
        key = random.choice(list(place) if isinstance(place, dict) else
                            range(len(place)))
        place[key] = {"surprise": [1]}
    return policy


def damaged_history(random):
    """As history(), and a third of the policies are not what they were."""
    told = history(random)
    for step in told["steps"]:
        for event in step:
            if (event["type"] != "DELETED" and random.random() < 0.3 and
                    event.get("object", {}).get("kind") == "NetworkPolicy"):
                event["sent"] = damage(random, event["object"])
    return told


# ---- an address that passes from one pod to another ------------------------

def labelled(name, label, ip, created, phase):
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "x", "uid": name * 32,
                     "labels": {"app": label}, "creationTimestamp": created},
        "spec": {"nodeName": "n1", "containers": [
            {"name": "c", "ports": [{"name": "http", "containerPort":
                                     80 if name == "a" else 81}]}]},
        "status": {"phase": phase, "podIP": ip, "podIPs": [{"ip": ip}]}}


def only_from(subject, peer):
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": subject, "namespace": "x"},
            "spec": {"podSelector": {"matchLabels": {"app": subject}},
                     "policyTypes": ["Ingress", "Egress"],
                     "ingress": [{"from": [{"podSelector": {
                         "matchLabels": {"app": peer}}}],
                         "ports": [{"port": "http"}]}],
                     "egress": [{"ports": [{"port": "http"}]}]}}


def address_histories():
    """All orders of the events of two pods that have one address in turn.

    The first comes, has ended and is deleted; the second comes and is ready.
    Each order is also told with a restart at each place.
    """
    ip = "10.0.0.1"
    around = [labelled("c", "c", "10.0.0.2", clusters.TIMES[0], "Running"),
              only_from("a", "c"), only_from("b", "nobody"),
              only_from("c", "a")]
    for created in itertools.product(clusters.TIMES, clusters.TIMES):
        one = [{"type": kind, "object": labelled("a", "a", ip, created[0],
                                                 phase)}
               for kind, phase in (("ADDED", "Running"),
                                   ("MODIFIED", "Succeeded"),
                                   ("DELETED", "Succeeded"))]
        two = [{"type": kind, "object": labelled("b", "b", ip, created[1],
                                                 phase)}
               for kind, phase in (("ADDED", "Pending"),
                                   ("MODIFIED", "Running"))]
        for places in itertools.combinations(range(5), 2):
            ones, twos = iter(one), iter(two)
            order = [next(twos) if place in places else next(ones)
                     for place in range(5)]
            for stop in range(RESTARTS):
                steps = [[{"type": "ADDED", "object": obj} for obj in around]]
                steps += [[event] for event in order]
                steps[stop].append({"type": "restart"})
                yield {"node": None, "steps": steps}
