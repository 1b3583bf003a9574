# shellcheck shell=sh disable=SC2034,SC2154 # sourced by bench/run
# Memory, as proportional set size: pages that several processes share count for each in part.
group memory
row memory-idle "memory of apiserver, scheduler and controller, idle" MB max 20
row memory-5000-pods "memory of the three with 1,000 nodes and 5,000 pods" MB max 90
row pod-memory-apiserver "memory for a pod, in the apiserver" KiB none -
row pod-memory-scheduler "memory for a pod, in the scheduler's cache" KiB none -
row pod-memory-controller "memory for a pod, in the controller's cache" KiB none -
row configmap-memory-apiserver "memory for a ConfigMap of 1 KiB, in the apiserver" KiB none -
row configmap-memory-scheduler "memory for a ConfigMap of 1 KiB, in the scheduler" KiB none -
row configmap-memory-controller "memory for a ConfigMap of 1 KiB, in the controller's cache" KiB none -

settle=2 # seconds: allocators give back what was only needed for a moment

# each_pss: PSS of the three in KiB.
each_pss() {
	sleep "$settle"
	for program in apiserver scheduler controller; do printf '%s %s\n' "$program" "$(pss_kib "$(pid_of "$program")")"; done
}
# sample_each PREFIX N BEFORE AFTER: KiB for one of N objects.
sample_each() {
	join "$3" "$4" | while read -r program before after; do
		sample "$1-$program" "$(awk -v b="$before" -v a="$after" -v n="$2" 'BEGIN {printf "%.3f\n", (a - b) / n}')"
	done
}

one_memory() {
	cluster --no-agent
	each_pss >"$work/idle"
	# shellcheck disable=SC2046 # a list of pids
	sample memory-idle "$(pss_mb $(control_plane))"
	if wanted configmap-memory-apiserver configmap-memory-scheduler configmap-memory-controller; then
		measure fill "$kubeconfig" configmaps memory 20000
		each_pss >"$work/after"
		sample_each configmap-memory 20000 "$work/idle" "$work/after"
		stop
		cluster --no-agent
	fi
	if wanted memory-5000-pods pod-memory-apiserver pod-memory-scheduler pod-memory-controller; then
		fake_nodes fake 1000
		each_pss >"$work/before"
		measure fill "$kubeconfig" pods memory 5000
		each_pss >"$work/after"
		sample_each pod-memory 5000 "$work/before" "$work/after"
		# shellcheck disable=SC2046
		sample memory-5000-pods "$(pss_mb $(control_plane))"
	fi
	stop
}

measure_memory() { repeat "$runs" one_memory; }
