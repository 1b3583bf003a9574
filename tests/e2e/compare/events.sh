# events. Sourced by kubectl-compare.
# shellcheck shell=sh disable=SC2154,SC2034
same events --for deployment/web
same events --for deployments.apps/web --no-headers
same events --for pod/alone --types=Warning
same events --for pod/alone --types=normal
same events --for pod/nothing
same events --for pod/nothing -A
same events --for pod/alone -A
same events --for deploy/web -o yaml
same events --for deploy/web -o 'jsonpath={.items[*].reason}'
same events --for pod/nothing -o yaml
same events --for nothing
same events --types=nothing
begins events --for pdos/alone
