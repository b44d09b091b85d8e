#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The harness itself: without any policy every connection of every host to every
# host is answered, and a dropped one is seen as such. What the other scenarios
# deny is therefore denied by knp.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

topology_up
serve

matrix "without the module every connection is answered" <<-END
END

on node1 nft -f - <<-END
table inet wall {
	chain forward {
		type filter hook forward priority 0
		ip daddr $(ip4_of x/b) udp dport 80 drop
	}
}
END
matrix "a packet filter's drop is seen as silence" <<-END
	deny * x/b 80/UDP 4
	allow node1 x/b *
END
on node1 nft delete table inet wall

finish
