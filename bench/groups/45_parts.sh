# shellcheck shell=sh disable=SC2034,SC2154 # sourced by bench/run
# What single functions of the server cost, called in a process of their own. CPU time.
group parts
row authorize "a decision about who may do what, 2,000 bindings, mean of six questions" µs max 5
row admit-pod "strict decoding, defaults and validation of a pod of 1.5 KB" µs max 40

one_authorize() {
	rm -rf "$work/authorize"
	mkdir "$work/authorize"
	bench=$parts measure authorize "$work/authorize"
	sample_out authorize authorize-us
}

one_admit_pod() {
	bench=$parts measure admit-pod
	sample_out admit-pod admit-pod-us
}

measure_parts() {
	if wanted authorize; then repeat "$runs" one_authorize; fi
	if wanted admit-pod; then repeat "$runs" one_admit_pod; fi
}
