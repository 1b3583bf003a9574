# shellcheck shell=sh disable=SC2034,SC2154 # sourced by bench/run
# Requests, with wrk as the client.
group api
row creates "durable creates of 1 KiB ConfigMaps, TLS, 32 connections" 1/s min 20000 floor-rows
row gets "gets of one, same connections" 1/s min 50000 floor-hello
row lists "lists of 5,000 ConfigMaps of 1 KiB, 4 connections" 1/s min 100
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

measure_api() {
	if wanted table; then one_api_of_pods; fi
	if ! wanted gets lists creates; then return; fi
	cluster --no-agent
	if wanted gets lists; then measure fill "$kubeconfig" configmaps listed 5000; fi
	if wanted gets; then repeat "$runs" sample_wrk gets 4 32 get; fi
	if wanted lists; then repeat "$runs" sample_wrk lists 4 4 list; fi
	if wanted creates; then repeat "$runs" sample_wrk creates 4 32 create; fi
	stop
}
