# create: objects from files, and each generator. Sourced by kubectl-compare.
# shellcheck shell=sh disable=SC2154
mkdir "$work/folder" "$work/folder/below"
printf 'hello\n' >"$work/folder/a.txt"
printf '\377\376' >"$work/folder/b.bin"
printf 'A=1\n# not this\n\n  B=x=y\nCOMPARE_FROM_ENV\nC=\n' >"$work/env"
printf 'bad key=1\n' >"$work/env.bad"
printf '{"auths":{}}' >"$work/docker.json"
COMPARE_FROM_ENV=' of the environment'
export COMPARE_FROM_ENV
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/tls.key" -out "$work/tls.crt" -days 1 -subj /CN=compare 2>/dev/null
openssl ecparam -genkey -name prime256v1 -noout -out "$work/other.key"

# shown ARGS...: what a generator makes, in both forms, and with the namespace left out.
shown() {
	same create "$@" --dry-run=client -o yaml
	same create "$@" --dry-run=client -o json --save-config
}

cat >"$work/two.yaml" <<'Y'
apiVersion: v1
kind: ConfigMap
metadata: {name: one, labels: {set: a}}
data: {k: "<&>"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two}
Y
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\nnothing: 1\n' >"$work/unknown.yaml"
leaves configmap/one create -f "$work/two.yaml" -l set=a
leaves configmap/one create -f "$work/two.yaml" -l set=a --save-config
leaves configmap/one create -f "$work/two.yaml" -l set=a -o name --field-manager=me
leaves configmap/one create -f "$work/two.yaml" -l set=a -o json
leaves configmap/one create -f "$work/two.yaml" -l set=a -o yaml --show-managed-fields
leaves configmap/one create -f "$work/unknown.yaml"
leaves configmap/one create -f "$work/unknown.yaml" --validate=ignore
leaves configmap/one create -f "$work/unknown.yaml" --validate=nothing
same create -f "$work/two.yaml" --dry-run=client
same create -f "$work/two.yaml" --dry-run=client -o yaml
same create -f "$work/two.yaml" --dry-run=server -o name
same create -f "$work/two.yaml" -l set=nothing
same create -f "$work/two.yaml" --dry-run=nothing
same create -f "$work/web.yaml"
same create -f "$work/nothing-there.yaml"
same create -f "$work/two.yaml" more
same create nothing
same create

leaves "namespace/$space-x" create namespace "$space-x"
same create namespace "$space"
same create namespace
same create ns a b
shown namespace x

leaves deployment/made create deployment made --image=example/web:v1
leaves deployment/made create deployment made --image=example/web:v1 -o json
leaves deployment/made create deployment made --image=example/web:v1 --port=80 -r 0 --save-config -o yaml
leaves deployment/made create deployment made --image=a --image=b@sha256:00 --dry-run=server
same create deployment web --image=a
same create deployment web --image=a --dry-run=nothing
same create deployment Wrong --image=a
same create deployment made more --image=a
same create deployment made
same create deployment made --image=a --image=b -- sh
shown deployment made --image=registry.example.com:5000/store/web:v1 --port=80 --replicas=3
same create deploy made --image=a --dry-run=client -o yaml -- sh -c "a b"

leaves service/made create service clusterip made --tcp=80:8080 --tcp=443
leaves service/made create service clusterip made --clusterip=None -o json
leaves service/made create service nodeport made --tcp=80:http --node-port=31234
leaves service/made create service loadbalancer made --tcp=80
leaves service/made create service externalname made --external-name=a.example.com --tcp=80
same create service clusterip web --tcp=80
same create service clusterip made
same create service externalname made
same create service clusterip made --tcp=x
same create service clusterip made --tcp=80:-x-
same create service clusterip made --tcp=80:99999
same create service clusterip made --tcp=99999
same create service clusterip made --tcp=80:http --dry-run=client -o yaml
same create svc nodeport made --tcp=80:8080 --node-port=31234 --dry-run=client -o json

leaves serviceaccount/made create serviceaccount made
leaves serviceaccount/made create sa made -o json
same create serviceaccount default

