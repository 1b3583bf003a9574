#!/bin/sh
# The tour: what a user does with a cluster, by kubectl-lite, and by kubectl where this machine has it. Every manifest in
# manifests/ is applied here and does what its comment says.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

pods() { k get pods -l app=market-data -o 'jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}'; }
running_pods() { k get pods -l app=market-data -o json | jq -r '.items[] | select(.metadata.deletionTimestamp == null) | .metadata.name'; }
address() { field "pod/$1" '{.status.podIP}'; }
ready() { field "pod/$1" '{.status.conditions[?(@.type=="Ready")].status}'; }
versions() { for pod in $(running_pods); do curl -sS --max-time 10 "http://$(address "$pod"):8080/version"; done | sort -u; }
netns_of() { echo "$DIR/agent/pods/$(field "pod/$1" '{.metadata.uid}')/ns/net"; }

up_apply_and_roll_out() {
	cluster_up main
	import_images
	assert_match '*deployment.apps/market-data created*service/market-data created*' "$(k apply -f "$ROOT/manifests/market-data")" "apply"
	assert_match '*successfully rolled out*' "$(k rollout status deployment/market-data --timeout 60s)" "rollout status"
	assert_eq 3 "$(pods | wc -l)" "pods"
	assert_match '*deployment.apps/market-data unchanged*' "$(k apply -f "$ROOT/manifests/market-data")" "second apply"
}

get_in_all_forms() {
	cluster_use main
	one=$(pods | head -n 1)
	assert_match 'NAME *READY *STATUS *RESTARTS *AGE*market-data-*1/1 *Running *0 *' "$(k get pods)" "get pods"
	assert_match 'NAME *IP *NODE *' "$(k get po -o wide)" "get -o wide"
	assert_match '*market-data *3/3 *3 *3 *' "$(k get deploy)" "get deploy"
	assert_match 'pod/market-data-*' "$(k get pod -o name)" "get -o name"
	assert_eq "$one" "$(k get "pod/$one" -o yaml | sed -n 's/^  name: //p' | head -n 1)" "get -o yaml"
	assert_eq "$one" "$(k get pods "$one" -o json | jq -r .metadata.name)" "get -o json"
	assert_eq 3 "$(k get pods -l app=market-data,pod-template-hash --no-headers | wc -l)" "get -l"
	assert_eq 0 "$(k get pods -l app=other --no-headers 2>/dev/null | wc -l)" "get -l of nothing"
	assert_match '*No resources found in default namespace.*' "$(k get pods -l app=other 2>&1)" "what get says of nothing"
	assert_eq 3 "$(k get pods --field-selector status.phase=Running --no-headers | wc -l)" "get --field-selector"
	assert_match '*default *market-data-*' "$(k get pods -A)" "get -A"
	assert_match '*kube-system*' "$(k get ns)" "get ns"
	assert_match '*ClusterIP*80/TCP*' "$(k get svc market-data)" "get svc"
	assert_match '*replicaset.apps/market-data-*deployment.apps/market-data*' "$(k get rs,deployments.apps)" "get of two kinds"
	assert_match '*pods "none" not found*' "$(k get pod none 2>&1 || :)" "get of nothing"
	assert_fails "*the server doesn't have a resource type \"nonsense\"*" k get nonsense
	timeout 100 "$BIN/kubectl-lite" get pods -w -o name >"$WORK/watched" &
	watcher=$!
	wait_for 10 is 3 grep -c . "$WORK/watched"
	kill $watcher
}

describe_explain_and_the_rest() {
	cluster_use main
	one=$(pods | head -n 1)
	assert_match "*Name:*$one*Containers:*market-data:*Image:*market-data:v1*Conditions:*Ready*True*Events:*Scheduled*Started*" "$(k describe pod "$one")" "describe pod"
	assert_match '*Replicas:*3 desired*3 updated*3 total*3 available*Events:*ScalingReplicaSet*' "$(k describe deployment market-data)" "describe deployment"
	assert_match '*Allocatable:*cpu*memory*' "$(k describe node)" "describe node"
	assert_match '*FIELD*containers*' "$(k explain pods.spec.containers)" "explain"
	assert_match "*Restarts the container when it fails.*" "$(k explain pods.spec.containers)" "what a field is for"
	assert_match '*deployments*deploy*apps/v1*true*Deployment*' "$(k api-resources)" "api-resources"
	assert_match '*Client Version*Server Version: v1.36*' "$(k version)" "version"
	assert_match '*server: https://127.0.0.1:*' "$(k config view)" "config view"
	bash -n -c "$("$BIN/kubectl-lite" completion bash)" || fail "the completion is no valid bash"
	"$BIN/kubectl-lite" --help >"$WORK/help" || fail "--help"
	for command in apply get describe logs delete scale 'set image' 'rollout status' 'rollout history' 'rollout undo' explain api-resources version 'config view'; do
		# shellcheck disable=SC2086 # words
		assert_match '*Usage:*' "$("$BIN/kubectl-lite" $command --help)" "$command --help"
	done
}

