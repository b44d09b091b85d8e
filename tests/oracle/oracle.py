# SPDX-License-Identifier: Apache-2.0
"""What NetworkPolicy v1 says about one connection: a naive transcription.

Every question is answered from the objects alone, by loops over all of them:
no index, no table, no order, no code shared with anything else. It is slow on
purpose; what it says is what the comments in the API say. Only what the text
of an address means is remembered.

Each rule cites, between quotation marks, the sentence that it transcribes:
from the comments of networking.k8s.io/v1, meta/v1 and core/v1 (types.go of
k8s.io/api and k8s.io/apimachinery 0.36.3), or from the pages "Network Policies"
and "Labels and Selectors" of the Kubernetes documentation, marked [Concepts] and
[Labels]. All are word for word, but that the pages' backquotes are left out, as
is what "[...]" stands for. Where these leave a choice open, the rule is marked
[knp].
"""
import collections
import functools
import ipaddress

INGRESS, EGRESS = "Ingress", "Egress"

# Both as numbers: @number of an address, and of the first in a block.
Address = collections.namedtuple("Address", "version number")
Block = collections.namedtuple("Block", "version number host_bits")


@functools.lru_cache(maxsize=None)
def parse_address(text):
    address = ipaddress.ip_address(text)
    return Address(address.version, int(address))


@functools.lru_cache(maxsize=None)
def parse_block(text):
    # [knp] An address within the block stands for it: host bits mean nothing.
    block = ipaddress.ip_network(text, strict=False)
    return Block(block.version, int(block.network_address),
                 block.max_prefixlen - block.prefixlen)


# ---- labels ----------------------------------------------------------------

def requirement_holds(requirement, labels):
    key, operator = requirement["key"], requirement["operator"]
    values = requirement.get("values") or []
    # "If the operator is In or NotIn, the values array must be non-empty. If
    # the operator is Exists or DoesNotExist, the values array must be empty."
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":
        # [Labels] "selects all resources with key equal to tier and values
        # other than frontend and backend, and all resources with no labels
        # with the tier key"
        return key not in labels or labels[key] not in values
    if operator == "Exists":
        # [Labels] "all resources including a label with key partition; no
        # values are checked"
        return key in labels
    if operator == "DoesNotExist":
        # [Labels] "all resources without a label with key partition; no values
        # are checked"
        return key not in labels
    raise ValueError(operator)


def selector_matches(selector, labels):
    # "The result of matchLabels and matchExpressions are ANDed. An empty label
    # selector matches all objects."
    for key, value in (selector.get("matchLabels") or {}).items():
        # "A single {key,value} in the matchLabels map is equivalent to an
        # element of matchExpressions, whose key field is "key", the operator
        # is "In", and the values array contains only "value"."
        if not requirement_holds({"key": key, "operator": "In",
                                  "values": [value]}, labels):
            return False
    for requirement in selector.get("matchExpressions") or []:
        if not requirement_holds(requirement, labels):
            return False
    return True


def labels_of(obj):
    return obj["metadata"].get("labels") or {}


def namespace_selected(objects, selector, name):
    for obj in objects:
        if obj["kind"] == "Namespace" and obj["metadata"]["name"] == name:
            labels = dict(labels_of(obj))
            # [Concepts] "The Kubernetes control plane sets an immutable label
            # kubernetes.io/metadata.name on all namespaces, the value of the
            # label is the namespace name."
            labels["kubernetes.io/metadata.name"] = name
            return selector_matches(selector, labels)
    # [knp] Of a namespace whose object has not been seen only the name is
    # known. What it lacks is not known either, so a NotIn or DoesNotExist on
    # another label does not hold.
    for requirement in selector.get("matchExpressions") or []:
        if requirement["key"] != "kubernetes.io/metadata.name":
            return False
    return selector_matches(selector, {"kubernetes.io/metadata.name": name})


# ---- pods and addresses ----------------------------------------------------

def addresses_of(pod):
    # "podIPs holds the IP addresses allocated to the pod. If this field is
    # specified, the 0th entry must match the podIP field. Pods may be
    # allocated at most 1 value for each of IPv4 and IPv6. This list is empty
    # if no IPs have been allocated yet."
    status = pod.get("status") or {}
    addresses = [entry["ip"] for entry in status.get("podIPs") or []]
    if not addresses and status.get("podIP"):
        addresses = [status["podIP"]]
    return [parse_address(address) for address in addresses]


def is_subject(pod):
    """Whether policies concern this pod at all."""
    # [Concepts] of plugins that cannot tell hostNetwork pods from their node,
    # as most: one "ignores hostNetwork pods when matching podSelector and
    # namespaceSelector. Traffic to/from hostNetwork pods is treated the same
    # as all other traffic to/from the node IP."
    if (pod.get("spec") or {}).get("hostNetwork"):
        return False
    # Succeeded "means that all containers in the pod have voluntarily
    # terminated", Failed "means that all containers in the pod have
    # terminated": the address is free. A deletionTimestamp alone frees
    # nothing: "The Kubelet will react by sending a graceful termination signal
    # to the containers in the pod", which run on for a while.
    return (pod.get("status") or {}).get("phase") not in ("Succeeded",
                                                          "Failed")


