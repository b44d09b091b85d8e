# SPDX-License-Identifier: Apache-2.0
"""/dev/knp_bench: the calls of kmod/knp_bench.h."""
import array
import fcntl
import os
import socket
import struct
import time

PATH = "/dev/knp_bench"

TRACE = struct.Struct("<QII")
LANE = struct.Struct("<iBBBBiiQ")
RUN = struct.Struct("<IIIIQQQQ")
BATCH = 64
SAMPLE = struct.Struct("<IIIIIIQ")
CHECK = struct.Struct("<IIIIIIII")


def number(direction, call, layout):
    return direction << 30 | layout.size << 16 | ord("k") << 8 | call


IOC_TRACE = number(1, 1, TRACE)
IOC_LANE = number(1, 2, LANE)
IOC_RUN = number(3, 3, RUN)
IOC_SAMPLE = number(1, 4, SAMPLE)
IOC_CHECK = number(3, 5, CHECK)


def signed(value):
    """fcntl takes an int of C for the request."""
    return value - (1 << 32) if value >= 1 << 31 else value


class Device:
    """An open /dev/knp_bench."""

    def __init__(self):
        self.fd = os.open(PATH, os.O_RDWR)
        self.ghz = 1.0

    def close(self):
        os.close(self.fd)

    def call(self, request, data):
        buffer = bytearray(data)
        return fcntl.ioctl(self.fd, signed(request), buffer), buffer

    def trace(self, slot, flows):
        keep = array.array("B", flows)
        address, length = keep.buffer_info()
        self.call(IOC_TRACE, TRACE.pack(address, length // 40, slot))

    def lane(self, contender, family, netns):
        ipcache, endpoints, policies = contender.maps
        address = policies.buffer_info()[0] if policies else 0
        return self.call(IOC_LANE, LANE.pack(
            netns, contender.kind, family, contender.hook, contender.devices,
            ipcache, endpoints, address))[0]

    def run(self, lane, slot, span, established, nanoseconds):
        """(cycles of all, packets, cycles of the median batch)"""
        buffer = self.call(IOC_RUN, RUN.pack(
            lane, slot, span, established, int(nanoseconds * self.ghz), 0,
            0, 0))[1]
        return RUN.unpack(buffer)[5:]

    def ns(self, *where):
        """Nanoseconds a packet, in the median batch."""
        return self.run(*where)[2] / self.ghz / BATCH

    def sample(self, lane, slot, established, walk, count):
        """Nanoseconds of each packet, the timer's own cost included."""
        cycles = array.array("I", bytes(4 * count))
        self.call(IOC_SAMPLE, SAMPLE.pack(lane, slot, established, walk, count,
                                          0, cycles.buffer_info()[0]))
        return [c / self.ghz for c in cycles]

    def check(self, lane, slot, established, bit):
        """(wrong, first, drops, count)"""
        return CHECK.unpack(self.call(IOC_CHECK, CHECK.pack(
            lane, slot, established, bit, 0, 0, 0, 0))[1])[4:]

    def calibrate(self, lane, slot):
        """Finds out how many cycles a nanosecond has."""
        start = time.perf_counter_ns()
        cycles = self.run(lane, slot, 0, 0, 300e6)[0]
        self.ghz = cycles / (time.perf_counter_ns() - start)


FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
