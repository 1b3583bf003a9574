# shellcheck shell=sh disable=SC2034,SC2154 # sourced by bench/run
# What single functions of the server cost, called in a process of their own. CPU time.
group parts
row authorize "a decision about who may do what, 2,000 bindings, mean of six questions" µs max 5

one_authorize() {
	rm -rf "$work/authorize"
	mkdir "$work/authorize"
	bench=$parts measure authorize "$work/authorize"
	sample_out authorize authorize-us
}

measure_parts() {
	if wanted authorize; then repeat "$runs" one_authorize; fi
}
