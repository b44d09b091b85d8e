# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2153,SC2154 # run's, and each other's
#
# The Debian packages: that they build, that lintian objects to nothing, and their
# life in a clean root without systemd running: install, upgrade, remove, purge.
# Part of tests/packaging/run.

NEXT=$VERSION+next
NEXT_TREE=$WORK/next
CLEAN_PACKAGES=systemd,systemd-sysv,kmod,iproute2

fill_clean() {
	in_root "$1" apt-get -q update
}

make_deb() {
	make --no-print-directory deb
}

# fresh FOLDER VERSION: packages there, and nothing changed since
fresh() {
	local changes=$1/knp_$2_amd64.changes

	[ -e "$changes" ] && [ -z "$(find . \( -path ./build -o -path ./.git \) -prune \
		-o -type f -newer "$changes" -print -quit)" ]
}

need_deb() {
	fresh "$BUILD/deb" "$VERSION" || make_deb >"$WORK/deb.log" 2>&1
}

# A later release of the same, to upgrade to.
make_next() {
	local log=$NEXT_TREE/deploy/debian/changelog

	rm -rf "$NEXT_TREE"
	mkdir -p "$NEXT_TREE"
	tar -c --exclude=./.git --exclude=./build . | tar -x -C "$NEXT_TREE"
	echo "$NEXT" >"$NEXT_TREE/VERSION"
	sed "s/^knp ($VERSION)/knp ($NEXT)/" "$log" >"$log.next"
	printf '\n' | cat "$log.next" - deploy/debian/changelog >"$log"
	rm "$log.next"
	env -u BUILD make --no-print-directory -C "$NEXT_TREE" deb
}

need_next() {
	fresh "$NEXT_TREE/build/deb" "$NEXT" || make_next >"$WORK/deb.log" 2>&1
}

all_there() {
	local file

	same "$(printf '%s\n' knp-dkms_"$VERSION"_all.deb knp_"$VERSION".dsc \
		knp_"$VERSION".tar.xz knp_"$VERSION"_amd64.buildinfo \
		knpd-dbgsym_"$VERSION"_amd64.deb knpd_"$VERSION"_amd64.deb)" \
		"$(sed -n '/^Files:/,$p' "$BUILD/deb/knp_${VERSION}_amd64.changes" |
			awk 'NF == 5 { print $5 }' | sort)" || return
	for file in knp-dkms_"$VERSION"_all.deb knpd_"$VERSION"_amd64.deb; do
		[ -s "$BUILD/deb/$file" ] || { echo "no $file"; return 1; }
	done
}

lintian_clean() {
	local out

	out=$(lintian --allow-root --pedantic --display-info \
		"$BUILD/deb/knp_${VERSION}_amd64.changes" 2>&1)
	[ -z "$out" ] || { printf '%s\n' "$out"; return 1; }
}

# A package of this machine's suite must not need what that does not have, so
# apt resolves it. knp-cni is where Debian's runtimes look for plugins.
clean_life() {
	cat <<-'END'
	set -eu
	version=$1 next=$2
	say() { printf '== %s\n' "$*"; }
	left() { find / -xdev \( -path /proc -o -path /mnt -o -path /srv \) -prune \
		-o -name '*knp*' -print; }
	# "!" and what is before "&&" do not end a shell with -e
	never() { if "$@"; then exit 1; fi; }
	enabled() { [ "$(systemctl is-enabled "$1")" = enabled ]; }
	added() { dkms status | grep "^knp/$1[,:]"; }

	say install
	apt-get -qy --no-install-recommends install \
		"/mnt/knpd_${version}_amd64.deb" "/mnt/knp-dkms_${version}_all.deb"
	[ "$(knpd --version | cut -d' ' -f2)" = "$version" ]
	[ -x /usr/lib/cni/knp-cni ]
	[ -x /usr/sbin/knp-load ]
	enabled knpd.service
	enabled knp-module.service
	added "$version"
	knpctl simulate --help >/dev/null

	say upgrade, and what was set stays
	mkdir -p /etc/knp
	echo "token: mine" >/etc/knp/kubeconfig
	echo 'KNPD_OPTIONS="--kubeconfig /etc/knp/kubeconfig --cni"' >/etc/default/knpd
	systemctl disable knp-module.service
	dpkg -i "/srv/knpd_${next}_amd64.deb" "/srv/knp-dkms_${next}_all.deb"
	[ "$(knpd --version | cut -d' ' -f2)" = "$next" ]
	grep -q -- --cni /etc/default/knpd
	enabled knpd.service
	never enabled knp-module.service
	added "$next"
	never added "$version"
	[ ! -e "/usr/src/knp-$version" ]

	say remove, and settings stay
	dpkg -r knpd knp-dkms
	[ -e /etc/default/knpd ]
	[ ! -e /usr/sbin/knpd ]
	[ ! -e "/usr/src/knp-$next" ]

	say purge, and what is the operator\'s stays
	dpkg -P knpd knp-dkms
	[ "$(left)" = /etc/knp ] || { left; exit 1; }
	rm -r /etc/knp
	END
}

in_clean_root() {
	local status

	root_of clean bookworm "$CLEAN_PACKAGES"
	clean_life >"$BUILD/deb/life"
	BIND=$BUILD/deb BIND_SRV=$NEXT_TREE/build/deb \
		in_changed_root sh /mnt/life "$VERSION" "$NEXT"
	status=$?
	rm -f "$BUILD/deb/life"
	return "$status"
}

packages_test() {
	check "make deb builds" make_deb
	check "the .changes file lists both packages and the source" all_there
	check "lintian objects to nothing, not even pedantically" lintian_clean
	check "the next release builds likewise" make_next
	check "clean root: install, upgrade, remove, purge" in_clean_root
}
