#!/bin/sh
# Bad input, faults of the machine and of the user: a clear error, and nothing lost.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

pod() { # NAME IMAGE [MORE-OF-THE-CONTAINER [MORE-OF-THE-SPEC]]
	k apply -f - <<END
{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "$1"}, "spec": {"terminationGracePeriodSeconds": 0${4:+, $4},
	"containers": [{"name": "c", "image": "$2", "imagePullPolicy": "IfNotPresent"${3:+, $3}}]}}
END
}
waiting() { k get pod "$1" -o 'jsonpath={.status.containerStatuses[0].state.waiting.reason}'; }
ready() { k get pod "$1" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'; }
messages() { k get events --field-selector "involvedObject.name=$1" -o 'jsonpath={range .items[*]}{.reason}: {.message}{"\n"}{end}'; }

up() {
	cluster_up main
	import_images
	k apply -f "$ROOT/manifests/pod.yaml"
	wait_for 20 is True ready hello
}

# Nothing that was refused may be there, and what was there is as it was.
unharmed() {
	assert_eq True "$(ready hello)" "the pod that ran before"
	assert_match '*"ok"*' "\"$(api GET /readyz)\"" "readyz"
}

a_malformed_manifest_names_file_line_and_column() {
	cluster_use main
	printf 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n   labels: {}\n' >"$WORK/bad.yaml"
	assert_fails "*bad.yaml:5:*" k apply -f "$WORK/bad.yaml"
	printf '{"apiVersion": "v1",\n"kind": "Pod" "x"}' >"$WORK/bad.json"
	assert_fails "*bad.json:2:*" k apply -f "$WORK/bad.json"
	printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: first-document}\n---\napiVersion: v1\nkind: [\n' >"$WORK/second.yaml"
	assert_fails "*second.yaml:*" k apply -f "$WORK/second.yaml"
	head -c 100000 /dev/urandom >"$WORK/noise.yaml"
	assert_fails "*noise.yaml*" k apply -f "$WORK/noise.yaml"
	: >"$WORK/empty.yaml"
	assert_fails "*no objects passed to apply*" k apply -f "$WORK/empty.yaml"
	assert_fails "*does not exist*" k apply -f "$WORK/not-there.yaml"
	unharmed
}

a_yaml_bomb_is_refused() {
	cluster_use main
	{
		echo 'a0: &a0 [x,x,x,x,x,x,x,x,x,x]'
		for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
			p=$((i - 1))
			echo "a$i: &a$i [*a$p,*a$p,*a$p,*a$p,*a$p,*a$p,*a$p,*a$p,*a$p,*a$p]"
		done
	} >"$WORK/bomb.yaml"
	assert_fails "*bomb.yaml*" timeout 20 "$BIN/kubectl-lite" apply -f "$WORK/bomb.yaml"
	unharmed
}

a_huge_object_is_refused_by_the_server() {
	cluster_use main
	{
		printf '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"huge"},"data":{"a":"'
		head -c 4000000 /dev/zero | tr '\0' a
		printf '"}}'
	} >"$WORK/huge.json"
	assert_eq 413 "$(api POST /api/v1/namespaces/default/configmaps -H 'Content-Type: application/json' --data-binary @"$WORK/huge.json" \
		-o "$WORK/answer" -w '%{http_code}')" "code"
	assert_fails '*' k apply -f "$WORK/huge.json"
	assert_fails '*not found*' k get configmap huge
	{
		head -c 100000 /dev/zero | tr '\0' '['
	} >"$WORK/deep.json"
	assert_eq 400 "$(api POST /api/v1/namespaces/default/configmaps -H 'Content-Type: application/json' --data-binary @"$WORK/deep.json" \
		-o "$WORK/answer" -w '%{http_code}')" "code of deep nesting"
	assert_match '*"reason":*"BadRequest"*' "$(cat "$WORK/answer")" "answer to deep nesting"
	assert_eq 400 "$(api POST /api/v1/namespaces/default/configmaps -H 'Content-Type: application/json' -d '{"apiVersion": "v1"' \
		-o "$WORK/answer" -w '%{http_code}')" "code of cut JSON"
	unharmed
}

unknown_kinds_fields_and_wrong_types_are_named() {
	cluster_use main
	printf 'apiVersion: v1\nkind: Pot\nmetadata: {name: x}\n' >"$WORK/kind.yaml"
	assert_fails '*no matches for kind "Pot" in version "v1"*' k apply -f "$WORK/kind.yaml"
	printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: c, imige: y, image: z}]}\n' >"$WORK/field.yaml"
	assert_fails '*unknown field "spec.containers[[]0[]].imige"*' k apply -f "$WORK/field.yaml"
	printf 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {replicas: many, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: z}]}}}\n' >"$WORK/type.yaml"
	assert_fails '*replicas*' k apply -f "$WORK/type.yaml"
	printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: X_y}\nspec: {containers: []}\n' >"$WORK/value.yaml"
	assert_fails '*metadata.name: Invalid value: "X_y"*' k apply -f "$WORK/value.yaml"
	printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x","name":"y"},"spec":{"containers":[{"name":"c","image":"i"}]}}' >"$WORK/twice.json"
	assert_eq 400 "$(api POST '/api/v1/namespaces/default/pods?fieldValidation=Strict' -H 'Content-Type: application/json' \
		--data-binary @"$WORK/twice.json" -o "$WORK/answer" -w '%{http_code}')" "code of a key given twice"
	assert_match '*duplicate field \\"metadata.name\\"*' "$(cat "$WORK/answer")" "answer to a key given twice"
	assert_fails '*not found*' k get pod x
	unharmed
}

