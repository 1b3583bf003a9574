#!/bin/sh
# kubectl-lite beside the real kubectl on one cluster (kubectl-compare): what both print, their exit codes, and what is stored then.
# Words change from version to version: kubectl-lite has those of 1.32. Of what kubectl-compare says only what failed is shown.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

a_cluster() {
	cluster_up main
}

side_by_side() {
	"$E2E/kubectl-compare" "$BUILD" "$KUBECONFIG" >"$WORK/compared" 2>&1 || {
		grep -v '^ok ' "$WORK/compared" | head -n 200
		return 1
	}
	tail -n 1 "$WORK/compared" >"$WORK/summary"
}

if ! kubectl version --client 2>/dev/null | grep -q '^Client Version: v1\.32\.'; then
	echo "     compare: left out, there is no kubectl 1.32 on PATH"
	exit 0
fi
run_cases a_cluster
cluster_use main
run_cases side_by_side
[ ! -s "$WORK/summary" ] || sed 's/^/     /' "$WORK/summary"
