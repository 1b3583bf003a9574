#include "kubectl-lite/event_list.h"

#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/describe_text.h"

static bool add_event(struct json_object *obj, void *arg)
{
	struct event_list *list = arg;

	list->items = mem_realloc_array(list->items, list->n + 1, sizeof(struct json_object *));
	list->items[list->n++] = json_object_get(obj);
	return true;
}

/* When it was seen last: of a series, of an event that counts, of one that has a time only. */
static const char *last_time(const struct json_object *event)
{
	const char *last = json_str(json_get(event, "series"), "lastObservedTime");

	if (!last)
		last = json_str(event, "lastTimestamp");
	return last ? last : json_str_or_empty(event, "eventTime");
}

static int by_last_time(const void *x, const void *y)
{
	const struct json_object *a = *(struct json_object *const *)x, *b = *(struct json_object *const *)y;
	int order = strcmp(last_time(a), last_time(b));

	return order ? order : strcmp(object_meta(a, "name"), object_meta(b, "name"));
}

int event_list_get(const char *namespace_, const char *fields, struct event_list *ret, struct err *err)
{
	CLEANUP(buf_close) struct buf query = BUF_INIT;
	struct event_list list = { 0 };

	if (fields) {
		buf_str(&query, "fieldSelector=");
		buf_url_encode(&query, fields);
	}
	if (object_list_at(resource_find("", "v1", "events"), namespace_, query.data, add_event, &list,
			   &list.revision, err) < 0) {
		event_list_close(&list);
		return -1;
	}
	if (list.n)
		qsort(list.items, list.n, sizeof(*list.items), by_last_time);
	*ret = list;
	return 0;
}

void event_list_close(struct event_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		json_object_put(list->items[i]);
	free(list->items);
	*list = (struct event_list){ 0 };
}

void event_write_age(struct buf *b, const struct json_object *event)
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

char *event_message(const struct json_object *event)
{
	const char *text = json_str_or_empty(event, "message");

	text += strspn(text, " \t\r\n");
	size_t len = strlen(text);
	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	return mem_dupn(text, len);
}
