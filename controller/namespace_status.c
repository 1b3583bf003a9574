#include "controller/namespace_status.h"

#include <stdlib.h>
#include <string.h>

#include "lib/timefmt.h"

void namespace_content_init(struct namespace_content *content)
{
	*content = (struct namespace_content){ json_object_new_object(), json_object_new_object(), BUF_INIT };
}

void namespace_content_close(struct namespace_content *content)
{
	json_putp(&content->remaining);
	json_putp(&content->finalizers);
	buf_close(&content->failures);
}

static void count(struct json_object *counts, const char *key, int64_t n)
{
	if (n > 0)
		json_set_int(counts, key, json_int(counts, key, 0) + n);
}

void namespace_content_add(struct namespace_content *content, const struct resource *resource,
			   const struct json_object *list)
{
	CLEANUP(mem_freep) char *key = mem_printf("%s.%s", resource->plural, resource->group);
	const struct json_object *items = json_get(list, "items");

	count(content->remaining, key,
	      (int64_t)json_len(items) + json_int(json_get(list, "metadata"), "remainingItemCount", 0));
	for (size_t i = 0; i < json_len(items); i++) {
		const struct json_object *finalizers =
		    json_path(json_at(items, i), "metadata", "finalizers", NULL);
		for (size_t k = 0; k < json_len(finalizers); k++)
			count(content->finalizers, json_object_get_string(json_at(finalizers, k)), 1);
	}
}

void namespace_content_fail(struct namespace_content *content, const char *message)
{
	if (content->failures.len)
		buf_str(&content->failures, ", ");
	buf_str(&content->failures, message);
}

bool namespace_content_empty(const struct namespace_content *content)
{
	return content->failures.len == 0 && json_object_object_length(content->remaining) == 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "INTRO: KEY MIDDLE N resource instances, ..." sorted; NULL when nothing is counted. */
static char *list_counts(const char *intro, const char *middle, struct json_object *counts)
{
	size_t n = 0, cap = (size_t)json_object_object_length(counts);
	CLEANUP(mem_freep) char **parts = mem_zalloc((cap + 1) * sizeof(*parts));
	struct buf text = BUF_INIT;

	if (cap == 0)
		return NULL;
	json_object_object_foreach(counts, key, value) parts[n++] =
	    mem_printf("%s %s %lld resource instances", key, middle, (long long)json_object_get_int64(value));
	qsort(parts, n, sizeof(*parts), by_text);
	buf_str(&text, intro);
	for (size_t i = 0; i < n; i++) {
		buf_printf(&text, "%s%s", i ? ", " : "", parts[i]);
		free(parts[i]);
	}
	return buf_take(&text);
}

static struct json_object *find(const struct json_object *conditions, const char *type)
{
	for (size_t i = 0; i < json_len(conditions); i++)
		if (strcmp(json_str_or_empty(json_at(conditions, i), "type"), type) == 0)
			return json_at(conditions, i);
	return NULL;
}

static bool set(struct json_object *conditions, const char *type, const char *status, const char *reason,
		const char *message, int64_t now_us)
{
	struct json_object *c = find(conditions, type);
	char now[TIMEFMT_SIZE];

	if (c && strcmp(json_str_or_empty(c, "status"), status) == 0 &&
	    strcmp(json_str_or_empty(c, "reason"), reason) == 0 &&
	    strcmp(json_str_or_empty(c, "message"), message) == 0)
		return false;
	if (!c) {
		c = json_object_new_object();
		json_set_str(c, "type", type);
		json_object_array_add(conditions, c);
	}
	if (strcmp(json_str_or_empty(c, "status"), status) != 0)
		json_set_str(c, "lastTransitionTime", time_format(now_us, now));
	json_set_str(c, "status", status);
	json_set_str(c, "reason", reason);
	json_set_str(c, "message", message);
	return true;
}

bool namespace_conditions(struct json_object *namespace_, const struct namespace_content *content,
			  int64_t now_us)
{
	struct json_object *conditions =
	    json_ensure_array(json_ensure_object(namespace_, "status"), "conditions");
	CLEANUP(mem_freep)
	char *remaining = list_counts("Some resources are remaining: ", "has", content->remaining);
	CLEANUP(mem_freep)
	char *finalizers = list_counts("Some content in the namespace has finalizers remaining: ", "in",
				       content->finalizers);
	const struct {
		const char *type, *ok_reason, *ok_message, *reason, *message; /* message NULL: well */
	} wanted[] = {
		{ "NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered",
		  "All resources successfully discovered", NULL, NULL },
		{ "NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions",
		  "All legacy kube types successfully parsed", NULL, NULL },
		{ "NamespaceDeletionContentFailure", "ContentDeleted",
		  "All content successfully deleted, may be waiting on finalization", "ContentDeletionFailed",
		  content->failures.len ? content->failures.data : NULL },
		{ "NamespaceContentRemaining", "ContentRemoved", "All content successfully removed",
		  "SomeResourcesRemain", remaining },
		{ "NamespaceFinalizersRemaining", "ContentHasNoFinalizers",
		  "All content-preserving finalizers finished", "SomeFinalizersRemain", finalizers },
	};
	bool changed = false;

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		changed |= wanted[i].message ? set(conditions, wanted[i].type, "True", wanted[i].reason,
						   wanted[i].message, now_us)
					     : set(conditions, wanted[i].type, "False", wanted[i].ok_reason,
						   wanted[i].ok_message, now_us);
	return changed;
}
