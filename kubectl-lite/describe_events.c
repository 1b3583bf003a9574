#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/describe_text.h"
#include "kubectl-lite/session.h"
#include "lib/timefmt.h"

struct event_list {
	struct json_object **items;
	size_t n;
};

static bool add_event(struct json_object *obj, void *arg)
{
	struct event_list *list = arg;

	list->items = mem_realloc_array(list->items, list->n + 1, sizeof(struct json_object *));
	list->items[list->n++] = json_object_get(obj);
	return true;
}

static int by_last_time(const void *x, const void *y)
{
	const struct json_object *a = *(struct json_object *const *)x, *b = *(struct json_object *const *)y;
	int order = strcmp(json_str_or_empty(a, "lastTimestamp"), json_str_or_empty(b, "lastTimestamp"));

	return order ? order : strcmp(object_meta(a, "name"), object_meta(b, "name"));
}

static void write_age(struct buf *b, const struct json_object *event)
{
	const struct json_object *series = json_get(event, "series");
	const char *first = json_str(event, "firstTimestamp"), *last = json_str(event, "lastTimestamp");
	int64_t count = json_int(event, "count", 1);
	char first_age[32], last_age[32];

	if (!first)
		first = json_str(event, "eventTime");
	if (series) {
		last = json_str(series, "lastObservedTime");
		count = json_int(series, "count", 2);
	}
	describe_age(first, first_age, sizeof(first_age));
	if (count > 1)
		buf_printf(b, "%s (x%lld over %s)", describe_age(last, last_age, sizeof(last_age)),
			   (long long)count, first_age);
	else
		buf_str(b, first_age);
}

static void write_event(struct buf *b, const struct json_object *event)
{
	const char *component = json_str(json_get(event, "source"), "component");
	CLEANUP(mem_freep) char *message = mem_dup(json_str_or_empty(event, "message"));
	size_t len = strlen(message);

	while (len && (message[len - 1] == '\n' || message[len - 1] == ' '))
		message[--len] = '\0';
	buf_printf(b, "  %s\t%s\t", json_str_or_empty(event, "type"), json_str_or_empty(event, "reason"));
	write_age(b, event);
	buf_printf(b, "\t%s\t%s\n", component ? component : json_str_or_empty(event, "reportingComponent"),
		   message);
}

void describe_events(struct buf *b, const struct object *object)
{
	struct event_list list = { 0 };
	struct err err = ERR_INIT;
	const char *uid = object_meta(object->value, "uid");
	bool node = strcmp(object->resource->kind_name, "Node") == 0;
	/* Agents name their node by its name, not its uid. */
	CLEANUP(mem_freep)
	char *selector =
	    mem_printf("involvedObject.kind=%s,involvedObject.name=%s%s%s%s%s", object->resource->kind_name,
		       object->name, object->namespace_ ? ",involvedObject.namespace=" : "",
		       object->namespace_ ? object->namespace_ : "",
		       node || !*uid ? "" : ",involvedObject.uid=", node ? "" : uid);
	CLEANUP(buf_close) struct buf query = BUF_INIT;

	buf_str(&query, "fieldSelector=");
	buf_url_encode(&query, selector);
	if (object_list(resource_find("", "v1", "events"), object->namespace_, query.data, add_event, &list,
			&err) < 0)
		session_failed(&err);
	if (!list.n)
		buf_str(b, "Events:\t<none>\n");
	else
		buf_str(b,
			"Events:\n  Type\tReason\tAge\tFrom\tMessage\n  ----\t------\t----\t----\t-------\n");
	if (list.n)
		qsort(list.items, list.n, sizeof(*list.items), by_last_time);
	for (size_t i = 0; i < list.n; i++) {
		write_event(b, list.items[i]);
		json_object_put(list.items[i]);
	}
	free(list.items);
}
