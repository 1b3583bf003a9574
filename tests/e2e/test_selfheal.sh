#!/bin/sh
# What dies comes back: containers, pods, and each program of the cluster, killed with -9 while pods run.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

pods_of() { k get pods -l "app=$1" -o 'jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}' | sort; }

# All that must not change while programs die: one line a container.
containers() {
	k get pods -A -o json | jq -r '.items[] | .metadata as $m | .status as $s | $s.containerStatuses[]
		| [$m.name, $m.uid, .containerID, .state.running.startedAt, .restartCount, $s.podIP] | @tsv' | sort
}

# The processes themselves, containers and their shims, with the time they started at (field 22 of stat).
processes() {
	for _proc in /proc/[0-9]*; do
		case $(readlink "$_proc/exe") in
		*/market-data) grep -qF "$(cat "$DIR.id")" "$_proc/cgroup" || continue ;;
		*/knarr-shim) tr '\0' ' ' <"$_proc/cmdline" | grep -qF "$DIR/" || continue ;;
		*) continue ;;
		esac
		echo "$(basename "$(readlink "$_proc/exe")") ${_proc#/proc/} $(sed 's/.*) //' "$_proc/stat" | cut -d' ' -f20)"
	done 2>/dev/null | sort
}

# record: every change of every pod from now on, into $WORK/changes.
record() {
	: >"$WORK/changes"
	api GET '/api/v1/pods?watch=1&resourceVersion='"$(k get pods -A -o json | jq -r .metadata.resourceVersion)" -N -o "$WORK/changes" &
	recorder=$!
}

unready_changes() {
	sed -e '$!b' -e '/}$/!d' "$WORK/changes" | jq -r 'select(.object.status.conditions // [] | any(.type == "Ready" and .status != "True"))
		| "\(.object.metadata.name) \(.object.status.conditions)"'
}

new_program() { # NAME OLD-PID
	_pid=$(program_pid "$1") && [ -n "$_pid" ] && [ "$_pid" != "$2" ] && kill -0 "$_pid"
}

# A version of its own shows that the whole way from the API to a running container works.
works_after() { # WHAT
	k apply -f - <<END >/dev/null
{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "after-$1"}, "spec": {"terminationGracePeriodSeconds": 0, "containers": [
	{"name": "c", "image": "market-data:v1", "imagePullPolicy": "IfNotPresent", "readinessProbe": {"httpGet": {"path": "/ping", "port": 8080}, "periodSeconds": 1}}]}}
END
	wait_for 20 is True field "pod/after-$1" '{.status.conditions[?(@.type=="Ready")].status}'
	k delete pod "after-$1" >/dev/null
}

up_with_three_pods() {
	cluster_up main
	import_images
	k apply -f "$ROOT/manifests/market-data"
	k rollout status deployment/market-data --timeout 60s
}

a_killed_process_is_started_again_and_counted() {
	cluster_use main
	pod=$(pods_of market-data | head -n 1)
	id=$(field "pod/$pod" '{.status.containerStatuses[0].containerID}')
	uid=$(field "pod/$pod" '{.metadata.uid}')
	victim=$(find /sys/fs/cgroup -path "*$(cat "$DIR.id")*$uid*" -name cgroup.procs -exec cat {} + | sort -n | tail -n 1)
	kill -9 "$victim"
	wait_for 20 is 1 field "pod/$pod" '{.status.containerStatuses[0].restartCount}'
	wait_for 20 is True field "pod/$pod" '{.status.conditions[?(@.type=="Ready")].status}'
	assert_eq 137 "$(field "pod/$pod" '{.status.containerStatuses[0].lastState.terminated.exitCode}')" "exit code of a killed process"
	assert_eq "$id" "$(field "pod/$pod" '{.status.containerStatuses[0].lastState.terminated.containerID}')" "container of the last state"
	[ "$id" != "$(field "pod/$pod" '{.status.containerStatuses[0].containerID}')" ] || fail "the container kept its ID"
}

a_failing_liveness_probe_restarts_the_container() {
	cluster_use main
	pod=$(pods_of market-data | tail -n 1)
	curl -sS -X POST "http://$(field "pod/$pod" '{.status.podIP}'):8080/fail" >/dev/null
	wait_for 30 is 1 field "pod/$pod" '{.status.containerStatuses[0].restartCount}'
	wait_for 20 is True field "pod/$pod" '{.status.conditions[?(@.type=="Ready")].status}'
	for message in 'Liveness probe failed: HTTP probe failed with statuscode: 500' 'Container market-data failed liveness probe, will be restarted'; do
		wait_for 10 is "*$message*" \
			k get events --field-selector "involvedObject.name=$pod" -o 'jsonpath={.items[*].message}'
	done
}

