# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2153,SC2154 # run's, and each other's
#
# The kernels of the matrix, and for each the root of the Debian release that has
# it, with that release's DKMS. Sourced by tests/packaging/run.
#
#   series    kernel of                     its headers, compiler and DKMS
#   5.10      Debian 11                     bullseye
#   6.1       Debian 12                     bookworm
#   6.12      Debian 13                     trixie
#   newest-1  Debian 13 backports, the      trixie
#             last version before newest's
#   newest    Debian 13 backports           trixie
#
# A root has what a node has, images and headers: from 7.x on it is linux-modules
# that makes modules.dep, without which DKMS leaves depmod out. The kernels that
# guests boot are taken from there, and put beside those of tests/kernels.

read -ra SERIES <<<"${KNP_SERIES:-5.10 6.1 6.12 newest-1 newest}"
DKMS_PACKAGES=dkms,gcc,make,libc6-dev,kmod,openssl,xz-utils,python3-minimal

suite_of() {
	case $1 in
	5.10) echo bullseye ;;
	6.1) echo bookworm ;;
	6.12 | newest-1 | newest) echo trixie ;;
	esac
}

# root_of NAME SUITE PACKAGES: sets root to a cached root, made if it is not there;
# fill_NAME, if it is a function, has the last word
root_of() {
	local key

	key=$(printf '%s' "$2 $3 $(declare -f "fill_$1")" | sha256sum | cut -c1-8)
	root=$CACHE/roots/$1-$2-$key
	[ ! -e "$root/.done" ] || return 0
	need mmdebstrap
	mkdir -p "$CACHE/roots"
	(flock 9
	 [ ! -e "$root/.done" ] || exit 0
	 rm -rf "$root" "$root.tmp"
	 say ROOT "$1, $2"
	 quietly "cannot make a root of $2" bootstrap "$2" "$3" "$root.tmp"
	 [ -z "$(declare -F "fill_$1")" ] ||
		quietly "cannot fill the root of $2" "fill_$1" "$root.tmp" "$2"
	 touch "$root.tmp/.done"
	 mv "$root.tmp" "$root") 9>"$root.lock"
	[ -e "$root/.done" ] || exit 1
}

# in_changed_root COMMAND...: in root; what it changes does not stay
in_changed_root() {
	local changes status

	changes=$(mktemp -d "$CACHE/packaging.XXXXXX")
	CHANGES=$changes in_root "$root" "$@"
	status=$?
	rm -rf "$changes"
	return "$status"
}

# "series release" per line, from what a root's package lists carry: the newest
# that is installed by default, and in Debian 13 those of the backports.
releases() {
	in_root "$1" apt-cache search --names-only \
		'^linux-headers-[0-9].*[0-9]+(\+deb[0-9]+)?-amd64$' |
		awk '{ sub("linux-headers-", "", $1); print $1 }' | sort -V |
		awk -v suite="$2" '
		function minor(release) {
			split(release, part, ".")
			return part[1] "." part[2]
		}
		suite == "bullseye" && minor($1) == "5.10" { last["5.10"] = $1 }
		suite == "bookworm" && minor($1) == "6.1" { last["6.1"] = $1 }
		suite != "trixie" { next }
		minor($1) == "6.12" { last["6.12"] = $1 }
		now != "" && minor($1) != minor(now) { last["newest-1"] = now }
		{ now = last["newest"] = $1 }
		END { for (series in last) print series, last[series] }'
}

fill_dkms() {
	local series release from

	in_root "$1" apt-get -q update
	releases "$1" "$2" >"$1/.releases"
	while read -r series release; do
		# They need a newer linux-base than the suite's own.
		from=()
		[[ $series != newest* ]] || from=(-t "$2-backports")
		# nobody boots it: without an initramfs
		INITRD=No in_root "$1" apt-get -qy --no-install-recommends \
			"${from[@]}" install "linux-image-$release" \
			"linux-headers-$release" </dev/null
	done <"$1/.releases"
}

# kernel_of SERIES: sets root and release
kernel_of() {
	root_of dkms "$(suite_of "$1")" "$DKMS_PACKAGES"
	release=$(awk -v s="$1" '$1 == s { print $2 }' "$root/.releases")
	[ -n "$release" ] || die "Debian has no kernel for $1"
}

# take_image ROOT RELEASE FOLDER: as it is installed there
take_image() {
	mkdir -p "$3/boot" "$3/lib/modules"
	cp -L "$1/boot/vmlinuz-$2" "$3/boot/"
	cp -a "$1/lib/modules/$2" "$3/lib/modules/"
	rm -f "$3/lib/modules/$2"/{build,source}
}

# image ROOT RELEASE: the kernel, where guests find it
image() {
	local to=$CACHE/kernels/$2

	[ ! -e "$to/.done" ] || return 0
	mkdir -p "$CACHE/kernels"
	(flock 9
	 [ ! -e "$to/.done" ] || exit 0
	 say IMAGE "$2"
	 rm -rf "$to" "$to.tmp"
	 quietly "cannot take the kernel $2" take_image "$1" "$2" "$to.tmp"
	 touch "$to.tmp/.done"
	 mv "$to.tmp" "$to") 9>"$CACHE/.lock"
	[ -e "$to/.done" ] || exit 1
}