def pod_at(objects, address):
    """The pod that has an address, None if it is no pod's."""
    found = None
    for pod in objects:
        if pod["kind"] != "Pod" or not is_subject(pod):
            continue
        if address not in addresses_of(pod):
            continue
        # [knp] Two running pods cannot have one address; where two objects
        # say so, the one created last tells the truth.
        if found is None or age(pod) > age(found):
            found = pod
    return found


def is_on(pod, node):
    # [knp] Each node judges for its own pods, so that a connection between two
    # nodes is judged twice.
    return node is None or (pod.get("spec") or {}).get("nodeName") == node


def age(pod):
    meta = pod["metadata"]
    return (meta.get("creationTimestamp") or "", meta.get("uid") or "",
            meta["namespace"], meta["name"])


def container_ports(pod):
    spec = pod.get("spec") or {}
    for container in spec.get("containers") or []:
        yield from container.get("ports") or []
    for container in spec.get("initContainers") or []:
        # "setting the RestartPolicy as "Always" for the init container will
        # have the following effect: this init container will be continually
        # restarted on exit until all regular containers have terminated. [...]
        # Although this init container still starts in the init container
        # sequence, it does not wait for the container to complete": it serves
        # while the pod runs, others do not.
        if container.get("restartPolicy") == "Always":
            yield from container.get("ports") or []


# ---- policies --------------------------------------------------------------

def affects(policy, direction):
    spec = policy["spec"]
    # "policyTypes is a list of rule types that the NetworkPolicy relates to."
    if spec.get("policyTypes"):
        return direction in spec["policyTypes"]
    # "If this field is not specified, it will default based on the existence
    # of ingress or egress rules; policies that contain an egress section are
    # assumed to affect egress, and all policies (whether or not they contain
    # an ingress section) are assumed to affect ingress."
    return direction == INGRESS or bool(spec.get("egress"))


def selects(policy, pod, direction):
    # "podSelector selects the pods to which this NetworkPolicy object applies.
    # [...] An empty selector matches all pods in the policy's namespace. [...]
    # This field is optional. If it is not specified, it defaults to an empty
    # selector."
    return (policy["metadata"]["namespace"] == pod["metadata"]["namespace"] and
            affects(policy, direction) and
            selector_matches(policy["spec"].get("podSelector") or {},
                             labels_of(pod)))


def outlives(objects, policy):
    """Whether a policy holds on although its object was deleted."""
    # [knp] Of kubernetes/kubernetes issue 126587, CVE-2024-7598: "The order in
    # which objects are deleted during namespace termination is not defined, and
    # it is possible for network policies to be deleted before the pods that
    # they protect." So they hold while there is a pod to protect.
    name = policy["metadata"]["namespace"]
    ends = [obj for obj in objects if obj["kind"] == "Namespace" and
            obj["metadata"]["name"] == name and
            obj["metadata"].get("deletionTimestamp") is not None]
    pods = [obj for obj in objects if obj["kind"] == "Pod" and
            obj["metadata"]["namespace"] == name]
    return bool(ends) and bool(pods)


def peer_matches(objects, policy, peer, address):
    if peer.get("ipBlock") is not None:
        # "ipBlock defines policy on a particular IPBlock. If this field is set
        # then neither of the other fields can be."
        return block_matches(peer["ipBlock"], address)
    pod = pod_at(objects, address)
    if pod is None:
        return False
    namespace = pod["metadata"]["namespace"]
    if peer.get("namespaceSelector") is not None:
        # "namespaceSelector selects namespaces using cluster-scoped labels.
        # [...] if present but empty, it selects all namespaces."
        if not namespace_selected(objects, peer["namespaceSelector"],
                                  namespace):
            return False
    elif namespace != policy["metadata"]["namespace"]:
        # "Otherwise it selects the pods matching podSelector in the policy's
        # own namespace."
        return False
    if peer.get("podSelector") is None:
        # "Otherwise it selects all pods in the namespaces selected by
        # namespaceSelector."
        return True
    # "If namespaceSelector is also set, then the NetworkPolicyPeer as a whole
    # selects the pods matching podSelector in the Namespaces selected by
    # NamespaceSelector."
    return selector_matches(peer["podSelector"], labels_of(pod))


def in_block(text, address):
    # "Valid examples are "192.168.1.0/24" or "2001:db8::/64"": each is of one
    # family, so 0.0.0.0/0 has no IPv6 address in it.
    block = parse_block(text)
    return (block.version == address.version and
            (block.number ^ address.number) >> block.host_bits == 0)


def block_matches(block, address):
    # "IPBlock describes a particular CIDR [...] that is allowed [...] The
    # except entry describes CIDRs that should not be included within this
    # rule."
    if not in_block(block["cidr"], address):
        return False
    for text in block.get("except") or []:
        if in_block(text, address):
            return False
    return True


