#!/bin/sh
# kubectl debug: containers that come to a running pod, a pod on a node, copies of pods.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# The newest answer of a command that attaches: kubectl prints its own words to standard error.
debug() {
	timeout --foreground 60 kubectl debug "$@" 2>"$WORK/err" || fail "kubectl debug $*: $(cat "$WORK/err")"
}

ephemeral() { # NAME PATH
	field pod/web "{.status.ephemeralContainerStatuses[?(@.name==\"$1\")]$2"
}

processes() { # POD CONTAINER: that a container sees
	kubectl exec "$1" -c "$2" -- sh -c "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"
}

sees() { # POD CONTAINER TEXT...: in its processes
	_pod=$1 _container=$2
	shift 2
	for _text in "$@"; do
		is "*$_text*" processes "$_pod" "$_container" || return 1
	done
}

cluster_with_a_pod() {
	"$E2E/make-busybox-image" busybox:v1 "$WORK/busybox.tar"
	cluster_up c
	"$BIN/knarr" image import --data "$DIR" "$WORK/busybox.tar"
	k apply -f - <<-END
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: words}
		data: {word: ahoy}
		---
		apiVersion: v1
		kind: Pod
		metadata: {name: web}
		spec:
		  terminationGracePeriodSeconds: 1
		  initContainers:
		  - {name: first, image: "busybox:v1", command: ["true"]}
		  containers:
		  - {name: web, image: "busybox:v1", command: [sleep, "1001"]}
		  - {name: side, image: "busybox:v1", command: [sleep, "1002"]}
	END
	wait_for 20 is 'true true' field pod/web '{.status.containerStatuses[*].ready}'
}

a_container_comes_and_goes() {
	cluster_use c
	mkfifo "$WORK/keys"
	debug -i web --image busybox:v1 -c look --target web -- sh -c "read word; tr '\\0' ' ' </proc/1/cmdline; echo \$word; read word" <"$WORK/keys" >"$WORK/said" &
	client=$!
	exec 9>"$WORK/keys"
	echo heave >&9
	wait_for 10 is '*sleep 1001*heave*' cat "$WORK/said"
	echo ho >&9
	wait "$client"
	exec 9>&-
	wait_for 10 is Completed ephemeral look '.state.terminated.reason}'
	assert_eq "false 0" "$(ephemeral look '.ready}') $(ephemeral look '.restartCount}')" "ready and restarts"
	assert_eq "True Running" "$(field pod/web '{.status.conditions[?(@.type=="Ready")].status}') $(field pod/web '{.status.phase}')" "the pod"
	assert_match '*sleep 1001*heave*' "$(k logs web -c look)" "its log"
	wait_for 10 is '*spec.ephemeralContainers{look}*Started*' field events '{range .items[*]}{.involvedObject.fieldPath} {.reason}{"\n"}{end}'
}

one_of_its_own_processes() {
	cluster_use c
	# shellcheck disable=SC2016 # for the container's shell
	debug web --image busybox:v1 -c alone -- sh -c 'read pid rest </proc/self/stat; echo $pid $(cat /proc/[0-9]*/cmdline)'
	wait_for 10 is Completed ephemeral alone '.state.terminated.reason}'
	assert_match '1 sh*' "$(k logs web -c alone)" "its first process"
}

it_stays_while_the_agent_starts_again() {
	cluster_use c
	debug web --image busybox:v1 -c stay --target side --env=A=b -- sleep 1003
	wait_for 10 is '?*' ephemeral stay '.state.running.startedAt}'
	id=$(ephemeral stay '.containerID}')
	kill -9 "$(program_pid nodeagent)"
	wait_for 20 sees web stay 'sleep 1002' 'sleep 1003'
	assert_eq "$id 0" "$(ephemeral stay '.containerID}') $(ephemeral stay '.restartCount}')" "container and restarts"
	assert_eq Completed "$(ephemeral look '.state.terminated.reason}')" "the one before"
}

what_cannot_begin_says_why() {
	cluster_use c
	debug web --image nosuch:v1 -c none
	wait_for 10 is '*ImagePull*' ephemeral none '.state.waiting.reason}'
	assert_eq True "$(field pod/web '{.status.conditions[?(@.type=="Ready")].status}')" "Ready"
}

a_pod_on_the_node() {
	cluster_use c
	node=$(k get nodes -o name | cut -d/ -f2)
	debug "node/$node" --image busybox:v1 --profile sysadmin -- sh -c 'cat /host/proc/sys/kernel/random/boot_id; cat /proc/1/comm; ls -d /host/etc/passwd; sleep 1004'
	pod=$(field pods '{.items[?(@.spec.hostPID==true)].metadata.name}')
	wait_for 10 is '*/host/etc/passwd*' k logs "$pod"
	assert_eq "$(cat /proc/sys/kernel/random/boot_id) $(cat /proc/1/comm) /host/etc/passwd" "$(k logs "$pod" | paste -sd ' ')" "what it sees"
	k delete pod "$pod" --grace-period 1
}

a_copy_of_a_pod() {
	cluster_use c
	debug web --image busybox:v1 -c more --copy-to copy --share-processes=true -- sh -c 'sleep 0 & sleep 1005'
	wait_for 10 is 'true true true' field pod/copy '{.status.containerStatuses[*].ready}'
	wait_for 10 sees copy more pause 'sleep 1001' 'sleep 1002' 'sleep 1005'
	record="$DIR/agent/pods/$(field pod/copy '{.metadata.uid}')/ns/pause"
	first=$(cut -d' ' -f1 "$record")
	kill -9 "$(program_pid nodeagent)"
	wait_for 20 sees copy side 'sleep 1001'
	assert_eq "$first 0 0 0" "$(cut -d' ' -f1 "$record") $(field pod/copy '{.status.containerStatuses[*].restartCount}')" "first process and restarts"
	# One that ends is begun again beside the others; what it leaves goes to the first process.
	kill -9 "$(pgrep -x -f 'sleep 1005')"
	wait_for 20 is 1 field pod/copy '{.status.containerStatuses[?(@.name=="more")].restartCount}'
	wait_for 20 sees copy web 'sleep 1001' 'sleep 1002' 'sleep 1005'
	k delete pod copy
	wait_for 10 is '' sh -c "ps -o pid= -p $first || true"
}

it_ends_with_its_pod() {
	cluster_use c
	k delete pod web
	wait_for 10 is '' sh -c 'pgrep -x -f "sleep 100[1-5]" || true'
}

if command -v kubectl >/dev/null; then
	run_cases cluster_with_a_pod a_container_comes_and_goes one_of_its_own_processes it_stays_while_the_agent_starts_again \
		what_cannot_begin_says_why a_pod_on_the_node a_copy_of_a_pod it_ends_with_its_pod
fi
