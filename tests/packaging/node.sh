# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2153,SC2154 # run's, and each other's
#
# A whole node: Debian 12 with systemd on a disk, with the packages installed as
# on any other, booted in QEMU. What happens in it is in node/*.sh, a boot each, of a
# disk of its own but for the second of these:
#
#   life        boot, policies hold; upgrade, stop, removal, under traffic
#   before      boot, policies hold and are kept
#   after       the same disk again: closed before the kubelet, until knpd comes
#   refusal     the kernel takes signed modules only, and trusts nobody's key
#   secureboot  UEFI Secure Boot with DKMS's key among the machine's own
#
# Part of tests/packaging/run. Logs are in build/packaging/node/SCENARIO.

NODE_PACKAGES=systemd,systemd-sysv,udev,kmod,iproute2,jq,procps
NODE_PACKAGES+=,dkms,gcc,make,libc6-dev,openssl,linux-headers-amd64
NODE_PACKAGES+=,libcurl4,libevent-2.1-7,libevent-openssl-2.1-7,libjson-c5,libnl-3-200,libnl-genl-3-200
NODE_PACKAGES+=,libnl-route-3-200,libsimdjson14,libsmartcols1,libssl3,libyaml-0-2
FIRMWARE_PACKAGES=python3-virt-firmware
OVMF=/usr/share/OVMF
NODE_MODULES=(veth nf_conntrack)
DISK_MODULES=(virtio_pci virtio_blk crc32c_generic ext4)
OWNER=a0a0a0a0-1111-2222-3333-444444444444

node=$WORK/node
disk=$node/disk.img

fill_node() {
	in_root "$1" apt-get -q update
	basename "$(echo "$1"/usr/src/linux-headers-*-amd64)" |
		sed 's/linux-headers-//' >"$1/.release"
}

