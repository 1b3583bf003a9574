#include <stdio.h>
#include <string.h>

#include "kubectl-lite/describe_template.h"
#include "kubectl-lite/rollout.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/target.h"

static struct {
	struct string_list files;
	bool recursive;
	const char *labels;
	int64_t revision;
} flags;

static const struct flag history_flags[] = {
	{ "revision", 0, FLAG_INT, &flags.revision, "N", "show this revision's pod template", NULL, NULL },
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE", "the objects named in files", NULL, NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	{ "selector", 'l', FLAG_STRING, &flags.labels, "LABELS", "objects with these labels", NULL, NULL },
	{ 0 },
};

static const char *change_cause(const struct json_object *replica_set)
{
	const char *cause =
	    json_str(json_path(replica_set, "metadata", "annotations", NULL), "kubernetes.io/change-cause");

	return cause && *cause ? cause : "<none>";
}

/* Shown among the annotations, unless those are something that a server should not send. */
static void set_cause(struct json_object *metadata, const char *cause)
{
	struct json_object *annotations = json_ensure_object(metadata, "annotations");

	if (json_object_is_type(annotations, json_type_object))
		json_set_str(annotations, "kubernetes.io/change-cause", cause);
}

static int show_one(const char *text, const struct rollout_revisions *revisions, struct err *err)
{
	for (size_t i = 0; i < revisions->n; i++) {
		const struct rollout_revision *r = &revisions->items[i];
		CLEANUP(buf_close) struct buf b = BUF_INIT;
		if (r->number != flags.revision)
			continue;
		CLEANUP(json_putp)
		struct json_object *template =
		    json_clone(json_path(r->replica_set, "spec", "template", NULL));
		const char *cause = change_cause(r->replica_set);
		if (json_object_is_type(json_path(template, "metadata", NULL), json_type_object) &&
		    strcmp(cause, "<none>") != 0)
			set_cause(json_get(template, "metadata"), cause);
		describe_template(&b, template);
		printf("%s with revision #%lld\n%s\n", text, (long long)r->number, b.data);
		return 0;
	}
	return err_set(err, ERR_PARSE, "unable to find the specified revision");
}

static int show(const struct object *object, struct err *err)
{
	CLEANUP(rollout_revisions_close) struct rollout_revisions revisions = { 0 };
	char text[400];

	target_text(object->resource, object->name, text, sizeof(text));
	if (rollout_revisions(object, &revisions, err) < 0)
		return -1;
	if (flags.revision > 0)
		return show_one(text, &revisions, err);
	printf("%s \n", text);
	if (!revisions.n) {
		puts("No rollout history found.");
		return 0;
	}
	/* The widest number is far narrower than the heading. */
	puts("REVISION  CHANGE-CAUSE");
	for (size_t i = 0; i < revisions.n; i++)
		printf("%-10lld%s\n", (long long)revisions.items[i].number,
		       change_cause(revisions.items[i].replica_set));
	putchar('\n');
	return 0;
}

static int run_history(char **args, size_t n_args)
{
	struct objects objects;

	if (flags.revision < 0)
		return command_error("revision must be a positive integer: %lld", (long long)flags.revision);
	if (rollout_find("rollout history", args, n_args, &flags.files, flags.recursive, flags.labels,
			 &objects) < 0)
		return 1;
	int code = objects.bad > 0;
	for (size_t i = 0; i < objects.n; i++) {
		struct err err = ERR_INIT;
		if (show(&objects.items[i], &err) < 0)
			code = session_failed(&err);
	}
	objects_close(&objects);
	return code;
}

const struct command rollout_history = {
	.name = "history",
	.about = "List a deployment's revisions, or show one",
	.usage = "rollout history deployment/NAME [flags]",
	.flags = history_flags,
	.run = run_history,
};
