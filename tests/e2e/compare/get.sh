# get: what is not in kubectl-compare itself. Sourced by it.
# shellcheck shell=sh disable=SC2154,SC2034
printf 'NAME  SPACE\n.metadata.name   {.metadata.namespace}\n' >"$work/columns"
cat >"$work/invalid.yaml" <<'Y'
apiVersion: apps/v1
kind: Deployment
metadata: {name: invalid}
spec: {replicas: -1, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: c}}, spec: {containers: [{name: A_B, image: x}]}}}
Y
same apply -f "$work/invalid.yaml"
same get
same get pods -o jsonpath
same get pods -o 'jsonpath={.a'
same get pods -o 'jsonpath-as-json={.items[*].metadata.name}'
same get pods -o custom-columns
same get pods -o custom-columns=A
same get pods -o "custom-columns-file=$work/columns"
same get --raw "/api/v1/namespaces/$space/configmaps/nothing"
same get --raw "/apis/apps/v1/namespaces/$space/deployments/web"
same get --raw /nothing
same get --raw /api pods
same get --raw /api -o json
same get deployment web --subresource=scale
same get deployment web --subresource=status -o name
same get deployment web --subresource=nothing
same get deployment --subresource=scale
same get secrets --show-kind
same get secret/pass --show-kind --no-headers
same get deploy,secrets -o wide --no-headers
same get pods --sort-by=.spec.nothing -o name
same get pods --sort-by='{.metadata.name' -o name
same get pods --sort-by=.metadata.creationTimestamp -o name
same get secret nothing --ignore-not-found -o yaml
same get secret,deploy nothing
same get secrets --chunk-size=1
same get secrets -L app,tier --show-labels
same get secrets -A --field-selector metadata.name=pass
same get secrets --field-selector nothing=x
same get secrets -A pass
same get secrets -l app=web pass
same get pods,secrets -w
same get secrets --output-watch-events

# watches ARGS...: what a watch shows before anything changes.
watches() {
	timeout 2 kubectl -n "$space" get "$@" -w >"$work/real.out" 2>"$work/real.err" </dev/null
	real=$?
	timeout 2 "$lite" -n "$space" get "$@" -w >"$work/lite.out" 2>"$work/lite.err" </dev/null
	code=$?
	judge get "$@" -w
}
watches secrets
watches secrets --output-watch-events
watches secrets -A --output-watch-events --field-selector metadata.name=pass
watches secrets -o yaml
watches secret pass -o name --output-watch-events
watches secrets -o custom-columns=N:.metadata.name
watches secrets --watch-only
