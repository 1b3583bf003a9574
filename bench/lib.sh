# shellcheck shell=sh disable=SC2034,SC2154 # sourced by bench/run
# What bench/run and the groups of rows share.
#
# A file in bench/groups/ declares its rows and a function that measures them:
#
#     group NAME                                     the table has them in the order of the files' names
#     row ROW "what" UNIT max|min|none BUDGET [FLOOR-ROW]
#     measure_NAME() { wanted ROW && ... sample ROW VALUE; }
#
# What needs a cluster calls `cluster`, which sets dir, port, kubeconfig and token, and `stop`.
bin=$PWD/$build/bin bench=$PWD/$build/bench/knarr-bench parts=$PWD/$build/bench/knarr-bench-parts
runs=${RUNS:-5} long_runs=${LONG_RUNS:-3}
patience=600 # seconds that one measurement may take before it counts as failed
# /tmp may be memory; the store has to be on a disk.
work=$(mktemp -d "${TMPDIR:-/var/tmp}/knarr-bench.XXXXXX")
groups=
: >"$work/rows"
: >"$work/samples"
: >"$work/clusters"
: >"$work/pids"

# --- rows ---

group() {
	group=$1
	groups="$groups $1"
}
row() { printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$group" "$1" "$2" "$3" "$4" "$5" "${6:-}" >>"$work/rows"; }

# The rows asked for, and the floors that they stand on.
choose_rows() {
	awk -F '\t' -v only="$only" 'only == "" || $1 == only || $2 == only {print $2; if ($7) print $7}' "$work/rows" >"$work/wanted"
}
wanted() { for _row; do grep -qx "$_row" "$work/wanted" && return; done; return 1; }
group_wanted() { awk -F '\t' -v group="$1" '$1 == group {print $2}' "$work/rows" | grep -qxFf "$work/wanted"; }

# sample ROW VALUE [CLIENT-CPU]
sample() { printf '%s\t%s\t%s\n' "$1" "$2" "${3:-}" >>"$work/samples"; }
# All figures of one name that the last `measure` printed.
sample_out() { # ROW NAME
	awk -v row="$1" -v name="$2" '{v[NR] = $0} $1 == "client-cpu" {cpu = $2}
		END {for (i = 1; i <= NR; i++) if (split(v[i], f, " ") == 2 && f[1] == name) printf "%s\t%s\t%s\n", row, f[2], cpu}' \
		"$work/out" >>"$work/samples"
}
figure() { awk -v name="$1" '$1 == name {print $2; exit}' "$work/out"; }
# measure COMMAND...: knarr-bench, its output kept for sample_out and figure.
measure() { timeout --foreground "$patience" "$bench" "$@" >"$work/out"; }

# wrk as the client: sample_wrk ROW SECONDS CONNECTIONS SCRIPT [URL]
sample_wrk() {
	measure run wrk -t1 "-c$3" "-d${2}s" --timeout 10s -s "bench/wrk/$4.lua" -H "Authorization: Bearer ${token:-none}" \
		"${5:-https://127.0.0.1:$port}"
	if grep -q 'Non-2xx\|Socket errors' "$work/out"; then
		cat "$work/out" >&2
		return 1
	fi
	sample "$1" "$(awk '/Requests\/sec/ {print $2}' "$work/out")" "$(figure client-cpu)"
}

# repeat N COMMAND...
repeat() {
	_n=$1
	shift
	while [ "$_n" -gt 0 ]; do
		"$@"
		_n=$((_n - 1))
	done
}

# collect: the JSON.
collect() {
	jq -n --rawfile rows "$work/rows" --rawfile samples "$work/samples" --rawfile wanted "$work/wanted" \
		--slurpfile machine "$work/machine.json" -f bench/collect.jq
}

# --- clusters ---

# The first of four ports in a row that nobody listens on.
free_port() {
	_port=$((20000 + $$ * 4 % 10000))
	while ss -Hltn | grep -qE ":($_port|$((_port + 1))|$((_port + 2))|$((_port + 3))) "; do _port=$((_port + 4)); done
	echo "$_port"
}

# cluster [FLAG...] of `knarr up`
cluster() {
	dir=$(mktemp -d "$work/cluster.XXXXXX")
	rmdir "$dir"
	port=$(free_port)
	echo "$dir" >>"$work/clusters"
	"$bin/knarr" up --data "$dir" --port "$port" "$@" -d >"$work/up.log" 2>&1 || { cat "$work/up.log" >&2; return 1; }
	kubeconfig=$dir/kubeconfig
	token=$(cut -d, -f1 "$dir/auth/tokens.csv")
}
stop() {
	end_clients
	"$bin/knarr" down --data "$dir" --purge >/dev/null
	grep -vxF "$dir" "$work/clusters" >"$work/clusters.left" || true
	mv "$work/clusters.left" "$work/clusters"
}
pid_of() { cat "$dir/run/knarr-$1.pid"; }
control_plane() { for _program in apiserver scheduler controller; do pid_of "$_program"; done; }
pss_kib() { for _pid; do awk '/^Pss:/ {print $2}' "/proc/$_pid/smaps_rollup"; done | awk '{sum += $1} END {print sum + 0}'; }
pss_mb() { pss_kib "$@" | awk '{printf "%.2f\n", $1 / 1024}'; }

# background COMMAND...: knarr-bench in the background, from when it says that it is ready; its pid in $background. Counts as a client.
background() {
	rm -f "$work/ready"
	mkfifo "$work/ready"
	"$bench" "$@" >"$work/ready" &
	background=$!
	echo "$background" >>"$work/pids"
	read -r _ <"$work/ready" || return 1
	KNARR_BENCH_CLIENTS="${KNARR_BENCH_CLIENTS:-} $background"
	export KNARR_BENCH_CLIENTS
}
# fake_nodes PREFIX N [together]
fake_nodes() { background fake-nodes "$kubeconfig" "$@"; }
end_clients() {
	while read -r _pid; do kill -9 "$_pid" 2>/dev/null || true; done <"$work/pids"
	: >"$work/pids"
	unset KNARR_BENCH_CLIENTS
	wait
}

clean_up() {
	end_clients 2>/dev/null
	while read -r _dir; do "$bin/knarr" down --data "$_dir" --purge >/dev/null 2>&1 || true; done <"$work/clusters"
	: >"$work/clusters"
}
trap 'clean_up; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
