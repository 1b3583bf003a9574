# shellcheck shell=sh disable=SC2034,SC2154 # sourced by bench/run
# The database under very many updates.
updates=${UPDATES:-1000000}
group store
row store-updates "updates of 5,000 ConfigMaps of 1 KiB, $updates in all" 1/s none - floor-rows
row store-size "the database after $updates updates, in times of the live data" x max 3
row store-pause "the worst that one of these updates waited" ms max 20 floor-flush
row store-p99 "what these updates waited, p99" ms none -
row store-log "SQLite's write-ahead log, at its longest" MiB max 64

measure_store() {
	cluster --no-agent
	measure update "$kubeconfig" 5000 "$updates" "$dir/apiserver/store.db" "$dir/apiserver/store.db-wal"
	sample_out store-updates update-per-s
	sample_out store-size database-times
	sample_out store-pause update-worst-ms
	sample_out store-p99 update-p99-ms
	sample_out store-log log-mib
	stop
}
