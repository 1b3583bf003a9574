# shellcheck shell=sh disable=SC2034,SC2154 # sourced by bench/run
# Pods on this machine, with real containers.
group node
row memory-agent "memory of the node agent, idle" MB max 8
row memory-shim "memory of a container's shim" MB max 0.6
row pod-ready "pod created to Ready, image present, HTTP readiness each second" ms max 100 floor-runc
row burst-ready "110 pods in one burst, all Ready" ms max 4000
row burst-gone "these 110 pods deleted, all gone" ms max 3000
row wakeups-apiserver "wake-ups of the apiserver, ten idle pods" 1/s max 2
row wakeups-scheduler "wake-ups of the scheduler, ten idle pods" 1/s max 2
row wakeups-controller "wake-ups of the controller, ten idle pods" 1/s max 2
row wakeups-nodeagent "wake-ups of the node agent, ten idle pods" 1/s max 2
row wakeups-shim "wake-ups of the shim that wakes most, ten idle pods" 1/s max 2
row wakeups-supervisor "wake-ups of knarr up, ten idle pods" 1/s max 2
row idle-cpu "processor of all of knarr, ten idle pods, of one core" % max 0.3
row floor-get "GnuTLS alone: a program that makes one GET and ends" ms none -
row kubectl-get-pods "kubectl-lite get pods, ten pods, all included" ms max 5 floor-get

one_pod() {
	measure pods "$kubeconfig" 1 5
	sample_out pod-ready ready-ms
}
one_burst() {
	measure pods "$kubeconfig" 110 1
	sample_out burst-ready ready-ms
	sample_out burst-gone gone-ms
}
one_idle() {
	shims=$(shim_pids)
	# shellcheck disable=SC2046,SC2086 # lists of pids
	measure usage 20 $(control_plane) "$(pid_of nodeagent)" "$supervisor" $shims
	for program in apiserver scheduler controller nodeagent; do sample_out "wakeups-$program" "wakeups-$(pid_of "$program")"; done
	sample_out wakeups-supervisor "wakeups-$supervisor"
	for shim in $shims; do figure "wakeups-$shim"; done | sort -n | tail -1 | while read -r most; do sample wakeups-shim "$most"; done
	sample_out idle-cpu cpu-percent
}
one_floor_get() {
	measure exec 20 "$PWD/$build/bench/floor-get" "$port" "$dir/pki/ca.crt" "$dir/pki/admin.crt" "$dir/pki/admin.key" \
		/api/v1/namespaces/default/pods
	sample_out floor-get exec-ms
}
one_get_pods() {
	measure exec 20 "$bin/kubectl-lite" --kubeconfig "$kubeconfig" get pods
	sample_out kubectl-get-pods exec-ms
}
# Shims name their cluster's folder on the command line.
shim_pids() { pgrep -f "knarr-shim.*$dir/" || true; }
ten_pods() {
	"$bin/kubectl-lite" --kubeconfig "$kubeconfig" apply -f - <<-END >/dev/null
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: idle}
		spec:
		  replicas: 10
		  selector: {matchLabels: {app: idle}}
		  template:
		    metadata: {labels: {app: idle}}
		    spec:
		      containers: [{name: c, image: "market-data:v1"}]
	END
	"$bin/kubectl-lite" --kubeconfig "$kubeconfig" rollout status deployment/idle --timeout 60s >/dev/null
	sleep 5 # until the last writes and events have settled
}
sample_shims() {
	for shim in $(shim_pids); do sample memory-shim "$(pss_mb "$shim")"; done
}

measure_node() {
	if [ "$(id -u)" != 0 ]; then
		echo "left out: containers need root"
		return
	fi
	cluster
	supervisor=$(ps -o ppid= -p "$(pid_of apiserver)" | tr -d ' ')
	"$bin/knarr" image import --data "$dir" "$build/images/market-data-v1.tar" >/dev/null
	sleep 2
	sample memory-agent "$(pss_mb "$(pid_of nodeagent)")"
	if wanted pod-ready; then repeat "$runs" one_pod; fi
	if wanted burst-ready burst-gone; then repeat "$runs" one_burst; fi
	if wanted memory-shim kubectl-get-pods idle-cpu wakeups-apiserver wakeups-scheduler wakeups-controller wakeups-nodeagent \
		wakeups-shim wakeups-supervisor; then
		ten_pods
		sample_shims
		repeat "$runs" one_floor_get
		repeat "$runs" one_get_pods
		repeat "$long_runs" one_idle
	fi
	stop
}
