# shellcheck shell=sh disable=SC2086,SC2154 # sourced; $K is words
# Every generator of kubectl create, and what run and expose make.
says '^configmap/settings created$' $K create configmap settings --from-literal=a=1 --from-literal=b=two
printf 'x=1\ny=2\n' >"$F/env"
says '^configmap/of-env created$' $K create configmap of-env --from-env-file="$F/env"
says '^configmap/of-file created$' $K create configmap of-file --from-file=key="$F/env"
says '^secret/pass created$' $K create secret generic pass --from-literal=user=admin
says '^secret/registry created$' $K create secret docker-registry registry --docker-server=r.local --docker-username=u --docker-password=p
says '^secret/cert created$' $K create secret tls cert --cert="$DIR/pki/admin.crt" --key="$DIR/pki/admin.key"
says '^serviceaccount/robot created$' $K create serviceaccount robot
says '^deployment.apps/web created$' $K create deployment web --image=registry.local/web:1 --replicas=2 --port=8000
says '^service/web exposed$' $K expose deployment web --port=80 --target-port=8000
says '^service/cluster created$' $K create service clusterip cluster --tcp=80:8000
says '^service/node created$' $K create service nodeport node --tcp=80:8000
says '^service/balancer created$' $K create service loadbalancer balancer --tcp=80:8000
says '^service/external created$' $K create service externalname external --external-name=example.com
says '^job.batch/once created$' $K create job once --image=registry.local/web:1 -- true
says '^cronjob.batch/nightly created$' $K create cronjob nightly --image=registry.local/web:1 --schedule='0 3 * * *' -- true
says '^job.batch/by-hand created$' $K create job by-hand --from=cronjob/nightly
says '^role.rbac.authorization.k8s.io/reader created$' $K create role reader --verb=get,list --resource=pods,deployments.apps
says '^rolebinding.rbac.authorization.k8s.io/readers created$' $K create rolebinding readers --role=reader --serviceaccount="$NS:robot"
says "^clusterrole.rbac.authorization.k8s.io/$NS-nodes created\$" $K create clusterrole "$NS-nodes" --verb=get --resource=nodes
says "^clusterrolebinding.rbac.authorization.k8s.io/$NS-nodes created\$" $K create clusterrolebinding "$NS-nodes" --clusterrole="$NS-nodes" --serviceaccount="$NS:robot"
says '^ingress.networking.k8s.io/front created$' $K create ingress front --rule='example.com/*=web:80'
says '^horizontalpodautoscaler.autoscaling/web autoscaled$' $K autoscale deployment web --min=1 --max=3 --cpu-percent=70
says 'as a percentage of request' $K describe hpa web
says 'Parallelism: +1' $K describe job once
says 'Schedule: +0 3' $K describe cronjob nightly
says '^poddisruptionbudget.policy/careful created$' $K create poddisruptionbudget careful --selector=app=guarded --min-available=1
says "^priorityclass.scheduling.k8s.io/$NS-high created\$" $K create priorityclass "$NS-high" --value=1000
says '^resourcequota/few created$' $K create quota few --hard=count/secrets=50,persistentvolumeclaims=2
says '^ey[A-Za-z0-9_-]+\.ey' $K create token robot
says '^pod/alone created$' $K run alone --image=registry.local/web:1 --labels=app=alone
says 'deployment.apps/never created \(dry run\)' $K create deployment never --image=x --dry-run=client
says 'deployment.apps/never created \(server dry run\)' $K create deployment never --image=x --dry-run=server
says 'kind: Deployment' $K create deployment never --image=x --dry-run=client -o yaml
fails 'error: failed to create configmap: configmaps "settings" already exists' $K create configmap settings
fails 'namespaces "nowhere" not found' $K create configmap x -n nowhere
