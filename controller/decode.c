#include "controller/decode.h"

#include <stdlib.h>
#include <string.h>

#include "api/crd.h"
#include "controller/template.h"
#include "lib/mem.h"
#include "lib/timefmt.h"

static int64_t time_of(const struct json_object *obj, const char *key)
{
	int64_t us = 0;
	const char *text = json_str(obj, key);

	return text && time_parse(text, &us) ? us : 0;
}

static char *text_of(const struct json_object *obj)
{
	struct buf b = BUF_INIT;

	if (!obj)
		return NULL;
	json_write(&b, obj);
	return buf_take(&b);
}

static bool has_string(const struct json_object *array, const char *text)
{
	for (size_t i = 0; i < json_len(array); i++)
		if (strcmp(json_object_get_string(json_at(array, i)), text) == 0)
			return true;
	return false;
}

/* What meta_decode looks at. */
#define META                                                                                                 \
	"metadata.labels", "metadata.ownerReferences", "metadata.finalizers", "metadata.creationTimestamp",  \
	    "metadata.generation", "metadata.deletionTimestamp"

void meta_decode(struct meta *meta, const struct json_object *obj)
{
	const struct json_object *m = json_get(obj, "metadata"), *owners = json_get(m, "ownerReferences");
	const struct json_object *finalizers = json_get(m, "finalizers");

	meta->namespace_ = mem_dup(json_str_or_empty(m, "namespace"));
	meta->name = mem_dup(json_str_or_empty(m, "name"));
	meta->labels = labels_intern(json_get(m, "labels"));
	meta->created_us = time_of(m, "creationTimestamp");
	meta->generation = json_int(m, "generation", 0);
	meta->deleting = json_get(m, "deletionTimestamp") != NULL;
	meta->finalizer_foreground = has_string(finalizers, "foregroundDeletion");
	meta->finalizer_orphan = has_string(finalizers, "orphan");
	meta->n_owners = json_len(owners);
	meta->owners = meta->n_owners ? mem_zalloc(meta->n_owners * sizeof(*meta->owners)) : NULL;
	for (size_t i = 0; i < meta->n_owners; i++) {
		const struct json_object *o = json_at(owners, i);
		meta->owners[i] = (struct owner_ref){
			.api_version = mem_dup(json_str_or_empty(o, "apiVersion")),
			.kind = mem_dup(json_str_or_empty(o, "kind")),
			.name = mem_dup(json_str_or_empty(o, "name")),
			.uid = mem_dup(json_str_or_empty(o, "uid")),
			.controller = json_boolean(o, "controller", false),
			.block_deletion = json_boolean(o, "blockOwnerDeletion", false),
		};
	}
}

void meta_close(struct meta *meta)
{
	for (size_t i = 0; i < meta->n_owners; i++) {
		free(meta->owners[i].api_version);
		free(meta->owners[i].kind);
		free(meta->owners[i].name);
		free(meta->owners[i].uid);
	}
	free(meta->owners);
	labels_unref(meta->labels);
	free(meta->namespace_);
	free(meta->name);
}

/* --- Pod --- */

static enum pod_phase phase_of(const char *text)
{
	static const char *const names[] = { "Pending", "Running", "Succeeded", "Failed" };

	for (size_t i = 0; text && i < ARRAY_SIZE(names); i++)
		if (strcmp(text, names[i]) == 0)
			return (enum pod_phase)i;
	return text ? PHASE_UNKNOWN : PHASE_PENDING;
}

/* Below zero means at once. */
static int64_t toleration_seconds(const struct json_object *toleration)
{
	if (!json_get(toleration, "tolerationSeconds"))
		return -1;
	int64_t seconds = json_int(toleration, "tolerationSeconds", 0);
	return seconds > 0 ? seconds : 0;
}

static void decode_tolerations(struct cached_pod *pod, const struct json_object *list)
{
	size_t n = json_len(list);

	pod->tolerations = n ? mem_zalloc(n * sizeof(*pod->tolerations)) : NULL;
	for (size_t i = 0; i < n; i++) {
		const struct json_object *t = json_at(list, i);
		const char *effect = json_str_or_empty(t, "effect"), *key = json_str_or_empty(t, "key");
		if (*effect && strcmp(effect, "NoExecute") != 0)
			continue;
		pod->tolerations[pod->n_tolerations++] = (struct pod_toleration){
			.key = *key ? mem_dup(key) : NULL,
			.value = mem_dup(json_str_or_empty(t, "value")),
			.exists = strcmp(json_str_or_empty(t, "operator"), "Exists") == 0,
			.seconds = toleration_seconds(t),
		};
	}
}

