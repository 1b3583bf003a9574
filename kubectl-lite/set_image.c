#include <stdio.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/dry_run.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/target.h"

static struct {
	struct string_list files;
	bool recursive, all;
	const char *labels, *dry_run;
} flags;

static const struct flag image_flags[] = {
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE", "the objects named in files", NULL, NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	{ "selector", 'l', FLAG_STRING, &flags.labels, "LABELS", "objects with these labels", NULL, NULL },
	{ "all", 0, FLAG_BOOL, &flags.all, NULL, "all objects of the type, in the namespace", NULL, NULL },
	{ "dry-run", 0, FLAG_STRING, &flags.dry_run, "WHERE",
	  "none, client (show only) or server (ask, but store nothing)", "unchanged", NULL },
	{ 0 },
};

/* The pod spec within OBJ, and in PATCH the object that stands at its place, made on the way; NULL when the
 * kind has none. */
static const struct json_object *pod_spec(const struct object *object, struct json_object *patch,
					  struct json_object **ret_patch_spec)
{
	struct json_object *spec = json_get(object->value, "spec"),
			   *patch_spec = json_ensure_object(patch, "spec");

	if (strcmp(object->resource->kind_name, "Pod") != 0) {
		spec = json_path(spec, "template", "spec", NULL);
		patch_spec = json_ensure_object(json_ensure_object(patch_spec, "template"), "spec");
	}
	*ret_patch_spec = patch_spec;
	return spec;
}

/* Adds to PATCH_SPEC the containers under KEY that the word NAME=IMAGE means and that have another image.
 * True when any is meant. */
static bool set_in(const struct json_object *spec, const char *key, const char *name, size_t name_len,
		   const char *image, struct json_object *patch_spec, bool *ret_changed)
{
	const struct json_object *containers = json_get(spec, key);
	bool any = false;

	for (size_t i = 0; i < json_len(containers); i++) {
		const struct json_object *container = json_at(containers, i);
		const char *its_name = json_str_or_empty(container, "name");
		if (!(name_len == 1 && *name == '*') &&
		    (strncmp(its_name, name, name_len) != 0 || its_name[name_len]))
			continue;
		any = true;
		if (strcmp(json_str_or_empty(container, "image"), image) == 0)
			continue;
		struct json_object *change = json_object_new_object();
		json_set_str(change, "name", its_name);
		json_set_str(change, "image", image);
		json_object_array_add(json_ensure_array(patch_spec, key), change);
		*ret_changed = true;
	}
	return any;
}

static int set_images(const struct object *object, char **words, size_t n_words, enum dry_run dry_run,
		      bool *ret_changed, struct err *err)
{
	CLEANUP(json_putp) struct json_object *patch = json_object_new_object();
	struct json_object *patch_spec;
	const struct json_object *spec = pod_spec(object, patch, &patch_spec);
	bool changed = false;

	if (!spec)
		return err_set(err, ERR_PARSE, "%s/%s has no containers", object->resource->plural,
			       object->name);
	for (size_t i = 0; i < n_words; i++) {
		const char *equals = strchr(words[i], '=');
		size_t len = (size_t)(equals - words[i]);
		bool init = set_in(spec, "initContainers", words[i], len, equals + 1, patch_spec, &changed);
		if (!set_in(spec, "containers", words[i], len, equals + 1, patch_spec, &changed) && !init)
			return err_set(err, ERR_PARSE, "unable to find container named \"%.*s\"", (int)len,
				       words[i]);
	}
	if (changed && dry_run != DRY_RUN_CLIENT &&
	    object_patch(object->resource, object->namespace_, object->name, NULL,
			 dry_run == DRY_RUN_SERVER ? "dryRun=All&fieldManager=kubectl-set"
						   : "fieldManager=kubectl-set",
			 "strategic-merge", patch, NULL, err) < 0)
		return -1;
	*ret_changed = changed;
	return 0;
}

static int run_all(const struct objects *objects, char **words, size_t n_words, enum dry_run dry_run)
{
	int code = objects->bad > 0;

	for (size_t i = 0; i < objects->n; i++) {
		struct err err = ERR_INIT;
		char text[400];
		bool changed = false;
		if (set_images(&objects->items[i], words, n_words, dry_run, &changed, &err) < 0)
			code = session_failed(&err);
		else if (changed)
			printf("%s image updated%s\n",
			       target_text(objects->items[i].resource, objects->items[i].name, text,
					   sizeof(text)),
			       dry_run_suffix(dry_run));
	}
	return code;
}

static int run_image(char **args, size_t n_args)
{
	struct objects objects;
	enum dry_run dry_run;
	struct err err = ERR_INIT;
	size_t n = 0;

	/* Objects first, then NAME=IMAGE. */
	while (n < n_args && !strchr(args[n], '='))
		n++;
	for (size_t i = n; i < n_args; i++)
		if (!strchr(args[i], '=') || args[i][0] == '=')
			return command_error("all images must be NAME=IMAGE, after the objects: %s is not",
					     args[i]);
	if (n == 0 && !flags.files.n)
		return command_error(
		    "one or more resources must be specified as <resource> <name> or <resource>/<name>");
	if (n == n_args)
		return command_error("at least one image update is required");
	if (n == 1 && !strchr(args[0], '/') && !flags.labels && !flags.all)
		return command_error(
		    "one or more resources must be specified as <resource> <name> or <resource>/<name>");
	struct objects_query query = { .args = args,
				       .n_args = n,
				       .files = &flags.files,
				       .recursive = flags.recursive,
				       .labels = flags.labels,
				       .fetch = true };
	if (dry_run_parse(flags.dry_run, &dry_run, &err) < 0 || objects_find(&query, &objects, &err) < 0)
		return session_failed(&err);
	int code = run_all(&objects, args + n, n_args - n, dry_run);
	objects_close(&objects);
	return code;
}

static const struct command set_image = {
	.name = "image",
	.about = "Set the images of containers",
	.usage = "set image (TYPE NAME | TYPE/NAME | -f FILE) CONTAINER=IMAGE... [flags]",
	.help = "Examples:\n"
		"  kubectl-lite set image deployment/web web=web:v2\n"
		"  kubectl-lite set image deployment/web '*=web:v2'\n",
	.flags = image_flags,
	.run = run_image,
};

static const struct command *const subcommands[] = { &set_image, NULL };

const struct command command_set = {
	.name = "set",
	.about = "Change one thing of an object",
	.usage = "set SUBCOMMAND [flags]",
	.subcommands = subcommands,
};
