/* wait: until objects are as they should be, or gone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/target.h"
#include "lib/jsonpath.h"
#include "lib/timefmt.h"

static struct {
	struct string_list files;
	bool recursive, all, all_namespaces;
	const char *labels, *fields, *what;
	int64_t timeout_us;
} flags = { .timeout_us = 30 * 1000000LL };

static const struct flag wait_flags[] = {
	{ "for", 0, FLAG_STRING, &flags.what, "WHAT",
	  "delete, create, condition=TYPE[=STATUS] or jsonpath=PATH[=VALUE]", NULL, NULL },
	{ "timeout", 0, FLAG_DURATION, &flags.timeout_us, "DURATION",
	  "how long at most for each (default 30s)", NULL, NULL },
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE", "the objects named in files", NULL, NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	{ "selector", 'l', FLAG_STRING, &flags.labels, "LABELS", "objects with these labels", NULL, NULL },
	{ "field-selector", 0, FLAG_STRING, &flags.fields, "FIELDS", "objects with these fields", NULL,
	  NULL },
	{ "all", 0, FLAG_BOOL, &flags.all, NULL, "all objects of the type, in the namespace", NULL, NULL },
	{ "all-namespaces", 'A', FLAG_BOOL, &flags.all_namespaces, NULL, "in all namespaces", NULL, NULL },
	{ 0 },
};

enum wanted { WANT_DELETE, WANT_CREATE, WANT_CONDITION, WANT_JSONPATH };

struct goal {
	enum wanted wanted;
	char *type, *status;   /* of a condition */
	struct jsonpath *path; /* of WANT_JSONPATH */
	char *value;           /* NULL: any */
	bool reached;
};

static void goal_close(struct goal *goal)
{
	free(goal->type);
	free(goal->status);
	free(goal->value);
	jsonpath_free(goal->path);
}

/* "Ready=True" at TEXT. */
static void parse_condition(const char *text, struct goal *goal)
{
	const char *equals = strchr(text, '=');

	goal->wanted = WANT_CONDITION;
	goal->type = equals ? mem_dupn(text, (size_t)(equals - text)) : mem_dup(text);
	goal->status = mem_dup(equals ? equals + 1 : "true");
}

/* "{.status.phase}=Running" at TEXT; braces may be left out. */
static int parse_path(const char *text, struct goal *goal, struct err *err)
{
	const char *end = strchr(text, '}');
	const char *equals = strchr(end ? end : text, '=');
	CLEANUP(mem_freep) char *path = equals ? mem_dupn(text, (size_t)(equals - text)) : mem_dup(text);

	goal->wanted = WANT_JSONPATH;
	goal->value = equals ? mem_dup(equals + 1) : NULL;
	return jsonpath_parse_relaxed(path, &goal->path, err);
}

static int goal_parse(const char *text, struct goal *goal, struct err *err)
{
	if (strcasecmp(text, "delete") == 0) {
		goal->wanted = WANT_DELETE;
		return 0;
	}
	if (strcasecmp(text, "create") == 0) {
		goal->wanted = WANT_CREATE;
		return 0;
	}
	if (strncmp(text, "condition=", 10) == 0) {
		parse_condition(text + 10, goal);
		return 0;
	}
	if (strncmp(text, "jsonpath=", 9) == 0)
		return parse_path(text + 9, goal, err);
	return err_set(err, ERR_PARSE, "unrecognized condition: \"%s\"", text);
}

static bool condition_holds(const struct json_object *obj, const struct goal *goal)
{
	const struct json_object *conditions = json_path(obj, "status", "conditions", NULL);
	int64_t generation = json_int(json_get(obj, "metadata"), "generation", 0);

	for (size_t i = 0; i < json_len(conditions); i++) {
		const struct json_object *condition = json_at(conditions, i);
		if (strcasecmp(json_str_or_empty(condition, "type"), goal->type) != 0)
			continue;
		/* One that is about an older state says nothing about this one. */
		if (json_int(condition, "observedGeneration", generation) < generation)
			return false;
		return strcasecmp(json_str_or_empty(condition, "status"), goal->status) == 0;
	}
	return false;
}

