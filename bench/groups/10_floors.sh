# shellcheck shell=sh disable=SC2034,SC2154 # sourced by bench/run
# What other programs on this machine need for the least of it.
group floors
row floor-commits "SQLite, WAL, synchronous=FULL: rows of 1 KiB, a commit each" 1/s none -
row floor-rows "SQLite, the same with 32 rows to a commit" 1/s none -
row floor-flush "the disk alone: writes of 48 KiB flushed, pages of a database beside it, the worst of a minute" ms none -
row floor-hello "the HTTPS server alone says hello over TLS, 32 connections" 1/s none -
row floor-fanout "GnuTLS and epoll alone: pages flushed, then a record to each of 10,000 connections, the last" ms none -
row floor-fanout-500 "the same to each of 500 connections, p99" ms none -
row floor-runc "runc run of a program that does nothing" ms none -

one_sqlite() {
	rm -f "$work"/floor.db*
	measure floor-sqlite "$work"
	sample_out floor-commits commits-per-s
	sample_out floor-rows rows-per-s
}

floor_hello() {
	cluster --no-agent # for its certificates
	cp "$dir/pki/apiserver.crt" "$dir/pki/apiserver.key" "$work"
	stop
	background floor-http "$port" "$work/apiserver.crt" "$work/apiserver.key" "$(nproc)"
	unset KNARR_BENCH_CLIENTS # this one is the server
	repeat "$runs" sample_wrk floor-hello 3 32 hello
	end_clients
}

one_flush() {
	measure floor-flush "$work" 60
	sample_out floor-flush flush-worst-ms
}
one_fanout() {
	measure floor-fanout "$work" 10000 5
	sample_out floor-fanout all-ms
}
one_fanout_500() {
	measure floor-fanout "$work" 500 100
	sample_out floor-fanout-500 reached-p99-ms
}

floor_runc() {
	bundle=$work/bundle
	mkdir -p "$bundle/rootfs/bin" "$bundle/rootfs/proc" "$bundle/rootfs/dev" "$bundle/rootfs/sys"
	cp "$(command -v busybox)" "$bundle/rootfs/bin/true"
	(cd "$bundle" && runc spec)
	jq '.process.args = ["/bin/true"] | .process.terminal = false' "$bundle/config.json" >"$bundle/new.json"
	mv "$bundle/new.json" "$bundle/config.json"
	repeat "$runs" one_runc
}
one_runc() {
	measure exec 5 runc run --bundle "$bundle" "knarr-bench-$$"
	sample_out floor-runc exec-ms
}

measure_floors() {
	if wanted floor-commits floor-rows; then repeat "$runs" one_sqlite; fi
	if wanted floor-flush; then one_flush; fi
	if wanted floor-fanout; then one_fanout; fi
	if wanted floor-fanout-500; then one_fanout_500; fi
	if wanted floor-hello; then floor_hello; fi
	if wanted floor-runc && [ "$(id -u)" = 0 ]; then floor_runc; fi
}
