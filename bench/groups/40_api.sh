# shellcheck shell=sh disable=SC2034,SC2154 # sourced by bench/run
# Requests, with wrk as the client.
group api
row creates "durable creates of 1 KiB ConfigMaps, TLS, 32 connections" 1/s min 20000 floor-rows
row gets "gets of one, same connections" 1/s min 50000 floor-hello
row lists "lists of 5,000 ConfigMaps of 1 KiB, 4 connections" 1/s min 100

measure_api() {
	cluster --no-agent
	if wanted gets lists; then measure fill "$kubeconfig" configmaps listed 5000; fi
	if wanted gets; then repeat "$runs" sample_wrk gets 4 32 get; fi
	if wanted lists; then repeat "$runs" sample_wrk lists 4 4 list; fi
	if wanted creates; then repeat "$runs" sample_wrk creates 4 32 create; fi
	stop
}
