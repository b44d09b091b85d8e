# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Kernels built from Debian's linux-source, for tests/uml and tests/debug-kernel,
# which source this from the top of the repository and set, before they do:
#
#   LINUX_NAME     the script, for messages
#   LINUX_SERIES   what tests/kernels calls the series
#   LINUX_ARCH     ARCH of the kernel's Makefile
#   LINUX_BASE     configuration to begin with, a target of that Makefile
#   LINUX_CONFIG   folder of fragments
#   LINUX_RECIPE   to be raised when the script builds otherwise than before
#   linux_build    function: builds the configured kernel in $folder.tmp
#
# A variant is names of fragments joined by "+". A fragment is lines of .config,
# all of which must hold in the end, and lines "#KCFLAGS FLAG..." and
# "#CFLAGS_MODULE FLAG..." for the compiler. It is built with Debian 13's
# compiler in the root of tests/kernels.
#
# Cache, ${KNP_CACHE:-/var/cache/knp}/uml:
#   linux-VERSION/      the source
#   VARIANT-KEY/        a build; KEY names the source, fragments and recipe
#   VARIANT-KEY.log     what the build said
CACHE=${KNP_CACHE:-/var/cache/knp}
LINUX=$CACHE/uml
JOBS=${JOBS:-$(nproc)}

die() {
	printf '%s: %s\n' "$LINUX_NAME" "$*" >&2
	exit 1
}

say() {
	printf '  %-7s %s\n' "$1" "$2" >&2
}

# in_root SRV COMMAND...: with the cache as /mnt
in_root() {
	tests/kernels --in "$LINUX" "$@"
}

fetch_source() {
	local series

	[ ! -e "$LINUX/$source/.done" ] || return 0
	series=$(cut -d. -f1,2 <<<"$release")
	say SOURCE "linux-source-$series"
	rm -rf "${LINUX:?}/$source" "$LINUX/source.tmp"
	mkdir -p "$LINUX/source.tmp"
	# shellcheck disable=SC2016 # expanded by the inner shell
	in_root "$LINUX/source.tmp" sh -ec '
		cd /srv
		apt-get -o APT::Sandbox::User=root -q download "linux-source-$1"
		dpkg -x ./*.deb tree
		mkdir source
		tar -xf tree/usr/src/linux-source-*.tar.xz -C source \
			--strip-components 1
		touch source/.done
	' sh "$series" >"$LINUX/source.log" 2>&1 </dev/null ||
		die "cannot fetch linux-source-$series: see $LINUX/source.log"
	mv "$LINUX/source.tmp/source" "$LINUX/$source"
	rm -rf "$LINUX/source.tmp"
}

# linux_choose VARIANT: sets source (as the root sees it: /mnt/$source), fragments
# and folder (the build's name in the cache).
linux_choose() {
	local name names=()

	variant=$1
	release=$(tests/kernels --release "$LINUX_SERIES")
	source=linux-${release%%+*}
	IFS=+ read -ra names <<<"$variant"
	fragments=()
	for name in "${names[@]}"; do
		[ -e "$LINUX_CONFIG/$name" ] ||
			die "no fragment $LINUX_CONFIG/$name"
		fragments+=("$LINUX_CONFIG/$name")
	done
	folder=$variant-$({
		grep -hE '^(CONFIG_|# CONFIG_|#[A-Z])' "${fragments[@]}"
		echo "$source $LINUX_RECIPE"
	} | sha256sum | cut -c1-12)
}

# flags NAME: those that the fragments have for it
flags() {
	sed -n "s/^#$1 //p" "${fragments[@]}" | tr '\n' ' '
}

# kbuild OBJECTS SRV ARGUMENT...: with a folder of the cache for what is built
kbuild() {
	local objects=$1 srv=$2

	shift 2
	in_root "$srv" nice -n 5 make -C "/mnt/$source" ARCH="$LINUX_ARCH" \
		O="/mnt/$objects" KCFLAGS="$(flags KCFLAGS)" \
		CFLAGS_MODULE="$(flags CFLAGS_MODULE)" "$@"
}

# What neither base nor fragments name is at its default; of allnoconfig it is no.
configure() {
	local fragment=$LINUX/$folder.tmp/.fragment

	cat "${fragments[@]}" >"$fragment" &&
		kbuild "$folder.tmp" "$LINUX" "$LINUX_BASE" \
			KCONFIG_ALLCONFIG="/mnt/$folder.tmp/.fragment" || return
	[ "$LINUX_BASE" != allnoconfig ] || return 0
	cat "$fragment" >>"$LINUX/$folder.tmp/.config" &&
		kbuild "$folder.tmp" "$LINUX" olddefconfig
}

# An option that Kconfig dropped would only show as something that fails.
config_holds() {
	local line bad=0

	while read -r line; do
		case $line in
		CONFIG_*) ! grep -qxF "$line" "$LINUX/$folder.tmp/.config" ;;
		"# CONFIG_"*) grep -q "^${line:2:-11}=" "$LINUX/$folder.tmp/.config" ;;
		*) false ;;
		esac || continue
		echo "does not hold: $line"
		bad=1
	done < <(cat "${fragments[@]}")
	return "$bad"
}

build() {
	mkdir -p "$LINUX/$folder.tmp"
	configure && config_holds && linux_build
}

# linux_ensure VARIANT: it is built. One at a time; what is built already need
# not wait.
linux_ensure() {
	tests/kernels "$LINUX_SERIES"
	linux_choose "$1"
	[ ! -e "$LINUX/$folder" ] || return 0
	mkdir -p "$LINUX" || die "cannot write $LINUX: run as root or set KNP_CACHE"
	exec 8>"$LINUX/.lock"
	flock 8
	if [ ! -e "$LINUX/$folder" ]; then
		fetch_source
		say LINUX "$variant (minutes; log: $LINUX/$folder.log)"
		build >"$LINUX/$folder.log" 2>&1 </dev/null ||
			die "cannot build: see $LINUX/$folder.log"
		mv "$LINUX/$folder.tmp" "$LINUX/$folder"
	fi
	exec 8>&-
}

# linux_module FOLDER ARGUMENT...: make modules of the Kbuild that is there
linux_module() {
	local srv

	srv=$(realpath "$1")
	shift
	kbuild "$folder" "$srv" -j"$JOBS" M=/srv "$@" modules
}
