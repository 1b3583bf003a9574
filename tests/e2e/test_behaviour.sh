#!/bin/sh
# What pods and deployments go through, state by state, and the events about it: the cases in behaviour/NAME.json, all at once
# in one cluster, a namespace each. A case holds requests (acts), when each is due, and what is expected to be seen then (see
# judge.jq). ONLY="NAME..." plays some of them.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
LIMIT_S=60

record() { # PATH FILE
	: >"$WORK/$2"
	api GET "$1" -N -o "$WORK/$2" &
	echo $! >>"$WORK/recorders"
}

# What the recorders hold by now; the last line may still be on its way.
recorded() {
	for _file in pods deployments events; do
		sed -e '$!b' -e '/}$/!d' "$WORK/$_file"
	done >"$WORK/recorded"
}

act() { # NAME NUMBER
	jq ".acts[$2]" "$E2E/behaviour/$1.json" >"$WORK/act"
	jq .body "$WORK/act" >"$WORK/body"
	api "$(jq -r .method "$WORK/act")" "$(jq -r .path "$WORK/act")" -H "Content-Type: $(jq -r .type "$WORK/act")" \
		-d @"$WORK/body" -w '%{http_code}' -o "$WORK/answer" | grep -q '^20' || fail "$1, act $2: $(cat "$WORK/answer")"
}

judge() {
	recorded
	jq -n -c -L "$E2E" --arg node "$NODE" --slurpfile recorded "$WORK/recorded" --slurpfile cases "$WORK/cases" \
		-f "$E2E/judge.jq"
}

scenarios() {
	cluster_up main
	for tag in 1 2; do
		"$E2E/make-busybox-image" registry.local/web:$tag "$WORK/web-$tag.tar"
		"$BIN/knarr" image import --data "$DIR" "$WORK/web-$tag.tar"
	done
	NODE=$(k get nodes -o 'jsonpath={.items[0].metadata.name}')
	record '/api/v1/pods?watch=1' pods
	record '/apis/apps/v1/deployments?watch=1' deployments
	record '/api/v1/events?watch=1' events
	for name in $NAMES; do
		api POST /api/v1/namespaces -H "Content-Type: application/json" \
			-d "{\"metadata\":{\"name\":\"b-$name\"}}" -o /dev/null
		echo 0 >"$WORK/acted.$name"
	done
	end=$(($(date +%s) + LIMIT_S))
	open=$NAMES
	while [ -n "$open" ] && [ "$(date +%s)" -lt $end ]; do
		jq -n --arg open "$open" '[inputs | {key: input_filename | split("/")[-1] | rtrimstr(".json"), value: .}
			| select(.key as $k | $open | split(" ") | index($k))] | from_entries' "$E2E"/behaviour/*.json >"$WORK/cases"
		judge >"$WORK/judged"
		still=
		for name in $open; do
			jq -c "select(.name == \"$name\")" "$WORK/judged" >"$WORK/verdict.$name"
			due=$(jq .acts "$WORK/verdict.$name")
			acted=$(cat "$WORK/acted.$name")
			while [ "$acted" -lt "$due" ]; do
				act "$name" "$acted"
				acted=$((acted + 1))
			done
			echo "$acted" >"$WORK/acted.$name"
			jq -e '.done or .wrong != null' "$WORK/verdict.$name" >/dev/null || still="$still $name"
		done
		open=${still# }
		sleep 0.3
	done
}

the_case() {
	jq -r 'if .wrong then .wrong elif .done then empty else "not seen:\n  " + (.missing | join("\n  ")) end' "$WORK/verdict.$1" >"$WORK/why"
	[ ! -s "$WORK/why" ] || { cat "$WORK/why"; exit 1; }
	[ -s "$WORK/verdict.$1" ]
}

NAMES=${ONLY:-$(cd "$E2E/behaviour" && printf '%s\n' *.json | sed 's/\.json$//' | xargs)}
run_cases scenarios
while read -r pid; do
	kill "$pid"
done <"$WORK/recorders" 2>/dev/null
for name in $NAMES; do
	eval "case_$(echo "$name" | tr - _)() { the_case $name; }"
	run_cases "case_$(echo "$name" | tr - _)"
done
