#!/bin/sh
# exec, attach, cp, port-forward and the proxies, with the real kubectl over WebSocket and over SPDY, and with kubectl-lite. Run by
# tests/e2e/run. Where there is no kubectl its cases are left out.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# A terminal of 91 columns and 33 rows for the command given as one word.
on_terminal() {
	timeout 30 script -qec "stty cols 91 rows 33; $1" /dev/null </dev/null | tr -d '\000\r' | sed 's/^\^@*//'
}

cluster_with_pods() {
	"$E2E/make-busybox-image" busybox:v1 "$WORK/busybox.tar"
	cluster_up c
	"$BIN/knarr" image import --data "$DIR" "$WORK/busybox.tar"
	k apply -f - <<-END
		apiVersion: v1
		kind: Pod
		metadata: {name: web, labels: {app: web}}
		spec:
		  terminationGracePeriodSeconds: 1
		  containers:
		  - {name: web, image: "busybox:v1", ports: [{name: http, containerPort: 8000}]}
		  - {name: side, image: "busybox:v1", command: [sleep, "1000"]}
		---
		apiVersion: v1
		kind: Pod
		metadata: {name: tty}
		spec:
		  terminationGracePeriodSeconds: 1
		  containers: [{name: c, image: "busybox:v1", stdin: true, tty: true, command: [sh]}]
	END
	wait_for 20 is 'true true true' field pod '{.items[*].status.containerStatuses[*].ready}'
	head -c 10000000 /dev/urandom >"$WORK/big"
}

# reader NAME: a pod that says what it reads from its standard input, until that ends, and then ends with 4.
reader() {
	k delete pod "$1" --ignore-not-found >/dev/null
	k apply -f - <<-END
		apiVersion: v1
		kind: Pod
		metadata: {name: $1}
		spec:
		  terminationGracePeriodSeconds: 1
		  restartPolicy: Never
		  containers:
		  - name: c
		    image: busybox:v1
		    stdin: true
		    stdinOnce: true
		    command: [sh, -c, 'while read l; do echo "got \$l"; done; echo over >&2; exit 4']
	END
	wait_for 20 is true field "pod/$1" '{.status.containerStatuses[0].ready}'
}

# What every client must do; CLIENT is a command that takes kubectl's words.
# shellcheck disable=SC2086 # several words
exec_with() {
	assert_eq "hello" "$($CLIENT exec web -c web -- echo hello)" "exec"
	code=0
	$CLIENT exec web -c web -- sh -c 'echo out; echo err >&2; exit 3' >"$WORK/out" 2>"$WORK/err" || code=$?
	assert_eq 3 "$code" "exit code"
	assert_eq out "$(cat "$WORK/out")" "standard output"
	assert_match 'err*command terminated with exit code 3' "$(cat "$WORK/err")" "standard error"
	assert_fails '*executable file not found*' $CLIENT exec web -c web -- nosuch
	assert_fails '*container nosuch is not valid for pod web*' $CLIENT exec web -c nosuch -- true
	assert_eq "$(md5sum <"$WORK/big")" "$($CLIENT exec -i web -c web -- cat <"$WORK/big" | md5sum)" "10 MB there and back"
	# A program that does not read all of its input, while the client goes on sending.
	assert_eq 5 "$($CLIENT exec -i web -c web -- head -c 5 <"$WORK/big" | wc -c)" "bytes of a program that ends early"
	assert_match '*33 91*' "$(on_terminal "$CLIENT exec -it web -c web -- stty size")" "size of the terminal"
	assert_match '*exit code 7*' "$(on_terminal "$CLIENT exec -it web -c web -- sh -c 'exit 7'")" "exit code from a terminal"
}

copy_with() {
	$CLIENT cp "$WORK/big" web:/tmp/big -c web
	assert_match "$(md5sum <"$WORK/big" | cut -d' ' -f1)*" "$($CLIENT exec web -c web -- md5sum /tmp/big)" "copied there"
	rm -f "$WORK/back"
	$CLIENT cp web:/tmp/big "$WORK/back" -c web
	cmp "$WORK/big" "$WORK/back" || fail "copied back: differs"
	mkdir -p "$WORK/tree/sub" && echo one >"$WORK/tree/1" && echo two >"$WORK/tree/sub/2"
	$CLIENT cp "$WORK/tree" web:/tmp/tree -c web
	assert_eq "one two" "$($CLIENT exec web -c web -- sh -c 'cat /tmp/tree/1 /tmp/tree/sub/2' | tr '\n' ' ' | sed 's/ $//')" "a folder copied there"
	rm -rf "$WORK/tree2"
	$CLIENT cp web:/tmp/tree "$WORK/tree2" -c web
	diff -r "$WORK/tree" "$WORK/tree2"
	$CLIENT exec web -c web -- sh -c 'rm -r /tmp/tree /tmp/big'
}

forward_with() {
	port=$(free_port)
	$CLIENT port-forward pod/web "$port:8000" >"$WORK/forward" 2>&1 &
	forward=$!
	wait_for 10 is v1 curl -s "http://127.0.0.1:$port/ping"
	for i in 1 2 3 4 5 6 7 8 9 10; do
		curl -s "http://127.0.0.1:$port/ping" >"$WORK/ping.$i" &
		pids="${pids:-} $!"
	done
	# shellcheck disable=SC2086 # one a word
	wait $pids
	assert_eq 10 "$(cat "$WORK"/ping.* | grep -c v1)" "answers to parallel requests"
	kill "$forward"
	wait "$forward" || true
	assert_match "Forwarding from 127.0.0.1:$port -> 8000*" "$(cat "$WORK/forward")" "what port-forward says"
}

