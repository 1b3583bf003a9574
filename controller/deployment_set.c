#include "controller/deployment_set.h"

#include <stdlib.h>
#include <string.h>

#include "controller/template.h"
#include "lib/mem.h"

/* What is a Deployment's own and not copied to its sets. */
static const char *const own_annotations[] = {
	"kubectl.kubernetes.io/last-applied-configuration",
	REVISION_ANNOTATION,
	REVISION_HISTORY_ANNOTATION,
	DESIRED_ANNOTATION,
	MAX_ANNOTATION,
	"deprecated.deployment.rollback.to",
};

int64_t deployment_revision(const char *revision_text)
{
	return revision_text ? strtoll(revision_text, NULL, 10) : 0;
}

static void set_number(struct json_object *annotations, const char *key, int64_t value)
{
	CLEANUP(mem_freep) char *text = mem_printf("%lld", (long long)value);

	json_set_str(annotations, key, text);
}

static struct json_object *copied_annotations(const struct cached_deployment *d)
{
	struct json_object *annotations = NULL;

	if (!d->annotations_json ||
	    json_parse(d->annotations_json, strlen(d->annotations_json), &annotations, NULL, NULL) < 0)
		return json_object_new_object();
	for (size_t i = 0; i < ARRAY_SIZE(own_annotations); i++)
		json_object_object_del(annotations, own_annotations[i]);
	return annotations;
}

static struct json_object *controller_reference(const struct cached_deployment *d)
{
	struct json_object *list = json_object_new_array(), *owner = json_object_new_object();

	json_set_str(owner, "apiVersion", "apps/v1");
	json_set_str(owner, "kind", "Deployment");
	json_set_str(owner, "name", d->meta.name);
	json_set_str(owner, "uid", d->meta.item.uid);
	json_set_bool(owner, "controller", true);
	json_set_bool(owner, "blockOwnerDeletion", true);
	json_object_array_add(list, owner);
	return list;
}

int deployment_set_body(const struct cached_deployment *d, int64_t replicas, int64_t max_replicas,
			int64_t revision, struct buf *b, char **ret_name, struct err *err)
{
	CLEANUP(json_putp) struct json_object *template = NULL, *selector = NULL;
	CLEANUP(json_putp) struct json_object *body = json_object_new_object();
	char hash[16];

	if (json_parse(d->template_json, strlen(d->template_json), &template, NULL, err) < 0 ||
	    json_parse(d->selector_json, strlen(d->selector_json), &selector, NULL, err) < 0)
		return -1;
	template_hash_label(template, d->collision_count, hash);
	struct json_object *labels = json_ensure_object(json_ensure_object(template, "metadata"), "labels");
	json_set_str(labels, "pod-template-hash", hash);
	json_set_str(json_ensure_object(selector, "matchLabels"), "pod-template-hash", hash);

	CLEANUP(mem_freep) char *name = mem_printf("%s-%s", d->meta.name, hash);
	struct json_object *metadata = json_ensure_object(body, "metadata"),
			   *spec = json_ensure_object(body, "spec");
	struct json_object *annotations = copied_annotations(d);
	set_number(annotations, REVISION_ANNOTATION, revision);
	set_number(annotations, DESIRED_ANNOTATION, d->replicas);
	set_number(annotations, MAX_ANNOTATION, max_replicas);
	json_set_str(body, "apiVersion", "apps/v1");
	json_set_str(body, "kind", "ReplicaSet");
	json_set_str(metadata, "name", name);
	json_set_str(metadata, "namespace", d->meta.namespace_);
	json_set(metadata, "labels", json_clone(labels));
	json_set(metadata, "annotations", annotations);
	json_set(metadata, "ownerReferences", controller_reference(d));
	json_set_int(spec, "replicas", replicas);
	if (d->min_ready_s)
		json_set_int(spec, "minReadySeconds", d->min_ready_s);
	json_set(spec, "selector", TAKE(selector));
	json_set(spec, "template", TAKE(template));
	json_write(b, body);
	*ret_name = TAKE(name);
	return 0;
}

static void begin_patch(const struct cached_replica_set *rs, struct buf *b)
{
	buf_str(b, "{\"metadata\":{\"uid\":");
	buf_json_string(b, rs->meta.item.uid);
	buf_str(b, ",\"annotations\":{");
}

void deployment_set_scale_patch(const struct cached_replica_set *rs, int64_t replicas, int64_t desired,
				int64_t max_replicas, struct buf *b)
{
	begin_patch(rs, b);
	buf_printf(b,
		   "\"" DESIRED_ANNOTATION "\":\"%lld\",\"" MAX_ANNOTATION
		   "\":\"%lld\"}},\"spec\":{\"replicas\":%lld}}",
		   (long long)desired, (long long)max_replicas, (long long)replicas);
}

/* D's annotations that RS lacks or has otherwise. Others of RS stay: they may be somebody else's. */
static struct json_object *differing_annotations(const struct cached_deployment *d,
						 const struct cached_replica_set *rs)
{
	struct json_object *wanted = copied_annotations(d);
	CLEANUP(json_putp) struct json_object *have = NULL;

	if (!rs->annotations_json ||
	    json_parse(rs->annotations_json, strlen(rs->annotations_json), &have, NULL, NULL) < 0)
		return wanted;
	json_object_object_foreach(
	    have, key, value) if (json_str(wanted, key) &&
				  strcmp(json_str(wanted, key), json_object_get_string(value)) == 0)
	    json_object_object_del(wanted, key);
	return wanted;
}

/* Revisions that it had before a rollback came back to it are kept. */
static void set_revision(const struct cached_replica_set *rs, int64_t revision,
			 struct json_object *annotations)
{
	CLEANUP(buf_close) struct buf history = BUF_INIT;

	set_number(annotations, REVISION_ANNOTATION, revision);
	if (!rs->revision_text)
		return;
	if (rs->revision_history)
		buf_printf(&history, "%s,", rs->revision_history);
	buf_str(&history, rs->revision_text);
	json_set_str(annotations, REVISION_HISTORY_ANNOTATION, history.data);
}

bool deployment_set_update_patch(const struct cached_deployment *d, const struct cached_replica_set *rs,
				 int64_t revision, struct buf *b)
{
	CLEANUP(json_putp) struct json_object *patch = json_object_new_object();
	struct json_object *annotations = differing_annotations(d, rs),
			   *metadata = json_ensure_object(patch, "metadata");

	if (deployment_revision(rs->revision_text) != revision)
		set_revision(rs, revision, annotations);
	bool differs = json_object_object_length(annotations) > 0 || rs->min_ready_s != d->min_ready_s;
	json_set_str(metadata, "uid", rs->meta.item.uid);
	json_set(metadata, "annotations", annotations);
	if (rs->min_ready_s != d->min_ready_s)
		json_set_int(json_ensure_object(patch, "spec"), "minReadySeconds", d->min_ready_s);
	json_write(b, patch);
	return differs;
}
