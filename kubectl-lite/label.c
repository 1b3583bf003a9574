/* label and annotate: set and take away labels, or annotations. */
#include <stdio.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/dry_run.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/target.h"

static struct {
	struct string_list files;
	bool recursive, all, all_namespaces, overwrite, list;
	const char *labels, *fields, *dry_run, *manager;
} flags;

static const struct flag label_flags[] = {
	{ "overwrite", 0, FLAG_BOOL, &flags.overwrite, NULL, "also change what has a value already", NULL,
	  NULL },
	{ "list", 0, FLAG_BOOL, &flags.list, NULL, "show what is set", NULL, NULL },
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE", "the objects named in files", NULL, NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	{ "selector", 'l', FLAG_STRING, &flags.labels, "LABELS", "objects with these labels", NULL, NULL },
	{ "field-selector", 0, FLAG_STRING, &flags.fields, "FIELDS", "objects with these fields", NULL,
	  NULL },
	{ "all", 0, FLAG_BOOL, &flags.all, NULL, "all objects of the type, in the namespace", NULL, NULL },
	{ "all-namespaces", 'A', FLAG_BOOL, &flags.all_namespaces, NULL, "in all namespaces", NULL, NULL },
	{ "field-manager", 0, FLAG_STRING, &flags.manager, "NAME", "who is to own the fields", NULL, NULL },
	{ "dry-run", 0, FLAG_STRING, &flags.dry_run, "WHERE",
	  "none, client (show only) or server (ask, but store nothing)", "unchanged", NULL },
	{ 0 },
};

/* What is set: metadata's MEMBER, and the words for it. */
struct marks {
	const char *member, *one, *done, *undone, *manager;
};
static const struct marks labels = { "labels", "label", "labeled", "unlabeled", "kubectl-label" };
static const struct marks annotations = { "annotations", "annotation", "annotated", "annotated",
					  "kubectl-annotate" };

/* The words KEY=VALUE and KEY- behind the objects. */
struct changes {
	char **words;
	size_t n;
};

static bool is_change(const char *word)
{
	size_t len = strlen(word);

	return strchr(word, '=') || (len > 1 && word[len - 1] == '-');
}

static int check_words(const struct changes *changes, const struct marks *marks, struct err *err)
{
	for (size_t i = 0; i < changes->n; i++)
		if (!is_change(changes->words[i]) || changes->words[i][0] == '=')
			return err_set(err, ERR_PARSE, "unknown %s spec: %s", marks->one, changes->words[i]);
	return 0;
}

/* The patch that makes CHANGES to OBJECT; *ret_sets when any sets a value. Fails when a value would be lost.
 */
static int make_patch(const struct object *object, const struct changes *changes, const struct marks *marks,
		      struct json_object *patch, bool *ret_sets, struct err *err)
{
	const struct json_object *had = json_path(object->value, "metadata", marks->member, NULL);
	struct json_object *set = json_ensure_object(json_ensure_object(patch, "metadata"), marks->member);

	for (size_t i = 0; i < changes->n; i++) {
		const char *equals = strchr(changes->words[i], '=');
		size_t len = equals ? (size_t)(equals - changes->words[i]) : strlen(changes->words[i]) - 1;
		CLEANUP(mem_freep) char *key = mem_dupn(changes->words[i], len);
		const char *value = json_str(had, key);
		if (!equals && !value) {
			printf("%s \"%s\" not found.\n", marks->one, key);
		} else if (!equals) {
			json_object_object_add(set, key, NULL);
		} else if (value && strcmp(value, equals + 1) != 0 && !flags.overwrite) {
			return err_set(err, ERR_PARSE,
				       "'%s' already has a value (%s), and --overwrite is false", key, value);
		} else if (!value || strcmp(value, equals + 1) != 0) {
			json_set_str(set, key, equals + 1);
			*ret_sets = true;
		}
	}
	return 0;
}

static int mark(const struct object *object, const struct changes *changes, const struct marks *marks,
		enum dry_run dry_run, const char **ret_done, struct err *err)
{
	CLEANUP(json_putp) struct json_object *patch = json_object_new_object();
	CLEANUP(buf_close) struct buf query = BUF_INIT;
	bool sets = false;

