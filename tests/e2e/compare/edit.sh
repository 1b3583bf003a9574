# edit, with editors that are scripts. Sourced by kubectl-compare.
# shellcheck shell=sh disable=SC2154,SC2034
cat >"$work/edit.yaml" <<'Y'
apiVersion: v1
kind: ConfigMap
metadata: {name: edited}
data: {a: b}
---
apiVersion: v1
kind: Secret
metadata: {name: edited}
data: {user: YWRtaW4=}
Y
# Changes the file as $CHANGE says, the first time; what it was given is kept.
cat >"$work/editor" <<'E2'
#!/bin/sh
cat "$1" >>"$SEEN"
[ -e "$SEEN.changed" ] || sed -i "$CHANGE" "$1"
[ -z "$ONCE" ] || : >"$SEEN.changed"
E2
chmod +x "$work/editor"
SEEN=$work/seen KUBE_EDITOR=$work/editor CHANGE='' ONCE=
export SEEN KUBE_EDITOR CHANGE ONCE
"$lite" -n "$space" apply -f "$work/edit.yaml" >/dev/null
before="rm -f '$work/seen' '$work/seen.changed'; kubectl -n $space patch cm edited -p '{\"data\":{\"a\":\"b\"}}' >/dev/null
	kubectl -n $space patch deploy web -p '{\"spec\":{\"replicas\":2}}' >/dev/null"

# edits CHANGE ARGS...: the same is printed, and the editor was given the same.
edits() {
	CHANGE=$1
	shift
	eval "$before"
	kubectl -n "$space" edit "$@" >"$work/real.out" 2>"$work/real.err" </dev/null
	real=$?
	cat "$work/seen" >>"$work/real.out"
	eval "$before"
	"$lite" -n "$space" edit "$@" >"$work/lite.out" 2>"$work/lite.err" </dev/null
	code=$?
	cat "$work/seen" >>"$work/lite.out"
	sed -i '/^$/,$d' "$work/lite.err" # what was perhaps meant
	judge edit "$@" "($CHANGE)"
	rm -f /tmp/kubectl-edit-*.yaml
}
edits '' cm edited
edits 's/a: b/a: c/' cm edited
edits 's/a: b/a: c/' cm edited -o yaml
edits 's/"b"/"c"/' cm/edited -o json
edits 's/a: b/a: z/' cm/edited secret/edited
edits 's/a: b/a: z/' cm/edited --output-patch
edits 's/a: b/a: z/' -f "$work/edit.yaml"
edits 's/replicas: 2/replicas: 3/' deployment web --subresource=status
ONCE=1
edits 's/replicas: 2/replicas: -1/' deployment web
edits 's/replicas: 2/replcas: 1/' deployment web
edits 's/name: edited/name: other/' cm edited
ONCE=
same edit
same edit cm nothing
same edit cm edited -o name
KUBE_EDITOR=false
same edit cm edited
