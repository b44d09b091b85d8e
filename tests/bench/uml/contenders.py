# SPDX-License-Identifier: Apache-2.0
"""Who judges a Workload's packets: each in a network namespace of its own.

A Contender loads its rules into the namespace the process is in, and says how
the lane of kmod/knp_bench.h is made.
"""
import array
import ctypes
import os
import socket
import subprocess

import cilium
import iptables_calico
import iptables_kube_router
import iptables_npm
import iptables_single
import knp
import model
import nft_rules

NONE, EMPTY, HOOKS, MAPS = range(4)
FORWARD, POST_ROUTING = 2, 4
CLONE_NEWNET = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)


def run(command, text=""):
    done = subprocess.run(command, input=text.encode(),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise RuntimeError("%s: %s" % (" ".join(command),
                                       done.stdout.decode()[-500:]))


def new_namespace():
    """Moves this process into an empty network namespace; its file."""
    if libc.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    run(["ip", "link", "set", "lo", "up"])
    return os.open("/proc/self/ns/net", os.O_RDONLY)


class Contender:
    """One that does nothing: the control whose time is subtracted."""
    kind = NONE
    hook = FORWARD
    devices = False
    bit = model.POLICY
    judges = False              # whether its verdicts are to be checked

    def __init__(self, name):
        self.name = name
        self.maps = (-1, -1, None)

    def load(self, w):
        """Fills the namespace this process is in."""


class Empty(Contender):
    """A hook that accepts everything."""
    kind = EMPTY


class Knp(Contender):
    kind = HOOKS
    hook = POST_ROUTING
    judges = True

    def load(self, w):
        channel = knp.Channel()
        channel.attach()
        channel.commit(knp.Tables(w).records)


class Rules(Contender):
    """Rules of a packet filter, as @render(workload) writes them."""
    kind = HOOKS
    judges = True

    def __init__(self, name, render, bit=model.POLICY, devices=False):
        super().__init__(name)
        self.render, self.bit, self.devices = render, bit, devices


class Nft(Rules):
    """A rule set of nft_rules."""

    def load(self, w):
        run(["nft", "-f", "-"], self.render(w))


class Iptables(Rules):
    """Rules and sets of one of the iptables_ files."""

    def load(self, w):
        sets, rules = self.render(w)
        run(["ipset", "restore"], sets)
        run(["iptables-legacy-restore" if w.family == socket.AF_INET else
             "ip6tables-legacy-restore"], rules)


class Cilium(Contender):
    kind = MAPS
    judges = True

    def load(self, w):
        ipcache, endpoints, policies = cilium.load(w)
        self.maps = (ipcache, endpoints, array.array("i", policies))


def module(m):
    return lambda w: (m.sets(w), m.rules(w))


def make(names):
    """New contenders, by name."""
    every = {
        "none": Contender, "empty": Empty, "knp": Knp, "cilium": Cilium,
        "nft-vmap": lambda n: Nft(n, nft_rules.verdict_map),
        "nft-ct-vmap": lambda n: Nft(
            n, lambda w: nft_rules.verdict_map(w, True)),
        "nft-intervals": lambda n: Nft(n, nft_rules.intervals),
        "nft-one-interval": lambda n: Nft(n, nft_rules.one_interval_set,
                                          model.BLOCKS),
        "nft-kube-router": lambda n: Nft(n, nft_rules.kube_router),
        "nft-calico": lambda n: Nft(n, nft_rules.calico, devices=True),
        "ipset-pairs": lambda n: Iptables(n, iptables_single.pairs),
        "ipset-ip": lambda n: Iptables(n, iptables_single.peers,
                                       model.CLUSTER),
        "ipset-net": lambda n: Iptables(n, iptables_single.blocks,
                                        model.BLOCKS),
        "npm": lambda n: Iptables(n, module(iptables_npm)),
        "kube-router": lambda n: Iptables(n, module(iptables_kube_router)),
        "calico": lambda n: Iptables(n, module(iptables_calico),
                                     devices=True),
    }
    return [every[name](name) for name in names]


def add_devices():
    run(["ip", "-batch", "-"], "".join(
        "link add %s type dummy\n" % iptables_calico.device(pod)
        for pod in range(model.LOCAL)))