leaves configmap/made create configmap made --from-literal=a=b,c --from-literal=z=1 --from-file="$work/folder"
leaves configmap/made create configmap made --from-file=k="$work/folder/a.txt" -o json --save-config
leaves configmap/made create cm made --from-env-file="$work/env"
shown configmap made --from-file="$work/folder" --append-hash
shown configmap made --append-hash
shown configmap made --from-literal="a='<q&>'" --append-hash
for wrong in --from-file=k="$work/folder" --from-file="$work/nothing" --from-file==a --from-file=a= --from-file=a=b=c \
	"--from-file=a b=$work/env" --from-literal=a --from-literal==a '--from-literal=a b=c' --from-env-file="$work/env.bad" \
	--from-env-file="$work/nothing" --from-env-file="$work/folder"; do
	same create configmap made "$wrong"
	same create secret generic made "$wrong"
done
same create configmap made --from-literal=a=1 --from-literal=a=2
same create secret generic made --from-literal=a=1 --from-literal=a=2
same create configmap made --from-literal=a=1 --from-env-file="$work/env"
same create configmap kube-root-ca.crt

leaves secret/made create secret generic made --from-literal=a=b --from-file="$work/folder"
leaves secret/made create secret generic made --from-env-file="$work/env" --type=example.com/x -o json
leaves secret/made create secret tls made --cert="$work/tls.crt" --key="$work/tls.key"
leaves secret/made create secret docker-registry made --docker-username=u --docker-password='p<&>' --docker-email=e --docker-server=s
leaves secret/made create secret docker-registry made --from-file="$work/docker.json"
same create secret generic pass
same create secret tls made --cert="$work/tls.crt" --key="$work/other.key"
same create secret tls made --cert="$work/env" --key="$work/tls.key"
same create secret tls made --cert="$work/tls.crt" --key="$work/env"
same create secret tls made --cert="$work/nothing" --key="$work/tls.key"
same create secret tls made --cert="$work/tls.crt"
same create secret docker-registry made --docker-username=u
same create secret docker-registry
shown secret generic made --from-literal=a=b --append-hash
shown secret tls made --cert="$work/tls.crt" --key="$work/tls.key" --append-hash
shown secret docker-registry made --docker-username=u --docker-password=p --append-hash

leaves role/made create role made --verb=get,list,get --resource=pods,rs.apps,pods/log,svc --resource-name=a --resource-name=b
leaves role/made create role made --verb='*,get' --resource='*' -o json
shown role made --verb=get --resource='*.apps,pods'
shown role made --verb=odd --resource=deploy
shown role made --verb=escalate --resource=roles
same create role made --verb=get --resource=nothing
same create role made --verb=get --resource=nothing.example.com
same create role made --verb=get
same create role made --resource=pods
same create role made --verb=get --resource=/log
same create role made --verb=bind --resource=pods
same create role made more --verb=get --resource=pods
"$lite" -n "$space" create role there --verb=get --resource=pods
same create role there --verb=get --resource=pods
leaves "clusterrole/$space" create clusterrole "$space" --verb=get --resource=nodes --non-resource-url=/x,/y/*
leaves "clusterrole/$space" create clusterrole "$space" --aggregation-rule=a=b,c=d --aggregation-rule=e=f
shown clusterrole made --aggregation-rule=b=1 --aggregation-rule=a=2
same create clusterrole view --verb=get --resource=pods
same create clusterrole made --verb=get --non-resource-url=x
same create clusterrole made --verb=get --non-resource-url='/*/x'
same create clusterrole made --verb=list --non-resource-url=/x
same create clusterrole made --verb=get
same create clusterrole made --resource=pods
same create clusterrole made --aggregation-rule=a=b --verb=get

leaves rolebinding/made create rolebinding made --role=there --user=a,b --user=c --group=g --serviceaccount=x:y
leaves rolebinding/made create rolebinding made --clusterrole=view -o json
leaves "clusterrolebinding/$space" create clusterrolebinding "$space" --clusterrole=view --user=a --serviceaccount=x:y
"$lite" -n "$space" create rolebinding there --role=there
same create rolebinding there --role=there
same create clusterrolebinding cluster-admin --clusterrole=view
same create rolebinding made --role=a --clusterrole=b
same create rolebinding made
for wrong in y y:z:a :z y:; do
	same create rolebinding made --role=a --serviceaccount=$wrong
