# SPDX-License-Identifier: Apache-2.0
"""A Workload as Cilium's eBPF maps: keys and values of kmod/maps_keys.h.

An identity for each class. A policy map for each local pod, with an entry for
each identity and port. Peers must be pods.
"""
import ctypes
import errno
import os
import socket
import struct
import time

SYS_BPF = 321
MAP_CREATE, MAP_UPDATE_BATCH = 0, 26
BATCH = struct.Struct("<QQQQIIQQ")
STOCK = 4096                    # entries in one call, at most
TICK_S = 0.01
PATIENCE_S = 120
HASH, LPM_TRIE = 1, 11
NO_PREALLOC = 1
PODS = 256
IDENTITY_FIRST = 256

IPCACHE = (struct.Struct("<IHBB16s"), struct.Struct("<I16sHBB"))
ENDPOINT = (struct.Struct("<16sBBH"), struct.Struct("<I"))
POLICY = (struct.Struct("<IIBBH"), struct.Struct("<HBBII"))

libc = ctypes.CDLL(None, use_errno=True)


def create(kind, layout, most):
    key, value = layout
    attributes = struct.pack("<IIIII", kind, key.size, value.size, most,
                             NO_PREALLOC)
    fd = libc.syscall(SYS_BPF, MAP_CREATE, attributes, len(attributes))
    if fd < 0:
        error = ctypes.get_errno()
        raise OSError(error, "bpf: " + os.strerror(error))
    return fd


def update_some(fd, entries):
    """Puts [(key, value)]; how many were put before memory was short."""
    keys = ctypes.create_string_buffer(b"".join(k for k, _ in entries))
    values = ctypes.create_string_buffer(b"".join(v for _, v in entries))
    buffer = ctypes.create_string_buffer(BATCH.pack(
        0, 0, ctypes.addressof(keys), ctypes.addressof(values), len(entries),
        fd, 0, 0), BATCH.size)
    result = libc.syscall(SYS_BPF, MAP_UPDATE_BATCH, buffer, len(buffer))
    error = ctypes.get_errno()
    if result < 0 and error != errno.ENOMEM:
        raise OSError(error, "bpf: " + os.strerror(error))
    return BATCH.unpack(buffer.raw)[4]


def update(fd, entries):
    """Puts [(key, value)].

    Tries take memory from a stock that is filled again at the next tick, because
    User-Mode Linux cannot raise an interrupt on itself.
    """
    deadline = time.monotonic() + PATIENCE_S
    while entries:
        done = update_some(fd, entries[:STOCK])
        entries = entries[done:]
        if entries and not done:
            if time.monotonic() > deadline:
                raise OSError(errno.ENOMEM, "bpf: no memory for map entries")
            time.sleep(TICK_S)


def policy_entries(w, pod):
    key, value = POLICY
    return [(key.pack(64, IDENTITY_FIRST + p.peer_class, 0,
                      socket.IPPROTO_TCP, socket.htons(p.port)),
             value.pack(0, 0, 0, 0, 0))
            for p in w.app_policies(w.app_of(pod))]


def load(w):
    """(ipcache, endpoints, [policy map or -1]): files of the maps."""
    number = 1 if w.family == socket.AF_INET else 2
    ipcache = create(LPM_TRIE, IPCACHE, 512000)
    update(ipcache, [(IPCACHE[0].pack(32 + w.bits, 0, 0, number, pod),
                      IPCACHE[1].pack(IDENTITY_FIRST + c, b"", 0, 0, 0))
                     for c, pods in enumerate(w.members) for pod in pods])
    endpoints = create(HASH, ENDPOINT, 65535)
    update(endpoints, [(ENDPOINT[0].pack(pod, number, 0, 0),
                        ENDPOINT[1].pack(i))
                       for i, pod in enumerate(w.local)])
    policies = [-1] * PODS
    for pod in range(w.subjects):
        policies[pod] = create(LPM_TRIE, POLICY, 16384)
        update(policies[pod], policy_entries(w, pod))
    return ipcache, endpoints, policies
