# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Completion of knpctl for bash. Commands, options, tables and settings are read
# from its help, so that they are those of the program that is installed; names
# of pods and policies are those that the kernel has now.

_knpctl_run() { command knpctl "$@" 2>/dev/null; }

_knpctl_commands() { _knpctl_run help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'; }

_knpctl_options() {
	_knpctl_run "$1" --help | grep -oE -- '(^|[[:space:][(|])--[a-z-]+' |
		tr -d '[]()| \t' | sort -u
}

_knpctl_tables() {
	_knpctl_run get --help |
		sed -n '/TABLE is one of/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

# "mode=enforce mode=audit ..."; of a number only what is before it
_knpctl_settings() {
	local setting value

	for setting in $(_knpctl_run config --help |
			grep -oE '\[[a-z-]+=[^]]+\]' | tr -d '[]'); do
		for value in $(tr '|' ' ' <<<"${setting#*=}"); do
			case $value in
			*[A-Z]*) echo "${setting%%=*}=" ;;
			*) echo "${setting%%=*}=$value" ;;
			esac
		done
	done
}

_knpctl_families() {
	_knpctl_run attach --help | head -n 1 | grep -oE '\[[a-z0-9]+\]' |
		tr -d '[]'
}

# members KEY TABLE...: what the kernel has, each once
_knpctl_members() {
	local key=$1 table

	shift
	for table; do
		_knpctl_run get "$table" -o json
	done | sed -n "s/^ *\"$key\": *\"\\([^\"]*\\)\".*/\\1/p" | sort -u
}

_knpctl_pods() { _knpctl_members pod endpoints peers; }
_knpctl_policies() { _knpctl_members policy policies; }
_knpctl_namespaces() { _knpctl_pods | sed 's,/.*,,' | sort -u; }
_knpctl_reasons() { _knpctl_run stats | awk '$2 == "drop" { print $1 }'; }

# What may follow an option of a command, one a line; status 1: nothing is known
_knpctl_values() {
	case $1:$2 in
	*:-o | *:--output) printf '%s\n' table wide json yaml ;;
	monitor:--namespace) _knpctl_namespaces ;;
	monitor:--pod | simulate:--from | simulate:--to) _knpctl_pods ;;
	monitor:--policy) _knpctl_policies ;;
	monitor:--direction) printf '%s\n' egress ingress ;;
	monitor:--reason) _knpctl_reasons ;;
	top:-s | top:--sort) printf '%s\n' packets bytes id ;;
	wait:--for) printf '%s\n' enforced delete ;;
	*) return 1 ;;
	esac
}

# Whether an option of a command takes a value; those with files are apart.
_knpctl_takes_value() {
	case $1 in
	--count | --port | --interval | --iterations | --lines | --context | \
		--timeout | --node | --generation | --batch | \
		--resource-version | -[nil]) return 0 ;;
	esac
	return 1
}

# What a command takes beside options. $1: the command, $2: words before
_knpctl_arguments() {
	case $1 in
	get) _knpctl_tables ;;
	explain) _knpctl_pods ;;
	config) _knpctl_settings ;;
	attach | detach) _knpctl_families ;;
	help) _knpctl_commands ;;
	wait)
		case $2 in
		policy) _knpctl_policies ;;
		pod) _knpctl_pods ;;
		*) printf '%s\n' policy pod ;;
		esac
		;;
	esac
}

_knpctl() {
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command='' words i

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-o | --output | --runtime-dir) i=$((i + 1)) ;;
		-*) ;;
		*)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done

	case $before in
	-f | --file | -k | --kubeconfig | --state | --runtime-dir)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	esac
	if words=$(_knpctl_values "$command" "$before"); then
		:
	elif _knpctl_takes_value "$before"; then
		return
	elif [ -z "$command" ]; then
		words="$(_knpctl_commands) help version --output --runtime-dir"
	elif [[ $current == -* ]]; then
		words=$(_knpctl_options "$command")
	else
		words=$(_knpctl_arguments "$command" "$before")
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
	# "event-rate=" is only the beginning of a word.
	[[ ${COMPREPLY[*]} != *= ]] || compopt -o nospace 2>/dev/null
}

# "=" is a part of words here.
COMP_WORDBREAKS=${COMP_WORDBREAKS//=/}
complete -F _knpctl knpctl
