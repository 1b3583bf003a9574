# shellcheck shell=sh disable=SC2034,SC2154 # sourced by bench/run
# Watches, a TLS connection each.
group watch
row watch-500 "a change reaching 500 watchers, p99" ms max 8 floor-fanout-500
row watch-10000-memory "an open, idle watch over TLS, of 10,000, in the apiserver" KiB max 40
row watch-10000-all "one event to 10,000 watchers, the last" ms max 80 floor-fanout

one_500() {
	measure watch "$kubeconfig" "$(pid_of apiserver)" 500 100
	sample_out watch-500 watch-p99-ms
}
one_10000() {
	cluster --no-agent
	measure watch "$kubeconfig" "$(pid_of apiserver)" 10000 5
	sample_out watch-10000-memory watch-kib
	sample_out watch-10000-all all-ms
	stop
}

measure_watch() {
	if wanted watch-500; then
		cluster --no-agent
		repeat "$runs" one_500
		stop
	fi
	if wanted watch-10000-memory watch-10000-all; then repeat "$long_runs" one_10000; fi
}
