# shellcheck shell=sh disable=SC2034,SC2154 # sourced by bench/run
# Start and size.
group start
row api-ready "API ready after start" ms max 100
row size-binaries "all binaries, stripped, together" MB max 6

one_start() {
	rm -rf "$work/store"
	mkdir "$work/store"
	measure api-ready "$dir" "$bin" "$port" "$work/store"
	sample_out api-ready api-ready
}

sizes() {
	mkdir -p "$work/stripped"
	for program in knarr knarr-apiserver knarr-scheduler knarr-controller knarr-nodeagent knarr-shim kubectl-lite; do
		strip -o "$work/stripped/$program" "$bin/$program"
	done
	sample size-binaries "$(cat "$work"/stripped/* | wc -c | awk '{printf "%.2f\n", $1 / 1e6}')"
}

measure_start() {
	if wanted api-ready; then
		cluster --no-agent
		"$bin/knarr" down --data "$dir" >/dev/null
		repeat "$runs" one_start
		stop
	fi
	if wanted size-binaries; then sizes; fi
}
