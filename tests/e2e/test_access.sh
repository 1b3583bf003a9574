#!/bin/sh
# Who may do what: the programs of a cluster with the least they need, users with what roles give them, kubectl auth can-i.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# as PROGRAM METHOD PATH [CURL-ARGS...]: a request with the certificate of a program; prints code and message.
as() {
	_who=$1 _method=$2 _path=$3
	shift 3
	[ "$_method" = PATCH ] && _type=application/merge-patch+json || _type=application/json
	curl -sS --cacert "$DIR/pki/ca.crt" --cert "$DIR/pki/$_who.crt" --key "$DIR/pki/$_who.key" -X "$_method" \
		-H "Content-Type: $_type" -o "$WORK/answer" -w '%{http_code}' "$@" "$URL$_path"
	jq -r 'select(.kind == "Status") | " \(.message)"' <"$WORK/answer" 2>/dev/null || :
}

may() { # PROGRAM METHOD PATH [CURL-ARGS...]
	assert_match '20[01]*' "$(as "$@")" "$*"
}

may_not() {
	assert_match '403 *' "$(as "$@")" "$*"
}

a_workload_runs_and_nobody_was_refused() {
	cluster_up one
	import_images
	k apply -f - <<-END
		apiVersion: v1
		kind: Secret
		metadata: {name: s}
		stringData: {a: b}
	END
	k apply -f "$ROOT/manifests/pod.yaml"
	wait_for 20 is True field pod/hello '{.status.conditions[?(@.type=="Ready")].status}'
	k delete -f "$ROOT/manifests/pod.yaml" --grace-period 1
	if grep -h -i 'forbidden\|cannot [a-z]* resource' "$DIR"/log/*.log; then
		fail "a program was refused"
	fi
}

the_scheduler_reads_no_secret() {
	cluster_use one
	may scheduler GET /api/v1/pods
	may scheduler GET /api/v1/nodes
	may_not scheduler GET /api/v1/namespaces/default/secrets/s
	may_not scheduler GET /api/v1/secrets
	may_not scheduler GET "/api/v1/secrets?watch=1"
	may_not scheduler DELETE /api/v1/nodes/x
}

the_controllers_make_no_rights() {
	cluster_use one
	may controller GET /api/v1/namespaces
	may_not controller POST /apis/rbac.authorization.k8s.io/v1/clusterrolebindings
	may_not controller POST /api/v1/nodes
	may_not controller POST /api/v1/namespaces/default/pods/x/exec
}

an_agent_has_its_own_node_and_no_other() {
	cluster_use one
	node=$(k get nodes -o 'jsonpath={.items[0].metadata.name}')
	k apply -f - <<-END
		apiVersion: v1
		kind: Pod
		metadata: {name: elsewhere}
		spec:
		  nodeName: other
		  containers: [{name: c, image: "market-data:v1"}]
		  volumes: [{name: v, secret: {secretName: s}}]
	END
	may agent GET "/api/v1/nodes/$node"
	may agent GET "/api/v1/pods?fieldSelector=spec.nodeName%3D$node"
	may_not agent GET "/api/v1/pods?fieldSelector=spec.nodeName%3Dother"
	may_not agent GET /api/v1/pods
	may_not agent GET /api/v1/namespaces/default/pods/elsewhere
	may_not agent PATCH /api/v1/namespaces/default/pods/elsewhere/status -d '{"status":{"phase":"Failed"}}'
	may_not agent DELETE /api/v1/namespaces/default/pods/elsewhere
	may_not agent GET /api/v1/namespaces/default/secrets/s
	k apply -f - <<-END
		apiVersion: v1
		kind: Node
		metadata: {name: other}
	END
	may_not agent POST /api/v1/nodes -d '{"metadata":{"name":"third"}}'
	may_not agent PATCH /api/v1/nodes/other -d '{"metadata":{"labels":{"a":"b"}}}'
	may_not agent PATCH "/api/v1/nodes/$node" -d '{"metadata":{"labels":{"node-restriction.kubernetes.io/a":"b"}}}'
	may_not agent DELETE "/api/v1/nodes/$node"
	k delete pod elsewhere --grace-period 0 --force
	k delete node other
}

what_the_apiserver_shows_to_agents_is_no_key_to_it() {
	cluster_use one
	may_not kubelet-client GET /api/v1/namespaces/default/secrets/s
	may_not kubelet-client GET /api/v1/pods
}

an_agent_answers_the_apiserver_alone() {
	cluster_use one
	address=${URL#https://}
	agent=https://${address%:*}:$((${address##*:} + 3))
	for row in "200 kubelet-client" "403 admin" "403 agent" "403 scheduler"; do
		who=${row#* }
		assert_eq "${row% *}" "$(curl -sS --cacert "$DIR/pki/ca.crt" --cert "$DIR/pki/$who.crt" --key "$DIR/pki/$who.key" \
			-o "$WORK/answer" -w '%{http_code}' "$agent/pods")" "$who asks the agent"
	done
}

the_administrator_can_be_stopped_and_helped() {
	cluster_use one
	may admin GET /api/v1/secrets
	api DELETE /apis/rbac.authorization.k8s.io/v1/clusterrolebindings/kubeadm:cluster-admins
	may_not admin GET /api/v1/secrets
	token=$(cut -d, -f1 "$DIR/auth/tokens.csv" | head -n 1)
	assert_eq 200 "$(curl -sS --cacert "$DIR/pki/ca.crt" -H "Authorization: Bearer $token" -o "$WORK/answer" -w '%{http_code}' "$URL/api/v1/secrets")" "the token's way in"
	"$BIN/knarr" down --data "$DIR"
	cluster_up one
	may admin GET /api/v1/secrets
}

can_i() { # WANT USER ARGS...
	_want=$1 _user=$2
	shift 2
	assert_eq "$_want" "$(kubectl auth can-i --as "$_user" "$@" 2>/dev/null || :)" "can-i --as $_user $*"
}

kubectl_auth_can_i() {
	command -v kubectl >/dev/null || { echo "kubectl is not here"; return 0; }
	cluster_use one
	assert_eq yes "$(kubectl auth can-i '*' '*')" "can-i of the administrator"
	kubectl create namespace team
	kubectl create rolebinding edit --clusterrole=edit --user=jane -n team
	can_i yes jane create deployments.apps -n team
	can_i yes jane get pods/log -n team
	can_i no jane create deployments.apps
	can_i no jane create roles.rbac.authorization.k8s.io -n team
	can_i yes jane get /healthz
	can_i no jane get /metrics
	kubectl auth can-i --list --as jane -n team | grep -q '^deployments.apps .*create' || fail "can-i --list"
	assert_fails '*User "jane" cannot list resource "pods" in API group "" in the namespace "default"*' kubectl get pods --as jane
	kubectl create deployment web --image=market-data:v1 -n team --as jane
	kubectl create clusterrole binder --verb=create --resource=clusterrolebindings.rbac.authorization.k8s.io
	kubectl create clusterrolebinding binder --clusterrole=binder --user=kim
	assert_fails '*attempting to grant RBAC permissions not currently held*' kubectl create clusterrolebinding up --clusterrole=cluster-admin \
		--user=kim --as kim
	kubectl delete namespace team
}

# A role joins "edit" by its label.
a_role_made_of_others() {
	command -v kubectl >/dev/null || { echo "kubectl is not here"; return 0; }
	cluster_use one
	kubectl create namespace team
	kubectl create rolebinding edit --clusterrole=edit --user=jane -n team
	can_i no jane create limitranges -n team
	k apply -f - <<-END
		apiVersion: rbac.authorization.k8s.io/v1
		kind: ClusterRole
		metadata: {name: things, labels: {rbac.authorization.k8s.io/aggregate-to-edit: "true"}}
		rules: [{apiGroups: [""], resources: [limitranges], verbs: [create]}]
	END
	wait_for 10 is yes kubectl auth can-i create limitranges --as jane -n team
	k delete clusterrole things
	wait_for 10 is no kubectl auth can-i create limitranges --as jane -n team
	kubectl delete namespace team
}

run_cases a_workload_runs_and_nobody_was_refused the_scheduler_reads_no_secret the_controllers_make_no_rights \
	an_agent_has_its_own_node_and_no_other what_the_apiserver_shows_to_agents_is_no_key_to_it an_agent_answers_the_apiserver_alone \
	the_administrator_can_be_stopped_and_helped kubectl_auth_can_i a_role_made_of_others
