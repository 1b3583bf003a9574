# shellcheck shell=sh disable=SC2086,SC2154
# Rollouts, scaling, and set.
says 'successfully rolled out' $K rollout status deployment/web --timeout=30s
says '^deployment.apps/web image updated$' $K set image deployment/web web=registry.local/web:2
says 'successfully rolled out' $K rollout status deployment/web --timeout=30s
says '^2 ' $K rollout history deployment/web
says 'Image:.*registry.local/web:2' $K rollout history deployment/web --revision=2
says '^deployment.apps/web rolled back$' $K rollout undo deployment/web
says 'successfully rolled out' $K rollout status deployment/web --timeout=30s
says '^registry.local/web:1$' $K get deployment web -o 'jsonpath={.spec.template.spec.containers[0].image}'
says '^deployment.apps/web rolled back$' $K rollout undo deployment/web --to-revision=2
says '^deployment.apps/web paused$' $K rollout pause deployment/web
fails 'deployments.apps "web" is already paused' $K rollout pause deployment/web
says '^deployment.apps/web env updated$' $K set env deployment/web COLOUR=green
says '^deployment.apps/web resumed$' $K rollout resume deployment/web
says '^deployment.apps/web restarted$' $K rollout restart deployment/web
says 'successfully rolled out' $K rollout status deployment/web --timeout=30s
says '^COLOUR=green$' $K set env deployment/web --list
says '^deployment.apps/web resource requirements updated$' $K set resources deployment/web --requests=cpu=10m --limits=memory=64Mi
says '^deployment.apps/web serviceaccount updated$' $K set serviceaccount deployment/web robot
says '^service/cluster selector updated$' $K set selector service/cluster app=web
says '^rolebinding.rbac.authorization.k8s.io/readers subjects updated$' $K set subject rolebinding readers --user=jane
says '^deployment.apps/web scaled$' $K scale deployment/web --replicas=3
says_in 20 '^3$' $K get deployment web -o 'jsonpath={.status.availableReplicas}'
fails 'Expected replicas to be 9' $K scale deployment/web --current-replicas=9 --replicas=1
says '^deployment.apps/web scaled$' $K scale deployment/web --current-replicas=3 --replicas=1
says 'Deployment/web' $K get hpa web
says 'Max replicas: +3' $K describe hpa web
says 'condition met' $K wait --for=jsonpath='{.status.availableReplicas}'=1 deployment/web --timeout=30s
