# shellcheck shell=sh disable=SC2034,SC2154 # sourced by bench/run
# Many nodes that renew their leases every ten seconds, and ten times as many pods on them.
nodes=${NODES:-5000} pods=${PODS:-50000}
group scale
row scale-fill "$pods pods created, bound and running on $nodes nodes" 1/s none -
row scale-cpu "$pods pods held: processor of the control plane, of one core" % max 25
row scale-memory "$pods pods held: memory of the three" MB max 450
row scale-writes "200 pods a second come and go there: writes, p99" ms max 30
row scale-gets "200 pods a second come and go there: gets, p99" ms max 5
row scale-restart "apiserver killed with $pods pods: serving again" ms max 1500
row scale-resumed "apiserver killed with $pods pods: all watches open again" ms none -
row scale-relists "apiserver killed with $pods pods: lists that watchers asked for" "" max 0

one_cpu() {
	# shellcheck disable=SC2046 # a list of pids
	measure usage 10 $(control_plane)
	sample_out scale-cpu cpu-percent
}
one_restart() {
	measure restart "$kubeconfig" "$dir/run/knarr-apiserver.pid"
	sample_out scale-restart serving-ms
	sample_out scale-resumed resumed-ms
	sample_out scale-relists relists
	sleep 12 # the supervisor's back-off begins anew after a healthy run
}

measure_scale() {
	cluster --no-agent
	fake_nodes fake "$nodes"
	measure fill "$kubeconfig" pods held "$pods"
	sample_out scale-fill fill-per-s
	sleep 10 # events about them are still being written
	if wanted scale-cpu; then repeat "$runs" one_cpu; fi
	# shellcheck disable=SC2046
	sample scale-memory "$(pss_mb $(control_plane))"
	if wanted scale-writes scale-gets; then
		measure churn "$kubeconfig" 200 5 "$runs"
		sample_out scale-writes write-p99-ms
		sample_out scale-gets get-p99-ms
	fi
	if wanted scale-restart scale-resumed scale-relists; then repeat "$long_runs" one_restart; fi
	stop
}
