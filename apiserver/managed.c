#include "apiserver/managed.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/view.h"
#include "lib/timefmt.h"

/* "kubectl" of "kubectl/v1.32.4 (linux/amd64)". */
static void manager_of_agent(struct request *r)
{
	const char *agent = request_header(r, "User-Agent");
	size_t len = agent ? strcspn(agent, "/") : 0, n = 0;

	for (size_t i = 0; i < len;) {
		size_t rune = (unsigned char)agent[i] < 0x80 ? 1 : buf_utf8_length(agent + i, len - i);
		bool printable = rune > 1 || (rune == 1 && isprint((unsigned char)agent[i]));
		if (printable && n + rune > MANAGED_NAME_MAX)
			break;
		if (printable)
			memcpy(r->manager + n, agent + i, rune);
		n += printable ? rune : 0;
		i += rune ? rune : 1;
	}
	r->manager[n] = '\0';
}

/* What a write through the subresource leaves alone (GetResetFields of Kubernetes' strategies). */
static const char *const *reset_paths(const struct request *r)
{
	static const char *const status[] = { "status", NULL };
	static const char *const spec[] = { "spec", NULL };
	static const char *const spec_and_labels[] = { "spec", "metadata.labels", NULL };
	const struct kind *kind = r->route.resource->stored->kind;

	if (!r->route.subresource)
		return kind->has_status ? status : NULL;
	if (strcmp(r->route.subresource->name, "status") != 0)
		return NULL;
	return kind->status_keeps_labels ? spec_and_labels : spec;
}

struct managed_writer managed_writer(struct request *r, char now[static TIMEFMT_SIZE])
{
	const char *manager = r->query.field_manager;

	if (!manager || !*manager) {
		manager_of_agent(r);
		manager = r->manager;
	}
	return (struct managed_writer){ .manager = manager,
					.api_version = r->route.resource->stored->group_version,
					.subresource = r->route.subresource ? r->route.subresource->name : "",
					.now = time_format(time_now_us(), now),
					.reset = reset_paths(r) };
}

void managed_write(struct request *r)
{
	char now[TIMEFMT_SIZE];
	const char *text = "", *only = NULL;
	size_t len = 0;

	if (r->has_managed)
		return;
	struct managed_writer writer = managed_writer(r, now);
	if (r->current)
		text = object_managed(r->current, &len);
	/* Of its status and scale nothing else changes: see admit.c. */
	if (r->route.subresource && r->old && strcmp(writer.subresource, "status") == 0)
		only = "status";
	r->has_managed = true;
	managed_fields_after_write(r->route.resource->stored->def, r->old, text, len, r->obj, only, &writer,
				   &r->managed);
}

void managed_write_path(struct request *r, const char *path)
{
	char now[TIMEFMT_SIZE];
	struct managed_writer writer = managed_writer(r, now);
	struct managed_fields fields;
	size_t len;
	const char *text = object_managed(r->current, &len);

	if (r->has_managed || !len || managed_fields_parse(text, len, &fields, NULL) < 0)
		return;
	managed_fields_take(&fields, path, &writer);
	managed_fields_write(&r->managed, &fields);
	r->has_managed = true;
	managed_fields_close(&fields);
}

struct json_object *managed_document(const struct request *r)
{
	struct json_object *doc = json_copy(r->old), *managed = NULL;
	size_t len;
	const char *text = object_managed(r->current, &len);

	if (len && json_parse(text, len, &managed, NULL, NULL) == 0)
		json_set(json_ensure_object(doc, "metadata"), "managedFields", managed);
	return doc;
}

bool managed_unchanged(const struct request *r)
{
	size_t len;
	const char *text = object_managed(r->current, &len);

	return !r->has_managed || managed_fields_same_but_times(text, len, r->managed.data, r->managed.len);
}

struct object *managed_object(struct request *r)
{
	const char *text = r->managed.data;
	size_t len = r->managed.len;

	if (!r->has_managed && r->current)
		text = object_managed(r->current, &len);
	return view_store(r->route.resource, r->obj, r->origin, text, len);
}

void managed_show(struct request *r, struct json_object *metadata)
{
	struct json_object *managed = NULL;

	managed_write(r);
	if (r->managed.len && json_parse(r->managed.data, r->managed.len, &managed, NULL, NULL) == 0)
		json_set(metadata, "managedFields", managed);
}

void managed_own(const struct resource *resource, const struct object *current, const char *subresource,
		 struct json_object *obj, struct buf *ret)
{
	static const char *const status[] = { "status", NULL };
	static const char *const spec[] = { "spec", NULL };
	CLEANUP(json_putp) struct json_object *old = current ? object_json(current) : NULL;
	char now[TIMEFMT_SIZE];
	struct managed_writer writer = { .manager = "kube-apiserver",
					 .api_version = resource->group_version,
					 .subresource = subresource,
					 .now = time_format(time_now_us(), now),
					 .reset = *subresource                 ? spec
						  : resource->kind->has_status ? status
									       : NULL };
	size_t len = 0;
	const char *text = current ? object_managed(current, &len) : "";

	managed_fields_after_write(resource->def, old, text, len, obj, *subresource ? subresource : NULL,
				   &writer, ret);
}
