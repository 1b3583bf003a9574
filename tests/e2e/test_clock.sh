#!/bin/sh
# The machine's clock jumps by two hours, forth and back, while pods run: no container is restarted, Ready stays Ready, the node
# stays Ready, new pods run, probes and the API go on. The jump is made by a preloaded library, for one cluster only.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

containers() {
	k get pods -l app=market-data -o json | jq -r '.items[] | [.metadata.uid, .status.containerStatuses[0].containerID, .status.containerStatuses[0].restartCount] | @tsv' | sort
}

up() {
	"${CC:-gcc}" -shared -fPIC -O1 -Wall -Wextra -D_GNU_SOURCE -o "$WORK/clock.so" "$E2E/clock_offset.c" -ldl
	echo 0 >"$WORK/offset"
	CLOCK_OFFSET=$WORK/offset LD_PRELOAD=$WORK/clock.so
	export CLOCK_OFFSET LD_PRELOAD
	cluster_up main
	unset LD_PRELOAD CLOCK_OFFSET
	import_images
	k apply -f "$ROOT/manifests/market-data"
	k rollout status deployment/market-data --timeout 60s
	for program in apiserver scheduler controller nodeagent; do
		grep -q clock.so "/proc/$(program_pid $program)/maps" || fail "$program does not have the clock that jumps"
	done
}

jump() { # SECONDS
	cluster_use main
	containers >"$WORK/before"
	: >"$WORK/changes"
	version=$(k get pods -A -o json | jq -r .metadata.resourceVersion)
	api GET "/api/v1/pods?watch=1&labelSelector=app%3Dmarket-data&resourceVersion=$version" -N -o "$WORK/changes" &
	recorder=$!
	api GET "/api/v1/nodes?watch=1" -N -o "$WORK/nodes" &
	node_recorder=$!
	echo "$1" >"$WORK/offset"
	# A pod goes the whole way, and a lease is renewed, with the new time.
	name=after-$(echo "$1" | tr -d -)
	k delete pod "$name" --ignore-not-found
	k apply -f - <<END
{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "$name"}, "spec": {"terminationGracePeriodSeconds": 0, "containers": [
	{"name": "c", "image": "market-data:v1", "imagePullPolicy": "IfNotPresent", "readinessProbe": {"httpGet": {"path": "/ping", "port": 8080}, "periodSeconds": 1}}]}}
END
	wait_for 20 is True field "pod/$name" '{.status.conditions[?(@.type=="Ready")].status}'
	# The agent's clock; the shim is static and has the machine's.
	started=$(date -u -d "$(field "pod/$name" '{.status.startTime}')" +%s)
	off=$((started - $(date +%s) - $1))
	[ "${off#-}" -lt 30 ] || fail "the pod started at another time than the clock's: off by $off s"
	lease=$(k get lease -n kube-node-lease -o 'jsonpath={.items[0].spec.renewTime}')
	wait_for 20 renewed_since "$lease"
	k delete pod "$name"
	kill $recorder $node_recorder
	containers >"$WORK/after"
	diff "$WORK/before" "$WORK/after" || fail "containers changed"
	for file in changes nodes; do
		unready=$(sed -e '$!b' -e '/}$/!d' "$WORK/$file" | jq -r 'select(.object.status.conditions // [] | any(.type == "Ready" and .status != "True")) | .object.metadata.name')
		[ -z "$unready" ] || fail "not Ready meanwhile: $unready"
	done
}
renewed_since() { [ "$(k get lease -n kube-node-lease -o 'jsonpath={.items[0].spec.renewTime}')" != "$1" ]; }

two_hours_forth() { jump 7200; }
back_again() { jump 0; }
two_hours_back() { jump -7200; }

run_cases up two_hours_forth back_again two_hours_back