attach_with() {
	reader reader
	printf 'a\nb\n' | $CLIENT attach -i reader >"$WORK/out" 2>"$WORK/err" || true
	assert_eq "got a got b" "$(tr '\n' ' ' <"$WORK/out" | sed 's/ $//')" "output of who is attached to"
	assert_match '*over*' "$(cat "$WORK/err")" "its standard error"
	wait_for 10 is 4 field pod/reader '{.status.containerStatuses[0].state.terminated.exitCode}'
	assert_match '*got b*' "$(k logs reader)" "its log"
	# A terminal, and somebody who types.
	mkfifo "$WORK/keys"
	timeout 30 script -qec "stty cols 91 rows 33; $CLIENT attach -it tty" /dev/null <"$WORK/keys" >"$WORK/screen" 2>&1 &
	screen=$!
	exec 9>"$WORK/keys"
	rm "$WORK/keys"
	wait_for 10 typed 'stty size' '*33 91*'
	# Not the end of the keys, which would be the shell's.
	kill "$screen"
	wait "$screen" || true
	exec 9>&-
}

typed() { # LINE PATTERN
	printf '%s\n' "$1" >&9
	is "$2" cat "$WORK/screen"
}

websocket() {
	KUBECTL_REMOTE_COMMAND_WEBSOCKETS=true KUBECTL_PORT_FORWARD_WEBSOCKETS=true CLIENT='timeout --foreground 30 kubectl'
	export KUBECTL_REMOTE_COMMAND_WEBSOCKETS KUBECTL_PORT_FORWARD_WEBSOCKETS
	"$@"
}

spdy() {
	KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false KUBECTL_PORT_FORWARD_WEBSOCKETS=false CLIENT='timeout --foreground 30 kubectl'
	export KUBECTL_REMOTE_COMMAND_WEBSOCKETS KUBECTL_PORT_FORWARD_WEBSOCKETS
	"$@"
}

# Processes that are parents of programs started in containers; none when all sessions are over.
exec_parents() {
	pgrep -fc "knarr-shim exec $DIR/" || true
}

# Who goes takes its programs' streams along: a terminal's get SIGHUP, a reader sees the end.
client_goes() {
	script -qec "$1 exec -it web -c web -- sleep 1111" /dev/null </dev/zero >/dev/null 2>&1 &
	terminal=$!
	sleep 1000 | $1 exec -i web -c web -- cat >/dev/null 2>&1 &
	wait_for 10 is 2 exec_parents
	kill -9 "$terminal" "$!"
	pkill -9 -P "$terminal" 2>/dev/null || true
	wait_for 10 is 0 exec_parents
}

# The agent goes, not what it started: containers run on, and the next one serves them.
agent_restarts() {
	cluster_use c
	reader reader
	before=$(field pod '{.items[*].status.containerStatuses[*].containerID}')
	for i in 1 2; do
		pid=$(program_pid nodeagent)
		kill -9 "$pid"
		wait_for 10 restarted "$pid"
		wait_for 10 is "hello $i" k exec web -c web -- echo "hello $i"
	done
	assert_eq "$before" "$(field pod '{.items[*].status.containerStatuses[*].containerID}')" "containers"
	echo late | k attach -i reader | grep -q 'got late' || fail "the shim of before does not serve"
}

restarted() { [ "$(program_pid nodeagent)" != "$1" ] && kill -0 "$(program_pid nodeagent)"; }

kubectl_over_websocket() {
	cluster_use c
	websocket exec_with
	websocket copy_with
	websocket forward_with
	websocket attach_with
}

kubectl_over_spdy() {
	cluster_use c
	spdy exec_with
	spdy copy_with
	spdy forward_with
	spdy attach_with
}

kubectl_lite() {
	cluster_use c
	CLIENT=$BIN/kubectl-lite
	exec_with
	copy_with
	forward_with
	attach_with
}

nothing_runs_on() {
	cluster_use c
	wait_for 10 is 0 exec_parents
	client_goes "$BIN/kubectl-lite"
}

proxies() {
	cluster_use c
	assert_eq v1 "$(api GET /api/v1/namespaces/default/pods/web:8000/proxy/ping)" "pods/proxy"
	assert_eq v1 "$(api GET /api/v1/namespaces/default/pods/web/proxy/ping)" "pods/proxy, the container's port"
	assert_match '*"kind":"PodList"*' "$(api GET "/api/v1/nodes/$(k get nodes -o name | cut -d/ -f2)/proxy/pods")" "nodes/proxy"
	assert_match '*404 Not Found*' "$(api GET /api/v1/namespaces/default/pods/web:8000/proxy/nosuch)" "an answer that is no success"
}

if command -v kubectl >/dev/null; then
	run_cases cluster_with_pods kubectl_over_websocket kubectl_over_spdy kubectl_lite proxies agent_restarts nothing_runs_on
else
	run_cases cluster_with_pods kubectl_lite proxies agent_restarts nothing_runs_on
fi
