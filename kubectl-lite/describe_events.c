#include <stdio.h>
#include <string.h>

#include "kubectl-lite/describe_text.h"
#include "kubectl-lite/event_list.h"
#include "kubectl-lite/session.h"

static void write_event(struct buf *b, const struct json_object *event)
{
	const char *component = json_str(json_get(event, "source"), "component");
	CLEANUP(mem_freep) char *message = event_message(event);

	buf_printf(b, "  %s\t%s\t", json_str_or_empty(event, "type"), json_str_or_empty(event, "reason"));
	event_write_age(b, event);
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
	char *fields =
	    mem_printf("involvedObject.kind=%s,involvedObject.name=%s%s%s%s%s", object->resource->kind_name,
		       object->name, object->namespace_ ? ",involvedObject.namespace=" : "",
		       object->namespace_ ? object->namespace_ : "",
		       node || !*uid ? "" : ",involvedObject.uid=", node ? "" : uid);

	if (event_list_get(object->namespace_, fields, &list, &err) < 0)
		session_failed(&err);
	if (!list.n)
		buf_str(b, "Events:\t<none>\n");
	else
		buf_str(b,
			"Events:\n  Type\tReason\tAge\tFrom\tMessage\n  ----\t------\t----\t----\t-------\n");
	for (size_t i = 0; i < list.n; i++)
		write_event(b, list.items[i]);
	event_list_close(&list);
}
