#include <stdio.h>
#include <string.h>

#include "kubectl-lite/dry_run.h"
#include "kubectl-lite/rollout.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/target.h"

static struct {
	struct string_list files;
	bool recursive;
	const char *labels, *dry_run;
	int64_t revision;
} flags;

static const struct flag undo_flags[] = {
	{ "to-revision", 0, FLAG_INT, &flags.revision, "N",
	  "the revision to go back to (default 0: the one before)", NULL, NULL },
	{ "dry-run", 0, FLAG_STRING, &flags.dry_run, "WHERE",
	  "none, client (show only) or server (ask, but store nothing)", "unchanged", NULL },
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE", "the objects named in files", NULL, NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	{ "selector", 'l', FLAG_STRING, &flags.labels, "LABELS", "objects with these labels", NULL, NULL },
	{ 0 },
};

/* The template that REVISION rolled out, without what the controller added. */
static struct json_object *template_of(const struct rollout_revision *revision)
{
	struct json_object *template = json_clone(json_path(revision->replica_set, "spec", "template", NULL));
	struct json_object *labels = json_path(template, "metadata", "labels", NULL);

	if (json_object_is_type(labels, json_type_object))
		json_object_object_del(labels, "pod-template-hash");
	return template;
}

/* The revision to go back to. */
static const struct rollout_revision *choose(const struct object *object,
					     const struct rollout_revisions *revisions, struct err *err)
{
	if (flags.revision == 0) {
		if (revisions->n >= 2)
			return &revisions->items[revisions->n - 2];
		err_set(err, ERR_PARSE, "no rollout history found for deployment \"%s\"", object->name);
		return NULL;
	}
	for (size_t i = 0; i < revisions->n; i++)
		if (revisions->items[i].number == flags.revision)
			return &revisions->items[i];
	err_set(err, ERR_PARSE, "unable to find specified revision %lld in history",
		(long long)flags.revision);
	return NULL;
}

static bool is_own_annotation(const char *key)
{
	static const char *const own[] = {
		"kubectl.kubernetes.io/last-applied-configuration",
		"deployment.kubernetes.io/revision",
		"deployment.kubernetes.io/revision-history",
		"deployment.kubernetes.io/desired-replicas",
		"deployment.kubernetes.io/max-replicas",
		"deprecated.deployment.rollback.to",
	};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (strcmp(own[i], key) == 0)
			return true;
	return false;
}

static void add_operation(struct json_object *patch, const char *path, struct json_object *value_taken)
{
	struct json_object *op = json_object_new_object();

	json_set_str(op, "op", "replace");
	json_set_str(op, "path", path);
	json_set(op, "value", value_taken);
	json_object_array_add(patch, op);
}

/* The template, and those annotations that told of the revision (its change cause); the deployment keeps its
 * own. */
static struct json_object *make_patch(const struct object *object, const struct rollout_revision *revision,
				      struct json_object *template)
{
	struct json_object *patch = json_object_new_array(), *annotations = json_object_new_object();
	struct json_object *mine = json_path(object->value, "metadata", "annotations", NULL);
	struct json_object *theirs = json_path(revision->replica_set, "metadata", "annotations", NULL);

	if (json_object_is_type(mine, json_type_object)) {
		json_object_object_foreach(mine, key, value) if (is_own_annotation(key))
		    json_object_object_add(annotations, key, json_object_get(value));
	}
	if (json_object_is_type(theirs, json_type_object)) {
		json_object_object_foreach(theirs, key, value) if (!is_own_annotation(key))
		    json_object_object_add(annotations, key, json_object_get(value));
	}
	add_operation(patch, "/spec/template", json_object_get(template));
	/* "replace" needs something to replace. */
	if (mine)
		add_operation(patch, "/metadata/annotations", annotations);
	else
		json_object_put(annotations);
	return patch;
}

static int undo(const struct object *object, enum dry_run dry_run, struct err *err)
{
	CLEANUP(rollout_revisions_close) struct rollout_revisions revisions = { 0 };
	char text[400];

	target_text(object->resource, object->name, text, sizeof(text));
	if (rollout_revisions(object, &revisions, err) < 0)
		return -1;
	const struct rollout_revision *to = choose(object, &revisions, err);
	if (!to)
		return -1;
	if (json_boolean(json_get(object->value, "spec"), "paused", false))
		return err_set(err, ERR_PARSE,
			       "you cannot rollback a paused deployment; resume it first with 'kubectl "
			       "rollout resume' and try again");
	CLEANUP(json_putp) struct json_object *template = template_of(to);
	if (json_equal(template, json_path(object->value, "spec", "template", NULL))) {
		printf("%s skipped rollback (current template already matches revision %lld)\n", text,
		       (long long)to->number);
		return 0;
	}
	CLEANUP(json_putp) struct json_object *patch = make_patch(object, to, template);
	if (dry_run != DRY_RUN_CLIENT &&
	    object_patch(object->resource, object->namespace_, object->name, NULL,
			 dry_run == DRY_RUN_SERVER ? "dryRun=All" : NULL, "json", patch, NULL, err) < 0)
		return err_wrap(err, "failed restoring revision %lld", (long long)to->number);
	printf("%s rolled back%s\n", text, dry_run_suffix(dry_run));
	return 0;
}

static int run_undo(char **args, size_t n_args)
{
	struct objects objects;
	enum dry_run dry_run;
	struct err err = ERR_INIT;

	if (dry_run_parse(flags.dry_run, &dry_run, &err) < 0)
		return session_failed(&err);
	if (flags.revision < 0)
		return command_error("revision must be a positive integer: %lld", (long long)flags.revision);
	if (rollout_find("rollout undo", args, n_args, &flags.files, flags.recursive, flags.labels,
			 &objects) < 0)
		return 1;
	int code = objects.bad > 0;
	for (size_t i = 0; i < objects.n; i++) {
		err = ERR_INIT;
		if (undo(&objects.items[i], dry_run, &err) < 0)
			code = session_failed(&err);
	}
	objects_close(&objects);
	return code;
}

const struct command rollout_undo = {
	.name = "undo",
	.about = "Go back to an earlier revision",
	.usage = "rollout undo deployment/NAME [flags]",
	.help = "Examples:\n"
		"  kubectl-lite rollout undo deployment/web\n"
		"  kubectl-lite rollout undo deployment/web --to-revision 3\n",
	.flags = undo_flags,
	.run = run_undo,
};
