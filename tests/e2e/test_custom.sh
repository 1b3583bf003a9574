#!/bin/sh
# CustomResourceDefinitions with kubectl: defined, used, restarted, collected, deleted.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

if ! command -v kubectl >/dev/null; then
	echo "skipped: kubectl is not here"
	exit 0
fi

the_cluster_runs() {
	cluster_up one
}

definition() {
	cat <<-'END'
		apiVersion: apiextensions.k8s.io/v1
		kind: CustomResourceDefinition
		metadata: {name: crontabs.stable.example.com}
		spec:
		  group: stable.example.com
		  scope: Namespaced
		  names: {plural: crontabs, kind: CronTab, shortNames: [ct], categories: [all]}
		  versions:
		  - name: v1
		    served: true
		    storage: true
		    schema:
		      openAPIV3Schema:
		        type: object
		        properties:
		          spec:
		            type: object
		            description: What is wanted.
		            required: [cronSpec]
		            x-kubernetes-validations:
		            - {rule: "self.replicas <= 5 || self.image != 'one'", messageExpression: "'%d of image %s'.format([dyn(self.replicas), self.image])"}
		            properties:
		              cronSpec: {type: string, description: When it runs., pattern: '^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$'}
		              image: {type: string}
		              replicas: {type: integer, minimum: 1, maximum: 10, default: 1}
		          status:
		            type: object
		            properties: {replicas: {type: integer}, labelSelector: {type: string}}
		    selectableFields: [{jsonPath: .spec.image}]
		    subresources:
		      status: {}
		      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, labelSelectorPath: .status.labelSelector}
		    additionalPrinterColumns:
		    - {name: Spec, type: string, jsonPath: .spec.cronSpec}
		    - {name: Replicas, type: integer, jsonPath: .spec.replicas}
	END
}

crontab() { # NAME [METADATA]
	cat <<-END
		apiVersion: stable.example.com/v1
		kind: CronTab
		metadata: {name: $1${2:+, $2}}
		spec: {cronSpec: "* * * * */5", image: one}
	END
}

it_is_defined_and_used() {
	cluster_use one
	definition | kubectl apply -f -
	kubectl wait --for condition=Established crd/crontabs.stable.example.com --timeout=20s
	crontab my | kubectl apply -f -
	assert_match 'NAME SPEC REPLICAS my \* \* \* \* \*/5 1' "$(kubectl get ct | xargs -n 100 echo)" "the table"
	assert_match '*crontabs*ct*stable.example.com/v1*true*CronTab*' "$(kubectl api-resources --api-group=stable.example.com)" "discovery"
	assert_match '*When it runs.*' "$(kubectl explain crontab.spec.cronSpec)" "explain"
	assert_match '*crontab.stable.example.com/my*' "$(kubectl get all)" "a category"
	assert_fails '*spec.replicas in body should be less than or equal to 10*' \
		kubectl patch ct my --type=merge -p '{"spec":{"replicas":11}}'
	assert_fails '*spec: Invalid value: 6 of image one*' \
		kubectl patch ct my --type=merge -p '{"spec":{"replicas":6}}'
	assert_fails "*undefined field 'nope'*| self.nope > 1*" kubectl apply -f - <<-END
		$(definition | sed 's/self.replicas <= 5/self.nope > 1/')
	END
	assert_fails '*unknown field "spec.nope"*' kubectl apply -f - <<-END
		$(crontab my | sed 's/image: one/nope: one/')
	END
	kubectl scale ct my --replicas=3
	assert_eq "3 2" "$(kubectl get ct my -o 'jsonpath={.spec.replicas} {.metadata.generation}')" "scaled"
	kubectl patch ct my --subresource=status --type=merge -p '{"status":{"replicas":2}}'
	assert_eq "2" "$(kubectl get ct my -o 'jsonpath={.status.replicas}')" "status"
	assert_eq "my" "$(kubectl get ct --field-selector spec.image=one -o 'jsonpath={.items[*].metadata.name}')" "selected"
	assert_eq "" "$(kubectl get ct --field-selector spec.image=two -o 'jsonpath={.items[*].metadata.name}')" "not selected"
	crontab my | kubectl apply --server-side --force-conflicts -f -
}

# The definition's row may lie behind its objects' in the store.
it_survives_restarts() {
	cluster_use one
	kubectl label crd crontabs.stable.example.com a=b
	kill -9 "$(program_pid apiserver)"
	wait_for 20 is my kubectl get ct -o 'jsonpath={.items[*].metadata.name}'
	crontab second | kubectl create -f -
	"$BIN/knarr" down --data "$DIR"
	cluster_up one
	assert_eq "my second" "$(kubectl get ct -o 'jsonpath={.items[*].metadata.name}')" "after a restart"
	kubectl delete ct second
}

uid_of() {
	kubectl get "$@" -o 'jsonpath={.metadata.uid}'
}

it_is_collected() {
	cluster_use one
	kubectl create configmap owner
	crontab owned "ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: owner, uid: $(uid_of cm owner)}]" | kubectl create -f -
	kubectl create -f - <<-END
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: child, ownerReferences: [{apiVersion: stable.example.com/v1, kind: CronTab, name: my, uid: $(uid_of ct my)}]}
	END
	kubectl delete configmap owner
	wait_for 20 assert_fails '*NotFound*' kubectl get ct owned
	kubectl delete ct my --cascade=foreground --timeout=20s
	assert_fails '*NotFound*' kubectl get configmap child
	crontab parent | kubectl create -f -
	crontab kid "ownerReferences: [{apiVersion: stable.example.com/v1, kind: CronTab, name: parent, uid: $(uid_of ct parent)}]" | kubectl create -f -
	kubectl delete ct parent --cascade=orphan --timeout=20s
	assert_eq "" "$(kubectl get ct kid -o 'jsonpath={.metadata.ownerReferences}')" "an orphan"
	kubectl create namespace team
	crontab there | kubectl create -n team -f -
	kubectl delete namespace team --timeout=30s
	assert_eq kid "$(kubectl get ct -A -o 'jsonpath={.items[*].metadata.name}')" "the namespace is empty"
}

it_goes_with_its_objects() {
	cluster_use one
	crontab held "finalizers: [example.com/held]" | kubectl create -f -
	kubectl delete crd crontabs.stable.example.com --wait=false
	wait_for 10 is held kubectl get ct -o 'jsonpath={.items[*].metadata.name}'
	assert_fails '*create not allowed while custom resource definition is terminating*' kubectl create -f - <<-END
		$(crontab late)
	END
	kubectl patch ct held --type=merge -p '{"metadata":{"finalizers":null}}'
	kubectl wait --for=delete crd/crontabs.stable.example.com --timeout=30s
	assert_fails '*the server could not find the requested resource*' kubectl get crontabs.v1.stable.example.com
	definition | kubectl create -f -
	assert_eq "" "$(kubectl get ct -o 'jsonpath={.items[*].metadata.name}')" "made again it is empty"
	kubectl delete crd crontabs.stable.example.com --timeout=30s
}

run_cases the_cluster_runs it_is_defined_and_used it_survives_restarts it_is_collected it_goes_with_its_objects
