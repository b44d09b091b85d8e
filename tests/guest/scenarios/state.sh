#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The state file: a module that was loaded again is filled from it before any API
# server answers; after a reboot (another boot id), from a damaged file or one of
# another node or network namespace nothing is restored, and the node is closed
# for what passes through it until knpd knows better; a full disk stops nothing.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

BOOT_ID=/proc/sys/kernel/random/boot_id

state_of() { echo "/run/state/$1/file"; }
start() { knpd_start "$1" --state "$(state_of "$1")"; }
field() { status "$1" "state_file.$2"; }

# What knpd says, with nobody at the other end of its kubeconfig.
alone() {
	KNPD_SOURCE[$1]="--kubeconfig /run/nobody --start-spread 0"
	rm -f "$(status_of "$1")"
	start "$1"
	KNPD_SOURCE[$1]="--manifests $MANIFESTS"
	await 10 restored "$1" "$2"
}

restored() { contains "$(status "$1" restored)" "$2"; }
saved() { equals "$(field "$1" generation)" "$(generation "$1")"; }
synced() { rm -f "$(status_of "$1")" && start "$1" && enforced_since "$1" 0; }
restore() { on "$1" knpctl restore --state "$(state_of "$1")" "${@:2}"; }
shown() { contains "$(ctl "$1" status)" "$2"; }
inode() { stat -c %i "$(state_of "$1")"; }

# as a module that crashed, or a machine: with knpd of both nodes killed
reload() {
	knpd_kill node1
	knpd_kill node2
	await 10 rmmod knp && load_module
}

# damage NODE OFFSET: a byte of the file
damage() {
	printf '\377' | dd of="$(state_of "$1")" bs=1 seek="$2" conv=notrunc
}

saved_since() { [ "$(inode "$1")" != "$2" ]; }

shut() { DEADLINE=900 reaches no y/b x/a 80/TCP; }
refuses() { ! restore "$@" 2>/run/refusal; }
because() { contains "$(cat /run/refusal)" "$1"; }

closed() {
	matrix "$1: nothing passes through node1, the node itself is open" \
		80/TCP <<-END
		deny * x/a *
		deny * x/b *
		deny * y/a *
		deny x/a * *
		deny x/b * *
		deny y/a * *
		allow x/a node1 *
		allow x/b node1 *
		allow y/a node1 *
	END
}

