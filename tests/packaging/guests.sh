# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2153,SC2154 # run's, and each other's
#
# The module that DKMS has built and the programs of the package knpd, on each
# kernel, in scenarios of tests/guest. Part of tests/packaging/run.

SCENARIOS=(lifecycle matrix)

# What tests/guest/run takes for the build: the packages' files.
guest_build() {
	local to=$WORK/guest program

	need_deb && mkdir -p "$to/kmod/$release" "$WORK/knpd" || return
	dpkg -x "$BUILD/deb/knpd_${VERSION}_amd64.deb" "$WORK/knpd" || return
	for program in sbin/knpd sbin/knpctl lib/cni/knp-cni; do
		cp "$WORK/knpd/usr/$program" "$to/"
	done
	cp "$BUILD/libknp.a" "$to/" &&
		cp "$WORK/dkms/$release/knp.ko" "$to/kmod/$release/"
}

guests_test() {
	local series

	for series in "${SERIES[@]}"; do
		kernel_of "$series"
		check "DKMS has built knp.ko for $release" need_dkms "$series"
		image "$root" "$release"
		check "the packages' files for a guest of $release" guest_build
		relay "$release" < <(BUILD=$WORK/guest KNP_GUESTS=1 tests/guest/run \
			--kernel "$release" "${SCENARIOS[@]}" 2>&1)
	done
}
