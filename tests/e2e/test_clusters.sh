#!/bin/sh
# Two clusters on one machine; down and up again; purge.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

two_clusters_side_by_side() {
	for name in one two; do
		cluster_up $name
		import_images
		k apply -f "$ROOT/manifests/pod.yaml"
	done
	for name in one two; do
		cluster_use $name
		wait_for 20 is True field pod/hello '{.status.conditions[?(@.type=="Ready")].status}'
		address=$(field pod/hello '{.status.podIP}')
		echo "$address" >"$WORK/address.$name"
		wait_for 5 is hello curl -sS --max-time 10 "http://$address:8080/ping"
		"$BIN/knarr" status --data "$DIR"
	done
	[ "$(cat "$WORK/address.one")" != "$(cat "$WORK/address.two")" ] || fail "both pods have the same address"
	cluster_use one
	k delete pod hello --grace-period 1
	cluster_use two
	assert_eq hello "$(k get pods -o 'jsonpath={.items[*].metadata.name}')" "pods of the other cluster"
}

the_credentials_of_one_open_nothing_in_the_other() {
	cluster_use one
	cert=$DIR/pki/admin.crt key=$DIR/pki/admin.key
	cluster_use two
	assert_eq 401 "$(curl -sS --cacert "$DIR/pki/ca.crt" --cert "$cert" --key "$key" -o "$WORK/answer" -w '%{http_code}' "$URL/api/v1/pods" || :)" "code"
}

down_leaves_pods_running_and_up_takes_them_over() {
	cluster_use two
	address=$(cat "$WORK/address.two")
	k get pod hello -o 'jsonpath={.metadata.uid} {.status.containerStatuses[0]}' >"$WORK/before"
	"$BIN/knarr" down --data "$DIR"
	assert_fails '*not running*' "$BIN/knarr" status --data "$DIR"
	assert_fails '*refused*' k get pods
	assert_eq hello "$(curl -sS --max-time 10 "http://$address:8080/ping")" "ping while the cluster is down"
	assert_match '*is not running*' "$("$BIN/knarr" down --data "$DIR")" "down when it is down"
	cluster_up two
	k get pod hello -o 'jsonpath={.metadata.uid} {.status.containerStatuses[0]}' >"$WORK/after"
	diff "$WORK/before" "$WORK/after" || fail "the pod was not taken over as it was"
	k logs hello | grep -q '/ping' || fail "the log does not go on"
}

a_container_that_ended_while_the_cluster_was_down() {
	cluster_use two
	pid=$(cat "$DIR"/agent/pods/*/containers/hello/0/init.pid)
	"$BIN/knarr" down --data "$DIR"
	kill -9 "${pid%% *}"
	cluster_up two
	wait_for 20 is '1 137' k get pod hello -o 'jsonpath={.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].lastState.terminated.exitCode}'
	wait_for 20 is True field pod/hello '{.status.conditions[?(@.type=="Ready")].status}'
}

purge_of_one_leaves_the_other() {
	cluster_use one
	cluster_purge "$DIR"
	cluster_use two
	assert_eq hello "$(curl -sS --max-time 10 "http://$(field pod/hello '{.status.podIP}'):8080/ping")" "ping"
	k apply -f "$ROOT/manifests/multi-container.yaml"
	wait_for 20 is True field pod/pair '{.status.conditions[?(@.type=="Ready")].status}'
}

purge_of_a_cluster_that_is_down() {
	cluster_use two
	"$BIN/knarr" down --data "$DIR"
	cluster_purge "$DIR"
}

purge_after_the_supervisor_and_all_programs_were_killed() {
	cluster_up three
	import_images
	k apply -f "$ROOT/manifests/pod.yaml"
	wait_for 20 is True field pod/hello '{.status.conditions[?(@.type=="Ready")].status}'
	supervisor=$(ps -o ppid= -p "$(program_pid apiserver)" | tr -d ' ')
	programs="$(program_pid apiserver) $(program_pid scheduler) $(program_pid controller) $(program_pid nodeagent)"
	kill -9 "$supervisor"
	# shellcheck disable=SC2086 # a list
	kill -9 $programs 2>/dev/null || :
	cluster_purge "$DIR"
}

run_cases two_clusters_side_by_side the_credentials_of_one_open_nothing_in_the_other \
	down_leaves_pods_running_and_up_takes_them_over a_container_that_ended_while_the_cluster_was_down \
	purge_of_one_leaves_the_other purge_of_a_cluster_that_is_down purge_after_the_supervisor_and_all_programs_were_killed
