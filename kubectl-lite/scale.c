#include <stdio.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/dry_run.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/target.h"
#include "kubectl-lite/types.h"

static struct {
	struct string_list files;
	bool recursive, all, replicas_given;
	const char *labels, *dry_run;
	int64_t replicas, current;
} flags = { .current = -1 };

static const struct flag scale_flags[] = {
	{ "replicas", 0, FLAG_INT, &flags.replicas, "N", "how many to run (needed)", NULL,
	  &flags.replicas_given },
	{ "current-replicas", 0, FLAG_INT, &flags.current, "N",
	  "only if this many are wanted now; -1: whatever is", NULL, NULL },
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE", "the objects named in files", NULL, NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	{ "selector", 'l', FLAG_STRING, &flags.labels, "LABELS", "objects with these labels", NULL, NULL },
	{ "all", 0, FLAG_BOOL, &flags.all, NULL, "all objects of the type, in the namespace", NULL, NULL },
	{ "dry-run", 0, FLAG_STRING, &flags.dry_run, "WHERE",
	  "none, client (show only) or server (ask, but store nothing)", "unchanged", NULL },
	{ 0 },
};

/* Where a custom resource has its number only its definition knows. */
static int replicas_of(const struct object *object, int64_t *ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *part = NULL;
	const struct json_object *from = object->value;

	if (type_is_custom(object->resource)) {
		if (object_get_part(object->resource, object->namespace_, object->name, "scale", &part, err) <
		    0)
			return -1;
		from = part;
	}
	*ret = json_int(json_get(from, "spec"), "replicas", 1);
	return 0;
}

static int scale(const struct object *object, enum dry_run dry_run, struct err *err)
{
	CLEANUP(json_putp) struct json_object *patch = json_object_new_object();
	int64_t now;

	if (!resource_subresource(object->resource, "scale"))
		return err_set(err, ERR_PARSE, "%s cannot be scaled", object->resource->qualified);
	if (replicas_of(object, &now, err) < 0)
		return -1;
	if (flags.current >= 0 && now != flags.current)
		return err_set(err, ERR_PARSE, "Expected replicas to be %lld, was %lld",
			       (long long)flags.current, (long long)now);
	if (dry_run == DRY_RUN_CLIENT)
		return 0;
	json_set_int(json_ensure_object(patch, "spec"), "replicas", flags.replicas);
	/* With a condition the object must still be the one that was looked at. */
	if (flags.current >= 0)
		json_set_str(json_ensure_object(patch, "metadata"), "resourceVersion",
			     object_meta(object->value, "resourceVersion"));
	return object_patch(object->resource, object->namespace_, object->name, "scale",
			    dry_run == DRY_RUN_SERVER ? "dryRun=All" : NULL, "merge", patch, NULL, err);
}

static int run_scale(char **args, size_t n_args)
{
	struct objects_query query = { .args = args,
				       .n_args = n_args,
				       .files = &flags.files,
				       .recursive = flags.recursive,
				       .labels = flags.labels,
				       .fetch = true };
	struct objects objects;
	enum dry_run dry_run;
	struct err err = ERR_INIT;

	if (!flags.replicas_given)
		return command_error("required flag(s) \"replicas\" not set");
	if (flags.replicas < 0)
		return command_error(
		    "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0");
	if (n_args == 1 && !strchr(args[0], '/') && !flags.labels && !flags.all)
		return command_error("resource(s) were provided, but no name was specified");
	if (n_args == 0 && !flags.files.n)
		return command_no_objects();
	if (dry_run_parse(flags.dry_run, &dry_run, &err) < 0 || objects_find(&query, &objects, &err) < 0)
		return session_failed(&err);
	int code = objects.bad > 0;
	for (size_t i = 0; i < objects.n; i++) {
		char text[400];
		err = ERR_INIT;
		if (scale(&objects.items[i], dry_run, &err) < 0)
			code = session_failed(&err);
		else
			printf(
			    "%s scaled%s\n",
			    target_text(objects.items[i].resource, objects.items[i].name, text, sizeof(text)),
			    dry_run_suffix(dry_run));
	}
	if (!objects.n && !code)
		code = command_error("no objects passed to scale");
	objects_close(&objects);
	return code;
}

const struct command command_scale = {
	.name = "scale",
	.about = "Set how many replicas run",
	.usage = "scale --replicas=N (TYPE NAME | TYPE/NAME... | -f FILE) [flags]",
	.help = "Examples:\n"
		"  kubectl-lite scale --replicas=5 deployment/web\n"
		"  kubectl-lite scale --current-replicas=2 --replicas=3 deployment/web\n",
	.flags = scale_flags,
	.run = run_scale,
};
