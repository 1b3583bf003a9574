# shellcheck shell=sh disable=SC2086,SC2154
# get in all its forms, and what describes.
says '^deployment.apps/web condition met$' $K wait --for=condition=Available deployment/web --timeout=30s
says '^pod/alone condition met$' $K wait --for=condition=Ready pod/alone --timeout=30s
says '^NAME +READY +UP-TO-DATE +AVAILABLE +AGE$' $K get deployments
says '^web +2/2 +2 +2 +[0-9]+m?s' $K get deployment web
says 'CONTAINERS +IMAGES +SELECTOR' $K get deployment web -o wide
says 'alone +1/1 +Running +0 +[0-9]+s +10\.' $K get pod alone -o wide
says '^configmap/settings$' $K get configmap settings -o name
says '"b": "two"' $K get configmap settings -o json
says '^  b: two$' $K get configmap settings -o yaml
says '^two$' $K get configmap settings -o 'jsonpath={.data.b}'
says '^registry.local/web:1$' $K get deployment web -o 'jsonpath={.spec.template.spec.containers[*].image}'
says '^settings +two$' $K get configmap settings -o custom-columns=N:.metadata.name,B:.data.b --no-headers
says '^two$' $K get configmap settings -o go-template='{{.data.b}}'
says 'app=alone' $K get pods --show-labels
says '^alone +1/1 .* alone$' $K get pods -l app=alone -L app
says '^alone ' $K get pods --field-selector=metadata.name=alone
fails 'field label not supported: nope' $K get pods --field-selector=nope=1
says '^pod/alone' $K get pods,services -o name
says 'service/web ' $K get all
says "^$NS +settings " $K get configmaps -A
says 'settings' $K get configmaps --sort-by=.metadata.name
says 'settings' $K get configmaps --chunk-size=1
says '^No resources found' $K get replicationcontrollers
fails 'Error from server \(NotFound\): pods "nope" not found' $K get pod nope
fails "the server doesn't have a resource type \"nopes\"" $K get nopes
says 'kind: List' $K get configmaps -o yaml
says '"kind": ?"PodList"' $K get --raw "/api/v1/namespaces/$NS/pods"
says 'managedFields:' $K get configmap settings -o yaml --show-managed-fields
says 'Replicas: +2 desired \| 2 updated \| 2 total \| 2 available' $K describe deployment web
says 'Scheduled' $K describe pod alone
says 'Controlled By: +Deployment/web' $K describe replicaset -l app=web
says 'TargetPort: +8000/TCP' $K describe service web
says '^b:$' $K describe configmap settings
says 'user: +5 bytes' $K describe secret pass
says 'Ready +True' $K describe node
says 'Status: +Active' $K describe namespace "$NS"
says 'Schedule: +0 3 \* \* \*' $K describe cronjob nightly
says 'Pods Statuses' $K describe job once
says 'example.com' $K describe ingress front
says 'Min available: +1' $K describe poddisruptionbudget careful
says 'count/secrets' $K describe quota few
says 'pods +\[\] +\[\] +\[get list\]' $K describe role reader
says 'ServiceAccount +robot' $K describe rolebinding readers
says 'Tokens:' $K describe serviceaccount robot
says 'SuccessfulCreate|Scheduled' $K get events
says 'Scheduled' $K events --for pod/alone
