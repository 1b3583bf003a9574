#include "controller/decode.h"

#include <stdlib.h>
#include <string.h>

#include "api/crd.h"
#include "controller/meta.h"
#include "controller/pod_decode.h"
#include "controller/template.h"
#include "lib/mem.h"
#include "lib/timefmt.h"

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

static void decode_lease(void *object, const struct json_span *found)
{
	struct cached_lease *lease = object;

	lease->renewed_us = meta_time(found[0]);
	lease->seen_ms = time_mono_ms();
}

static const char *const lease_wants[] = { META_PATHS, "spec.renewTime", NULL };

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

/* --- the table --- */

/* Of the kinds that are few the whole is parsed. */
static const char *const meta_and_all[] = { META_PATHS, "", NULL };
#define WHOLE(group, plural, type, decode_all, close)                                                        \
	{                                                                                                    \
		group, plural, sizeof(struct type), meta_and_all, NULL, decode_all, close                    \
	}

static const struct cache_kind kinds[] = {
	{ "", "pods", sizeof(struct cached_pod), pod_decode_wants, pod_decode, NULL, pod_decode_close },
	{ "coordination.k8s.io", "leases", sizeof(struct cached_lease), lease_wants, decode_lease, NULL,
	  NULL },
	WHOLE("apps", "replicasets", cached_replica_set, decode_replica_set, close_replica_set),
	WHOLE("apps", "deployments", cached_deployment, decode_deployment, close_deployment),
	WHOLE("", "nodes", cached_node, decode_node, close_node),
	WHOLE("", "namespaces", cached_namespace, decode_namespace, NULL),
	WHOLE("", "secrets", cached_secret, decode_secret, close_secret),
	WHOLE("", "resourcequotas", cached_quota, decode_quota, NULL),
	WHOLE("policy", "poddisruptionbudgets", cached_budget, decode_budget, close_budget),
	WHOLE("rbac.authorization.k8s.io", "clusterroles", cached_cluster_role, decode_cluster_role,
	      close_cluster_role),
	WHOLE("apiextensions.k8s.io", "customresourcedefinitions", cached_definition, decode_definition,
	      close_definition),
};

const struct cache_kind *cache_kind_of(const struct resource *resource)
{
	static const char *const meta_wants[] = { META_PATHS, NULL };
	static const struct cache_kind bare = { .size = sizeof(struct meta), .wants = meta_wants };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].group, resource->group) == 0 &&
		    strcmp(kinds[i].plural, resource->plural) == 0)
			return &kinds[i];
	return &bare;
}

bool cache_decode(const struct cache_kind *kind, void *object, const struct json_span *found)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;
	const struct json_span *own = found + BEYOND_META;

	if (kind->decode_all &&
	    json_parse_without(own->p, own->len, "metadata.managedFields", &obj, NULL) < 0)
		return false;
	meta_decode(object, found);
	if (kind->decode_all)
		kind->decode_all(object, obj);
	else if (kind->decode)
		kind->decode(object, own);
	return true;
}

void cache_close(const struct cache_kind *kind, void *object)
{
	if (kind->close)
		kind->close(object);
	meta_close(object);
}
