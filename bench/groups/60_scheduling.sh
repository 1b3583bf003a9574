# shellcheck shell=sh disable=SC2034,SC2154 # sourced by bench/run
# Pods to nodes that nobody stands behind but one process that answers for all.
group scheduling
row bind "pods created and bound, 1,000 nodes, 32 connections" 1/s min 4000
row deploy-1000 "Deployment of 1,000 replicas available, fake nodes" ms max 800
row roll-1000 "this Deployment rolled to a new version" ms max 1100
row reschedule-5000 "100 of 1,000 nodes die: from the taint to 5,000 pods bound elsewhere" ms max 4000

one_bind() {
	cluster --no-agent
	measure bind "$kubeconfig" 1000 4000
	sample_out bind bind-per-s
	stop
}
one_deployment() {
	cluster --no-agent
	fake_nodes fake 100
	measure deploy "$kubeconfig" web 1000
	sample_out deploy-1000 deploy-ms
	measure roll "$kubeconfig" web
	sample_out roll-1000 roll-ms
	stop
}
# The nodes that will die get all the pods, since there are no others yet. Their leases run out forty seconds later.
one_reschedule() {
	cluster --no-agent
	fake_nodes dying 100 together
	dying=$background
	measure deploy "$kubeconfig" web 5000
	fake_nodes living 900
	measure reschedule "$kubeconfig" 5000 dying "$dying"
	sample_out reschedule-5000 reschedule-ms
	stop
}

measure_scheduling() {
	if wanted bind; then repeat "$runs" one_bind; fi
	if wanted deploy-1000 roll-1000; then repeat "$runs" one_deployment; fi
	if wanted reschedule-5000; then repeat "$long_runs" one_reschedule; fi
}
