/* Client-side apply: what was applied last is remembered in an annotation (last_applied.h), and a three-way
 * patch takes the object to what the file says without touching what others set.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/patch.h"
#include "kubectl-lite/apply_server.h"
#include "kubectl-lite/commands.h"
#include "kubectl-lite/dry_run.h"
#include "kubectl-lite/last_applied.h"
#include "kubectl-lite/manifest.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/print.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/target.h"
#include "kubectl-lite/types.h"
#include "kubectl-lite/write.h"
#include "lib/selector.h"

#define MANAGER "kubectl-client-side-apply"

enum { MAX_TRIES = 5 };

static struct {
	struct string_list files;
	const char *output, *dry_run, *labels, *manager;
	bool recursive, server_side, force_conflicts;
} flags;

static const struct flag apply_flags[] = {
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE", "files, folders or - (standard input) to apply",
	  NULL, NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	{ "selector", 'l', FLAG_STRING, &flags.labels, "LABELS",
	  "only objects of the files with these labels", NULL, NULL },
	{ "dry-run", 0, FLAG_STRING, &flags.dry_run, "WHERE",
	  "none, client (show only) or server (ask, but store nothing)", "unchanged", NULL },
	{ "server-side", 0, FLAG_BOOL, &flags.server_side, NULL,
	  "let the server merge, who knows which fields others own", NULL, NULL },
	{ "force-conflicts", 0, FLAG_BOOL, &flags.force_conflicts, NULL,
	  "with --server-side: take fields over that others own", NULL, NULL },
	{ "field-manager", 0, FLAG_STRING, &flags.manager, "NAME",
	  "who is to own the fields (default kubectl-client-side-apply, with --server-side kubectl)", NULL,
	  NULL },
	{ "output", 'o', FLAG_STRING, &flags.output, "FORM",
	  "yaml, json, name or jsonpath=TEMPLATE instead of the message", NULL, NULL },
	{ 0 },
};

struct applying {
	enum dry_run dry_run;
	struct output output;
	struct json_object **shown; /* what -o prints at the end */
	const struct resource **shown_resources;
	size_t n_shown;
};

/* The file's object with its own text, as kubectl writes it, in the annotation. */
static struct json_object *annotate(const struct manifest *manifest)
{
	struct json_object *obj = json_clone(manifest->object);

	if (manifest->namespace_)
		json_set_str(json_ensure_object(obj, "metadata"), "namespace", manifest->namespace_);
	write_save_config(obj, true);
	return obj;
}

/* The query of a write. */
static void apply_query(struct buf *b, const struct applying *a)
{
	object_write_query(b, a->dry_run == DRY_RUN_SERVER, flags.manager ? flags.manager : MANAGER);
	buf_str(b, "&fieldValidation=Strict");
}

static int create(const struct manifest *manifest, const struct applying *a, const struct json_object *wanted,
		  struct json_object **ret, struct err *err)
{
	if (a->dry_run == DRY_RUN_CLIENT) {
		*ret = json_clone(wanted);
		return 0;
	}
	CLEANUP(buf_close) struct buf query = BUF_INIT;
	apply_query(&query, a);
	if (object_send("POST", manifest->resource, manifest->namespace_, NULL, NULL, query.data, NULL,
			wanted, ret, err) == 0)
		return 0;
	return err_wrap(err, "error when creating \"%s\"", manifest->file);
}

/* What the annotation of CURRENT holds; NULL when there is none. A damaged one is an error. */
static int last_applied(const struct manifest *manifest, const struct json_object *current,
			struct json_object **ret, struct err *err)
{
	const char *text = last_applied_text(current);

	if (text)
		return json_parse(text, strlen(text), ret, NULL, err);
	fprintf(stderr,
		"Warning: resource %s/%s is missing the " LAST_APPLIED
		" annotation which is required by kubectl apply. "
		"kubectl apply should only be used on resources created declaratively by either kubectl "
		"create --save-config "
		"or kubectl apply. The missing annotation will be patched automatically.\n",
		manifest->resource->plural, manifest->name);
	return 0;
}

/* Patches CURRENT; *ret stays NULL when there is nothing to do. */
static int update(const struct manifest *manifest, const struct applying *a, const struct json_object *wanted,
		  const struct json_object *current, struct json_object **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *before = NULL, *patch = NULL;
	CLEANUP(buf_close) struct buf query = BUF_INIT;
	const char *type;

	if (last_applied(manifest, current, &before, err) < 0 ||
	    last_applied_patch(manifest->resource, before, wanted, current, &patch, &type, err) < 0)
		return -1;
	if (json_object_object_length(patch) == 0)
		return 0;
	if (a->dry_run == DRY_RUN_CLIENT)
		return type_is_custom(manifest->resource)
			   ? patch_merge(current, patch, ret, err)
			   : patch_strategic(manifest->resource->def, current, patch, ret, err);
	apply_query(&query, a);
	if (object_send("PATCH", manifest->resource, manifest->namespace_, manifest->name, NULL, query.data,
			type, patch, ret, err) == 0)
		return 0;
	return err->kind == ERR_CONFLICT ? -1 : err_wrap(err, "error when patching \"%s\"", manifest->file);
}

