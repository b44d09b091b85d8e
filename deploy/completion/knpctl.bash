# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

# Words that a command of knpctl takes, or nothing. $1: the command
_knpctl_words() {
	case $1 in
	attach) echo ipv4 ipv6 bridge ;;
	config) echo mode=enforce mode=audit default=pass default=drop \
		unknown-local=pass unknown-local=drop encap=pass encap=drop \
		node-egress=pass node-egress=drop lb-probes=pass \
		lb-probes=drop event-rate= ;;
	detach) echo --yes ipv4 ipv6 bridge ;;
	explain) knpctl get endpoints -o json 2>/dev/null |
		sed -n 's/.*"pod": *"\([^"]*\)".*/\1/p' | sort -u ;;
	get) echo endpoints policies rules sets rows peers cidrs classes \
		portsets ifaces ;;
	monitor) echo --count --events --commits ;;
	simulate) echo --file --from --to --port --matrix --keep-going ;;
	wait) echo --synced --generation --batch --timeout ;;
	esac
}

_knpctl() {
	local commands="status get explain monitor stats simulate wait config
		attach detach help version"
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local word words=$commands

	case $before in
	-o | --output)
		mapfile -t COMPREPLY < <(compgen -W "table json" -- "$current")
		return
		;;
	-f | --file | --runtime-dir)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	esac
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case " ${commands//[[:space:]]/ } " in
		*" $word "*)
			words="$(_knpctl_words "$word") --output --help"
			break
			;;
		esac
	done
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
	# "mode=" is only the beginning of a word.
	[[ ${COMPREPLY[*]} != *= ]] || compopt -o nospace
}

# "=" is a part of words here.
COMP_WORDBREAKS=${COMP_WORDBREAKS//=/}
complete -F _knpctl knpctl
