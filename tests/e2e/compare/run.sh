# run: the pod that it makes; being attached is in test_streams. Sourced by kubectl-compare.
# shellcheck shell=sh disable=SC2154
nowhere='{"apiVersion":"v1","spec":{"nodeSelector":{"no-such-node":"true"},"automountServiceAccountToken":false}}'
leaves pod/made run made --image=example/web:v1 --overrides="$nowhere"
leaves pod/made run made --image=example/web:v1 --overrides="$nowhere" --env=A=b,c --env=C=d --labels=x=y,a=b --port=80 --annotations=q=r,s --image-pull-policy=Never --privileged --save-config --field-manager=me -o json
leaves pod/made run made --image=a --overrides="$nowhere" --override-type=strategic --command --restart=Never -o yaml -- sh -c 'exit 0'
leaves pod/made run made --image=a --overrides="$nowhere" -i --restart=Never --pod-running-timeout=1s
leaves pod/made run made --image=a --overrides="$nowhere" -i --leave-stdin-open --rm --pod-running-timeout=1s
same run unexposed --image=a --port=80 --expose --dry-run=server
same run web --image=a --port=80 --expose --dry-run=server
for form in yaml json name; do
	same run made --image=a --dry-run=client -o $form
	same run made more --image=a --restart=OnFailure --dry-run=client -o $form -- sh -c x
done
same run made --image=a --expose --port=80 --dry-run=client -o json
same run made --image=a --expose --port=80 --dry-run=client
same run other --image=a --dry-run=server
same run other --image=a --dry-run=client -q
same run other --image=a --dry-run=client --override-type=json --overrides='[{"op":"add","path":"/spec/hostname","value":"h"}]' -o json
same run other --image=a --dry-run=server -i
same run other --image=a --dry-run=client --attach
same run other --image=a --port=x
same run other --image=a --env=A
same run other --image=a --labels=a
same run other --image=a --restart=Sometimes
same run other --image=a --image-pull-policy=Sometimes
same run other --image='a b'
same run other --image=a --expose
same run other --image=a -t
same run other --image=a --rm
same run other --image=a -i --rm --attach=false
same run other
same run --image=a
same run alone --image=a
