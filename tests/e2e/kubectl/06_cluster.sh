# shellcheck shell=sh disable=SC2086,SC2154
# The cluster as a whole: discovery, explain, who may what, nodes.
says 'is running at' $K cluster-info
says '^deployments +deploy +apps/v1 +true +Deployment$' $K api-resources
says '^pods$' $K api-resources --namespaced=true -o name --verbs=list
says '^apps/v1$' $K api-versions
says '^autoscaling/v2$' $K api-versions
says '^v1\.apps +Local +True +[0-9]+' $K get apiservices
says 'Server Version: (v1\.|version.Info)' $K version
says 'kind: +Pod|KIND: +Pod' $K explain pod
says 'FIELD: +containers|KIND' $K explain pod.spec.containers
says 'readinessProbe' $K explain deployment --recursive
says 'periodSeconds[[:space:]]+<integer>' $K explain pod.spec.containers.livenessProbe
fails 'field "nope" does not exist' $K explain pod.nope
says '^yes$' $K auth can-i create deployments
fails '^no$' $K auth can-i delete nodes --as="system:serviceaccount:$NS:robot"
says '^yes$' $K auth can-i list pods --as="system:serviceaccount:$NS:robot"
says 'pods +\[\] +\[\] +\[get list\]' $K auth can-i --list --as="system:serviceaccount:$NS:robot"
case $NS in
k-1-27) fails 'selfsubjectreviews API is not enabled' $K auth whoami ;; # it asks for a version that Kubernetes 1.36 has no more
*) says 'Username' $K auth whoami ;;
esac
fails 'pods is forbidden: User "jane" cannot list resource "pods"' $K get pods -A --as=jane
NODE=$(k get nodes -o 'jsonpath={.items[0].metadata.name}')
says "node/$NODE cordoned" $K cordon "$NODE"
says 'SchedulingDisabled' $K get nodes
says "node/$NODE uncordoned" $K uncordon "$NODE"
says "node/$NODE tainted" $K taint node "$NODE" "test-$NS=x:PreferNoSchedule"
says "node/$NODE untainted" $K taint node "$NODE" "test-$NS-"
says "node/$NODE drained" $K drain "$NODE" --pod-selector=app=nothing --ignore-daemonsets
says "node/$NODE uncordoned" $K uncordon "$NODE"
says '^pod/guest created$' $K run guest --image=registry.local/web:1 --labels=app=guest
says '^poddisruptionbudget.policy/guests created$' $K create poddisruptionbudget guests --selector=app=guest --min-available=1
says 'condition met' $K wait --for=condition=Ready pod/guest --timeout=60s
says_in 10 ' 1 1 1$' $K get poddisruptionbudget guests -o 'jsonpath= {.status.currentHealthy} {.status.desiredHealthy} {.status.expectedPods}'
fails "Cannot evict pod as it would violate the pod's disruption budget" $K drain "$NODE" --pod-selector=app=guest --force --timeout=1s
says 'patched' $K patch poddisruptionbudget guests --type=merge -p '{"spec":{"minAvailable":0}}'
says 'pod/guest evicted' $K drain "$NODE" --pod-selector=app=guest --force --grace-period=1
says "node/$NODE uncordoned" $K uncordon "$NODE"
says 'apiVersion: v1' $K config view
says '.' $K config current-context
says '.' $K config get-contexts
fails 'Metrics API not available' $K top nodes
