#!/bin/sh
# A client library that knows nothing of knarr: @kubernetes/client-node from npm, with a small program on it. Without Node.js, or
# when npm cannot be reached, it is left out, with a word.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Once for each build folder.
install_client() {
	MODULES=$BUILD/client-node
	[ -e "$MODULES/installed" ] && return
	mkdir -p "$MODULES"
	cp "$E2E/client_node/package.json" "$E2E/client_node/package-lock.json" "$MODULES"
	(cd "$MODULES" && npm ci --no-audit --no-fund >npm.log 2>&1) && touch "$MODULES/installed"
}

somebody_elses_client() {
	cluster_up main
	"$E2E/make-busybox-image" registry.local/web:1 "$WORK/web.tar"
	"$BIN/knarr" image import --data "$DIR" "$WORK/web.tar"
	cp "$E2E/client_node/test.mjs" "$MODULES/test.mjs"
	node "$MODULES/test.mjs" registry.local/web:1
}

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
	echo "     client_node: left out, there is no Node.js"
	exit 0
fi
if ! install_client; then
	echo "     client_node: left out, npm could not install the client: $(tail -n 1 "$BUILD/client-node/npm.log")"
	exit 0
fi
run_cases somebody_elses_client