a_deleted_pod_is_replaced() {
	cluster_use main
	pod=$(pods_of market-data | head -n 1)
	k delete pod "$pod"
	wait_for 20 is 3 field deployment/market-data '{.status.readyReplicas}'
	pods_of market-data | grep -q "^$pod$" && fail "$pod is still there"
	assert_eq 3 "$(pods_of market-data | wc -l)" "pods"
}

the_agent_killed_with_9_leaves_containers_alone_and_ready_never_flickers() {
	cluster_use main
	wait_for 20 is 3 field deployment/market-data '{.status.readyReplicas}'
	containers >"$WORK/before"
	processes >"$WORK/processes.before"
	[ "$(wc -l <"$WORK/before")" = 3 ] || fail "expected three containers: $(cat "$WORK/before")"
	[ "$(wc -l <"$WORK/processes.before")" = 6 ] || fail "expected three containers with their shims: $(cat "$WORK/processes.before")"
	record
	for _ in 1 2 3; do
		pid=$(program_pid nodeagent)
		kill -9 "$pid"
		wait_for 10 new_program nodeagent "$pid"
		works_after agent
	done
	kill $recorder
	containers >"$WORK/after"
	processes >"$WORK/processes.after"
	diff "$WORK/before" "$WORK/after" || fail "containers changed"
	diff "$WORK/processes.before" "$WORK/processes.after" || fail "processes changed"
	for pod in $(pods_of market-data); do
		! unready_changes | grep "^$pod " || fail "Ready flickered"
	done
	grep -q '"after-agent"' "$WORK/changes" || fail "the watch saw nothing"
}

probes_still_work_after_that() {
	cluster_use main
	pod=$(pods_of market-data | sed -n 2p)
	count=$(field "pod/$pod" '{.status.containerStatuses[0].restartCount}')
	curl -sS -X POST "http://$(field "pod/$pod" '{.status.podIP}'):8080/fail" >/dev/null
	wait_for 40 is $((count + 1)) field "pod/$pod" '{.status.containerStatuses[0].restartCount}'
	wait_for 40 is True field "pod/$pod" '{.status.conditions[?(@.type=="Ready")].status}'
}

killed() { # PROGRAM
	cluster_use main
	wait_for 40 is 3 field deployment/market-data '{.status.readyReplicas}'
	containers >"$WORK/before"
	processes >"$WORK/processes.before"
	pid=$(program_pid "$1")
	kill -9 "$pid"
	wait_for 10 new_program "$1" "$pid"
	wait_for 10 k get nodes
	works_after "$1"
	containers >"$WORK/after"
	processes >"$WORK/processes.after"
	diff "$WORK/before" "$WORK/after" || fail "containers changed"
	diff "$WORK/processes.before" "$WORK/processes.after" || fail "processes changed"
}
a_killed_apiserver_comes_back_with_all_objects() { killed apiserver; }
a_killed_scheduler_comes_back() { killed scheduler; }
a_killed_controller_comes_back() {
	killed controller
	k delete pod "$(pods_of market-data | head -n 1)"
	wait_for 20 is 3 field deployment/market-data '{.status.readyReplicas}'
}

pods_end_while_the_agent_is_away_and_are_gone_when_it_is_back() {
	cluster_use main
	pod=$(pods_of market-data | head -n 1)
	kill -9 "$(program_pid nodeagent)"
	k delete pod "$pod" --wait=false
	wait_for 30 is '*not found*' k get pod "$pod"
	wait_for 20 is 3 field deployment/market-data '{.status.readyReplicas}'
}

run_cases up_with_three_pods a_killed_process_is_started_again_and_counted a_failing_liveness_probe_restarts_the_container \
	a_deleted_pod_is_replaced the_agent_killed_with_9_leaves_containers_alone_and_ready_never_flickers \
	probes_still_work_after_that a_killed_apiserver_comes_back_with_all_objects a_killed_scheduler_comes_back \
	a_killed_controller_comes_back pods_end_while_the_agent_is_away_and_are_gone_when_it_is_back