static bool holds(const struct json_object *obj, const struct goal *goal)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	if (goal->wanted == WANT_CREATE)
		return true;
	if (goal->wanted == WANT_CONDITION)
		return condition_holds(obj, goal);
	if (goal->wanted != WANT_JSONPATH || jsonpath_write(goal->path, obj, false, &text, NULL) < 0)
		return false;
	return goal->value ? text.len && strcmp(text.data, goal->value) == 0 : text.len > 0;
}

static bool seen(const char *type, struct json_object *obj, void *arg)
{
	struct goal *goal = arg;

	if (strcmp(type, "BOOKMARK") == 0)
		return true;
	goal->reached = strcmp(type, "DELETED") == 0 ? goal->wanted == WANT_DELETE : holds(obj, goal);
	return !goal->reached;
}

/* Watches OBJECT until GOAL is reached. */
static int wait_for(const struct object *object, struct goal *goal, struct err *err)
{
	const char *revision = object_meta(object->value, "resourceVersion");
	int64_t until_us = time_mono_us() + flags.timeout_us;

	goal->reached = goal->wanted != WANT_DELETE && holds(object->value, goal);
	while (!goal->reached) {
		int64_t left_us = until_us - time_mono_us();
		if (left_us <= 0)
			return err_set(err, ERR_TIMEOUT, "timed out waiting for the condition");
		if (object_watch(object->resource, object->namespace_, object->name, revision, seen, goal,
				 left_us, err) == 0)
			continue;
		/* Watches end, and versions grow too old to go on from: once more from what there is. */
		if (err->kind != ERR_EXPIRED && err->kind != ERR_GONE && err->kind != ERR_CONNECTION)
			return -1;
		*err = ERR_INIT;
		revision = "0";
	}
	return 0;
}

static int wait_all(const struct objects *objects, struct goal *goal)
{
	int code = objects->bad > 0;

	for (size_t i = 0; i < objects->n; i++) {
		const struct object *object = &objects->items[i];
		struct err err = ERR_INIT;
		char text[400];
		target_text(object->resource, object->name, text, sizeof(text));
		if (wait_for(object, goal, &err) == 0) {
			printf("%s condition met\n", text);
			fflush(stdout);
			continue;
		}
		code = 1;
		if (err.kind == ERR_TIMEOUT)
			command_error("timed out waiting for the condition on %s/%s",
				      object->resource->plural, object->name);
		else
			session_failed(&err);
	}
	return code;
}

static int run_wait(char **args, size_t n_args)
{
	CLEANUP(goal_close) struct goal goal = { 0 };
	struct objects objects;
	struct err err = ERR_INIT;

	if (n_args == 0 && !flags.files.n)
		return command_no_objects();
	if (n_args == 1 && !strchr(args[0], '/') && !flags.labels && !flags.fields && !flags.all)
		return command_error("resource(s) were provided, but no name was specified");
	if (goal_parse(flags.what ? flags.what : "", &goal, &err) < 0)
		return session_failed(&err);
	struct objects_query query = { .args = args,
				       .n_args = n_args,
				       .files = &flags.files,
				       .recursive = flags.recursive,
				       .labels = flags.labels,
				       .fields = flags.fields,
				       .all_namespaces = flags.all_namespaces,
				       .fetch = true,
				       .ignore_not_found = goal.wanted == WANT_DELETE };
	if (objects_find(&query, &objects, &err) < 0)
		return session_failed(&err);
	int code = wait_all(&objects, &goal);
	if (!objects.n && !objects.bad && goal.wanted != WANT_DELETE)
		code = command_error("no matching resources found");
	objects_close(&objects);
	return code;
}

const struct command command_wait = {
	.name = "wait",
	.about = "Wait until objects are as they should be, or gone",
	.usage = "wait (TYPE NAME | TYPE/NAME... | -f FILE) --for=WHAT [flags]",
	.help = "Examples:\n"
		"  kubectl-lite wait --for=condition=Ready pod/web-0 --timeout=60s\n"
		"  kubectl-lite wait --for=jsonpath='{.status.phase}'=Running pod/web-0\n"
		"  kubectl-lite wait --for=delete pod -l app=web\n",
	.flags = wait_flags,
	.run = run_wait,
};