static void decode_pod(void *object, const struct json_object *obj)
{
	struct cached_pod *pod = object;
	const struct json_object *status = json_get(obj, "status"),
				 *conditions = json_get(status, "conditions");
	const struct json_object *containers = json_get(status, "containerStatuses");
	const char *cost = json_str(json_path(obj, "metadata", "annotations", NULL),
				    "controller.kubernetes.io/pod-deletion-cost");
	const char *node = json_str_or_empty(json_get(obj, "spec"), "nodeName");

	pod->node_name = *node ? mem_dup(node) : NULL;
	pod->phase = phase_of(json_str(status, "phase"));
	pod->deletion_cost = cost ? strtoll(cost, NULL, 10) : 0;
	for (size_t i = 0; i < json_len(conditions); i++) {
		const struct json_object *c = json_at(conditions, i);
		if (strcmp(json_str_or_empty(c, "type"), "Ready") != 0)
			continue;
		pod->ready = strcmp(json_str_or_empty(c, "status"), "True") == 0;
		pod->ready_since_us = time_of(c, "lastTransitionTime");
	}
	for (size_t i = 0; i < json_len(containers); i++) {
		int64_t n = json_int(json_at(containers, i), "restartCount", 0);
		pod->restarts = n > pod->restarts ? n : pod->restarts;
	}
	decode_tolerations(pod, json_path(obj, "spec", "tolerations", NULL));
}

/* Pods are most of what the controllers are told, and little of one is looked at. */
static const char *const pod_wants[] = {
	META,
	"metadata.annotations",
	"spec.nodeName",
	"spec.tolerations",
	"status.phase",
	"status.conditions.type",
	"status.conditions.status",
	"status.conditions.lastTransitionTime",
	"status.containerStatuses.restartCount",
	NULL,
};

static void close_pod(void *object)
{
	struct cached_pod *pod = object;

	for (size_t i = 0; i < pod->n_tolerations; i++) {
		free(pod->tolerations[i].key);
		free(pod->tolerations[i].value);
	}
	free(pod->tolerations);
	free(pod->node_name);
}

/* --- ReplicaSet, Deployment --- */

static int64_t annotation_int(const struct json_object *annotations, const char *key)
{
	const char *text = json_str(annotations, key);

	return text ? strtoll(text, NULL, 10) : -1;
}

static void decode_replica_set(void *object, const struct json_object *obj)
{
	struct cached_replica_set *rs = object;
	const struct json_object *spec = json_get(obj, "spec"), *status = json_get(obj, "status");
	const struct json_object *annotations = json_path(obj, "metadata", "annotations", NULL);
	const struct json_object *conditions = json_get(status, "conditions");

	rs->replicas = json_int(spec, "replicas", 1);
	rs->min_ready_s = json_int(spec, "minReadySeconds", 0);
	if (selector_from_json(json_get(spec, "selector"), &rs->selector, NULL) < 0)
		rs->selector = (struct selector){ .nothing = true };
	rs->template_json = text_of(json_get(spec, "template"));
	rs->template_hash = template_equal_hash(json_get(spec, "template"));
	rs->revision_text = mem_dup(json_str(annotations, "deployment.kubernetes.io/revision"));
	rs->revision_history = mem_dup(json_str(annotations, "deployment.kubernetes.io/revision-history"));
	rs->annotations_json = text_of(annotations);
	rs->desired_annotation = annotation_int(annotations, "deployment.kubernetes.io/desired-replicas");
	rs->max_annotation = annotation_int(annotations, "deployment.kubernetes.io/max-replicas");
	rs->status.replicas = json_int(status, "replicas", 0);
	rs->status.fully_labeled = json_int(status, "fullyLabeledReplicas", 0);
	rs->status.ready = json_int(status, "readyReplicas", 0);
	rs->status.available = json_int(status, "availableReplicas", 0);
	rs->status.terminating = json_int(status, "terminatingReplicas", -1);
	rs->status.observed_generation = json_int(status, "observedGeneration", 0);
	for (size_t i = 0; i < json_len(conditions); i++)
		rs->status.failure |=
		    strcmp(json_str_or_empty(json_at(conditions, i), "type"), "ReplicaFailure") == 0;
}

static void close_replica_set(void *object)
{
	struct cached_replica_set *rs = object;

	selector_close(&rs->selector);
	free(rs->template_json);
	free(rs->revision_text);
	free(rs->revision_history);
	free(rs->annotations_json);
}

static char *int_or_string(const struct json_object *obj, const char *key)
{
	struct json_object *value = json_get(obj, key);

	return value ? mem_dup(json_object_get_string(value)) : NULL;
}

