/* Deployments and replica sets. */
#include <string.h>

#include "kubectl-lite/describe_template.h"
#include "kubectl-lite/describe_text.h"
#include "kubectl-lite/rollout.h"
#include "kubectl-lite/session.h"
#include "lib/selector.h"

static void write_selector(struct buf *b, const struct json_object *label_selector)
{
	CLEANUP(selector_close) struct selector selector = { 0 };
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	if (selector_from_json(label_selector, &selector, NULL) == 0)
		selector_write(&text, &selector);
	buf_printf(b, "Selector:\t%s\n", text.len ? text.data : "<none>");
}

static long long count(const struct json_object *obj, const char *key)
{
	return json_int(obj, key, 0);
}

static void write_strategy(struct buf *b, const struct json_object *spec)
{
	const struct json_object *rolling = json_path(spec, "strategy", "rollingUpdate", NULL);
	struct json_object *unavailable = json_get(rolling, "maxUnavailable"),
			   *surge = json_get(rolling, "maxSurge");

	buf_printf(b, "StrategyType:\t%s\nMinReadySeconds:\t%lld\n",
		   json_str_or_empty(json_get(spec, "strategy"), "type"), count(spec, "minReadySeconds"));
	if (rolling)
		buf_printf(b, "RollingUpdateStrategy:\t%s max unavailable, %s max surge\n",
			   unavailable ? json_object_get_string(unavailable) : "0",
			   surge ? json_object_get_string(surge) : "0");
}

/* Whether REPLICA_SET is of DEPLOYMENT's present template. */
static bool is_new(const struct json_object *replica_set, const struct json_object *deployment)
{
	CLEANUP(json_putp)
	struct json_object *template = json_clone(json_path(replica_set, "spec", "template", NULL));
	struct json_object *labels = json_path(template, "metadata", "labels", NULL);

	if (json_object_is_type(labels, json_type_object))
		json_object_object_del(labels, "pod-template-hash");
	return json_equal(template, json_path(deployment, "spec", "template", NULL));
}

static void write_replica_set(struct buf *b, const struct json_object *replica_set, const char *separator)
{
	buf_printf(b, "%s%s (%lld/%lld replicas created)", separator, object_meta(replica_set, "name"),
		   count(json_get(replica_set, "status"), "replicas"),
		   (long long)json_int(json_get(replica_set, "spec"), "replicas", 1));
}

static void write_replica_sets(struct buf *b, const struct object *object)
{
	CLEANUP(rollout_revisions_close) struct rollout_revisions revisions = { 0 };
	CLEANUP(buf_close) struct buf old = BUF_INIT, new = BUF_INIT;
	struct err err = ERR_INIT;

	if (rollout_revisions(object, &revisions, &err) < 0)
		session_failed(&err);
	for (size_t i = 0; i < revisions.n; i++) {
		struct buf *to =
		    !new.len &&is_new(revisions.items[i].replica_set, object->value) ? &new : &old;
		write_replica_set(to, revisions.items[i].replica_set, to->len ? ", " : "");
	}
	buf_printf(b, "OldReplicaSets:\t%s\nNewReplicaSet:\t%s\n", old.len ? old.data : "<none>",
		   new.len ? new.data : "<none>");
}

void describe_deployment(struct buf *b, const struct object *object)
{
	const struct json_object *obj = object->value, *metadata = json_get(obj, "metadata");
	const struct json_object *spec = json_get(obj, "spec"), *status = json_get(obj, "status");
	const struct json_object *conditions = json_get(status, "conditions");
	char time[64];

	buf_printf(b, "Name:\t%s\nNamespace:\t%s\nCreationTimestamp:\t%s\n", object_meta(obj, "name"),
		   object_meta(obj, "namespace"),
		   describe_time(json_str(metadata, "creationTimestamp"), time, sizeof(time)));
	describe_labels(b, "Labels", json_get(metadata, "labels"));
	describe_annotations(b, "Annotations", json_get(metadata, "annotations"));
	write_selector(b, json_get(spec, "selector"));
	buf_printf(
	    b, "Replicas:\t%lld desired | %lld updated | %lld total | %lld available | %lld unavailable\n",
	    (long long)json_int(spec, "replicas", 1), count(status, "updatedReplicas"),
	    count(status, "replicas"), count(status, "availableReplicas"),
	    count(status, "unavailableReplicas"));
	write_strategy(b, spec);
	describe_template(b, json_get(spec, "template"));
	if (json_len(conditions))
		buf_str(b, "Conditions:\n  Type\tStatus\tReason\n  ----\t------\t------\n");
	for (size_t i = 0; i < json_len(conditions); i++) {
		const struct json_object *c = json_at(conditions, i);
		buf_printf(b, "  %s \t%s\t%s\n", json_str_or_empty(c, "type"), json_str_or_empty(c, "status"),
			   json_str_or_empty(c, "reason"));
	}
	write_replica_sets(b, object);
	describe_events(b, object);
}

struct pod_counts {
	const char *owner_uid;
	unsigned running, waiting, succeeded, failed;
};

static bool count_pod(struct json_object *pod, void *arg)
{
	struct pod_counts *counts = arg;
	const struct json_object *owners = json_path(pod, "metadata", "ownerReferences", NULL);
	const char *phase = json_str_or_empty(json_get(pod, "status"), "phase");

	for (size_t i = 0; i < json_len(owners); i++) {
		if (strcmp(json_str_or_empty(json_at(owners, i), "uid"), counts->owner_uid) != 0)
			continue;
		counts->running += strcmp(phase, "Running") == 0;
		counts->waiting += strcmp(phase, "Pending") == 0;
		counts->succeeded += strcmp(phase, "Succeeded") == 0;
		counts->failed += strcmp(phase, "Failed") == 0;
	}
	return true;
}

void describe_replica_set(struct buf *b, const struct object *object)
{
	const struct json_object *obj = object->value, *metadata = json_get(obj, "metadata"),
				 *spec = json_get(obj, "spec");
	struct pod_counts counts = { .owner_uid = object_meta(obj, "uid") };
	struct err err = ERR_INIT;
	char owner[400];

	buf_printf(b, "Name:\t%s\nNamespace:\t%s\n", object_meta(obj, "name"), object_meta(obj, "namespace"));
	write_selector(b, json_get(spec, "selector"));
	describe_labels(b, "Labels", json_get(metadata, "labels"));
	describe_annotations(b, "Annotations", json_get(metadata, "annotations"));
	if (describe_controller(obj, owner, sizeof(owner)))
		buf_printf(b, "Controlled By:\t%s\n", owner);
	buf_printf(b, "Replicas:\t%lld current / %lld desired\n", count(json_get(obj, "status"), "replicas"),
		   (long long)json_int(spec, "replicas", 1));
	if (object_list(resource_find("", "v1", "pods"), object->namespace_, NULL, count_pod, &counts, &err) <
	    0)
		buf_printf(b, "Pods Status:\terror in fetching pods: %s\n", err.msg);
	else
		buf_printf(b, "Pods Status:\t%u Running / %u Waiting / %u Succeeded / %u Failed\n",
			   counts.running, counts.waiting, counts.succeeded, counts.failed);
	describe_template(b, json_get(spec, "template"));
	describe_events(b, object);
}
