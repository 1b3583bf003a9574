#!/bin/sh
# Clusters under kill -9 while they are used (tests/churn/README.md). CHURN_SECONDS of fire (default 12) in each of CHURN_SHAPES
# (default: control node), with CHURN_SEED, or a seed of the clock; counts as JSON to CHURN_REPORT.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

seconds=${CHURN_SECONDS:-12}
seed=${CHURN_SEED:-$(date +%s)}

churn() { # SHAPE
	"$BUILD/tests/knarr-churn" --data "$DIR" --bin "$BIN" --seconds "$seconds" --seed "$seed" \
		${CHURN_REPORT:+--report "$CHURN_REPORT"} "$1" >"$WORK/churn.$1" 2>&1 || {
		cat "$WORK/churn.$1"
		fail "broken promises; seed $seed"
	}
	tail -n 1 "$WORK/churn.$1" >>"$WORK/counts"
}

a_control_plane_that_is_killed_at_random_comes_to_its_spec() {
	DIR=$WORK/control
	echo "$DIR" >>"$WORK/clusters"
	"$BIN/knarr" up --data "$DIR" --port "$(free_port)" --no-agent -d
	churn control
}

a_node_that_is_killed_at_random_holds_what_is_wanted() {
	cluster_up node
	import_images
	"$E2E/make-busybox-image" busybox:v1 "$WORK/busybox.tar"
	"$BIN/knarr" image import --data "$DIR" "$WORK/busybox.tar"
	churn node
}

printf '     churn: seed %s, %s s of fire in each shape\n' "$seed" "$seconds"
case ${CHURN_SHAPES:=control node} in
*control*) run_cases a_control_plane_that_is_killed_at_random_comes_to_its_spec ;;
esac
case $CHURN_SHAPES in
*node*) run_cases a_node_that_is_killed_at_random_holds_what_is_wanted ;;
esac
sed 's/^/     | /' "$WORK/counts" 2>/dev/null
