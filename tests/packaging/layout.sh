# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # run's
#
# Without a root: what "make install" and "make dkms-tree" lay out, what the units
# may do, and what knp-load says. Part of tests/packaging/run.

EXPOSURE=2.0
tree=$WORK/layout
src=usr/src/knp-$VERSION

lay_out() {
	rm -rf "$tree"
	make --no-print-directory install DESTDIR="$tree" PREFIX=/usr &&
		make --no-print-directory dkms-tree DESTDIR="$tree" PREFIX=/usr
}

# Of units each that deploy/systemd has.
files_expected() {
	cat <<-END
	etc/default/knpd
	usr/lib/cni/knp-cni
	usr/sbin/knp-load
	usr/sbin/knpctl
	usr/sbin/knpd
	usr/share/bash-completion/completions/knpctl
	usr/share/zsh/site-functions/_knpctl
	END
	(cd docs/man && printf 'usr/share/man/man8/%s\n' *.8)
	(cd deploy/systemd && printf 'usr/lib/systemd/system/%s\n' *.service)
}

laid_out() {
	same "$(files_expected | sort)" \
		"$(cd "$tree" && find . -type f ! -path './usr/src/*' | cut -c3- | sort)"
}

# An operator's answer to what is in /etc stays.
keeps_settings() {
	echo mine >"$tree/etc/default/knpd"
	make --no-print-directory install DESTDIR="$tree" PREFIX=/usr &&
		same mine "$(cat "$tree/etc/default/knpd")"
}

elsewhere() {
	rm -rf "$tree.local"
	make --no-print-directory install dkms-tree DESTDIR="$tree.local" &&
		same "$(find "$tree" -type f | wc -l)" \
			"$(find "$tree.local" -type f | wc -l)" &&
		grep -qx 'ExecStart=/usr/local/sbin/knpd .*' \
			"$tree.local/usr/local/lib/systemd/system/knpd.service" &&
		[ -x "$tree.local/usr/local/sbin/knp-load" ] && [ -d "$tree.local/$src" ]
}

# The module's part is dkms-remove's.
uninstalled() {
	make --no-print-directory uninstall DESTDIR="$tree.local" &&
		same "$(printf '%s\n' etc/default/knpd \
			usr/local/lib/systemd/system/knp-module.service \
			usr/local/sbin/knp-load usr/local/share/man/man8/knp-load.8)" \
			"$(cd "$tree.local" && find . -type f ! -path './usr/src/*' |
				cut -c3- | sort)"
}

# The sources that Kbuild names and what they include, and no more.
dkms_sources() {
	same "$({ cd kmod && find . -name '*.[ch]' ! -path './tests/*' &&
		cd .. && find ./uapi -type f && printf './%s\n' Kbuild VERSION dkms.conf
		} | sort)" "$(cd "$tree/$src" && find . -type f | sort)"
}

# Read as DKMS reads it.
dkms_conf() {
	(unset PACKAGE_NAME BUILD_EXCLUSIVE_KERNEL
	 # shellcheck source=/dev/null
	 . "$tree/$src/dkms.conf"
	 same "knp $VERSION knp /updates/dkms yes" "$PACKAGE_NAME \
$PACKAGE_VERSION ${BUILT_MODULE_NAME[0]} ${DEST_MODULE_LOCATION[0]} $AUTOINSTALL" ||
		exit 1
	 for release in 4.19.0-27-amd64 5.4.0-216-generic 5.9.0-5-amd64; do
		[[ ! $release =~ $BUILD_EXCLUSIVE_KERNEL ]] ||
			{ echo "$release is built for"; exit 1; }
	 done
	 for release in 5.10.0-46-amd64 5.15.0-1089-azure 6.1.0-56-amd64 \
		6.12.118+deb13-amd64 7.3.4+deb13-amd64 10.0.1-amd64; do
		[[ $release =~ $BUILD_EXCLUSIVE_KERNEL ]] ||
			{ echo "$release is not built for"; exit 1; }
	 done)
}

versions() {
	same "$VERSION" "$(sed -n '1s/.*(\(.*\)).*/\1/p' deploy/debian/changelog)"
}

