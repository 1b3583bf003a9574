# slips: what kubectl says of a word that it does not know, and what kubectl-lite adds. Sourced by kubectl-compare.
# shellcheck shell=sh disable=SC2154,SC2034
begins get pdos
begins describe deploymnet web
begins delete confgmap x
begins explain pdos
begins explain pods.spec.contaners
begins explain deployment.spec.template.spec.contaners.name
begins scale deploymet/web --replicas=2
begins label pdo alone a=b
sed 's/replicas: 2/replcas: 2/' "$work/web.yaml" >"$work/slip.yaml"
begins create -f "$work/slip.yaml" -l app=web
pod=$("$lite" -n "$space" get pods -l app=web -o 'jsonpath={.items[0].metadata.name}')
begins logs "$pod" -c wbe
begins exec "$pod" -c wbe -- ls
begins attach "$pod" -c wbe
begins exec "${pod}x" -- ls