static void decode_deployment(void *object, const struct json_object *obj)
{
	struct cached_deployment *d = object;
	const struct json_object *spec = json_get(obj, "spec"),
				 *annotations = json_path(obj, "metadata", "annotations", NULL);
	const struct json_object *rolling = json_path(spec, "strategy", "rollingUpdate", NULL);

	d->replicas = json_int(spec, "replicas", 1);
	d->min_ready_s = json_int(spec, "minReadySeconds", 0);
	d->progress_deadline_s = json_int(spec, "progressDeadlineSeconds", 600);
	d->history_limit = json_int(spec, "revisionHistoryLimit", 10);
	d->paused = json_boolean(spec, "paused", false);
	const struct json_object *conditions = json_path(obj, "status", "conditions", NULL);
	for (size_t i = 0; i < json_len(conditions); i++)
		d->shown_paused |=
		    strcmp(json_str_or_empty(json_at(conditions, i), "reason"), "DeploymentPaused") == 0;
	d->recreate = strcmp(json_str_or_empty(json_get(spec, "strategy"), "type"), "Recreate") == 0;
	d->max_surge = int_or_string(rolling, "maxSurge");
	d->max_unavailable = int_or_string(rolling, "maxUnavailable");
	if (selector_from_json(json_get(spec, "selector"), &d->selector, NULL) < 0)
		d->selector = (struct selector){ .nothing = true };
	d->selector_json = text_of(json_get(spec, "selector"));
	d->template_json = text_of(json_get(spec, "template"));
	d->template_hash = template_equal_hash(json_get(spec, "template"));
	d->annotations_json = text_of(annotations);
	d->revision_text = mem_dup(json_str(annotations, "deployment.kubernetes.io/revision"));
	d->collision_count = json_int(json_get(obj, "status"), "collisionCount", -1);
	d->status_json = text_of(json_get(obj, "status"));
}

static void close_deployment(void *object)
{
	struct cached_deployment *d = object;

	selector_close(&d->selector);
	free(d->max_surge);
	free(d->max_unavailable);
	free(d->selector_json);
	free(d->template_json);
	free(d->annotations_json);
	free(d->revision_text);
	free(d->status_json);
}

/* --- Node, Namespace, ResourceQuota, Lease --- */

static void decode_node(void *object, const struct json_object *obj)
{
	struct cached_node *node = object;
	const struct json_object *spec = json_get(obj, "spec"),
				 *conditions = json_path(obj, "status", "conditions", NULL);
	const char *cidr = json_str_or_empty(spec, "podCIDR");

	node->pod_cidr = *cidr ? mem_dup(cidr) : NULL;
	node->unschedulable = json_boolean(spec, "unschedulable", false);
	node->taints_json = text_of(json_get(spec, "taints"));
	node->conditions_json = text_of(conditions);
	for (size_t i = 0; i < json_len(conditions); i++) {
		const struct json_object *c = json_at(conditions, i);
		if (strcmp(json_str_or_empty(c, "type"), "Ready") != 0)
			continue;
		node->ready = strcmp(json_str_or_empty(c, "status"), "True") == 0;
		node->ready_unknown = strcmp(json_str_or_empty(c, "status"), "Unknown") == 0;
	}
}

static void close_node(void *object)
{
	struct cached_node *node = object;

	free(node->pod_cidr);
	free(node->taints_json);
	free(node->conditions_json);
}

static void decode_namespace(void *object, const struct json_object *obj)
{
	struct cached_namespace *ns = object;

	ns->terminating = strcmp(json_str_or_empty(json_get(obj, "status"), "phase"), "Terminating") == 0;
	ns->has_kubernetes_finalizer = has_string(json_path(obj, "spec", "finalizers", NULL), "kubernetes");
}

static void decode_quota(void *object, const struct json_object *obj)
{
	struct cached_quota *quota = object;

	quota->counted =
	    json_equal(json_path(obj, "spec", "hard", NULL), json_path(obj, "status", "hard", NULL));
}

static void decode_budget(void *object, const struct json_object *obj)
{
	struct cached_budget *budget = object;

	if (selector_from_json(json_path(obj, "spec", "selector", NULL), &budget->selector, NULL) < 0)
		budget->selector = (struct selector){ .nothing = true };
}

static void close_budget(void *object)
{
	selector_close(&((struct cached_budget *)object)->selector);
}

static void decode_lease(void *object, const struct json_object *obj)
{
	struct cached_lease *lease = object;

	lease->renewed_us = time_of(json_get(obj, "spec"), "renewTime");
	lease->seen_ms = time_mono_ms();
}

static const char *const lease_wants[] = { META, "spec.renewTime", NULL };

/* --- ClusterRole --- */