# As installed, with the programs that they start.
units_valid() {
	local out

	out=$(systemd-analyze verify --root="$tree" --man=no \
		"$tree"/usr/lib/systemd/system/*.service 2>&1 |
		grep -v -e 'Unit [a-z-]*.target not found' -e '/bin/kill ')
	[ -z "$out" ] || { echo "$out"; return 1; }
}

exposure() {
	systemd-analyze security --no-pager --offline=true \
		"deploy/systemd/$1" | sed -n 's/.*Overall exposure level.*: \([0-9.]*\).*/\1/p'
}

# Capabilities, written out: the figure alone would not notice another one.
# confined UNIT CAPABILITY
confined() {
	local figure

	figure=$(exposure "$1")
	echo "# figure: systemd-analyze security $1: $figure of 10" >&3
	awk -v a="$figure" -v b="$EXPOSURE" 'BEGIN { exit !(a != "" && a <= b) }' ||
		{ echo "exposure $figure, more than $EXPOSURE"; return 1; }
	same "CapabilityBoundingSet=$2" \
		"$(grep '^\(Capability\|Ambient\)' "deploy/systemd/$1")"
}

all_confined() {
	same "$(cd deploy/systemd && ls ./*.service)" "$(printf './%s\n' \
		knp-module.service knp-restore.service knpd.service)" &&
		confined knp-module.service CAP_SYS_MODULE &&
		confined knp-restore.service CAP_NET_ADMIN &&
		confined knpd.service CAP_NET_ADMIN
}

# ---- knp-load --------------------------------------------------------------

# A modprobe that fails with $MODPROBE, a modinfo that knows $SIGNER.
fakes=$tree.fakes

make_fakes() {
	rm -rf "$fakes"
	mkdir -p "$fakes/loaded" || return
	cat >"$fakes/modprobe" <<-'END'
	#!/bin/sh
	[ -z "$MODPROBE" ] || { echo "modprobe: ERROR: could not insert 'knp': $MODPROBE" >&2; exit 1; }
	END
	cat >"$fakes/modinfo" <<-'END'
	#!/bin/sh
	case $2 in
	version) echo 9.9.9 ;;
	signer) echo "$SIGNER" ;;
	vermagic) echo '6.0.0-mine SMP' ;;
	esac
	END
	printf '#!/bin/sh\necho 6.9.9-test\n' >"$fakes/uname"
	chmod +x "$fakes"/*
	echo 0.0.1 >"$fakes/loaded/version"
}

# load_says STATUS WORDS MODPROBE [SIGNER]
load_says() {
	local said status=0

	said=$(PATH=$fakes:$PATH KNP_SYS=${LOADED:-$fakes/none} MODPROBE=$3 \
		SIGNER=${4:-} deploy/knp-load 2>&1) || status=$?
	same "$1" "$status" && contains "$said" "$2" &&
		{ [ "$status" = 0 ] || contains "$said" "pods are not protected"; }
}

loads_quietly() {
	load_says 0 "" "" &&
		same "" "$(PATH=$fakes:$PATH KNP_SYS=$fakes/none MODPROBE='' \
			deploy/knp-load 2>&1)"
}

layout_test() {
	make_fakes
	exec 3>&1
	check "make install and make dkms-tree lay out" lay_out
	check "what is installed is what there is, and each has its place" laid_out
	check "what an operator wrote to /etc/default/knpd stays" keeps_settings
	check "by default everything is under /usr/local, units with it" elsewhere
	check "make uninstall takes all of it, but not settings" uninstalled
	check "DKMS gets the module's sources, all and no others" dkms_sources
	check "dkms.conf: name, version, and kernels from 5.10 on" dkms_conf
	check "VERSION and the Debian changelog agree" versions
	check "units are understood by systemd" units_valid
	check "units: exposure at most $EXPOSURE, no capability but one" all_confined
	check "knp-load: loads, and says nothing" loads_quietly
	LOADED=$fakes/loaded check "knp-load: an older version that is loaded stays, and is told" \
		load_says 0 "version 0.0.1 is loaded and goes on enforcing; version 9.9.9 is" ""
	check "knp-load: not built for this kernel" load_says 1 \
		"apt install linux-headers-6.9.9-test" \
		"Module knp not found in directory /lib/modules/6.9.9-test"
	check "knp-load: not signed" load_says 1 "knp.ko is not signed, and this kernel takes" \
		"Key was rejected by service"
	check "knp-load: signed by a key that is not trusted" load_says 1 \
		'signed by "Somebody", which this kernel does not trust' \
		"Key was rejected by service" Somebody
	check "knp-load: built for another kernel" load_says 1 "6.0.0-mine SMP" \
		"Exec format error"
	check "knp-load: whatever else modprobe says, unchanged" load_says 1 \
		"Unknown symbol in module" "Unknown symbol in module, or unknown parameter"
}
