#!/bin/sh
# Who is asking: tokens of service accounts in pods, their keys, encryption at rest, the audit log, certificates.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# whoami TOKEN: code and user name.
whoami() {
	curl -sS --cacert "$DIR/pki/ca.crt" -H "Authorization: Bearer $1" -H 'Content-Type: application/json' -o "$WORK/answer" \
		-w '%{http_code}' -d '{"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1"}' \
		"$URL/apis/authentication.k8s.io/v1/selfsubjectreviews"
	jq -r '" \(.status.userInfo.username? // "")"' <"$WORK/answer"
}

# The folder of a pod's kube-api-access volume, as its containers see it.
access_of() { # POD
	echo "$DIR/agent/pods/$(field "pod/$1" '{.metadata.uid}')/volumes"/kube-api-access-*
}

number_of_keys() {
	curl -sS --cacert "$DIR/pki/ca.crt" "$URL/openid/v1/jwks" | jq '.keys | length'
}

# serial: of the certificate that the server shows.
serial() {
	echo | openssl s_client -connect "${URL#https://}" 2>/dev/null | openssl x509 -noout -serial
}

a_pod_finds_its_token() {
	cluster_up one
	import_images
	k apply -f "$ROOT/manifests/pod.yaml"
	wait_for 20 is True field pod/hello '{.status.conditions[?(@.type=="Ready")].status}'
	files=$(access_of hello)
	assert_eq default "$(cat "$files/namespace")" "namespace"
	assert_eq "$(cat "$DIR/pki/ca.crt")" "$(cat "$files/ca.crt")" "the certificate authority"
	assert_eq 644 "$(stat -Lc %a "$files/token")" "mode of the token"
	cp "$files/token" "$WORK/token"
	assert_eq "201 system:serviceaccount:default:default" "$(whoami "$(cat "$WORK/token")")" "who the pod is"
	assert_eq hello "$(jq -r '.status.userInfo.extra["authentication.kubernetes.io/pod-name"][0]' <"$WORK/answer")" "the pod"
	code=$(curl -sS --cacert "$files/ca.crt" -H "Authorization: Bearer $(cat "$WORK/token")" -o "$WORK/answer" -w '%{http_code}' "$URL/api/v1/secrets")
	assert_eq 403 "$code" "a pod and all Secrets"
}

an_agent_that_starts_again_leaves_it_good() {
	cluster_use one
	kill -9 "$(program_pid nodeagent)"
	wait_for 20 is '*Ready*' k get nodes --no-headers
	assert_eq "201 system:serviceaccount:default:default" "$(whoami "$(cat "$(access_of hello)/token")")" "who the pod is"
}

the_signing_key_rotates() {
	cluster_use one
	"$BIN/knarr" rotate token-key --data "$DIR"
	wait_for 10 is 2 number_of_keys
	assert_eq "201 system:serviceaccount:default:default" "$(whoami "$(cat "$WORK/token")")" "a token of the old key"
	"$BIN/knarr" rotate token-key --forget-old --data "$DIR"
	wait_for 10 is '401*' whoami "$(cat "$WORK/token")"
}

a_token_ends_with_its_pod() {
	cluster_use one
	k delete pod hello --grace-period 1
	k apply -f "$ROOT/manifests/pod.yaml"
	wait_for 20 is True field pod/hello '{.status.conditions[?(@.type=="Ready")].status}'
	token=$(cat "$(access_of hello)/token")
	assert_eq "201 system:serviceaccount:default:default" "$(whoami "$token")" "who the pod is"
	k delete pod hello --grace-period 1
	wait_for 10 is '401*' whoami "$token"
}

a_pod_that_wants_none_gets_none() {
	cluster_use one
	sed 's/^spec:/spec:\n  automountServiceAccountToken: false/' "$ROOT/manifests/pod.yaml" | k apply -f -
	wait_for 20 is True field pod/hello '{.status.conditions[?(@.type=="Ready")].status}'
	assert_eq "" "$(field pod/hello '{.spec.volumes}')" "volumes"
	k delete pod hello --grace-period 1
}

a_token_is_its_pods_own() {
	cluster_use one
	for context in 'runAsUser: 1000' 'runAsUser: 1000, fsGroup: 2000'; do
		sed "s/^spec:/spec:\n  securityContext: {$context}/" "$ROOT/manifests/pod.yaml" | k apply -f -
		wait_for 20 is True field pod/hello '{.status.conditions[?(@.type=="Ready")].status}'
		stat -Lc '%a %u %g' "$(access_of hello)/token" >>"$WORK/owners"
		k delete pod hello --grace-period 1
	done
	assert_eq "600 1000 0 640 1000 2000" "$(paste -sd ' ' "$WORK/owners")" "mode, owner and group"
}

secret_of_crew() {
	k apply -f - <<-END
		apiVersion: v1
		kind: Secret
		type: kubernetes.io/service-account-token
		metadata: {name: crew-token, annotations: {kubernetes.io/service-account.name: crew}}
	END
}