ping_from_the_host_and_from_pod_to_pod() {
	cluster_use main
	first=$(pods | head -n 1)
	for pod in $(pods); do
		assert_eq "$pod" "$(curl -sS --max-time 10 "http://$(address "$pod"):8080/ping")" "ping from the host"
		assert_eq "$pod" "$(nsenter --net="$(netns_of "$first")" curl -sS --max-time 10 "http://$(address "$pod"):8080/ping")" "ping from $first"
	done
	nsenter --net="$(netns_of "$first")" ip -4 -o addr show eth0 | grep -q "$(address "$first")" || fail "the pod's own address is another"
}

limits_are_those_of_the_cgroup() {
	cluster_use main
	one=$(pods | head -n 1)
	folder=$(find /sys/fs/cgroup -type d -path "*$(field "pod/$one" '{.metadata.uid}')*" -name '*' | head -n 50)
	for place in $folder; do
		cat "$place/memory.max" "$place/memory.limit_in_bytes" 2>/dev/null || :
	done | grep -qx $((64 * 1024 * 1024)) || fail "no cgroup has a memory limit of 64Mi"
}

logs_in_all_forms() {
	cluster_use main
	one=$(pods | head -n 1)
	curl -sS "http://$(address "$one"):8080/first" >/dev/null
	curl -sS "http://$(address "$one"):8080/second" >/dev/null
	wait_for 10 is '*/second*' k logs "$one"
	assert_match '*/first*/second*' "$(k logs "$one" --tail 200)" "logs"
	assert_eq 2 "$(k logs "$one" --tail 2 | wc -l)" "logs --tail"
	assert_match '20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z *' "$(k logs "$one" --tail 1 --timestamps)" "logs --timestamps"
	[ "$(k logs "$one" --since 1h | wc -l)" -ge 2 ] || fail "logs --since 1h"
	assert_match '*/ping*' "$(k logs "$one" -c market-data --since 30s)" "logs -c --since"
	assert_fails '*container none is not valid for pod*' k logs "$one" -c none
	timeout 100 "$BIN/kubectl-lite" logs -f "$one" --tail 1 >"$WORK/followed" &
	follower=$!
	curl -sS "http://$(address "$one"):8080/followed" >/dev/null
	wait_for 10 grep /followed "$WORK/followed"
	kill $follower
	assert_fails '*previous terminated container*not found*' k logs -p "$one"
	victim=$(cat "$DIR/agent/pods/$(field "pod/$one" '{.metadata.uid}')/containers/market-data/0/init.pid")
	kill -9 "${victim%% *}"
	wait_for 20 is 1 field "pod/$one" '{.status.containerStatuses[0].restartCount}'
	assert_match '*/second*' "$(k logs -p "$one")" "logs -p"
	k logs "$one" | grep /second && fail "the new container's log holds the old one's lines"
	wait_for 20 is True ready "$one"
}

set_image_history_undo() {
	cluster_use main
	assert_match '*image updated*' "$(k set image deployment/market-data market-data=market-data:v2)" "set image"
	k rollout status deployment/market-data --timeout 60s
	assert_eq v2 "$(versions)" "version of all pods"
	assert_match '*REVISION*1*2*' "$(k rollout history deployment/market-data)" "rollout history"
	assert_match '*market-data:v1*' "$(k rollout history deployment/market-data --revision 1)" "rollout history --revision"
	assert_match '*rolled back*' "$(k rollout undo deployment/market-data)" "rollout undo"
	k rollout status deployment/market-data --timeout 60s
	assert_eq v1 "$(versions)" "version after undo"
	k rollout undo deployment/market-data --to-revision 2
	k rollout status deployment/market-data --timeout 60s
	assert_eq v2 "$(versions)" "version after undo --to-revision"
}

pause_resume_restart() {
	cluster_use main
	assert_match '*paused*' "$(k rollout pause deployment/market-data)" "pause"
	k set image deployment/market-data market-data=market-data:v1
	generation=$(field deployment/market-data '{.metadata.generation}')
	wait_for 10 is "$generation" field deployment/market-data '{.status.observedGeneration}'
	assert_eq v2 "$(versions)" "version while paused"
	assert_match '*resumed*' "$(k rollout resume deployment/market-data)" "resume"
	k rollout status deployment/market-data --timeout 60s
	assert_eq v1 "$(versions)" "version after resume"
	pods | sort >"$WORK/before"
	assert_match '*restarted*' "$(k rollout restart deployment/market-data)" "restart"
	k rollout status deployment/market-data --timeout 60s
	running_pods | sort | comm -12 - "$WORK/before" | grep . && fail "a pod was not replaced"
	true
}