	if (make_patch(object, changes, marks, patch, &sets, err) < 0)
		return -1;
	if (!json_object_object_length(json_path(patch, "metadata", marks->member, NULL))) {
		*ret_done = marks == &labels ? "not labeled" : marks->done;
		return 0;
	}
	*ret_done = sets ? marks->done : marks->undone;
	if (dry_run == DRY_RUN_CLIENT)
		return 0;
	buf_str(&query, dry_run == DRY_RUN_SERVER ? "dryRun=All&fieldManager=" : "fieldManager=");
	buf_url_encode(&query, flags.manager ? flags.manager : marks->manager);
	return object_patch(object->resource, object->namespace_, object->name, NULL, query.data, "merge",
			    patch, NULL, err);
}

static void show(const struct object *object, const struct marks *marks)
{
	struct json_object *set = json_path(object->value, "metadata", marks->member, NULL);

	if (!set)
		return;
	json_object_object_foreach(set, key, value)
	{
		(void)value;
		printf("%s=%s\n", key, json_str_or_empty(set, key));
	}
}

static int run_all(const struct objects *objects, const struct changes *changes, const struct marks *marks,
		   enum dry_run dry_run)
{
	int code = objects->bad > 0;

	for (size_t i = 0; i < objects->n; i++) {
		struct err err = ERR_INIT;
		const char *done;
		char text[400];
		if (flags.list) {
			show(&objects->items[i], marks);
			continue;
		}
		if (mark(&objects->items[i], changes, marks, dry_run, &done, &err) < 0)
			code = session_failed(&err);
		else
			printf("%s %s%s\n",
			       target_text(objects->items[i].resource, objects->items[i].name, text,
					   sizeof(text)),
			       done, dry_run_suffix(dry_run));
	}
	return code;
}

static int run(char **args, size_t n_args, const struct marks *marks)
{
	struct changes changes;
	struct objects objects;
	enum dry_run dry_run;
	struct err err = ERR_INIT;
	size_t n = 0;

	while (n < n_args && !is_change(args[n]))
		n++;
	changes = (struct changes){ args + n, n_args - n };
	if (n == 0 && !flags.files.n)
		return command_error(
		    "one or more resources must be specified as <resource> <name> or <resource>/<name>");
	if (!changes.n && !flags.list)
		return command_error("at least one %s update is required", marks->one);
	if (n == 1 && !strchr(args[0], '/') && !flags.labels && !flags.fields && !flags.all)
		return command_error("resource(s) were provided, but no name was specified");
	struct objects_query query = { .args = args,
				       .n_args = n,
				       .files = &flags.files,
				       .recursive = flags.recursive,
				       .labels = flags.labels,
				       .fields = flags.fields,
				       .all_namespaces = flags.all_namespaces,
				       .fetch = true };
	if (check_words(&changes, marks, &err) < 0 || dry_run_parse(flags.dry_run, &dry_run, &err) < 0 ||
	    objects_find(&query, &objects, &err) < 0)
		return session_failed(&err);
	int code = run_all(&objects, &changes, marks, dry_run);
	objects_close(&objects);
	return code;
}

static int run_label(char **args, size_t n_args)
{
	return run(args, n_args, &labels);
}

static int run_annotate(char **args, size_t n_args)
{
	return run(args, n_args, &annotations);
}

const struct command command_label = {
	.name = "label",
	.about = "Set and take away labels",
	.usage = "label (TYPE NAME | TYPE/NAME... | -f FILE) KEY=VALUE... KEY-... [flags]",
	.help = "Examples:\n"
		"  kubectl-lite label pod web-0 tier=gold\n"
		"  kubectl-lite label --overwrite pods --all tier=tin\n"
		"  kubectl-lite label pod web-0 tier-            # takes it away\n",
	.flags = label_flags,
	.run = run_label,
};

const struct command command_annotate = {
	.name = "annotate",
	.about = "Set and take away annotations",
	.usage = "annotate (TYPE NAME | TYPE/NAME... | -f FILE) KEY=VALUE... KEY-... [flags]",
	.help = "Examples:\n"
		"  kubectl-lite annotate deployment web kubernetes.io/change-cause='new image'\n"
		"  kubectl-lite annotate pod web-0 note-         # takes it away\n",
	.flags = label_flags,
	.run = run_annotate,
};
