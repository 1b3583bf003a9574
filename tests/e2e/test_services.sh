#!/bin/sh
# Services: their addresses and node ports, also while the API server is killed; what pods are told of them; how pods reach the API
# server. In a network of its own, so that there can be an address that is no loopback's.
if [ -z "${OWN_NETWORK:-}" ]; then
	export OWN_NETWORK=1
	exec unshare --net --mount "$0" "$@"
fi
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# What /sys shows of the network is that of whoever mounted it.
mkdir "$WORK/cgroup"
mount --rbind /sys/fs/cgroup "$WORK/cgroup"
mount -t sysfs sysfs /sys
mount --rbind "$WORK/cgroup" /sys/fs/cgroup
umount -l "$WORK/cgroup"
rmdir "$WORK/cgroup"
ip link set lo up
ip address add 192.0.2.1/32 dev lo

# create NUMBER: a Service with a node port; a server that is away is asked again.
create() {
	for _try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		_code=$(api POST /api/v1/namespaces/default/services -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' \
			-d "{\"metadata\":{\"name\":\"s$1\"},\"spec\":{\"type\":\"NodePort\",\"ports\":[{\"port\":80}]}}" 2>/dev/null) || :
		case $_code in 201 | 409) return 0 ;; esac
		sleep 0.2
	done
	return 1
}

# Addresses and node ports of all Services, and the names of all IPAddresses: each once, and the same.
books_balance() {
	k get services -A -o json >"$WORK/services.json"
	k get ipaddresses -o json >"$WORK/addresses.json"
	jq -r '.items[].spec.clusterIPs[]? | select(. != "None")' <"$WORK/services.json" | sort >"$WORK/given"
	jq -r '.items[].metadata.name' <"$WORK/addresses.json" | sort >"$WORK/taken"
	assert_eq "" "$(uniq -d "$WORK/given")" "addresses that two Services have"
	assert_eq "" "$(diff "$WORK/given" "$WORK/taken")" "Services and IPAddresses"
	assert_eq "" "$(jq -r '.items[].spec.ports[]?.nodePort // empty' <"$WORK/services.json" | sort | uniq -d)" "ports that two have"
}

# is_another PID: an API server runs, and not that one.
is_another() {
	_pid=$(program_pid apiserver) && [ -n "$_pid" ] && [ "$_pid" != "$1" ]
}

addresses_outlive_the_API_server() {
	cluster_up one
	assert_eq "10.96.0.1 443" "$(field service/kubernetes '{.spec.clusterIP} {.spec.ports[0].port}')" "the Service kubernetes"
	: >"$WORK/failures"
	for worker in 1 2 3 4 5 6 7 8; do
		(
			for i in 1 2 3 4 5 6 7 8 9 10; do
				create "$worker-$i" || echo "$worker-$i" >>"$WORK/failures"
			done
		) &
		workers="${workers:-} $!"
	done
	for _ in 1 2 3; do
		killed=$(program_pid apiserver)
		kill -9 "$killed"
		wait_for 20 is_another "$killed"
		wait_for 20 is '*kubernetes*' k get service kubernetes --no-headers
	done
	# shellcheck disable=SC2086 # words
	wait $workers
	assert_eq "" "$(cat "$WORK/failures")" "Services that could not be created"
	assert_eq 81 "$(k get services --no-headers | wc -l)" "Services"
	books_balance
	k delete services --all >/dev/null
	wait_for 20 is 'service/kubernetes' k get services -o name
	books_balance
	assert_eq 1 "$(wc -l <"$WORK/given")" "addresses in use"
}

# env_of POD: what its container was started with.
env_of() {
	k logs "$1"
}

# run_env NAME FLAGS: a pod that prints its environment; SPEC is more of its spec.
run_env() { # NAME SPEC
	k apply -f - <<-END
		apiVersion: v1
		kind: Pod
		metadata: {name: $1}
		spec:
		  restartPolicy: Never
		  $2
		  containers:
		  - {name: main, image: "busybox:v1", command: [sh, -c, "env; nc -w 5 \$KUBERNETES_SERVICE_HOST \$KUBERNETES_SERVICE_PORT </dev/null && echo REACHED"]}
	END
	wait_for 20 is '[SF]*ed' field "pod/$1" '{.status.phase}'
}