scale_up_and_down() {
	cluster_use main
	assert_match '*scaled*' "$(k scale --replicas=5 deployment/market-data)" "scale"
	wait_for 30 is 5 field deployment/market-data '{.status.readyReplicas}'
	k scale --replicas=1 deployment/market-data
	wait_for 30 is 1 field deployment/market-data '{.status.replicas}'
	wait_for 30 is 1 sh -c "'$BIN/kubectl-lite' get pods -l app=market-data --no-headers | wc -l"
}

the_plain_pod_and_the_pod_of_two() {
	cluster_use main
	k apply -f "$ROOT/manifests/pod.yaml" -f "$ROOT/manifests/multi-container.yaml"
	wait_for 20 is True ready hello
	wait_for 20 is True ready pair
	assert_match '*pair *2/2 *Running*' "$(k get pod pair)" "get pair"
	assert_eq pair "$(curl -sS --max-time 10 "http://$(address pair):8080/ping")" "front"
	assert_eq v2 "$(curl -sS --max-time 10 "http://$(address pair):8081/version")" "back, at the same address"
	k logs pair -c back | grep -q healthz || fail "log of the second container"
}

crash_loop_goes_into_back_off() {
	cluster_use main
	k apply -f "$ROOT/manifests/crash-loop.yaml"
	wait_for 20 is CrashLoopBackOff field pod/crash-loop '{.status.containerStatuses[0].state.waiting.reason}'
	assert_match '*crash-loop *0/1 *CrashLoopBackOff*' "$(k get pod crash-loop)" "get"
	assert_eq 2 "$(field pod/crash-loop '{.status.containerStatuses[0].lastState.terminated.exitCode}')" "exit code"
	wait_for 10 is '*BackOff*Back-off restarting failed container crash in pod crash-loop_default*' k get events --field-selector involvedObject.name=crash-loop
	wait_for 30 is '*back-off 20s restarting failed container=crash pod=crash-loop_default*' field pod/crash-loop '{.status.containerStatuses[0].state.waiting.message}'
}

never_ready_runs_and_is_unhealthy() {
	cluster_use main
	k apply -f "$ROOT/manifests/never-ready.yaml"
	wait_for 20 is '*never-ready *0/1 *Running*' k get pod never-ready
	wait_for 20 is '*Unhealthy*Readiness probe failed: HTTP probe failed with statuscode: 404*' k get events --field-selector involvedObject.name=never-ready
	assert_match '*never-ready *0/1 *Running *0 *' "$(k get pod never-ready)" "get after the probe failed"
}

real_kubectl_cannot_tell() {
	command -v kubectl >/dev/null || { echo "kubectl is not here"; return 0; }
	cluster_use main
	assert_match 'NAME *READY *STATUS *RESTARTS *AGE*' "$(kubectl get pods)" "kubectl get"
	assert_match '*Image:*market-data:v1*' "$(kubectl describe pod hello)" "kubectl describe"
	kubectl apply -f "$ROOT/manifests/market-data"
	kubectl rollout status deployment/market-data --timeout 60s
	kubectl logs deployment/market-data --tail 1
	kubectl apply --server-side --force-conflicts --dry-run=client -f "$ROOT/manifests/pod.yaml" >/dev/null 2>&1 || :
	kubectl scale deployment/market-data --replicas 2
	kubectl rollout restart deployment/market-data
	kubectl rollout status deployment/market-data --timeout 60s
	kubectl wait --for=condition=Available deployment/market-data --timeout 20s
	kubectl label pod hello tour=yes
	assert_eq pod/hello "$(kubectl get pods -l tour=yes -o name)" "kubectl get -l"
	kubectl delete pod hello --now
}

delete_in_all_forms() {
	cluster_use main
	assert_match '*pod "never-ready" deleted*' "$(k delete pod never-ready --grace-period 1)" "delete"
	assert_fails '*not found*' k get pod never-ready
	k delete -f "$ROOT/manifests/crash-loop.yaml" -f "$ROOT/manifests/multi-container.yaml"
	k delete pods -l app=hello --ignore-not-found
	assert_match '*deployment.apps "market-data" deleted*service "market-data" deleted*' "$(k delete -f "$ROOT/manifests/market-data")" "delete -f"
	wait_for 30 is '*No resources found*' k get pods
	wait_for 10 is '*No resources found*' k get rs
	[ -z "$(ls "$DIR/agent/pods")" ] || wait_for 10 is '' ls "$DIR/agent/pods"
	assert_fails '*not found*' k delete pod never-ready
}

run_cases up_apply_and_roll_out get_in_all_forms describe_explain_and_the_rest ping_from_the_host_and_from_pod_to_pod \
	limits_are_those_of_the_cgroup logs_in_all_forms set_image_history_undo pause_resume_restart scale_up_and_down \
	the_plain_pod_and_the_pod_of_two crash_loop_goes_into_back_off never_ready_runs_and_is_unhealthy real_kubectl_cannot_tell \
	delete_in_all_forms