enforced() {
	matrix "$1: enforced" "80/TCP 80/UDP" <<-END
		deny * x/* *
		allow x/* x/* *
		allow z/* x/* *
	END
}

cat >/run/nobody <<END
{"kind": "Config", "apiVersion": "v1", "current-context": "c",
 "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
 "clusters": [{"name": "k", "cluster": {"server": "http://127.0.0.1:1"}}],
 "users": [{"name": "u", "user": {"token": "t"}}]}
END
topology_up
serve
{
	cluster_manifests
	policy x/own <<-END
	podSelector: {}
	ingress: [{from: [{podSelector: {}}]}]
	END
} | publish cluster.yaml
mkdir -p /run/state

# ---- kept -------------------------------------------------------------------

check "module loads" load_module
check "node1 enforces" synced node1
check "node2 enforces" synced node2
check "what is enforced is saved" await 10 saved node1
check "for root alone" equals "$(stat -c %a "$(state_of node1)")" 600
check "of node2 as well" await 10 saved node2
before=$(inode node1)
check "settings are changed" on node1 knpctl config event-rate=7 \
	unknown-local=drop node-egress-allow=10250/TCP
check "they are saved without a new generation" await 10 saved_since node1 "$before"
one=$(generation node1)
change "z may reach x as well" apply x/more <<-END
	podSelector: {}
	ingress: [{from: [{namespaceSelector: {matchLabels: {team: z-team}}}]}]
END
refute "a new generation was needed" equals "$(generation node1)" "$one"
check "that is saved as well" await 10 saved node1
echo "# figure: state: $(field node1 bytes) bytes saved in $(field node1 save_us) us, not by the loop"
check "knpd is stopped" knpd_kill node1 TERM
before=$(inode node1)
check "and started, while nobody answers" alone node1 "nothing to restore"
sleep 1.5
check "what is saved is not saved again" equals "$(inode node1)" "$before"

# ---- the same boot ----------------------------------------------------------

check "the module is loaded again" reload
check "it holds nothing" equals "$(generation node1)" 0
check "nobody answers: knpd of node1 restores" alone node1 "is back"
check "without knpd: knpctl of node2 restores" restore node2 --node node2
enforced "restored"
check "restored: settings, too" contains "$(on node1 knpctl config)" \
	"unknown-local=drop event-rate=7"
check "restored: and lists" contains "$(on node1 knpctl config)" \
	"node-egress-allow=10250/TCP"
check "knpctl says so" shown node1 "at first       $(state_of node1): all of generation"
check "a second time there is nothing to restore" contains \
	"$(restore node2)" "nothing to restore"

knpd_kill node1
check "the API server answers" synced node1
check "nothing was to be written: ids and tags are what they were" \
	equals "$(status node1 commits)" 0

knpd_kill node1
check "another module" reload
check "the module comes when knpd is there" await 10 rmmod knp
check "knpd waits for both" alone node1 null
check "it comes" load_module
check "it is filled at once" await 10 restored node1 "is back"
check "what is unloaded and loaded, again" await 10 rmmod knp
check "it comes again" load_module
check "it is filled again" await 10 equals "$(generation node1)" 1

# ---- another one -------------------------------------------------------------

check "another network namespace" ip netns add fresh
check "it has other addresses: closed" contains \
	"$(on fresh knpctl restore --state "$(state_of node1)")" \
	"is of another network namespace"
check "closed: no generation" contains "$(on fresh knpctl status)" \
	"(nothing was committed)"
check "closed: default is drop, ipv4 and ipv6 are attached" contains \
	"$(on fresh knpctl config) $(on fresh knpctl status | grep attached)" \
	"default=drop"
check "it goes" ip netns del fresh

echo 01234567-89ab-cdef-0123-456789abcdef >/run/boot_id
check "the machine boots" mount -o bind /run/boot_id $BOOT_ID
check "with an empty module" reload
check "knpctl closes the node" contains "$(restore node1 --node node1)" \
	"is of another boot"
closed "after a boot"
check "after a boot: the settings are those of before" contains \
	"$(on node1 knpctl config)" "unknown-local=drop event-rate=7"
check "nobody answers: knpd keeps it closed" alone node1 "is of another boot"
check "no generation yet" equals "$(generation node1)" 0
check "the operator chooses audit" on node1 knpctl config mode=audit
check "audit: all passes" reaches yes y/b x/a 80/TCP
check "audit: and is counted" await 5 contains \
	"$(ctl node1 stats)" default-drop
check "enforce again" on node1 knpctl config mode=enforce
knpd_kill node1
check "the API server answers after the boot" synced node1
check "node2, where nothing was restored" synced node2
enforced "after a boot, lists complete"
check "the file is of this boot now" await 10 saved node1
check "loaded again in this boot" reload
check "all is restored" contains "$(restore node1)" "is back"

# ---- no good ----------------------------------------------------------------

check "the module is empty again" reload
check "of another node: refused" refuses node1 --node node3
check "of another node: why" because "is of another node, node1"
check "of another node: closed" shut

check "the module is empty" reload
check "a byte is damaged" damage node1 400
check "damaged: refused" refuses node1
check "damaged: why" because "its checksum does not match"
check "damaged: closed" shut
check "damaged: the node is open" on node1 ping -c 1 -W 2 "$(ip4_of x/a)"
check "damaged: knpd says why" alone node1 "its checksum does not match"
check "damaged: so does knpctl" shown node1 "its checksum does not match"
knpd_kill node1
check "damaged: the API server answers" synced node1
check "damaged: by policy then" reaches yes x/b x/a 80/TCP
check "damaged: it is replaced" await 10 saved node1
check "damaged: by one that is good" contains \
	"$(reload; restore node1)" "is back"

check "the module is empty once more" reload
check "a newer version" damage node1 8
check "newer: refused" refuses node1
check "newer: why" because "is of the newer version"
check "newer: closed" shut

check "the module is empty, without a file" reload
rm "$(state_of node1)"
check "no file: nothing is done" contains "$(restore node1)" "packets pass"
check "no file: open" reaches yes y/b x/a 80/TCP

# ---- a full disk ------------------------------------------------------------

check "both nodes are back" synced node1
check "node2 is back" synced node2
check "saved on a disk with room" await 10 saved node1
knpd_kill node1
check "a small disk" mount -t tmpfs -o size=16k tmpfs /run/state/node1
dd if=/dev/zero of=/run/state/node1/filler bs=1k count=16 2>/dev/null
check "it is full: node1 starts" synced node1
full() { contains "$(field node1 error)" "No space left on device"; }
check "full: it says so" await 10 full
check "full: knpctl, too" shown node1 "cannot write the state file: No space"
change "full: policies" apply y/deny <<-END
	podSelector: {}
	policyTypes: [Ingress]
END
check "full: are enforced" reaches no x/a y/a 80/TCP
rm /run/state/node1/filler
check "there is room: it is saved without a change" await 15 saved node1

finish
