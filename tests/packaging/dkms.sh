# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2153,SC2154 # run's, and each other's
#
# DKMS, as each Debian release has it, and the tree of the package knp-dkms: add,
# build, install, remove, for each kernel of the matrix. The package is installed
# with dpkg, so its own scripts do the first of it. Part of tests/packaging/run.
#
# What was built stays in build/packaging/dkms/RELEASE, for the guests: knp.ko,
# and the certificate of the key that DKMS has signed it with.

# In the root. The package's own scripts add, build and install, and take away.
dkms_life() {
	cat <<-'END'
	set -eu
	release=$1 version=$2
	say() { printf '== %s\n' "$*"; }
	built() { find "/lib/modules/$release" -name 'knp.ko*'; }
	is() { dkms status "knp/$version" | grep -q "$1" || { dkms status; exit 1; }; }
	left() { find / -xdev \( -path /proc -o -path /mnt -o -path /srv \) -prune \
		-o -name '*knp*' -print; }

	# In a root it would build for every kernel that has headers there.
	for other in /lib/modules/*; do
		[ "$other" = "/lib/modules/$release" ] || rm -r "$other"
	done

	say the package adds it to DKMS, and builds and installs it
	dpkg -i "/mnt/knp-dkms_${version}_all.deb"
	is "$release.*: installed"
	! grep 'warning:' "/var/lib/dkms/knp/$version/$release"/*/log/make.log

	say it is for this kernel and of this version, and modprobe finds it
	ko=$(built)
	[ "$(modinfo -F version "$ko")" = "$version" ]
	case $(modinfo -F vermagic "$ko") in "$release "*) ;; *) exit 1 ;; esac
	grep -q '/knp\.ko[^:]*:' "/lib/modules/$release/modules.dep"

	say what guests boot
	cp "$ko" /srv/
	[ ! -e /var/lib/dkms/mok.pub ] || cp /var/lib/dkms/mok.pub /srv/

	say uninstall takes it from the kernel, install gives it back
	dkms uninstall -k "$release" "knp/$version"
	[ -z "$(built)" ]
	is "$release.*: built"
	dkms install -k "$release" "knp/$version"
	is "$release.*: installed"

	say remove takes it from DKMS, add brings it back
	dkms remove "knp/$version" --all
	[ -z "$(built)" ]
	dkms add "knp/$version"
	is added

	say the package takes everything with it
	dpkg --purge knp-dkms
	[ -z "$(left)" ] || { left; exit 1; }
	END
}

# dkms_one SERIES: what DKMS leaves is in $WORK/dkms/RELEASE
dkms_one() {
	local out changes

	kernel_of "$1"
	need_deb || return
	out=$WORK/dkms/$release
	changes=$(mktemp -d "$CACHE/packaging.XXXXXX")
	rm -rf "$out"
	mkdir -p "$out"
	dkms_life >"$out/life"
	CHANGES=$changes BIND=$BUILD/deb BIND_SRV=$out in_root "$root" \
		sh /srv/life "$release" "$VERSION"
	local status=$?
	rm -rf "$changes"
	[ "$status" = 0 ] || return "$status"
	xz -dqf "$out"/knp.ko.xz 2>/dev/null
	[ -s "$out/knp.ko" ]
}

need_dkms() {
	kernel_of "$1"
	[ -e "$WORK/dkms/$release/knp.ko" ] ||
		dkms_one "$1" >"$WORK/dkms.log" 2>&1
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
}