# modules_of IMAGE RELEASE NAME...: files that they are, each after what it needs
modules_of() {
	local from=$1 release=$2 name

	shift 2
	for name; do
		modprobe -d "$from" -S "$release" --show-depends "$name" || return
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# The node's root: installed by its packages, the scenarios beside them.
node_root() {
	local to=$node/root file image=$CACHE/kernels/$node_release

	rm -rf "$node"
	mkdir -p "$node"
	cp -a "$root" "$to"
	BIND=$BUILD/deb in_root "$to" dpkg -i "/mnt/knpd_${VERSION}_amd64.deb" \
		"/mnt/knp-dkms_${VERSION}_all.deb" || return
	[ -e "$to/lib/modules/$node_release/updates/dkms/knp.ko" ] || return
	cp "$to/var/lib/dkms/mok.pub" "$node/"
	modules_of "$image" "$node_release" "${NODE_MODULES[@]}" |
		while read -r file; do
			install -D -m 644 "$file" "$to/${file#"$image"}"
		done
	cp "$image/lib/modules/$node_release"/modules.{builtin,order}* \
		"$to/lib/modules/$node_release/"
	depmod -b "$to" "$node_release"

	mkdir -p "$to/guest" "$to/etc/knp"
	cp -r tests/packaging/node/. tests/guest/tap.sh "$to/guest/"
	cp -r tests/packaging/node/manifests "$to/etc/knp/"
	cp "$NEXT_TREE/build/deb/knpd_${NEXT}_amd64.deb" "$to/guest/next.deb"
	${CC:-gcc} -std=gnu11 -O2 -D_GNU_SOURCE -static -o "$to/guest/probe" \
		tests/guest/probe*.c || return
	objcopy --strip-debug "$to/lib/modules/$node_release/updates/dkms/knp.ko" \
		"$to/guest/unsigned.ko"
	echo 'KNPD_OPTIONS="--manifests /etc/knp/manifests --node node1"' \
		>"$to/etc/default/knpd"
	cp tests/packaging/node/*.service "$to/etc/systemd/system/"
	ln -s ../knp-test.service ../kubelet.service \
		"$to/etc/systemd/system/multi-user.target.wants/"
	# Nobody logs in, and nothing is mounted but the root.
	ln -sf /dev/null "$to/etc/systemd/system/serial-getty@ttyS0.service"
	ln -sf /dev/null "$to/etc/systemd/system/getty@tty1.service"
	: >"$to/etc/fstab"
	echo node1 >"$to/etc/hostname"
	systemd-machine-id-setup --root="$to" >/dev/null
}

# An initramfs that finds the disk and hands over to it.
node_initramfs() {
	local to=$node/initramfs n=100 file image=$CACHE/kernels/$node_release

	mkdir -p "$to/bin" "$to/dev" "$to/proc" "$to/new" "$to/modules"
	cp "$(command -v busybox)" "$to/bin/"
	cp tests/packaging/node/init "$to/init"
	modules_of "$image" "$node_release" "${DISK_MODULES[@]}" |
		while read -r file; do
			n=$((n + 1))
			cp "$file" "$to/modules/$n-$(basename "$file")"
		done
	(cd "$to" && find . -print0 | cpio --quiet -0 -o -H newc -R 0:0) |
		gzip -1 >"$node/initrd"
}

node_disk() {
	truncate -s 3G "$disk" && mkfs.ext4 -q -E lazy_itable_init=1 -d "$node/root" \
		"$disk" && rm -rf "$node/root"
}

make_node() {
	root_of node bookworm "$NODE_PACKAGES"
	node_release=$(cat "$root/.release")
	image "$root" "$node_release"
	need_deb && need_next && node_root && node_initramfs && node_disk
}

# boot SCENARIO KERNEL APPEND QEMU-ARGUMENT...: its TAP; with a disk of its own, or
# with DISK, which is made and stays
boot() {
	local out=$node/$1 kernel=$2 append=$3 code=0 its=${DISK:-$node/$1/disk}

	rm -rf "$out"
	mkdir -p "$out"
	[ -e "$its" ] || cp --sparse=always "$disk" "$its"
	shift 3
	timeout "${KNP_GUEST_TIMEOUT:-900}" qemu-system-x86_64 \
		-accel tcg,thread=multi -cpu max -smp 2 -m 1024 -machine q35 \
		-display none -nodefaults -no-reboot -monitor none \
		-kernel "$kernel" -initrd "$node/initrd" \
		-drive "file=$its,format=raw,if=virtio,cache=unsafe" \
		-append "console=ttyS0,115200 quiet panic=-1 mitigations=off
			no_timer_check random.trust_cpu=on
			rcupdate.rcu_cpu_stall_timeout=120 systemd.show_status=0
			knp.scenario=$(basename "$out") $append" \
		-serial "file:$out/console.log" -serial stdio \
		-serial "file:$out/logs.tar.gz" "$@" </dev/null || code=$?
	[ -n "${DISK:-}" ] || rm -f "$its"
	mkdir -p "$out/logs"
	tar -C "$out/logs" -xzf "$out/logs.tar.gz" 2>/dev/null || true
	[ "$code" = 0 ] || echo "qemu ended with status $code; see $out"
}

# ---- Secure Boot -----------------------------------------------------------

# The owner's key signs the kernel; DKMS's is enrolled beside it, as mokutil and
# the firmware's menu do.
owner_key() {
	openssl req -new -x509 -newkey rsa:2048 -nodes -days 3650 -sha256 \
		-subj "/CN=The machine's owner/" -keyout "$node/owner.key" \
		-out "$node/owner.pem" 2>/dev/null &&
	openssl x509 -inform DER -in "$node/mok.pub" -out "$node/mok.pem" &&
	sbsign --key "$node/owner.key" --cert "$node/owner.pem" \
		--output "$node/vmlinuz.signed" "$node_vmlinuz" 2>/dev/null
}

firmware() {
	root_of firmware trixie "$FIRMWARE_PACKAGES"
	cp "$OVMF/OVMF_VARS_4M.fd" "$node/vars.in"
	BIND=$node in_root "$root" virt-fw-vars -i /mnt/vars.in -o /mnt/vars \
		--set-pk "$OWNER" /mnt/owner.pem --add-kek "$OWNER" /mnt/owner.pem \
		--add-db "$OWNER" /mnt/owner.pem --add-db "$OWNER" /mnt/mok.pem --sb
}

node_test() {
	check "a node is installed by its packages" make_node
	node_release=$(cat "$CACHE"/roots/node-bookworm-*/.release | tail -n 1)
	node_vmlinuz=$CACHE/kernels/$node_release/boot/vmlinuz-$node_release
	relay life < <(boot life "$node_vmlinuz" "")
	rm -f "$node/twice"
	relay before < <(DISK=$node/twice boot before "$node_vmlinuz" "")
	relay after < <(DISK=$node/twice boot after "$node_vmlinuz" "")
	rm -f "$node/twice"
	relay refusal < <(boot refusal "$node_vmlinuz" module.sig_enforce=1)
	check "the owner's key signs the kernel" owner_key
	check "firmware has the owner's and DKMS's keys, Secure Boot on" firmware
	relay secureboot < <(boot secureboot "$node/vmlinuz.signed" "" \
		-drive "if=pflash,format=raw,unit=0,readonly=on,file=$OVMF/OVMF_CODE_4M.fd" \
		-drive "if=pflash,format=raw,unit=1,file=$node/vars")
}