a_stranger_is_not_let_in() {
	cluster_use main
	assert_eq 401 "$(curl -sS --cacert "$DIR/pki/ca.crt" -o "$WORK/answer" -w '%{http_code}' "$URL/api/v1/pods")" "code without credentials"
	assert_eq 401 "$(curl -sS --cacert "$DIR/pki/ca.crt" -H 'Authorization: Bearer wrong' -o "$WORK/answer" -w '%{http_code}' "$URL/api/v1/pods")" "code with a wrong token"
}

a_missing_image_is_retried_and_found_once_imported() {
	cluster_use main
	pod late late:v1
	wait_for 20 is '*ErrImagePull*' messages late
	wait_for 20 is 'ImagePullBackOff' waiting late
	wait_for 10 is '*Failed to pull image "late:v1"*' messages late
	"$ROOT/manifests/image/make-image" late:v1 "$BIN/market-data" "$WORK/late.tar"
	"$BIN/knarr" image import --data "$DIR" "$WORK/late.tar"
	wait_for 40 is True ready late
}

a_corrupt_archive_is_refused_whole() {
	cluster_use main
	"$ROOT/manifests/image/make-image" broken:v1 "$BIN/knarr-shim" "$WORK/broken.tar"
	ls -R "$DIR/agent/images" >"$WORK/images.before"
	size=$(stat -c %s "$WORK/broken.tar")
	head -c $((size / 2)) "$WORK/broken.tar" >"$WORK/cut.tar"
	assert_fails '*cut.tar*' "$BIN/knarr" image import --data "$DIR" "$WORK/cut.tar"
	printf 'garbage in the middle' | dd of="$WORK/broken.tar" bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
	assert_fails '*digest mismatch*' "$BIN/knarr" image import --data "$DIR" "$WORK/broken.tar"
	head -c 100000 /dev/urandom >"$WORK/noise.tar"
	assert_fails '*noise.tar*' "$BIN/knarr" image import --data "$DIR" "$WORK/noise.tar"
	assert_fails '*not-there.tar*' "$BIN/knarr" image import --data "$DIR" "$WORK/not-there.tar"
	ls -R "$DIR/agent/images" >"$WORK/images.after"
	diff "$WORK/images.before" "$WORK/images.after" || fail "something was imported"
	"$BIN/knarr" image ls --data "$DIR" >"$WORK/images"
	grep -q broken "$WORK/images" && fail "the broken image is listed"
	unharmed
}

a_command_that_does_not_exist() {
	cluster_use main
	pod no-command market-data:v1 '"command": ["/nope"]'
	wait_for 20 is '*RunContainerError*|*StartError*/nope*no such file or directory*' k get pod no-command \
		-o 'jsonpath={.status.containerStatuses[0].state.waiting.reason}|{.status.containerStatuses[0].lastState.terminated.reason} {.status.containerStatuses[0].lastState.terminated.message}'
	wait_for 20 is 'CrashLoopBackOff' waiting no-command
	k delete pod no-command
}

