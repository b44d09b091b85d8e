# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2153,SC2154 # run's, and each other's
#
# DKMS, as each Debian release has it, and the tree of the package knp-dkms: add,
# build, install, remove, for each kernel of the matrix. The package is installed
# with dpkg, so its own scripts do the first of it. Part of tests/packaging/run.
#
# What was built stays in build/packaging/dkms/RELEASE, for the guests: knp.ko,
# the certificate of the key that DKMS has signed it with, as installed/ and next/
# the files that DKMS has installed, of this and the next release of the package;
# and "transcript", of every command.

# In the root. The package's own scripts add, build and install, and take away.
dkms_life() {
	cat <<-'END'
	set -eu
	release=$1 version=$2 next=$3
	say() { printf '\n== %s\n' "$*"; }
	run() { printf '# %s\n' "$*"; "$@"; }
	# "!" and what is before "&&" do not end a shell with -e
	never() { if "$@"; then exit 1; fi; }
	built() { find "/lib/modules/$release" -name 'knp.ko*'; }
	is() { run dkms status "knp/$1" | tee /tmp/is; grep -q "$release.*: $2" /tmp/is; }
	left() { find / -xdev \( -path /proc -o -path /mnt -o -path /srv \) -prune \
		-o -name '*knp*' -print; }

	# is for this kernel, of version $1, and modprobe finds it by its name
	found() {
		[ "$(modinfo -F version "$(built)")" = "$1" ]
		case $(modinfo -F vermagic "$(built)") in "$release "*) ;; *) return 1 ;; esac
		run modprobe -S "$release" --show-depends knp | tee /tmp/found
		grep -q 'nf_conntrack\.ko' /tmp/found
		tail -n 1 /tmp/found | grep -q "^insmod $(built) *$"
	}

	# In a root it would build for every kernel that has headers there.
	for other in /lib/modules/*; do
		[ "$other" = "/lib/modules/$release" ] || rm -r "$other"
	done

	say "install: the package adds it to DKMS, which builds and installs it"
	run dpkg -i "/mnt/knp-dkms_${version}_all.deb"
	is "$version" installed
	never grep 'warning:' "/var/lib/dkms/knp/$version/$release"/*/log/make.log
	found "$version"

	say what guests boot
	mkdir /srv/installed /srv/next
	cp "$(built)" /srv/installed/
	[ ! -e /var/lib/dkms/mok.pub ] || cp /var/lib/dkms/mok.pub /srv/

	say "upgrade: the next release takes its place"
	run dpkg -i "/srv/knp-dkms_${next}_all.deb"
	is "$next" installed
	[ -z "$(dkms status "knp/$version")" ]
	[ ! -e "/usr/src/knp-$version" ]
	found "$next"
	cp "$(built)" /srv/next/

	say uninstall takes it from the kernel, install gives it back
	run dkms uninstall -k "$release" "knp/$next"
	[ -z "$(built)" ]
	is "$next" built
	run dkms install -k "$release" "knp/$next"
	is "$next" installed
	found "$next"

	say remove takes it from DKMS, add and build bring it back
	run dkms remove "knp/$next" --all
	[ -z "$(built)" ]
	[ -z "$(dkms status "knp/$next")" ]
	run dkms add "knp/$next"
	run dkms status "knp/$next" | tee /tmp/is
	grep -q added /tmp/is
	run dkms build -k "$release" "knp/$next"
	is "$next" built

	say purge: the package takes everything with it
	run dpkg --purge knp-dkms
	[ -z "$(left)" ] || { left; exit 1; }
	END
}

# dkms_one SERIES: what DKMS leaves is in $WORK/dkms/RELEASE
dkms_one() {
	local out status

	kernel_of "$1"
	need_deb && need_next || return
	out=$WORK/dkms/$release
	rm -rf "$out"
	mkdir -p "$out"
	dkms_life >"$out/life"
	cp "$NEXT_TREE/build/deb/knp-dkms_${NEXT}_all.deb" "$out/"
	BIND=$BUILD/deb BIND_SRV=$out in_changed_root sh /srv/life "$release" \
		"$VERSION" "$NEXT" >"$out/transcript" 2>&1
	status=$?
	rm -f "$out/life" "$out"/*.deb
	[ "$status" = 0 ] || { cat "$out/transcript"; return "$status"; }
	cp "$out"/installed/knp.ko* "$out/"
	[ ! -e "$out/knp.ko.xz" ] || xz -dqf "$out/knp.ko.xz"
	[ -s "$out/knp.ko" ]
}

need_dkms() {
	kernel_of "$1"
	[ -e "$WORK/dkms/$release/next" ] || dkms_one "$1" >"$WORK/dkms.log" 2>&1
}

# What a checkout has instead of a package; the kernel is not the running one.
from_the_sources() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	BIND=$PWD in_changed_root sh -euc '
		cd /mnt
		make dkms-install "KRELEASES=$1"
		dkms status knp | grep "$1.*: installed"
		modprobe -S "$1" --show-depends knp | grep "/updates/dkms/knp\.ko"
		[ -x /usr/local/sbin/knp-load ]
		make dkms-remove
		[ -z "$(find / -xdev \( -path /proc -o -path /mnt \) -prune \
			-o -name "*knp*" -print | tee /dev/stderr)" ]' sh "$release"
}

# By hand, with the commands of docs/install.md and the suite's own sign-file;
# the certificate is not that of another key.
signed_by_hand() {
	local key=$WORK/dkms/key name

	for name in one other; do
		openssl req -new -x509 -newkey rsa:2048 -nodes -days 3650 \
			-subj "/CN=Modules of example.org/" -outform DER \
			-out "$key.$name.der" -keyout "$key.$name" || return
	done
	objcopy --strip-debug "$WORK/dkms/$release/knp.ko" "$WORK/dkms/signed.ko"
	! "$HERE"/signature "$WORK/dkms/signed.ko" "$key.one.der" || return
	# shellcheck disable=SC2016 # expanded by the inner shell
	BIND=$WORK/dkms in_root "$root" sh -c 'cd /mnt &&
		"/usr/src/linux-headers-$1/scripts/sign-file" sha256 key.one \
			key.one.der signed.ko' sh "$release" &&
		same "Modules of example.org" \
			"$(modinfo -F signer "$WORK/dkms/signed.ko")" &&
		"$HERE"/signature "$WORK/dkms/signed.ko" "$key.one.der" &&
		! "$HERE"/signature "$WORK/dkms/signed.ko" "$key.other.der"
}

dkms_test() {
	local series start

	for series in "${SERIES[@]}"; do
		start=$SECONDS
		kernel_of "$series"
		check "dkms of $(suite_of "$series"): the package, and each command, for $release" \
			dkms_one "$series"
		echo "# figure: DKMS for $release, and back: $((SECONDS - start)) s"
		# Debian 11's does not sign.
		[ "$series" = 5.10 ] || check "dkms of $(suite_of "$series") has signed it with its key" \
			"$HERE"/signature "$WORK/dkms/$release/knp.ko" \
			"$WORK/dkms/$release/mok.pub"
		check "knp.ko for $release is signed by hand, as docs/install.md says" \
			signed_by_hand
	done
	kernel_of "${SERIES[0]}"
	check "make dkms-install and dkms-remove, for $release" from_the_sources
}
