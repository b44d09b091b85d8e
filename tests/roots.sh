# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Roots of Debian's suites, by mmdebstrap, and running commands in them. Sourced
# by what needs another suite than this machine's. Who sources it may set
# ROOT_OF, the name that complaints begin with.

die() {
	printf '%s: %s\n' "${ROOT_OF:-$0}" "$*" >&2
	exit 1
}

say() {
	printf '  %-7s %s\n' "$1" "$2" >&2
}

need() {
	command -v "$1" >/dev/null || die "$1 is missing: run \"make setup\" as root"
}

# quietly COMPLAINT COMMAND...: what a step prints goes to a log, which is shown
# when the step fails; that ends the script. Never call it in a condition: bash
# then ignores set -e in the step.
quietly() {
	local complaint=$1 log status

	shift
	log=$(mktemp)
	set +e
	(set -e; "$@") >"$log" 2>&1 </dev/null
	status=$?
	set -e
	[ "$status" = 0 ] || tail -n 40 "$log" >&2
	rm -f "$log"
	[ "$status" = 0 ] || die "$complaint"
}

# This machine's mirrors, so that a proxy or mirror configured here is used.
mirror_of() {
	local uri

	# shellcheck disable=SC2016 # the format is apt's
	uri=$(apt-get indextargets --format '$(REPO_URI)' \
		'Created-By: Packages' "Label: $1" 2>/dev/null | head -n 1) || true
	printf '%s' "${uri:-$2}"
}

# root_sources SUITE: with its security fixes; Debian 13 with its backports, which
# have the newest kernels
root_sources() {
	local key=/usr/share/keyrings/debian-archive-keyring.gpg
	local main security

	main=$(mirror_of Debian http://deb.debian.org/debian)
	security=$(mirror_of Debian-Security http://deb.debian.org/debian-security)
	printf 'deb [signed-by=%s] %s %s main\n' \
		"$key" "$main" "$1" \
		"$key" "$security" "$1-security"
	[ "$1" != trixie ] ||
		printf 'deb [signed-by=%s] %s trixie-backports main\n' "$key" "$main"
}

# bootstrap SUITE PACKAGE,... FOLDER: a new root
bootstrap() {
	local options=() line

	while read -r line; do
		options+=("--aptopt=$line")
	done < <(apt-config dump |
		grep -E '^Acquire::(https?|Check-|Retries)[^ ]* "..*"')
	# mmdebstrap tells a list of sources by the name's ending
	root_sources "$1" >"$3.list"
	mmdebstrap --variant=apt --include="$2" "${options[@]}" "$1" "$3" "$3.list"
	rm -f "$3.list"
	cp -L /etc/resolv.conf "$3/etc/resolv.conf"
}

# in_root ROOT COMMAND...: with /proc (objtool reads its limits there), in a
# mount namespace of its own, so nothing stays mounted. If BIND is set, that
# folder is /mnt; so is BIND_SRV /srv. If CHANGES is set, what is changed goes to
# that folder, and the root stays as it is.
in_root() {
	local root=$1

	shift
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount --propagation private sh -ec '
		root=$1; shift
		if [ -n "${CHANGES:-}" ]; then
			mkdir -p "$CHANGES/upper" "$CHANGES/work" "$CHANGES/root"
			mount -t overlay overlay -o "lowerdir=$root" -o \
				"upperdir=$CHANGES/upper,workdir=$CHANGES/work" \
				"$CHANGES/root"
			root=$CHANGES/root
		fi
		mount -t proc proc "$root/proc"
		[ -z "${BIND:-}" ] || mount --bind "$BIND" "$root/mnt"
		[ -z "${BIND_SRV:-}" ] || mount --bind "$BIND_SRV" "$root/srv"
		exec chroot "$root" "$@"
	' sh "$root" env LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		DEBIAN_FRONTEND=noninteractive "$@"
}
