# expose and autoscale. Sourced by kubectl-compare.
# shellcheck shell=sh disable=SC2154
cat >"$work/exposed.yaml" <<'Y'
apiVersion: apps/v1
kind: Deployment
metadata: {name: multi, labels: {l: m}}
spec:
  replicas: 0
  selector: {matchLabels: {app: multi, tier: back}}
  template:
    metadata: {labels: {app: multi, tier: back}}
    spec:
      containers:
      - {name: a, image: i, ports: [{containerPort: 80}, {containerPort: 53, protocol: UDP}, {containerPort: 53}]}
      - {name: b, image: i, ports: [{containerPort: 8443}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: bare}
spec:
  replicas: 0
  selector: {matchLabels: {app: bare}, matchExpressions: [{key: app, operator: In, values: [bare, x]}, {key: a, operator: Exists}]}
  template: {metadata: {labels: {app: bare, a: b}}, spec: {containers: [{name: a, image: i}]}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: set}
spec:
  replicas: 0
  serviceName: set
  selector: {matchLabels: {app: set}}
  template: {metadata: {labels: {app: set}}, spec: {containers: [{name: a, image: i}]}}
---
apiVersion: v1
kind: Service
metadata: {name: ports}
spec: {selector: {app: multi}, ports: [{port: 80, name: http}, {port: 53, name: dns, protocol: UDP}]}
Y
"$lite" -n "$space" create -f "$work/exposed.yaml"

leaves service/made expose deployment web --name=made
leaves service/made expose deployment/multi --name=made -o json
leaves service/made expose deployment/multi --name=made -o yaml --save-config --field-manager=me
leaves service/made expose service/ports --name=made --port=8 --target-port=9
leaves service/made expose pod alone --name=made --port=80 --selector=a=b,c=d --labels=e=f
leaves service/made expose deployment web --name=made --port=80 --target-port=http --type=NodePort --external-ip=1.2.3.4 --session-affinity=ClientIP
same expose deployment multi --dry-run=client -o yaml
same expose deployment multi --port=53 --dry-run=client -o yaml
same expose deployment multi --port=80,53 --target-port=7 --protocol=TCP --dry-run=client -o yaml
same expose service ports --name=made --dry-run=client -o json
same expose deployment web --cluster-ip=None --dry-run=client -o json
same expose deployment web --type=LoadBalancer --load-balancer-ip=1.2.3.4 --port=1 --dry-run=client -o json
same expose deployment web --name=made --dry-run=server
same expose deployment/web deployment/multi --port=80 --dry-run=client
same expose -f "$work/web.yaml" --port=80 --dry-run=client
same expose deployment web --overrides='{"apiVersion":"v1","spec":{"type":"NodePort"}}' --dry-run=client -o yaml
same expose deployment web --overrides='{"spec":{"type":"NodePort"}}' --override-type=strategic --dry-run=client -o yaml
same expose deployment web --overrides='[{"op":"add","path":"/spec/type","value":"NodePort"}]' --override-type=json --dry-run=client -o yaml
same expose deployment web --overrides='{}' --override-type=nothing
same expose deployment web
same expose deployment bare --port=80
leaves service/alone expose pod alone --port=80 --selector=a=b
same expose pod alone
same expose statefulset set --port=80
same expose configmap kube-root-ca.crt --port=80
same expose deployment nothing --port=80
same expose deployment web --port=x
same expose deployment web --port=80 --session-affinity=x
same expose deployment
same expose

leaves hpa/made autoscale deployment web --name=made --max=5
leaves hpa/made autoscale deployment/web --name=made --min=2 --max=5 --cpu-percent=60 -o json
leaves hpa/made autoscale statefulset set --name=made --max=5 --save-config -o yaml
same autoscale deployment web --max=5 --dry-run=client
same autoscale deployment web --max=5 --dry-run=client -o yaml
same autoscale deployment web --max=5 --dry-run=server
same autoscale deployment/web deployment/multi --max=5 --dry-run=client -o name
same autoscale deployment web --min=6 --max=5
same autoscale deployment web --max=0
same autoscale deployment web
same autoscale deployment nothing --max=5
same autoscale configmap kube-root-ca.crt --max=5
same autoscale daemonset nothing --max=5
same autoscale deployment --max=5
same autoscale --max=5
same autoscale
