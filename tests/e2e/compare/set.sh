# set: image, env, resources, selector, serviceaccount, subject. Sourced by kubectl-compare.
# shellcheck shell=sh disable=SC2154
base=$work/set.yaml
cat >"$base" <<'Y'
apiVersion: apps/v1
kind: Deployment
metadata: {name: changed}
spec:
  replicas: 0
  selector: {matchLabels: {app: changed}}
  template:
    metadata: {labels: {app: changed}}
    spec:
      initContainers: [{name: before, image: init:v1}]
      containers:
      - {name: web, image: web:v1, env: [{name: A, value: "1"}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]}
      - {name: proxy, image: proxy:v1, resources: {limits: {cpu: 1}}, env: [{name: C, value: x}]}
Y
"$lite" -n "$space" create configmap settings --from-literal=key-one=1
"$lite" -n "$space" create configmap several --from-literal=one=1 --from-literal=two.x=2
"$lite" -n "$space" create secret generic hidden --from-literal=word=secret
changed=deployment/changed

leaves $changed set image $changed web=web:v2
leaves $changed set image $changed web=web:v1
leaves $changed set image $changed web=web:v2 before=init:v2 -o 'jsonpath={.spec.template}'
leaves $changed set image $changed '*=web:v2' --field-manager=me
leaves $changed set image deployment changed proxy=proxy:v2 -o name
leaves $changed set image $changed web=web:v2 --dry-run=server
leaves $changed set image $changed web=web:v2 --dry-run=client -o 'jsonpath={.spec.template.spec}'
same set image -f "$base" web=web:v2 --local
same set image -f "$base" web=web:v2 --local -o yaml
same set image -f "$base" web=web:v2 --local -o json
same set image deployments --all web=web:v9 --dry-run=client
same set image $changed '*=a' web=b
same set image $changed web
same set image $changed web=a deployment/web
same set image $changed
same set image web=a
same set image deployments web=a
same set image service/web web=a
same set image deployments --all -l a=b web=a
same set image -f "$base" web=web:v2 --local --dry-run=server

leaves $changed set env $changed A=2 NEW=x=y
leaves $changed set env $changed A=1
leaves $changed set env $changed A- NEW=1
leaves $changed set env $changed A- B- C-
leaves $changed set env $changed -e A=5 --env=Z=6 -c web -o 'jsonpath={.spec}'
leaves $changed set env $changed A=5 -c 'pro*'
leaves $changed set env $changed --from=configmap/settings
leaves $changed set env $changed --from=configmap/settings --prefix=P_ --keys=key-one,two
leaves $changed set env $changed --from=configmap/several --keys=two.x
leaves $changed set env $changed --from=secret/hidden -o name
leaves $changed set env $changed A=9 --overwrite=false
leaves $changed set env $changed N=9 --overwrite=false --dry-run=server
leaves $changed set env $changed A=1 A=2 --dry-run=client -o 'jsonpath={.spec.template.spec.containers}'
same set env $changed --list
same set env $changed --list -c web
same set env $changed X=1 A- --list
"$lite" -n "$space" set env $changed --from=configmap/settings -c proxy >/dev/null
"$lite" -n "$space" set env $changed --from=secret/hidden -c proxy >/dev/null
same set env $changed --list -c proxy
same set env $changed --list -c proxy --resolve
same set env $changed A=1 -c nothing
same set env -f "$base" A=7 --local -o yaml
same set env -f "$base" --local --list
same set env deployments --all A=1 --dry-run=client
same set env $changed --from=secret/nothing
same set env $changed --from=deployment/web
same set env $changed --from=configmap/settings --keys=nothing
same set env $changed --keys=a
same set env $changed A=1 A-
same set env $changed 1A=1
same set env $changed 'A B=1'
same set env $changed --list -o yaml
same set env service/web A=1
same set env pod/alone A=1
same set env deployment/nothing A=1
same set env deployment
same set env A=1
same set env

leaves $changed set resources $changed --limits=cpu=200m,memory=512Mi --requests=cpu=100m
leaves $changed set resources $changed --limits=cpu=1
leaves $changed set resources $changed -c web --requests=memory=1024Ki -o 'jsonpath={.spec.template.spec.containers[0]}'
leaves $changed set resources $changed -c 'w*' --limits=cpu=2 --dry-run=server
same set resources -f "$base" --local --limits=cpu=3 -o yaml
same set resources $changed --limits=cpu=1 --requests=cpu=2
same set resources $changed -c nothing --limits=cpu=1
same set resources $changed --limits=cpu
same set resources $changed --limits=cpu=x
same set resources $changed
same set resources service web --limits=cpu=1
same set resources deployment --limits=cpu=1
same set resources

leaves $changed set serviceaccount $changed robot
leaves $changed set sa $changed robot -o 'jsonpath={.spec.template}'
same set sa -f "$base" robot --local -o yaml
same set sa deployments --all robot --dry-run=client
same set sa service web robot
same set sa pod alone robot
same set sa deployment web
same set sa deployment
same set sa

base=$work/set-service.yaml
cat >"$base" <<'Y'
apiVersion: v1
kind: Service
metadata: {name: changed}
spec: {selector: {old: label}, ports: [{port: 80}]}
Y
leaves service/changed set selector service/changed a=b,c=d
leaves service/changed set selector service changed old=label
leaves service/changed set selector service changed a=b -o json
leaves service/changed set selector service changed a=b --dry-run=server
leaves service/changed set selector service changed a=b --resource-version=1
same set selector service changed a=b --dry-run=client -o yaml
same set selector -f "$base" a=b --local -o yaml
same set selector service changed 'a in (b)'
same set selector service changed 'a!=b'
same set selector service changed a
same set selector deployment web a=b
same set selector service nothing a=b
same set selector service changed
same set selector service

base=$work/set-binding.yaml
cat >"$base" <<'Y'
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: changed}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: first}]
Y
leaves rolebinding/changed set subject rolebinding/changed --user=a --user=first --group=b --serviceaccount=x:y
leaves rolebinding/changed set subject rolebinding changed --user=first
leaves rolebinding/changed set subject rolebinding changed --user=c -o json
same set subject rolebinding changed --user=c --dry-run=client -o yaml
same set subject clusterrolebinding cluster-admin --user=c --dry-run=server
same set subject -f "$base" --user=c --local -o yaml
same set subject rolebinding changed
same set subject rolebinding changed --serviceaccount=y
same set subject rolebinding --user=a
same set subject deployment web --user=a
same set subject rolebinding nothing --user=a
same set subject
base=
