# What the end-to-end tests share; sourced by each test_*.sh, which gets the build folder as BUILD.
#
# A test file defines functions and ends with `run_cases NAME...`: each runs in a subshell with `set -e`, and one line says how
# it went. All a test makes lies in $WORK, a folder of its own; clusters are purged at the end, and what a cluster leaves behind
# is one more failure. Nothing waits for a fixed time: wait_for looks at a condition again until it holds or time is up.
# shellcheck shell=sh
set -u
E2E=$(cd "$(dirname "$0")" && pwd)
ROOT=$(cd "$E2E/../.." && pwd)
BIN=$BUILD/bin
SUITE=$(basename "$0" .sh | sed 's/^test_//')
WORK=$(mktemp -d /tmp/knarr-e2e.XXXXXX)
export E2E ROOT BIN WORK
FAILED=0
PATH=$PATH:/usr/sbin:/sbin

k() { "$BIN/kubectl-lite" "$@"; }

fail() {
	echo "failed: $*" >&2
	exit 1
}

assert_eq() { # WANT GOT WHAT
	[ "$1" = "$2" ] || fail "$3: expected \"$1\", got \"$2\""
}

assert_match() { # SHELL-PATTERN TEXT WHAT
	# shellcheck disable=SC2254 # a pattern is meant
	case $2 in
	$1) ;;
	*) fail "$3: expected something like \"$1\", got \"$2\"" ;;
	esac
}

# assert_fails PATTERN COMMAND...: it must fail, and say so on one of its outputs.
assert_fails() {
	pattern=$1
	shift
	output=$("$@" 2>&1) && fail "$*: succeeded, expected \"$pattern\"; it said: $output"
	assert_match "$pattern" "$output" "$*"
}

# wait_for SECONDS COMMAND...: until the command succeeds. SECONDS are enough for an idle machine; a loaded one gets three times as many.
wait_for() {
	_until=$(($(date +%s%N) / 1000000 + $1 * 3000))
	shift
	until "$@" >"$WORK/wait.$$" 2>&1; do
		[ $(($(date +%s%N) / 1000000)) -lt "$_until" ] || fail "not so in time: $*; last said: $(tail -c 500 "$WORK/wait.$$")"
		sleep 0.1
	done
}

# is WANT COMMAND...: the command prints something like the shell pattern WANT.
is() {
	_want=$1
	shift
	_got=$("$@" 2>&1)
	echo "$_got"
	# shellcheck disable=SC2254
	case $_got in
	$_want) ;;
	*) return 1 ;;
	esac
}

# field KIND/NAME JSONPATH [FLAGS...]
field() {
	_what=$1 _path=$2
	shift 2
	k get "$_what" -o "jsonpath=$_path" "$@"
}

# free_port: the first of four free ports in a row; reserved for this process by a folder, so that two runs cannot both take it.
free_port() {
	_port=$((20000 + ($$ * 10) % 9000))
	while :; do
		_port=$((_port + 10))
		[ "$_port" -lt 32000 ] || _port=20000
		mkdir "/tmp/knarr-e2e-port.$_port" 2>/dev/null || continue
		echo "/tmp/knarr-e2e-port.$_port" >>"$WORK/reserved"
		ss -Htln 2>/dev/null | grep -qE ":($_port|$((_port + 1))|$((_port + 2))|$((_port + 3))) " && continue
		echo "$_port"
		return
	done
}

# cluster_up NAME [FLAGS...]: starts or restarts the cluster in $WORK/NAME and makes it the one that k speaks to.
cluster_up() {
	DIR=$WORK/$1
	shift
	if [ ! -e "$DIR/cluster.json" ]; then
		set -- --port "$(free_port)" "$@"
		echo "$DIR" >>"$WORK/clusters"
	fi
	"$BIN/knarr" up --data "$DIR" -d "$@" >"$DIR.up" 2>&1 || fail "knarr up: $(tail -n 5 "$DIR.up")"
	cluster_id "$DIR" >"$DIR.id"
	[ -s "$DIR.id" ] || fail "the name of the bridge is not known"
	cluster_use "$(basename "$DIR")"
	wait_for 20 is '*Ready*' k get nodes --no-headers
	wait_for 20 is '' k get nodes -o 'jsonpath={.items[*].spec.taints}'
}

cluster_use() { # NAME
	DIR=$WORK/$1
	KUBECONFIG=$DIR/kubeconfig
	export DIR KUBECONFIG
	URL=$(sed -n 's/^ *server: //p' "$KUBECONFIG")
	export URL
}

