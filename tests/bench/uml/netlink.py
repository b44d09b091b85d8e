# SPDX-License-Identifier: Apache-2.0
"""Just enough netlink: messages that are built before the clock starts."""
import os
import socket
import struct
import time

REQUEST, ACK, DUMP = 1, 4, 0x300
CREATE = 0x400
ERROR = 2

NETFILTER, GENERIC = 12, 16


def attr(kind, data):
    return (struct.pack("<HH", 4 + len(data), kind) + data +
            b"\0" * (-len(data) % 4))


def nest(kind, *attrs):
    return attr(kind | 0x8000, b"".join(attrs))


def message(kind, flags, payload):
    """A message; a Socket puts the number in when it sends it."""
    return bytearray(struct.pack("<IHHII", 16 + len(payload), kind, flags, 0,
                                 0) + payload)


def attributes(data):
    """{kind: value} of a sequence of attributes."""
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("<HH", data)
        found[kind & 0x3fff] = data[4:length]
        data = data[(length + 3) & ~3:]
    return found


class Socket:
    """A socket of the network namespace in which it was made."""

    def __init__(self, protocol):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                    protocol)
        self.socket.bind((0, 0))
        # SO_SNDBUFFORCE, SO_RCVBUFFORCE: one send may be a whole table.
        self.socket.setsockopt(socket.SOL_SOCKET, 32, 64 << 20)
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)

    def close(self):
        self.socket.close()

    def receive(self):
        """[(type, payload)] of the next datagram."""
        data = self.socket.recv(1 << 20)
        result = []
        while len(data) >= 16:
            length, kind = struct.unpack_from("<IH", data)
            result.append((kind, data[16:length]))
            data = data[(length + 3) & ~3:]
        return result

    def acks(self, count):
        """Waits for so many acknowledgements or answers."""
        while count:
            for kind, payload in self.receive():
                if kind == ERROR:
                    error = -struct.unpack_from("<i", payload)[0]
                    if error:
                        raise OSError(error, os.strerror(error))
                count -= 1

    def send(self, datagrams, acks):
        """Sends prebuilt datagrams, waits for acks; returns the seconds."""
        start = time.perf_counter()
        for datagram in datagrams:
            self.socket.send(datagram)
            if acks == "each":
                self.acks(1)
        if acks != "each":
            self.acks(acks)
        return time.perf_counter() - start


def family(name):
    """The number of a generic netlink family."""
    sock = Socket(GENERIC)
    sock.socket.send(message(16, REQUEST, struct.pack("<BBxx", 3, 1) +
                             attr(2, name.encode() + b"\0")))
    for kind, payload in sock.receive():
        if kind == 16:
            sock.close()
            return struct.unpack("<H", attributes(payload[4:])[1])[0]
    raise OSError("no generic netlink family " + name)
