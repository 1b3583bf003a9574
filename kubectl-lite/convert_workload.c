#include <string.h>

#include "kubectl-lite/convert_rules.h"

/* A selector that was left out was the template's labels. apps/v1 wants it said. */
static void set_selector(struct json_object *spec, struct buf *notes)
{
	struct json_object *labels = json_path(spec, "template", "metadata", "labels", NULL);

	if (json_get(spec, "selector"))
		return;
	if (!json_object_is_type(labels, json_type_object) || json_object_object_length(labels) == 0) {
		buf_str(notes,
			"spec.selector: must be given, and the template has no labels to take it from\n");
		return;
	}
	json_set(json_ensure_object(spec, "selector"), "matchLabels", json_clone(labels));
	buf_str(notes, "spec.selector: set to the template's labels, ");
	json_write(notes, labels);
	buf_char(notes, '\n');
}

static void drop(struct json_object *spec, const char *member, const char *why, struct buf *notes)
{
	if (!json_get(spec, member))
		return;
	json_object_object_del(spec, member);
	buf_printf(notes, "spec.%s: left out, %s\n", member, why);
}

void convert_workload(struct json_object *obj, struct buf *notes)
{
	struct json_object *spec = json_ensure_object(obj, "spec");

	set_selector(spec, notes);
	drop(spec, "rollbackTo", "a rollback is asked for by `rollout undo`", notes);
	drop(spec, "templateGeneration", "nothing reads it any more", notes);
}

/* These versions replaced a pod only when somebody deleted it. */
static void keep_strategy(struct json_object *obj, struct buf *notes)
{
	struct json_object *spec = json_ensure_object(obj, "spec");

	if (json_get(spec, "updateStrategy"))
		return;
	json_set_str(json_ensure_object(spec, "updateStrategy"), "type", "OnDelete");
	buf_str(notes, "spec.updateStrategy.type: set to OnDelete, which was the default then; today it is "
		       "RollingUpdate\n");
}

void convert_daemon_set(struct json_object *obj, struct buf *notes)
{
	convert_workload(obj, notes);
	keep_strategy(obj, notes);
}

void convert_stateful_set(struct json_object *obj, struct buf *notes)
{
	convert_workload(obj, notes);
	keep_strategy(obj, notes);
}
