# replace. Sourced by kubectl-compare.
# shellcheck shell=sh disable=SC2154,SC2034
cat >"$work/replace.yaml" <<'Y'
apiVersion: v1
kind: ConfigMap
metadata: {name: replaced}
data: {a: b}
Y
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: replaced, resourceVersion: "1"}\n' >"$work/replace-old.yaml"
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: replaced}\ndataa: {a: b}\n' >"$work/replace-unknown.yaml"
same replace -f "$work/replace.yaml"
before="'$lite' -n $space delete cm replaced --ignore-not-found >/dev/null"
again replace --force -f "$work/replace.yaml"
before="'$lite' -n $space apply -f '$work/replace.yaml' >/dev/null"
again replace -f "$work/replace.yaml"
again replace -f "$work/replace.yaml" -o yaml
again replace -f "$work/replace.yaml" --save-config -o name
again replace -f "$work/replace.yaml" --dry-run=server
again replace -f "$work/replace.yaml" --dry-run=client -o yaml
again replace -f "$work/replace-old.yaml"
begins replace -f "$work/replace-unknown.yaml"
again replace -f "$work/replace-unknown.yaml" --validate=warn
again replace -f "$work/replace-unknown.yaml" --validate=ignore
again replace --force -f "$work/replace.yaml"
again replace --force -f "$work/replace.yaml" --grace-period=0 --timeout=5s
again replace -f "$work/replace.yaml" --subresource=status
same replace
same replace nothing
same replace -f "$work/nothing-there.yaml"
same replace -f "$work/replace.yaml" --grace-period=3
same replace -f "$work/replace.yaml" --force --dry-run=server
same replace --raw "/api/v1/namespaces/$space/configmaps/nothing" -f "$work/replace.yaml"
same replace --raw "/api/v1/namespaces/$space/configmaps/nothing"
