#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The module as DKMS has installed it for this kernel, and the package's programs:
# install, enforce, upgrade, remove. What is upgraded to is in /next (see
# tests/packaging/guests.sh). LOGS/transcript has every command and its answer.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

installed=/lib/modules/$(uname -r)/updates/dkms
PORTS="80/TCP 80/UDP"

# tell STATUS WORDS COMMAND...: how it ends, and what it says among others; without
# WORDS nothing at all
tell() {
	local status=$1 words=$2 said code=0

	shift 2
	said=$("$@" 2>&1) || code=$?
	printf '\n# %s\n%s\n' "$*" "$said" >>"$LOGS/transcript"
	equals "$code" "$status" || return
	[ -n "$words" ] || { equals "$said" ""; return; }
	contains "$said" "$words"
}

heading() { printf '\n== %s\n' "$*" >>"$LOGS/transcript"; }
# By bash: the guest's sh is busybox, to which modprobe is a lesser one of its own.
knp_load() { tell "$1" "$2" bash /usr/sbin/knp-load; }
load_module() { knp_load 0 ""; }
loaded() { cat /sys/module/knp/version; }
users_of_conntrack() { awk '$1 == "nf_conntrack" { print $3 }' /proc/modules; }
as_before() { equals "$(users_of_conntrack)" "$users_before"; }
held() { ctl "$1" status -o json | jq -c '.module | [.instance, .generation, .attached]'; }
both() { "$1" node1 && "$1" node2; }
file_of() { ls "$1"/knp.ko*; }

# What DKMS does on the node itself.
install_next() {
	rm "$(file_of "$installed")" && cp "$(file_of /next)" "$installed/" && depmod
}

remove_module() { rm "$(file_of "$installed")" && depmod; }
daemons_stop() { knpd_kill node1 TERM; knpd_kill node2 TERM; }

daemons_start() {
	local node

	for node in node1 node2; do
		rm -f "$(status_of "$node")"
		knpd_start "$node"
	done
	enforced_since node1 0 && enforced_since node2 0
}

# judged WHEN: the one policy holds
judged() {
	printf '\n# %s: every connection of 6 pods and 2 nodes is tried\n' "$1" \
		>>"$LOGS/transcript"
	matrix "$1" "$PORTS" <<-END
		deny * x/* *
		allow y/a x/* *
	END
}

topology_up
serve
{
	cluster_manifests
	policy x/deny <<-END
	podSelector: {}
	ingress: [{from: [{namespaceSelector: {matchLabels: {team: y-team}},
	                   podSelector: {matchLabels: {app: client}}}]}]
	END
} | publish cluster.yaml
users_before=$(users_of_conntrack)

heading install
check "depmod takes it in" depmod
check "modprobe finds what DKMS has installed" tell 0 "$(file_of "$installed")" \
	modinfo -n knp
old=$(modinfo -F version knp)
new=$(modinfo -F version "$(file_of /next)")
check "it is of the package's version" tell 0 "$(knpd --version | cut -d' ' -f2)" \
	modinfo -F version knp
check "knp-load loads it by its name, without a word" load_module
check "what is loaded is that" tell 0 "$old" loaded
matrix "loaded: it judges nothing by itself" "$PORTS" <<-END
END

heading enforce
check "both nodes enforce" nodes_start
check "knpctl says so" tell 0 synced ctl node1 status
judged "enforced"

heading "upgrade of knpd"
before=$(both held)
daemons_stop
judged "knpd is stopped: the kernel goes on"
check "the next knpd is there" cp /next/knpd /bin/knpd
check "it is the next one" tell 0 "$new" knpd --version
check "it starts" daemons_start
check "the kernel holds the generation that it held" equals "$(both held)" "$before"
judged "knpd is upgraded"

heading "upgrade of the module"
check "the next module is installed" install_next
check "knp-load: the loaded one goes on, the next comes with the boot" \
	knp_load 0 "version $old is loaded and goes on enforcing; version $new is"
judged "the next module is installed"
daemons_stop
check "rmmod" tell 0 "" rmmod knp
check "knp-load loads the next" load_module
check "what is loaded is the next" tell 0 "$new" loaded
check "knpd fills it" daemons_start
judged "the module is upgraded"

heading remove
daemons_stop
check "the file is gone" remove_module
judged "removed: the loaded one goes on"
check "rmmod at last" tell 0 "" rmmod knp
check "knp-load: there is none any more" knp_load 1 \
	"there is no knp.ko for Linux $(uname -r)"
matrix "unloaded: everything passes" "$PORTS" <<-END
END
check "conntrack has as many users as before" await 10 as_before
finish