static void decode_cluster_role(void *object, const struct json_object *obj)
{
	struct cached_cluster_role *role = object;
	const struct json_object *selectors = json_path(obj, "aggregationRule", "clusterRoleSelectors", NULL);

	role->rules_json = text_of(json_get(obj, "rules"));
	role->n_selectors = json_len(selectors);
	role->selectors = role->n_selectors ? mem_zalloc(role->n_selectors * sizeof(*role->selectors)) : NULL;
	for (size_t i = 0; i < role->n_selectors; i++)
		if (selector_from_json(json_at(selectors, i), &role->selectors[i], NULL) < 0)
			role->selectors[i] = (struct selector){ .nothing = true };
}

static void close_cluster_role(void *object)
{
	struct cached_cluster_role *role = object;

	for (size_t i = 0; i < role->n_selectors; i++)
		selector_close(&role->selectors[i]);
	free(role->selectors);
	free(role->rules_json);
}

/* Without schemas, which are most of it and say nothing that a controller needs. */
static void decode_definition(void *object, const struct json_object *obj)
{
	struct cached_definition *definition = object;
	CLEANUP(json_putp) struct json_object *copy = json_object_new_object();
	const struct json_object *versions = json_path(obj, "spec", "versions", NULL);
	struct json_object *spec = json_ensure_object(copy, "spec"), *bare = json_object_new_array();

	json_object_object_foreach(json_get(obj, "spec"), key, value)
	{
		if (strcmp(key, "versions") != 0)
			json_set(spec, key, json_object_get(value));
	}
	for (size_t i = 0; i < json_len(versions); i++) {
		struct json_object *version = json_object_new_object();

		json_set_str(version, "name", json_str(json_at(versions, i), "name"));
		json_set_bool(version, "served", json_boolean(json_at(versions, i), "served", false));
		json_set_bool(version, "storage", json_boolean(json_at(versions, i), "storage", false));
		json_object_array_add(bare, version);
	}
	json_set(spec, "versions", bare);
	json_set(copy, "status", json_object_get(json_get(obj, "status")));
	definition->established = crd_condition_is_true(obj, "Established");
	definition->json = text_of(copy);
}

static void close_definition(void *object)
{
	free(((struct cached_definition *)object)->json);
}

static void decode_secret(void *object, const struct json_object *obj)
{
	struct cached_secret *secret = object;
	const struct json_object *annotations = json_path(obj, "metadata", "annotations", NULL);
	const struct json_object *data = json_get(obj, "data");

	if (strcmp(json_str_or_empty(obj, "type"), "kubernetes.io/service-account-token") != 0)
		return;
	secret->account = mem_dup(json_str_or_empty(annotations, "kubernetes.io/service-account.name"));
	secret->account_uid = mem_dup(json_str_or_empty(annotations, "kubernetes.io/service-account.uid"));
	secret->ca = mem_dup(json_str_or_empty(data, "ca.crt"));
	secret->has_token = *json_str_or_empty(data, "token");
	secret->has_namespace = *json_str_or_empty(data, "namespace");
}

static void close_secret(void *object)
{
	struct cached_secret *secret = object;

	free(secret->account);
	free(secret->account_uid);
	free(secret->ca);
}

static const struct cache_kind kinds[] = {
	{ "", "pods", sizeof(struct cached_pod), pod_wants, decode_pod, close_pod },
	{ "apps", "replicasets", sizeof(struct cached_replica_set), NULL, decode_replica_set,
	  close_replica_set },
	{ "apps", "deployments", sizeof(struct cached_deployment), NULL, decode_deployment,
	  close_deployment },
	{ "", "nodes", sizeof(struct cached_node), NULL, decode_node, close_node },
	{ "", "namespaces", sizeof(struct cached_namespace), NULL, decode_namespace, NULL },
	{ "", "secrets", sizeof(struct cached_secret), NULL, decode_secret, close_secret },
	{ "", "resourcequotas", sizeof(struct cached_quota), NULL, decode_quota, NULL },
	{ "policy", "poddisruptionbudgets", sizeof(struct cached_budget), NULL, decode_budget, close_budget },
	{ "rbac.authorization.k8s.io", "clusterroles", sizeof(struct cached_cluster_role), NULL,
	  decode_cluster_role, close_cluster_role },
	{ "apiextensions.k8s.io", "customresourcedefinitions", sizeof(struct cached_definition), NULL,
	  decode_definition, close_definition },
	{ "coordination.k8s.io", "leases", sizeof(struct cached_lease), lease_wants, decode_lease, NULL },
};

const struct cache_kind *cache_kind_of(const struct resource *resource)
{
	static const char *const wants[] = { META, NULL };
	static const struct cache_kind bare = { .size = sizeof(struct meta), .wants = wants };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].group, resource->group) == 0 &&
		    strcmp(kinds[i].plural, resource->plural) == 0)
			return &kinds[i];
	return &bare;
}