a_bundle_that_the_runtime_refuses() {
	cluster_use main
	pod bad-sysctl market-data:v1 '' '"securityContext": {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "not-a-number"}]}'
	wait_for 20 is '*FailedCreatePodSandBox: *ip_unprivileged_port_start*Invalid argument*' messages bad-sysctl
	pod bad-mount market-data:v1 '"volumeMounts": [{"name": "v", "mountPath": "/bin/market-data/below-a-file"}]' '"volumes": [{"name": "v", "emptyDir": {}}]'
	wait_for 20 is '*below-a-file*not a directory*' k get pod bad-mount \
		-o 'jsonpath={.status.containerStatuses[0].lastState.terminated.message}'
	k delete pod bad-sysctl bad-mount
	unharmed
}

a_runtime_that_is_killed_is_tried_again() {
	mkdir "$WORK/runtime"
	# Stands before runc: the first `run` dies as if by kill -9, in the middle of their work.
	cat >"$WORK/runtime/runc-killed" <<END
#!/bin/sh
case " \$* " in
*" run "*)
	n=\$(cat $WORK/runtime/count 2>/dev/null || echo 0)
	echo \$((n + 1)) >$WORK/runtime/count
	if [ \$n -lt 1 ]; then
		runc "\$@" &
		kill -9 \$! \$\$
	fi ;;
esac
exec runc "\$@"
END
	chmod +x "$WORK/runtime/runc-killed"
	cluster_up killed --runtime "$WORK/runtime/runc-killed"
	import_images
	pod survivor market-data:v1
	wait_for 60 is True ready survivor
	[ "$(cat "$WORK/runtime/count")" -gt 1 ] || fail "the runtime was not killed"
	cluster_purge "$DIR"
}

not_root() {
	chmod 755 "$WORK"
	assert_fails '*needs root*' setpriv --reuid 65534 --regid 65534 --clear-groups "$BIN/knarr" up --data "$WORK/nobody" --port 19999
	[ ! -e "$WORK/nobody" ] || fail "a folder was made"
	assert_fails '*needs root*' setpriv --reuid 65534 --regid 65534 --clear-groups "$BIN/knarr" down --data "$WORK/main"
	unharmed_main
}
unharmed_main() { cluster_use main && unharmed; }

no_permission_to_read_the_kubeconfig() {
	cluster_use main
	assert_fails '*ermission denied*' setpriv --reuid 65534 --regid 65534 --clear-groups "$BIN/kubectl-lite" --kubeconfig "$KUBECONFIG" get pods
}