static void show(struct applying *a, const struct manifest *manifest, const char *shown_name,
		 const char *what, struct json_object *obj_taken)
{
	if (a->output.form == OUTPUT_TABLE) {
		printf("%s %s%s\n", shown_name, what, dry_run_suffix(a->dry_run));
		json_object_put(obj_taken);
		return;
	}
	a->shown = mem_realloc_array(a->shown, a->n_shown + 1, sizeof(struct json_object *));
	a->shown_resources = mem_realloc_array(a->shown_resources, a->n_shown + 1, sizeof(struct resource *));
	a->shown[a->n_shown] = obj_taken;
	a->shown_resources[a->n_shown++] = manifest->resource;
}

/* *ret_what is what happened, in kubectl's word. */
static int try_apply(const struct manifest *manifest, const struct applying *a, const char *shown_name,
		     const char **ret_what, struct json_object **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *wanted = annotate(manifest), *current = NULL;
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	session_path(&path, manifest->resource, manifest->namespace_, manifest->name, NULL, NULL);
	if (session_get(path.data, &current, err) < 0) {
		if (err->kind != ERR_NOT_FOUND)
			return err_wrap(err, "error when retrieving current configuration of %s", shown_name);
		*ret_what = "created";
		return create(manifest, a, wanted, ret, err);
	}
	if (update(manifest, a, wanted, current, ret, err) < 0)
		return -1;
	*ret_what = *ret ? "configured" : "unchanged";
	if (!*ret)
		*ret = TAKE(current);
	return 0;
}

static int apply_one(const struct manifest *manifest, struct applying *a, struct err *err)
{
	char shown_name[400];
	const char *what = NULL;
	struct json_object *result = NULL;

	if (!manifest->name)
		return err_set(err, ERR_PARSE, "error when creating \"%s\": resource name may not be empty",
			       manifest->file);
	target_text(manifest->resource, manifest->name, shown_name, sizeof(shown_name));
	if (flags.server_side) {
		if (apply_server(manifest, flags.manager ? flags.manager : "kubectl", flags.force_conflicts,
				 a->dry_run, &result, err) < 0)
			return -1;
		show(a, manifest, shown_name, "serverside-applied", result);
		return 0;
	}
	/* A conflict means that someone wrote between our read and our patch, or deleted: look again. */
	for (int tries = 1;; tries++) {
		if (try_apply(manifest, a, shown_name, &what, &result, err) == 0)
			break;
		if (err->kind != ERR_CONFLICT || tries == MAX_TRIES)
			return -1;
		*err = ERR_INIT;
	}
	show(a, manifest, shown_name, what, result);
	return 0;
}

static int print_shown(struct applying *a, struct err *err)
{
	int failed = 0;

	if (a->n_shown == 1)
		failed = output_object(&a->output, a->shown_resources[0], a->shown[0], false, err);
	else if (a->n_shown > 1)
		failed = output_list(&a->output, a->shown, a->shown_resources, a->n_shown, false, err);
	for (size_t i = 0; i < a->n_shown; i++)
		json_object_put(a->shown[i]);
	free(a->shown);
	free(a->shown_resources);
	output_close(&a->output);
	return failed;
}

static int run_apply(char **args, size_t n_args)
{
	struct applying a = { 0 };
	struct selector selector = { 0 };
	struct manifest *manifests = NULL;
	struct err err = ERR_INIT;
	size_t n = 0, bad = 0;

	if (n_args)
		return command_usage_error("apply", "Unexpected args: [%s]", args[0]);
	if (flags.files.n == 0)
		return command_error("must specify one of -f and -k");
	if (dry_run_parse(flags.dry_run, &a.dry_run, &err) < 0)
		return session_failed(&err);
	if (flags.force_conflicts && !flags.server_side)
		return command_error("--force-conflicts only works with --server-side");
	if (flags.server_side && a.dry_run == DRY_RUN_CLIENT)
		return command_error("--dry-run=client doesn't work with --server-side (did you mean "
				     "--dry-run=server instead?)");
	if (output_parse(flags.output, &a.output, &err) < 0 ||
	    selector_parse(flags.labels ? flags.labels : "", &selector, &err) < 0 ||
	    manifests_load(&flags.files, flags.recursive, &manifests, &n, &bad, &err) < 0)
		return session_failed(&err);
	int code = bad > 0;
	if (n == 0 && !bad)
		code = command_error("no objects passed to apply");
	for (size_t i = 0; i < n; i++) {
		if (!selector_matches_json(&selector,
					   json_path(manifests[i].object, "metadata", "labels", NULL)))
			continue;
		err = ERR_INIT;
		if (apply_one(&manifests[i], &a, &err) < 0)
			code = flags.server_side ? apply_server_failed(&err) : session_failed(&err);
	}
	err = ERR_INIT;
	if (print_shown(&a, &err) < 0)
		code = session_failed(&err);
	manifests_free(manifests, n);
	selector_close(&selector);
	return code;
}

const struct command command_apply = {
	.name = "apply",
	.about = "Create or change objects so that they are as files say",
	.usage = "apply -f FILE [flags]",
	.help = "Objects that are not there are created; of others the fields that the files name are "
		"changed, and fields that an earlier\n"
		"apply set and the files no longer name are removed. What others set stays.\n"
		"\n"
		"Examples:\n"
		"  kubectl-lite apply -f manifests/market-data\n"
		"  kubectl-lite apply -f web.yaml --dry-run=server\n"
		"  kubectl-lite apply -f web.yaml --server-side --field-manager ci\n"
		"  cat pod.json | kubectl-lite apply -f -\n",
	.flags = apply_flags,
	.run = run_apply,
};