# api METHOD PATH [CURL-ARGS...]: a plain request as the administrator.
api() {
	_method=$1 _path=$2
	shift 2
	curl -sS --cacert "$DIR/pki/ca.crt" --cert "$DIR/pki/admin.crt" --key "$DIR/pki/admin.key" -X "$_method" "$@" "$URL$_path"
}

import_images() {
	for _image in "$BUILD"/images/market-data-v?.tar; do
		"$BIN/knarr" image import --data "$DIR" "$_image" >"$WORK/import" 2>&1 || fail "image import: $(cat "$WORK/import")"
	done
}

program_pid() { # apiserver|scheduler|controller|nodeagent
	cut -d' ' -f1 "$DIR/run/knarr-$1.pid"
}

# traces_of DIR ID: all that is left on this machine of the cluster in DIR, one line each.
traces_of() {
	[ ! -e "$1" ] || echo "file: $1"
	for _cmdline in /proc/[0-9]*/cmdline; do
		_pid=${_cmdline#/proc/}
		_pid=${_pid%/cmdline}
		[ "$_pid" = $$ ] || { tr '\0' ' ' <"$_cmdline" | grep -F "$1/" | grep -v "^grep " | sed "s/^/process $_pid: /"; } 2>/dev/null
	done
	grep -F " $1/" /proc/self/mountinfo | sed 's/^/mount: /'
	ip -o link 2>/dev/null | grep -F "$2" | sed 's/^/link: /'
	find /sys/fs/cgroup -maxdepth 4 -type d -name "*$2*" 2>/dev/null | sed 's/^/cgroup: /'
	if command -v nft >/dev/null; then
		nft list tables 2>/dev/null | grep -F "$2" | sed 's/^/nft: /'
	fi
	ip netns list 2>/dev/null | grep -F "$2" | sed 's/^/netns: /'
}

# The hex digits in the names of a cluster's bridge and cgroups: of the node agent's own flags.
cluster_id() { # DIR
	tr '\0' '\n' <"/proc/$(cut -d' ' -f1 "$1/run/knarr-nodeagent.pid")/cmdline" 2>/dev/null | sed -n 's/^--bridge=knarr//p' | head -n 1
}

# cluster_purge DIR: ends it, and fails when anything of it is left.
cluster_purge() {
	[ -e "$1/cluster.json" ] || return 0
	_id=$(cat "$1.id" 2>/dev/null || cluster_id "$1")
	"$BIN/knarr" down --data "$1" --purge >"$1.down" 2>&1 || { echo "knarr down --purge: $(tail -n 3 "$1.down")" >&2; return 1; }
	# A case that failed may leave the folder a mount point: purge empties it, and it goes with the mount.
	mountpoint -q "$1" && [ -z "$(ls -A "$1")" ] && umount "$1" && rmdir "$1"
	_left=$(traces_of "$1" "${_id:-$1}")
	[ -z "$_left" ] || { printf 'left behind:\n%s\n' "$_left" >&2; return 1; }
}

report() { # ok|FAIL NAME SECONDS
	printf '%-4s %s: %s (%s s)\n' "$1" "$SUITE" "$2" "$3"
	[ "$1" = ok ] || FAILED=1
}

run_cases() {
	for _case in "$@"; do
		_began=$(date +%s)
		( set -e; "$_case" ) >"$WORK/case.log" 2>&1
		# shellcheck disable=SC2181 # as a condition the subshell would ignore its set -e
		if [ $? = 0 ]; then
			report ok "$(echo "$_case" | tr _ ' ')" $(($(date +%s) - _began))
		else
			report FAIL "$(echo "$_case" | tr _ ' ')" $(($(date +%s) - _began))
			tail -n 30 "$WORK/case.log" | sed 's/^/     | /'
		fi
	done
}

cleanup() {
	_began=$(date +%s)
	trap - EXIT INT TERM
	if [ "${KEEP:-}" ]; then
		echo "     kept: $WORK"
		exit $FAILED
	fi
	_all=ok
	while read -r _dir; do
		cluster_purge "$_dir" 2>"$WORK/purge.log" || { _all=FAIL; sed 's/^/     | /' "$WORK/purge.log"; }
	done 2>/dev/null <"$WORK/clusters"
	[ ! -e "$WORK/clusters" ] || report $_all "nothing is left behind" $(($(date +%s) - _began))
	while read -r _port; do
		rmdir "$_port"
	done 2>/dev/null <"$WORK/reserved"
	[ $_all = ok ] && rm -rf --one-file-system "$WORK"
	exit $FAILED
}
trap cleanup EXIT
trap 'exit 130' INT TERM
