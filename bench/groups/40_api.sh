# shellcheck shell=sh disable=SC2034,SC2154 # sourced by bench/run
# Requests, with wrk as the client.
group api
row creates "durable creates of 1 KiB ConfigMaps, TLS, 32 connections" 1/s min 20000 floor-rows
row gets "gets of one, same connections" 1/s min 50000 floor-hello
row lists "lists of 5,000 ConfigMaps of 1 KiB, 4 connections" 1/s min 100
row apply "a server-side apply of a Deployment, dry run: processor of the apiserver" µs max 150
row table "a Table of 5,000 running pods, one connection" ms max 60

# The time of one answer: one connection asks again and again.
sample_table() {
	measure run wrk -t1 -c1 -d4s --timeout 10s -s bench/wrk/table.lua -H "Authorization: Bearer $token" "https://127.0.0.1:$port"
	sample table "$(awk '/Requests\/sec/ {printf "%.1f\n", 1000 / $2}' "$work/out")" "$(figure client-cpu)"
}
one_api_of_pods() {
	cluster --no-agent
	fake_nodes fake 100
	measure fill "$kubeconfig" pods shown 5000
	repeat "$runs" sample_table
	stop
}

# What the apiserver's processor does for one request of those that wrk makes.
sample_apply() {
	_pid=$(pid_of apiserver)
	_before=$(awk '{print $14 + $15}' "/proc/$_pid/stat")
	measure run wrk -t1 -c1 -d4s --timeout 10s -s bench/wrk/apply.lua -H "Authorization: Bearer $token" "https://127.0.0.1:$port"
	_after=$(awk '{print $14 + $15}' "/proc/$_pid/stat")
	sample apply "$(awk -v ticks=$((_after - _before)) -v hz="$(getconf CLK_TCK)" '$2 == "requests" {printf "%.1f\n", 1e6 * ticks / hz / $1}' \
		"$work/out")"
}
one_apply() {
	cluster --no-agent
	"$bin/kubectl-lite" --kubeconfig "$kubeconfig" apply --server-side --field-manager bench -f - >/dev/null <<-'Y'
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: applied, labels: {app: web}}
		spec:
		  replicas: 0
		  selector: {matchLabels: {app: web}}
		  template:
		    metadata: {labels: {app: web}}
		    spec: {containers: [{name: c, image: "web:0"}]}
	Y
	repeat "$runs" sample_apply
	stop
}

measure_api() {
	if wanted apply; then one_apply; fi
	if wanted table; then one_api_of_pods; fi
	if ! wanted gets lists creates; then return; fi
	cluster --no-agent
	if wanted gets lists; then measure fill "$kubeconfig" configmaps listed 5000; fi
	if wanted gets; then repeat "$runs" sample_wrk gets 4 32 get; fi
	if wanted lists; then repeat "$runs" sample_wrk lists 4 4 list; fi
	if wanted creates; then repeat "$runs" sample_wrk creates 4 32 create; fi
	stop
}