a_port_in_use() {
	cluster_use main
	port=${URL##*:}
	assert_fails "*$port*in use*" "$BIN/knarr" up --data "$WORK/same-port" --port "$port" -d
	"$BIN/knarr" down --data "$WORK/same-port" --purge || fail "what is left of a start that failed cannot be purged"
	[ ! -e "$WORK/same-port" ] || fail "files are left of it"
	unharmed
}

wrong_arguments() {
	assert_fails '*unknown flag*--prot*' "$BIN/knarr" up --prot 1
	assert_fails '*unknown command "dwon"*' "$BIN/knarr" dwon
	assert_fails '*port*' "$BIN/knarr" up --data "$WORK/none" --port 99999999 -d
	mkdir "$WORK/foreign" && echo mine >"$WORK/foreign/file"
	assert_fails '*not empty*' "$BIN/knarr" up --data "$WORK/foreign" -d
	assert_fails '*no cluster in*' "$BIN/knarr" down --data "$WORK/foreign" --purge
	assert_eq mine "$(cat "$WORK/foreign/file")" "a file that is not ours"
}

a_second_cluster_on_the_same_folder() {
	cluster_use main
	assert_fails "*runs in $DIR already*" "$BIN/knarr" up --data "$DIR" -d
	unharmed
}

a_second_apiserver_on_the_same_data() {
	cluster_use main
	assert_fails '*in use by process*' timeout 10 "$BIN/knarr-apiserver" --listen=127.0.0.1:0 --data-dir="$DIR/apiserver" \
		--tls-cert="$DIR/pki/apiserver.crt" --tls-key="$DIR/pki/apiserver.key" --client-ca="$DIR/pki/ca.crt" \
		--token-file="$DIR/auth/tokens.csv"
	unharmed
}

# Fills the folder to the last byte, and so that nothing freed meanwhile is left either.
fill() { cat /dev/zero >"$DIR/filler" 2>/dev/null || :; }

configmap() { # NAME: the code of the answer to its creation, with a value that needs pages of its own
	api POST /api/v1/namespaces/default/configmaps -H 'Content-Type: application/json' -o "$WORK/answer" -w '%{http_code}' \
		-d "{\"metadata\":{\"name\":\"$1\"},\"data\":{\"a\":\"$(head -c 100000 /dev/zero | tr '\0' a)\"}}"
}

a_full_disk_refuses_writes_and_loses_nothing() {
	mkdir "$WORK/full"
	mount -t tmpfs -o size=32m none "$WORK/full"
	cluster_up full
	import_images
	pod steady market-data:v1
	wait_for 20 is True ready steady
	assert_eq 201 "$(configmap before)" "code while there is room"
	fill
	n=0
	while [ $n -lt 60 ] && code=$(configmap "full-$n") && [ "$code" = 201 ]; do
		n=$((n + 1))
	done
	[ "$code" != 201 ] || fail "the disk is full, and still all is written"
	assert_match '5??' "$code" "code when the disk is full"
	assert_match '*No space left on device*' "$(cat "$WORK/answer")" "answer when the disk is full"
	assert_eq 100000 "$(field configmap/before '{.data.a}' | wc -c)" "reading while the disk is full"
	assert_fails '*not found*' k get configmap "full-$n"
	rm "$DIR/filler"
	wait_for 20 is 201 configmap after
	assert_eq True "$(ready steady)" "the pod that ran"
	assert_eq 0 "$(field pod/steady '{.status.containerStatuses[0].restartCount}')" "restarts of the pod that ran"
	cluster_purge_mount
}

a_read_only_data_folder() {
	mkdir "$WORK/ro"
	mount -t tmpfs -o size=32m none "$WORK/ro"
	cluster_up ro
	"$BIN/knarr" down --data "$DIR"
	mount -o remount,ro "$WORK/ro"
	assert_fails '*Read-only file system*' "$BIN/knarr" up --data "$DIR" -d
	mount -o remount,rw "$WORK/ro"
	cluster_up ro
	cluster_purge_mount
}

# A folder that is a mount itself stays, empty; purge ends what is in it.
cluster_purge_mount() {
	"$BIN/knarr" down --data "$DIR" --purge
	[ -z "$(ls -A "$DIR")" ] || fail "left in the folder: $(ls -A "$DIR")"
	umount "$DIR"
	rmdir "$DIR"
}

a_damaged_database_is_refused_and_not_touched() {
	cluster_up damaged
	for i in 1 2 3 4 5 6 7 8; do
		api POST /api/v1/namespaces/default/configmaps -H 'Content-Type: application/json' -o /dev/null \
			-d "{\"metadata\":{\"name\":\"c$i\"},\"data\":{\"a\":\"$(head -c 20000 /dev/zero | tr '\0' "$i")\"}}"
	done
	"$BIN/knarr" down --data "$DIR"
	cp -a "$DIR/apiserver" "$WORK/good"
	size=$(stat -c %s "$DIR/apiserver/store.db")
	for place in 0 $((size / 2)) $((size - 3000)); do
		rm -rf "$DIR/apiserver"
		cp -a "$WORK/good" "$DIR/apiserver"
		head -c 2000 /dev/urandom | dd of="$DIR/apiserver/store.db" bs=1 seek=$place conv=notrunc 2>/dev/null
		(cd "$DIR/apiserver" && sha256sum store.db*) >"$WORK/sums"
		assert_fails '*backup*' "$BIN/knarr" up --data "$DIR" -d
		(cd "$DIR/apiserver" && sha256sum -c "$WORK/sums") || fail "the damaged file was changed"
	done
	head -c $((size / 2)) "$WORK/good/store.db" >"$DIR/apiserver/store.db"
	assert_fails '*backup*' "$BIN/knarr" up --data "$DIR" -d
	rm -rf "$DIR/apiserver"
	cp -a "$WORK/good" "$DIR/apiserver"
	cluster_up damaged
	assert_eq 20000 "$(field configmap/c7 '{.data.a}' | wc -c)" "data of a restored database"
	cluster_purge "$DIR"
}

run_cases up a_malformed_manifest_names_file_line_and_column a_yaml_bomb_is_refused a_huge_object_is_refused_by_the_server \
	unknown_kinds_fields_and_wrong_types_are_named a_stranger_is_not_let_in a_missing_image_is_retried_and_found_once_imported \
	a_corrupt_archive_is_refused_whole a_command_that_does_not_exist a_bundle_that_the_runtime_refuses \
	a_runtime_that_is_killed_is_tried_again not_root no_permission_to_read_the_kubeconfig a_port_in_use wrong_arguments \
	a_second_cluster_on_the_same_folder a_second_apiserver_on_the_same_data a_full_disk_refuses_writes_and_loses_nothing a_read_only_data_folder \
	a_damaged_database_is_refused_and_not_touched
