# shellcheck shell=sh disable=SC2086,SC2154
# apply by client and by server, diff, prune, kustomize, replace, edit, patch.
cat >"$F/site.yaml" <<Y
apiVersion: v1
kind: ConfigMap
metadata: {name: site, labels: {set: site}}
data: {a: "1", b: "2"}
---
apiVersion: v1
kind: Service
metadata: {name: site, labels: {set: site}}
spec: {selector: {app: site}, ports: [{port: 80}]}
Y
says '^service/site created$' $K apply -f "$F/site.yaml"
says '^configmap/site unchanged$' $K apply -f "$F/site.yaml"
sed -i 's/a: "1", b: "2"/a: "3"/' "$F/site.yaml"
fails '^-  b: "2"' $K diff -f "$F/site.yaml"
says '^configmap/site configured$' $K apply -f "$F/site.yaml"
says '^map\[a:3\]$' $K get configmap site -o 'go-template={{.data}}'
says '^$' $K diff -f "$F/site.yaml"
says 'a: "3"' $K apply view-last-applied configmap/site
says 'serverside-applied' $K apply --server-side -f "$F/site.yaml"
sed 's/a: "3"/a: "4"/' "$F/site.yaml" >"$F/other.yaml"
fails 'Apply failed with 1 conflict: conflict with' $K apply --server-side --field-manager=other -f "$F/other.yaml"
says 'serverside-applied' $K apply --server-side --field-manager=other --force-conflicts -f "$F/other.yaml"
says '^4$' $K get configmap site -o 'jsonpath={.data.a}'
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept, labels: {prune: me}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: dropped, labels: {prune: me}}\n' >"$F/prune.yaml"
says '^configmap/dropped created' $K apply --prune -l prune=me -f "$F/prune.yaml"
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept, labels: {prune: me}}\n' >"$F/prune.yaml"
says '^configmap/dropped pruned' $K apply --prune -l prune=me -f "$F/prune.yaml"
mkdir -p "$F/kustom"
printf 'namePrefix: big-\nresources: [map.yaml]\n' >"$F/kustom/kustomization.yaml"
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n' >"$F/kustom/map.yaml"
says '^configmap/big-map created$' $K apply -k "$F/kustom"
says '^configmap "big-map" deleted' $K delete -k "$F/kustom"
printf 'apiVersion: v1\nkind: Service\nmetadata: {name: wrong}\nspec: {nope: 1, ports: [{port: 80}]}\n' >"$F/wrong.yaml"
fails 'unknown field "spec.nope"' $K apply -f "$F/wrong.yaml"
says 'unknown field "spec.nope"' $K apply --validate=warn -f "$F/wrong.yaml"
printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: wrong}\nspec: {containers: [{name: A}]}\n' >"$F/invalid.yaml"
fails 'The Pod "wrong" is invalid' $K apply -f "$F/invalid.yaml"
says '^configmap/site replaced$' $K replace -f "$F/other.yaml" --validate=true
says '^service/site replaced$' $K replace --force -f "$F/site.yaml"
says '^configmap/site patched$' $K patch configmap site -p '{"data":{"p":"strategic"}}'
says '^configmap/site patched$' $K patch configmap site --type=merge -p '{"data":{"m":"merge"}}'
says '^configmap/site patched$' $K patch configmap site --type=json -p '[{"op":"add","path":"/data/j","value":"json"}]'
says '^configmap/site patched \(no change\)$' $K patch configmap site -p '{"data":{"p":"strategic"}}'
says 'strategic' $K get configmap site -o yaml
printf '#!/bin/sh\nsed -i "s/merge/edited/" "$1"\n' >"$F/editor"
chmod +x "$F/editor"
says '^configmap/site edited$' env KUBE_EDITOR="$F/editor" $K edit configmap site
says '^edited$' $K get configmap site -o 'jsonpath={.data.m}'
says '^configmap/site labeled$' $K label configmap site tier=gold
fails "'tier' already has a value \(gold\), and --overwrite is false" $K label configmap site tier=tin
says '^configmap/site labeled$' $K label --overwrite configmap site tier=tin
says '^configmap/site unlabeled$' $K label configmap site tier-
says '^configmap/site annotated?$' $K annotate configmap site note='a b'
says '^configmap "site" deleted' $K delete configmap site
says 'deleted' $K delete -f "$F/site.yaml" --ignore-not-found
