# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2153,SC2154 # run's, and each other's
#
# A stranger's path: a Debian 12 that has nothing, and the commands of README.md and
# docs/install.md as they are written there, each timed. What needs a kernel that
# loads modules is in the parts "guests" and "node". Part of tests/packaging/run.
#
# What was typed and answered is in build/packaging/transcripts/stranger.txt.

STRANGER_PACKAGES=ca-certificates

fill_stranger() {
	in_root "$1" apt-get -q update
	echo 'APT::Get::Assume-Yes "true";' >"$1/etc/apt/apt.conf.d/90stranger"
	# The kernel that runs there is not one that Debian has.
	in_root "$1" apt-cache depends linux-image-amd64 |
		sed -nE 's/.*Depends: linux-image-(.*)/\1/p' >"$1/.release"
	cat >"$1/usr/local/bin/uname" <<-END
	#!/bin/sh
	[ "\$*" = -r ] && echo $(cat "$1/.release") || exec /bin/uname "\$@"
	END
	chmod +x "$1/usr/local/bin/uname"
}

# In the root. typed FILE BEGINNING: the one line of the file that begins so, but
# for its comment.
stranger_life() {
	cat <<-'END'
	set -eu
	PATH=/usr/local/sbin:/usr/local/bin:$PATH
	release=$(uname -r) version=$(cat VERSION)
	typed() {
		line=$(sed -n "s|^\($2.*\)|\1|p" "$1" | sed 's/  *#.*//' | sort -u)
		[ -n "$line" ] || { echo "no line '$2' in $1"; exit 1; }
		printf '\n# %s\n' "$line"
		start=$(date +%s)
		# Of /bin/sh, in which nothing of this is set
		sh -ec "$line" </dev/null
		echo "figure: $line: $(($(date +%s) - start)) s" | tee -a /srv/figures
	}
	installed() { dkms status "knp/$version" | grep "$release.*: installed"; }
	gone() { if [ -n "$(dkms status knp)" ]; then exit 1; fi; }

	typed README.md 'apt update'
	typed README.md 'make demo'
	typed README.md 'make setup && make'
	[ -x build/knpd ]
	[ -e "build/kmod/$release/knp.ko" ]
	build/knpctl simulate -f tests/demo/manifests --matrix --port 80/TCP \
		>/tmp/matrix
	sed -n '/^\$ .*--matrix --port 80/,/^```/p' README.md | sed '1d;$d' |
		diff -u - /tmp/matrix

	typed docs/install.md 'make deb'
	typed docs/install.md 'apt install ./build/deb'
	installed
	modprobe -S "$release" --show-depends knp
	knpd --version
	typed docs/install.md 'apt purge knpd'
	gone

	typed docs/install.md 'apt install dkms'
	typed docs/install.md 'make dkms-install'
	installed
	typed docs/install.md 'make install'
	/usr/local/sbin/knpctl version
	typed docs/install.md 'make uninstall'
	typed docs/install.md 'make dkms-remove'
	gone
	[ -z "$(find / -xdev \( -path /proc -o -path /mnt -o -path /srv -o \
		-path /var/cache/knp -o -path /etc/default/knpd \) -prune -o \
		-name '*knp*' -print | tee /dev/stderr)" ]
	END
}

stranger_walk() {
	local status to=$WORK/stranger

	root_of stranger bookworm "$STRANGER_PACKAGES"
	rm -rf "$to"
	mkdir -p "$to/tree" "$to/out" "$WORK/transcripts"
	git ls-files -z --cached --others --exclude-standard |
		xargs -0 tar -c --ignore-failed-read | tar -x -C "$to/tree"
	stranger_life >"$to/out/life"
	BIND=$to/tree BIND_SRV=$to/out in_changed_root env -u BUILD -u MAKEFLAGS \
		-u KNP_CACHE sh -c 'cd /mnt && exec sh /srv/life' \
		>"$WORK/transcripts/stranger.txt" 2>&1
	status=$?
	rm -rf "$to/tree"
	[ "$status" = 0 ] || tail -n 40 "$WORK/transcripts/stranger.txt"
	return "$status"
}

stranger_test() {
	check "a stranger's path through README.md and docs/install.md" stranger_walk
	sed 's/^/# /' "$WORK/stranger/out/figures"
}
