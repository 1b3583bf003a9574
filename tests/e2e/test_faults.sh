#!/bin/sh
# The n-th system call of the node agent fails, from the moment a pod is made until it is gone: the pod gets Ready all the same, for
# what failed is tried again, and it leaves nothing behind: no process, mount, namespace, link, cgroup, file, open descriptor.
# The call is made to fail by a preloaded library (fail_call.c).
#
# FAULTS is how many values of n are tried, spread over all calls (12); `all` tries each. FAULTS_FROM is the first. FAULTS_SECONDS
# ends the sweep after that time. FAULTS_REPORT names a file for the counts as JSON. FAULTS_AT=n tries that one.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# put OFFSET TEXT: into the memory that the test shares with the library.
put() { printf %s "$2" | dd of="$WORK/call" bs=1 seek="$1" conv=notrunc status=none; }
arm() { # N
	put 32 "-
"
	put 16 00000000
	put 0 "$(printf %08d "$1")"
}
disarm() { put 0 00000000; }
count() { dd if="$WORK/call" bs=1 skip=16 count=8 status=none | sed 's/^0*//'; }
which_call() { dd if="$WORK/call" bs=1 skip=32 count=64 status=none | head -n 1; }

up() {
	"${CC:-gcc}" -shared -fPIC -O1 -Wall -Wextra -D_GNU_SOURCE -o "$WORK/fail_call.so" "$E2E/fail_call.c" -ldl
	printf '%0128d' 0 >"$WORK/call"
	: >"$WORK/known"
	FAIL_CALL=$WORK/call LD_PRELOAD=$WORK/fail_call.so
	export FAIL_CALL LD_PRELOAD
	cluster_up main
	unset LD_PRELOAD FAIL_CALL
	grep -q fail_call.so "/proc/$(program_pid nodeagent)/maps" || fail "the agent does not have the library"
	import_images
	k apply -f - <<END
{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"color": "blue"}}
END
	program_pid nodeagent >"$WORK/agent"
	# Once without a fault: what is opened and made once and for all is there then.
	round 0
	count >"$WORK/calls"
	descriptors >"$WORK/descriptors"
	[ "$(cat "$WORK/calls")" -gt 100 ] || fail "the library counted $(cat "$WORK/calls") calls"
}

pod() {
	k apply -f - <<END
{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "subject"}, "spec": {"terminationGracePeriodSeconds": 1,
	"volumes": [{"name": "settings", "configMap": {"name": "settings"}}, {"name": "scratch", "emptyDir": {"medium": "Memory"}}],
	"containers": [{"name": "c", "image": "market-data:v1", "imagePullPolicy": "IfNotPresent",
		"volumeMounts": [{"name": "settings", "mountPath": "/settings"}, {"name": "scratch", "mountPath": "/scratch"}],
		"readinessProbe": {"httpGet": {"path": "/ping", "port": 8080}, "periodSeconds": 1}}]}}
END
}

# Descriptors of the agent but connections, which come and go.
descriptors() { find "/proc/$(cat "$WORK/agent")/fd" -type l -printf '%l\n' 2>/dev/null | grep -cv '^socket:'; }

# What there is of any pod, one line each, but what an earlier round was told off for.
remains() { all_remains | grep -vxFf "$WORK/known"; }
all_remains() {
	_id=$(cat "$DIR.id")
	find "$DIR/agent/pods" "$DIR/agent/runc" -mindepth 1 -maxdepth 2 ! -path '*/pods/.trash' | sed 's/^/file: /'
	find "$DIR/agent/network" -type l | sed 's/^/address: /'
	grep -F " $DIR/agent/pods/" /proc/self/mountinfo | sed 's/^/mount: /'
	ip -o link show master "knarr$_id" | sed 's/^/link: /'
	find /sys/fs/cgroup -maxdepth 4 -type d -path "*knarr-$_id/*" -name 'pod*' | sed 's/^/cgroup: /'
	pgrep -af "knarr-shim .*$DIR/" | sed 's/^/process: /'
	[ ! -s "$WORK/descriptors" ] || [ "$(descriptors)" -le "$(cat "$WORK/descriptors")" ] ||
		{ echo "descriptors, of $(cat "$WORK/descriptors") before:"; ls -l "/proc/$(cat "$WORK/agent")/fd"; }
}

is_ready() { is True field pod/subject '{.status.conditions[?(@.type=="Ready")].status}'; }
is_gone() { is '' k get pod subject --ignore-not-found -o name && is '' remains; }

# round N: a pod comes and goes while call N fails.
round() {
	arm "$1"
	pod >"$WORK/pod.log" 2>&1
	wait_for 60 is_ready
	k delete pod subject --wait=false >/dev/null
	wait_for 60 is_gone
	disarm
	[ "$(program_pid nodeagent)" = "$(cat "$WORK/agent")" ] || fail "the agent died"
}

explain() { # N
	echo "call $1, $(which_call):"
	k get pod subject -o json --ignore-not-found | jq -c '.status // empty'
	k get events --field-selector involvedObject.name=subject -o 'jsonpath={range .items[*]}{.reason}: {.message}{"\n"}{end}' | tail -n 8
	echo "left:"
	remains
	grep nodeagent "$DIR"/logs/*nodeagent* 2>/dev/null | tail -n 5
}

every_call_may_fail() {
	cluster_use main
	calls=$(cat "$WORK/calls")
	case ${FAULTS:=12} in
	all) step=1 ;;
	*) step=$((calls / FAULTS + 1)) ;;
	esac
	# A sample begins elsewhere each time, so that many of them see it all.
	n=${FAULTS_FROM:-$(($(date +%s) % step + 1))}
	last=$((calls + calls / 10))
	[ -z "${FAULTS_AT:-}" ] || n=$FAULTS_AT last=$FAULTS_AT
	end=$(($(date +%s) + ${FAULTS_SECONDS:-100000}))
	tried=0 fired=0 failed=0
	while [ "$n" -le "$last" ] && [ "$(date +%s)" -lt "$end" ]; do
		tried=$((tried + 1))
		if ! (round "$n") >"$WORK/round.log" 2>&1; then
			failed=$((failed + 1))
			{ explain "$n"; cat "$WORK/round.log"; } >&2
			disarm
			k delete pod subject --ignore-not-found --force --grace-period=0 --wait=false >/dev/null 2>&1
			wait_for 120 is '' k get pod subject --ignore-not-found -o name
			all_remains >"$WORK/known"
			program_pid nodeagent >"$WORK/agent"
			descriptors >"$WORK/descriptors"
		fi
		[ "$(which_call)" = - ] || fired=$((fired + 1))
		n=$((n + step))
	done
	[ -z "${FAULTS_REPORT:-}" ] || printf '{"part": "agent-calls", "seconds": %s, "failed": %s, "counts": {"calls made to fail": %s, "pods started and deleted": %s}}\n' \
		$(($(date +%s) - end + ${FAULTS_SECONDS:-100000})) "$([ $failed = 0 ] && echo false || echo true)" "$fired" "$tried" >"$FAULTS_REPORT"
	[ "$fired" -gt 0 ] || fail "no call failed"
	[ "$failed" = 0 ] || fail "$failed of $tried rounds failed"
}

run_cases up every_call_may_fail
