#!/bin/sh
# The real kubectl against a real cluster: what people type, and what it prints. The commands are in kubectl/*.sh, grouped; every
# version of kubectl goes through all of them, in a namespace of its own. With KUBECTL="PATH..." these are used, with KUBECTL=all
# every one that can be found, otherwise the one of PATH, and the oldest and newest of those beside it. What versions before 1.27 cannot
# do fails nothing. ONLY="GROUP..." picks groups.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# The kubectl of PATH, and those that stand beside it as kubectl.1.N.
find_kubectls() {
	_found=$(command -v kubectl) || return 1
	_beside=$(find "$(dirname "$(readlink -f "$_found")")" -maxdepth 1 -name 'kubectl.1.*' | sort -t. -k3 -n)
	case ${KUBECTL:-} in
	all) echo "$_found $_beside" ;;
	'') echo "$_found $(echo "$_beside" | sed -n '1p;$p')" ;;
	*) echo "$KUBECTL" ;;
	esac
}

# says PATTERN COMMAND...: it succeeds and prints something that PATTERN, an extended regular expression, matches.
# fails PATTERN COMMAND...: it does not, and says so.
says() {
	_pattern=$1 _result=1
	shift
	if _output=$("$@" 2>&1 </dev/null) && matches; then _result=0; fi
	count "$@"
}
fails() {
	_pattern=$1 _result=1
	shift
	if ! _output=$("$@" 2>&1 </dev/null) && matches; then _result=0; fi
	count "$@"
}
matches() {
	printf '%s\n' "$_output" | grep -qE -e "$_pattern"
}
# says_in SECONDS PATTERN COMMAND...: sooner or later.
says_in() {
	_until=$(($(date +%s) + $1 * 3)) _pattern=$2 _result=1
	shift 2
	while [ $_result = 1 ] && [ "$(date +%s)" -lt $_until ]; do
		if _output=$("$@" 2>&1 </dev/null) && matches; then _result=0; else sleep 0.1; fi
	done
	count "$@"
}
count() { # COMMAND...: what $_result says of it
	if [ "$_result" = 0 ]; then
		echo ok >>"$WORK/counted"
		return
	fi
	echo bad >>"$WORK/counted"
	{
		echo "$*"
		echo "  expected: $_pattern"
		printf '%s\n' "$_output" | head -n 12 | cut -c1-300 | sed 's/^/  said: /'
	} >>"$WORK/faults"
}

# "1.32"
short_version() {
	"$1" version --client -o json 2>/dev/null | jq -r '.clientVersion | "\(.major).\(.minor)" | gsub("[^0-9.]"; "")'
}

# One version of kubectl through all groups.
commands() {
	_short=$(short_version "$1")
	NS=k-$(echo "$_short" | tr . -)
	F=$WORK/$NS
	mkdir -p "$F"
	: >"$WORK/counted"
	: >"$WORK/faults"
	export K="$1 -n $NS"
	"$1" create namespace "$NS" >"$F/namespace" 2>&1 || fail "kubectl $_short: $(cat "$F/namespace")"
	for group in ${ONLY:-$(cd "$E2E/kubectl" && printf '%s\n' *.sh | sed 's/\.sh$//')}; do
		# shellcheck source=/dev/null
		. "$E2E/kubectl/$group.sh"
	done
	k delete namespace "$NS" --wait=false >/dev/null
	printf 'kubectl %s: %s of %s commands\n' "$_short" "$(grep -c ok "$WORK/counted")" "$(wc -l <"$WORK/counted")" >>"$WORK/summary"
	# Older ones know neither today's API nor half of the commands: what they can do is told, no more.
	if [ "${_short#1.}" -lt 27 ]; then : >"$WORK/faults"; fi
	[ ! -s "$WORK/faults" ]
}

a_cluster() {
	cluster_up main
	"$E2E/make-busybox-image" registry.local/web:1 "$WORK/web-1.tar"
	"$E2E/make-busybox-image" registry.local/web:2 "$WORK/web-2.tar"
	for tag in 1 2; do
		"$BIN/knarr" image import --data "$DIR" "$WORK/web-$tag.tar"
	done
}

if ! kubectls=$(find_kubectls); then
	echo "     kubectl: left out, there is none on PATH"
	exit 0
fi
run_cases a_cluster
cluster_use main
seen=
for kubectl in $kubectls; do
	# The one of PATH may be one of those beside it.
	short=$(short_version "$kubectl")
	case " $seen " in *" $short "*) continue ;; esac
	seen="$seen $short"
	eval "with_$(basename "$kubectl" | tr -c 'a-z0-9\n' _)() { commands $kubectl; }"
	run_cases "with_$(basename "$kubectl" | tr -c 'a-z0-9\n' _)"
	[ ! -s "$WORK/faults" ] || sed 's/^/     | /' "$WORK/faults"
done
[ ! -s "$WORK/summary" ] || sed 's/^/     /' "$WORK/summary"
