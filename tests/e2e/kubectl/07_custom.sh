# shellcheck shell=sh disable=SC2086,SC2154
# A resource of one's own. Its group is this namespace's, since definitions are the whole cluster's.
G=$NS.example.com
cat >"$F/crd.yaml" <<Y
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.$G}
spec:
  group: $G
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct$NS]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}
    additionalPrinterColumns: [{name: Spec, type: string, jsonPath: .spec.cronSpec}]
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [cronSpec]
            properties:
              cronSpec: {type: string, pattern: '^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$', description: When it runs.}
              replicas: {type: integer, minimum: 1, default: 1}
          status: {type: object, properties: {replicas: {type: integer}}}
Y
says 'customresourcedefinition.apiextensions.k8s.io/crontabs.* created' $K apply -f "$F/crd.yaml"
says 'condition met' $K wait --for=condition=Established "crd/crontabs.$G" --timeout=10s
printf 'apiVersion: %s/v1\nkind: CronTab\nmetadata: {name: mine}\nspec: {cronSpec: "* * * * */5"}\n' "$G" >"$F/cr.yaml"
says '^crontab.*/mine created$' $K apply -f "$F/cr.yaml"
says '^mine +\* \* \* \* \*/5' $K get crontabs."$G" --no-headers
says '^mine' $K get "ct$NS" --no-headers
says '^1$' $K get crontab."$G" mine -o 'jsonpath={.spec.replicas}'
says 'When it runs' $K explain "crontabs.spec.cronSpec" --api-version="$G/v1"
says 'scaled' $K scale crontab."$G"/mine --replicas=3
says '^3$' $K get crontab."$G" mine -o 'jsonpath={.spec.replicas}'
says 'patched' $K patch crontab."$G" mine --type=merge -p '{"spec":{"cronSpec":"1 1 1 1 1"}}'
fails 'should match' $K patch crontab."$G" mine --type=merge -p '{"spec":{"cronSpec":"nonsense"}}'
says 'deleted' $K delete crontab."$G" mine
says 'deleted' $K delete -f "$F/crd.yaml"