a_secret_holds_a_token() {
	cluster_use one
	printf '{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "crew"}}' | k apply -f -
	secret_of_crew
	wait_for 10 is '?*' field secret/crew-token '{.data.token}'
	token=$(field secret/crew-token '{.data.token}' | base64 -d)
	assert_eq "201 system:serviceaccount:default:crew" "$(whoami "$token")" "who the token is"
	assert_eq "$(cat "$DIR/pki/ca.crt")" "$(field secret/crew-token '{.data.ca\.crt}' | base64 -d)" "the certificate authority"
	assert_eq default "$(field secret/crew-token '{.data.namespace}' | base64 -d)" "the namespace"
	k delete serviceaccount crew
	wait_for 10 is '401*' whoami "$token"
	wait_for 10 is 'No resources found*' k get secrets --field-selector type=kubernetes.io/service-account-token --no-headers
	secret_of_crew
	wait_for 10 is 'No resources found*' k get secrets --field-selector type=kubernetes.io/service-account-token --no-headers
}

secrets_are_stored_encrypted() {
	cluster_use one
	k apply -f - <<-END
		apiVersion: v1
		kind: Secret
		metadata: {name: s}
		stringData: {password: seasickness}
	END
	coded=$(printf seasickness | base64)
	grep -qF "$coded" "$DIR"/apiserver/store.db* || fail "the Secret is not found where it must be before"
	for round in 1 2; do
		"$BIN/knarr" rotate encryption-key --data "$DIR"
		wait_for 20 is "*key-*" sh -c "grep -aoh 'aesgcm:v1:key-[0-9]*' '$DIR/apiserver/store.db' | sort -u"
		wait_for 20 is "$coded" field secret/s '{.data.password}'
		grep -qF "$coded" "$DIR"/apiserver/store.db* && fail "round $round: the Secret is readable in the store"
		sleep 1 # keys are called after the second they were made in
	done
	newest=$(sed -n 's/^ *- name: //p' "$DIR/pki/encryption.yaml" | head -n 1)
	wait_for 20 is "aesgcm:v1:$newest" sh -c "grep -aoh 'aesgcm:v1:key-[0-9]*' '$DIR/apiserver/store.db' | sort -u"
}

a_key_is_added_while_the_server_runs() {
	cluster_use one
	pid=$(program_pid apiserver)
	sed '0,/- name:/s/^\( *\)- name:.*/\1- name: by-hand\n\1  secret: QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=\n&/' "$DIR/pki/encryption.yaml" >"$WORK/encryption.yaml"
	mv "$WORK/encryption.yaml" "$DIR/pki/encryption.yaml"
	wait_for 10 written_by_hand
	assert_eq "$pid" "$(program_pid apiserver)" "the server's process"
}

written_by_hand() {
	k annotate --overwrite secret s "time=$(date +%s%N)"
	grep -qF aesgcm:v1:by-hand "$DIR"/apiserver/store.db*
}

requests_are_recorded() {
	cluster_use one
	"$BIN/knarr" down --data "$DIR"
	cat >"$DIR/auth/audit-policy.yaml" <<-END
		apiVersion: audit.k8s.io/v1
		kind: Policy
		omitStages: [RequestReceived]
		rules:
		- level: Request
		  verbs: [create]
		  resources: [{group: "", resources: [configmaps]}]
	END
	cluster_up one
	k apply -f - <<-END
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: seen}
		data: {a: b}
	END
	k get configmap seen
	wait_for 10 grep -q '"name":"seen"' "$DIR/log/audit.log"
	assert_eq '"Request" "ResponseComplete" "create" "kubernetes-admin" "configmaps" 201 "b"' \
		"$(jq -r '"\(.level|tojson) \(.stage|tojson) \(.verb|tojson) \(.user.username|tojson) \(.objectRef.resource|tojson) \(.responseStatus.code) \(.requestObject.data.a|tojson)"' <"$DIR/log/audit.log")" \
		"the audit log"
}

certificates_are_taken_anew() {
	cluster_use one
	want=$(openssl x509 -noout -serial -in "$DIR/pki/scheduler-server.crt")
	pid=$(program_pid apiserver)
	cp "$DIR/pki/scheduler-server.key" "$DIR/pki/apiserver.key"
	cp "$DIR/pki/scheduler-server.crt" "$DIR/pki/apiserver.crt"
	wait_for 10 is "$want" serial
	assert_eq "$pid" "$(program_pid apiserver)" "the server's process"
	k get nodes
}

run_cases a_pod_finds_its_token an_agent_that_starts_again_leaves_it_good the_signing_key_rotates a_token_ends_with_its_pod \
	a_pod_that_wants_none_gets_none a_token_is_its_pods_own a_secret_holds_a_token secrets_are_stored_encrypted a_key_is_added_while_the_server_runs requests_are_recorded certificates_are_taken_anew
