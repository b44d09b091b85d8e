# SPDX-License-Identifier: Apache-2.0
"""nft's and ipset's messages, built before the clock starts."""
import socket
import struct

import netlink
from netlink import attr, nest

NFT, IPSET = 10, 6
BATCH_BEGIN, BATCH_END = 0x10, 0x11
NEWSETELEM, DELSETELEM = 12, 14
IPSET_ADD = 9
ROOM = 60000                    # bytes of elements in a message


def header(family=0, resource=0):
    return struct.pack(">BBH", family, 0, resource)


def chunks(items):
    """Lists of items that fit a message."""
    part, length = [], 0
    for item in items:
        if length + len(item) > ROOM:
            yield part
            part, length = [], 0
        part.append(item)
        length += len(item)
    if part:
        yield part


def string(text):
    return text.encode() + b"\0"


def nft_elements(addresses, table, name, command=NEWSETELEM):
    """One datagram, a transaction, whose last element message is answered."""
    elements = [nest(1, nest(1, attr(1, a))) for a in addresses]
    out = [netlink.message(BATCH_BEGIN, netlink.REQUEST, header(0, NFT))]
    for part in chunks(elements):
        out.append(netlink.message(
            NFT << 8 | command, netlink.REQUEST | netlink.CREATE,
            header(socket.AF_INET) + attr(1, string(table)) +
            attr(2, string(name)) + nest(3, *part)))
    answer(out[-1])
    out.append(netlink.message(BATCH_END, netlink.REQUEST, header(0, NFT)))
    return b"".join(out)


def ipset_adds(addresses, name):
    """One datagram, whose last message is answered."""
    entries = [nest(7, nest(1, attr(1 | 0x4000, a))) for a in addresses]
    out = [netlink.message(
        IPSET << 8 | IPSET_ADD, netlink.REQUEST,
        header(socket.AF_INET) + attr(1, b"\7") + attr(2, string(name)) +
        attr(9, struct.pack(">I", 0)) + nest(8, *part))
        for part in chunks(entries)]
    answer(out[-1])
    return b"".join(out)


def answer(message):
    """Asks for an acknowledgement."""
    flags = struct.unpack_from("<H", message, 6)[0]
    struct.pack_into("<H", message, 6, flags | netlink.ACK)