def port_matches(entry, target, protocol, number):
    """@target: the pod whose port names count, None if it is no pod."""
    # "protocol represents the protocol (TCP, UDP, or SCTP) which traffic must
    # match. If not specified, this field defaults to TCP."
    if (entry.get("protocol") or "TCP") != protocol:
        return False
    port = entry.get("port")
    # "If this field is not provided, this matches all port names and numbers."
    if port is None:
        return True
    # "This can either be a numerical or named port on a pod."
    if isinstance(port, str):
        if target is None:
            return False
        for named in container_ports(target):
            if (named.get("name") == port and
                    (named.get("protocol") or "TCP") == protocol and
                    named["containerPort"] == number):
                return True
        return False
    # "endPort indicates that the range of ports from port to endPort if set,
    # inclusive, should be allowed by the policy."
    end = entry.get("endPort")
    return port <= number <= (port if end is None else end)


def ports_match(rule, target, protocol, number):
    # "Each item in this list is combined using a logical OR. If this field is
    # empty or missing, this rule matches all ports (traffic not restricted by
    # port)."
    if not rule.get("ports"):
        return True
    for entry in rule["ports"]:
        if port_matches(entry, target, protocol, number):
            return True
    return False


def applying_rules(objects, direction, pod, peer, target):
    """The rules under which the policies of a pod let it talk with a peer.

    @target: the pod at which the connection ends, None if it is no pod.
    Returns pairs of a rule and the pod whose port names count in it, or None
    where nothing isolates the pod.
    """
    isolated = False
    applying = []
    for policy in objects:
        if policy["kind"] != "NetworkPolicy" or not selects(policy, pod,
                                                            direction):
            continue
        isolated = True
        rules = "ingress" if direction == INGRESS else "egress"
        # "Multiple network policies can select the same set of pods. In this
        # case, the ingress rules for each are combined additively." [Concepts]
        # "the connections allowed in that direction from that pod is the union
        # of what the applicable policies allow. Thus, order of evaluation does
        # not affect the policy result."
        for rule in policy["spec"].get(rules) or []:
            peers = rule.get("from" if direction == INGRESS else "to")
            # "Items in this list are combined using a logical OR operation. If
            # this field is empty or missing, this rule matches all sources
            # (traffic not restricted by source)."
            if not peers:
                applying.append((rule, target))
            for one in peers or []:
                if not peer_matches(objects, policy, one, peer):
                    continue
                # [knp] A port name is that of "a pod", and who writes an
                # ipBlock means addresses: towards one a port name matches
                # nothing.
                if direction == EGRESS and one.get("ipBlock") is not None:
                    applying.append((rule, None))
                else:
                    applying.append((rule, target))
    return applying if isolated else None


def sides_between(objects, source, destination, node=None):
    """What must allow a connection: for each isolated side, applying_rules().

    @objects: Pods, Namespaces and NetworkPolicies as the API shows them.
    @source, @destination: of parse_address(), of one family.
    @node: ask only the policies of pods on this node; None: of all.

    "OR if the traffic source is the pod's local node" is not asked: here an
    address that is no pod's is on no node.
    """
    sender = pod_at(objects, source)
    receiver = pod_at(objects, destination)
    # [Concepts] "exception: a pod cannot block access to itself"
    if sender is not None and sender is receiver:
        return []
    # [Concepts] "For a connection from a source pod to a destination pod to be
    # allowed, both the egress policy on the source pod and the ingress policy
    # on the destination pod need to allow the connection."
    sides = []
    if sender is not None and is_on(sender, node):
        sides.append(applying_rules(objects, EGRESS, sender, destination,
                                    receiver))
    if receiver is not None and is_on(receiver, node):
        sides.append(applying_rules(objects, INGRESS, receiver, source,
                                    receiver))
    # "Traffic is allowed to a pod if there are no NetworkPolicies selecting
    # the pod", "Outgoing traffic is allowed if there are no NetworkPolicies
    # selecting the pod"
    return [side for side in sides if side is not None]


def sides_allow(sides, protocol, number):
    # "OR if the traffic matches at least one ingress rule across all of the
    # NetworkPolicy objects whose podSelector matches the pod. If this field is
    # empty then this NetworkPolicy does not allow any traffic"
    for applying in sides:
        found = False
        for rule, target in applying:
            # "The traffic must match both ports and from." (and: "both ports
            # and to.")
            if ports_match(rule, target, protocol, number):
                found = True
                break
        if not found:
            return False
    return True


def allowed(objects, source, destination, protocol, number):
    """Whether a connection between two addresses may be made."""
    return sides_allow(sides_between(objects, source, destination), protocol,
                       number)


def addresses_at(objects, pod):
    """The addresses at which a pod is found: its own, or its node's."""
    if (pod.get("spec") or {}).get("hostNetwork"):
        if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            return []
        return addresses_of(pod)
    return [address for address in addresses_of(pod)
            if pod_at(objects, address) is pod]


def pods_allowed(objects, sender, receiver, protocol, number):
    """Whether one pod reaches another over every family that both have.

    None if there is no such family.
    """
    verdict = None
    for source in addresses_at(objects, sender):
        for destination in addresses_at(objects, receiver):
            if source.version != destination.version:
                continue
            if sender is receiver:
                verdict = True
            elif not allowed(objects, source, destination, protocol, number):
                return False
            else:
                verdict = True
    return verdict