pods_are_told_of_services() {
	cluster_use one
	"$E2E/make-busybox-image" busybox:v1 "$WORK/busybox.tar"
	"$BIN/knarr" image import --data "$DIR" "$WORK/busybox.tar" >/dev/null
	k apply -f - <<-END
		apiVersion: v1
		kind: Service
		metadata: {name: my-db}
		spec: {clusterIP: 10.96.0.20, ports: [{name: sql, port: 5432}]}
	END
	run_env plain ''
	assert_match '*MY_DB_SERVICE_HOST=10.96.0.20*' "$(env_of plain)" "the environment"
	assert_match '*MY_DB_PORT_5432_TCP=tcp://10.96.0.20:5432*' "$(env_of plain)" "the environment"
	# The API server listens on the loopback address: no pod reaches it, but for those on the node's network.
	assert_eq "" "$(env_of plain | grep KUBERNETES_)" "what leads nowhere"
	assert_eq "" "$(field endpoints/kubernetes '{.subsets}')" "endpoints of the Service kubernetes"
	run_env alone 'enableServiceLinks: false'
	assert_eq "" "$(env_of alone | grep MY_DB)" "without service links"
	run_env host 'hostNetwork: true'
	assert_match '*KUBERNETES_SERVICE_HOST=127.0.0.1*' "$(env_of host)" "on the node's network"
	assert_match '*REACHED*' "$(env_of host)" "the API server"
	cluster_purge "$DIR"
}

pods_reach_the_API_server() {
	cluster_up two --address 192.0.2.1 --service-cidr 10.77.0.0/24 --node-ports 31000-31010
	"$BIN/knarr" image import --data "$DIR" "$WORK/busybox.tar" >/dev/null
	assert_eq 10.77.0.1 "$(field service/kubernetes '{.spec.clusterIP}')" "the Service kubernetes"
	assert_eq 192.0.2.1 "$(field endpoints/kubernetes '{.subsets[0].addresses[0].ip}')" "its endpoints"
	assert_eq 192.0.2.1 "$(k get endpointslices kubernetes -o 'jsonpath={.endpoints[0].addresses[0]}')" "its slice"
	run_env inside ''
	assert_match '*KUBERNETES_SERVICE_HOST=192.0.2.1*' "$(env_of inside)" "the environment"
	assert_match '*KUBERNETES_PORT_443_TCP_ADDR=192.0.2.1*' "$(env_of inside)" "the environment"
	assert_match '*REACHED*' "$(env_of inside)" "the API server"
	# What somebody deletes comes back.
	k delete service kubernetes >/dev/null
	k delete endpoints kubernetes >/dev/null
	k delete ipaddress 10.77.0.1 >/dev/null 2>&1 || :
	wait_for 20 is '*192.0.2.1' field endpoints/kubernetes '{.subsets[0].addresses[0].ip}'
	wait_for 20 is 10.77.0.1 field service/kubernetes '{.spec.clusterIP}'
	wait_for 20 is 'services/default/kubernetes' k get ipaddress 10.77.0.1 -o 'jsonpath={.spec.parentRef.resource}/{.spec.parentRef.namespace}/{.spec.parentRef.name}'
	books_balance
}

# A network is added, used, and outlives its deletion while somebody has an address of it.
networks_are_added_and_go() {
	cluster_use two
	wait_for 20 is 'networking.k8s.io/service-cidr-finalizer' field servicecidr/kubernetes '{.metadata.finalizers[0]}'
	k apply -f - <<-END
		apiVersion: networking.k8s.io/v1
		kind: ServiceCIDR
		metadata: {name: more}
		spec: {cidrs: [10.78.0.0/28]}
	END
	wait_for 20 is 'True' field servicecidr/more '{.status.conditions[?(@.type=="Ready")].status}'
	k apply -f - <<-END
		apiVersion: v1
		kind: Service
		metadata: {name: guest}
		spec: {clusterIP: 10.78.0.3, ports: [{port: 80}]}
	END
	k delete servicecidr more --wait=false
	wait_for 20 is 'False Terminating' field servicecidr/more '{.status.conditions[0].status} {.status.conditions[0].reason}'
	printf 'apiVersion: v1\nkind: Service\nmetadata: {name: late}\nspec: {clusterIP: 10.78.0.4, ports: [{port: 80}]}\n' >"$WORK/late.yaml"
	assert_fails '*does not match the current range*' k create -f "$WORK/late.yaml"
	books_balance
	k delete service guest >/dev/null
	wait_for 30 is 'kubernetes' k get servicecidrs -o 'jsonpath={.items[*].metadata.name}'
}

run_cases addresses_outlive_the_API_server pods_are_told_of_services pods_reach_the_API_server networks_are_added_and_go
