# diff. Sourced by kubectl-compare.
# shellcheck shell=sh disable=SC2154,SC2034
"$lite" -n "$space" apply -f "$work/web.yaml" >/dev/null 2>&1
sed -e 's/replicas: 2/replicas: 5/' -e 's/YWRtaW4=/YWI=/' "$work/web.yaml" >"$work/diff.yaml"
sed -e 's/replicas: 2/replicas: 5/' -e 's/name: alone/name: beside/' "$work/web.yaml" >"$work/diff-new.yaml"
sed -e 's/replicas: 2/replicas: -1/' "$work/web.yaml" >"$work/diff-invalid.yaml"
sed -e 's/replicas: 2/replcas: 1/' "$work/web.yaml" >"$work/diff-unknown.yaml"
same diff -f "$work/web.yaml"
same diff -f "$work/diff.yaml"
same diff -f "$work/diff-new.yaml"
same diff -f "$work/diff-invalid.yaml"
same diff -f "$work/diff-unknown.yaml"
same diff -f "$work/diff.yaml" -l app=web
same diff -f "$work/diff.yaml" --server-side
same diff -f "$work/diff.yaml" --server-side --force-conflicts
same diff -f "$work/nothing-there.yaml"
same diff nothing
same diff
for program in 'ls -R' 'false -x' no-such-program 'diff -u -N; ls'; do
	KUBECTL_EXTERNAL_DIFF=$program
	export KUBECTL_EXTERNAL_DIFF
	same diff -f "$work/diff.yaml"
done
unset KUBECTL_EXTERNAL_DIFF
