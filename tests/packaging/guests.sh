# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2153,SC2154 # run's, and each other's
#
# The module that DKMS has built and the programs of the package knpd, on each
# kernel: in scenarios of tests/guest, and, loaded by its name from where DKMS has
# installed it, in packaged/life.sh: install, enforce, upgrade, remove. Part of
# tests/packaging/run.
#
# What was typed and answered is in build/packaging/transcripts/RELEASE.txt.

SCENARIOS=(lifecycle matrix)

# What tests/guest/run takes for the build: the packages' files.
guest_build() {
	local to=$WORK/guest program

	need_deb && mkdir -p "$to/kmod/$release" "$WORK/knpd" || return
	dpkg -x "$BUILD/deb/knpd_${VERSION}_amd64.deb" "$WORK/knpd" || return
	for program in sbin/knpd sbin/knpctl lib/cni/knp-cni; do
		cp "$WORK/knpd/usr/$program" "$to/" || return
	done
	cp "$BUILD/libknp.a" "$to/" &&
		cp "$WORK/dkms/$release/knp.ko" "$to/kmod/$release/"
}

# What lies over the guest's root: the module as installed, knp-load, and, not yet
# installed, what is upgraded to.
guest_overlay() {
	local to=$WORK/guest/overlay updates

	updates=$to/lib/modules/$release/updates/dkms
	rm -rf "$to" "$WORK/next-knpd"
	mkdir -p "$updates" "$to/usr/sbin" "$to/next"
	dpkg -x "$NEXT_TREE/build/deb/knpd_${NEXT}_amd64.deb" "$WORK/next-knpd" &&
		cp "$WORK/next-knpd/usr/sbin/knpd" "$to/next/" &&
		cp "$WORK/dkms/$release"/next/knp.ko* "$to/next/" &&
		cp "$WORK/dkms/$release"/installed/knp.ko* "$updates/" &&
		cp deploy/knp-load "$to/usr/sbin/"
}

transcript() {
	local guest=$WORK/guest/guest/$release/life/logs/transcript

	mkdir -p "$WORK/transcripts"
	{
		echo "DKMS of $(suite_of "$1"), in a root of it, for Linux $release" &&
			cat "$WORK/dkms/$release/transcript" &&
			printf '\nThat module in a guest of Linux %s\n' "$release" &&
			cat "$guest"
	} >"$WORK/transcripts/$release.txt"
}

guests_test() {
	local series run

	for series in "${SERIES[@]}"; do
		kernel_of "$series"
		check "DKMS has built knp.ko for $release" need_dkms "$series"
		image "$root" "$release"
		check "the packages' files for a guest of $release" guest_build
		check "what DKMS has installed there, and the next release" guest_overlay
		run=(env "BUILD=$WORK/guest" KNP_GUESTS=1 tests/guest/run
			--kernel "$release")
		relay "$release" < <("${run[@]}" "${SCENARIOS[@]}" 2>&1)
		relay "$release" < <("${run[@]}" --packaged "$WORK/guest/overlay" \
			life 2>&1)
		check "$release: build/packaging/transcripts has what was said" \
			transcript "$series"
	done
}
