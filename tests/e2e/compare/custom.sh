# custom: types that only the server knows. Sourced by kubectl-compare.
# shellcheck shell=sh disable=SC2154,SC2034
group=$space.example.com
cat >"$work/crd.yaml" <<Y
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.$group}
spec:
  group: $group
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct], categories: [all, ours]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {specReplicasPath: .spec.amount, statusReplicasPath: .status.replicas}}
    additionalPrinterColumns: [{name: Spec, type: string, jsonPath: .spec.cronSpec}]
    schema:
      openAPIV3Schema:
        type: object
        description: A table of things to do.
        properties:
          spec:
            type: object
            required: [cronSpec]
            properties:
              cronSpec: {type: string, description: When it runs.}
              policy: {type: string, enum: [Allow, Forbid]}
              amount: {type: integer, minimum: 1, default: 1}
              steps:
                type: array
                items: {type: object, properties: {name: {type: string}, env: {type: object, additionalProperties: {type: string}}}}
          status: {type: object, properties: {replicas: {type: integer}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: worlds.$group}
spec:
  group: $group
  scope: Cluster
  names: {plural: worlds, singular: world, kind: World}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
Y
cat >"$work/custom.yaml" <<Y
apiVersion: $group/v1
kind: CronTab
metadata: {name: mine, labels: {app: web}}
spec: {cronSpec: every day, steps: [{name: a, env: {KEY: value}}]}
---
apiVersion: $group/v1
kind: World
metadata: {name: earth}
Y
sed 's/every day/each night/' "$work/custom.yaml" >"$work/custom2.yaml"
sed -n '1,/^---/p' "$work/custom.yaml" >"$work/custom1.yaml"
same apply -f "$work/custom1.yaml"
"$lite" apply -f "$work/crd.yaml" >/dev/null
"$lite" wait --for=condition=Established "crd/crontabs.$group" "crd/worlds.$group" --timeout=10s >/dev/null
before="'$lite' -n $space delete -f '$work/custom.yaml' --ignore-not-found >/dev/null"
again apply -f "$work/custom.yaml"
before="'$lite' -n $space apply -f '$work/custom.yaml' >/dev/null"
again apply -f "$work/custom2.yaml"
again apply -f "$work/custom2.yaml" --dry-run=server
again apply -f "$work/custom.yaml"
again replace -f "$work/custom2.yaml"
again patch ct mine --type=merge -p '{"metadata":{"labels":{"app":"other"}}}'
again patch ct mine -p '{"spec":{"amount":4}}'
again patch ct mine --type=merge -p '{"spec":{"amount":0}}'
again scale ct/mine --replicas=5
again scale ct/mine --replicas=6 --current-replicas=7
again label ct mine --overwrite app=gold
again annotate crontabs mine --overwrite note=gold
again diff -f "$work/custom2.yaml"
KUBE_EDITOR=true
export KUBE_EDITOR
again edit ct mine
same wait ct/mine --for=jsonpath='{.spec.cronSpec}'='every day' --timeout=5s
same get "crontabs.v1.$group"
same get "crontab.$group/mine" -o name
same get CronTab mine -o wide
same get crontab,cm -o name
same get worlds earth
same get ours
same get all
same get all -o name
same get -f "$work/custom.yaml" -o name
same get ct -A --show-labels
same describe crontab mine
same describe world earth
same delete ct nothing
same delete -f "$work/custom.yaml" --dry-run=server
for what in ct ct.spec ct.spec.steps ct.spec.steps.env ct.spec.policy ct.metadata ct.metadata.labels ct.status world "crontabs.$group.spec"; do
	same explain "$what"
done
same explain ct --recursive
same explain ct.spec.steps --recursive
same explain ct "--api-version=$group/v1"
same explain ct "--api-version=$group/v2"
same explain deploy --api-version=apps/v9
for flags in '' '-o wide' '-o name' --namespaced=false --verbs=list,create --categories=all --sort-by=kind --sort-by=nothing '--api-group= --no-headers'; do
	# shellcheck disable=SC2086 # none, or words
	same api-resources $flags
done
same api-resources "--api-group=$group"
same auth can-i get "crontabs.$group"
"$lite" delete world earth >/dev/null
"$lite" delete -f "$work/crd.yaml" >/dev/null
same get ct