done
same create clusterrolebinding made

leaves job/made create job made --image=a -- sh -c 'exit 0'
leaves cronjob/made create cronjob made --image=a --schedule='*/5 * * * *' --restart=Never -- date
leaves cronjob/made create cj made --image=a --schedule='0 0 1 1 *' -o json
cat >"$work/cronjob.yaml" <<'Y'
apiVersion: batch/v1
kind: CronJob
metadata: {name: report}
spec:
  schedule: 0 0 1 1 *
  jobTemplate:
    metadata: {annotations: {a: b}, labels: {l: m}}
    spec: {template: {metadata: {labels: {p: q}}, spec: {restartPolicy: Never, nodeSelector: {no-such-node: "true"}, containers: [{name: c, image: i}]}}}
Y
"$lite" -n "$space" create -f "$work/cronjob.yaml"
leaves job/made create job made --from=cronjob/report
same create job made --from=cronjob/report --dry-run=client -o yaml
same create job made --from=cronjob/report --dry-run=client -o json
same create job made --from=cronjob/nothing
same create job made --from=deployment/web
same create job made --from=nothing/web
same create job made
same create job made --image=a --from=cronjob/report
same create job made --from=cronjob/report -- sh
same create cronjob report --image=a --schedule='0 0 1 1 *'
same create cronjob made --image=a --schedule=wrong
same create cronjob made --image=a
same create cronjob made
shown job made --image=a
shown cronjob made --image=a --schedule='0 0 1 1 *'

leaves ingress/made create ingress made --class=c --rule='example.com/a=web:80,tls=cert' --rule='example.com/b*=web:http' --annotation=a=b,c
leaves ingress/made create ingress made --default-backend=web:http --rule='*.example.com/*=web:80,tls' --rule='b.com/=web:80,tls=s' --rule='c.com/=web:80,tls=s' -o json
shown ingress made --rule='/x=web:80' --rule='b.com/x/*=web:80,tls=' --annotation=a=
for wrong in x=web:80 a.com/x a.com/x=web; do
	same create ingress made --rule="$wrong"
done
same create ingress made --rule=/x=web:80 --annotation=x
same create ingress made --default-backend=web
same create ingress made --default-backend=web:80:x
same create ingress made

leaves resourcequota/made create quota made --hard=cpu=1000m,memory=1024Mi,pods=1k
leaves resourcequota/made create resourcequota made --hard=pods=5 --scopes=BestEffort -o json
shown quota made
same create quota made --hard=a
same create quota made --hard=a=x
leaves pdb/made create poddisruptionbudget made --selector='app=x,b in (d,c),!e,f' --min-available=50%
leaves pdb/made create pdb made --selector=app=x --max-unavailable=1 -o json
shown pdb made --selector='a in (b)' --min-available=1
same create pdb made --selector=a=b
same create pdb made --min-available=1
same create pdb made --selector=a=b --min-available=1 --max-unavailable=1
same create pdb made --selector=a=b --min-available=x
same create pdb made --selector='a in' --min-available=1
same create pdb made --selector='a!=b' --min-available=1
leaves "priorityclass/$space" create priorityclass "$space" --value=1000 --description='some text' --preemption-policy=Never
leaves "priorityclass/$space" create pc "$space" --value=7 -o json
shown priorityclass made --global-default
same create priorityclass system-node-critical --value=1
kubectl delete priorityclass,clusterrole,clusterrolebinding "$space" >/dev/null 2>&1
kubectl delete namespace "$space-x" --wait=false >/dev/null 2>&1

for wrong in --duration=-1s --duration=1500ms --bound-object-kind=Pod --bound-object-name=x --bound-object-uid=x \
	'--bound-object-kind=Nothing --bound-object-name=x' '--bound-object-kind=Pod --bound-object-name=nothing'; do
	# shellcheck disable=SC2086 # words
	same create token default $wrong
done
same create token nothing
same create token
same create token default -o name
same create token default -o 'jsonpath={.spec}' --audience=a --audience=b --duration=20m
same create token default -o 'jsonpath={.spec.boundObjectRef.kind}' --bound-object-kind=Pod --bound-object-name=alone
