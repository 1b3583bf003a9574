/* patch: changes to one object as JSON or YAML on the command line. */
#include <stdio.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/dry_run.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/print.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/target.h"
#include "lib/yaml.h"

enum { PATCH_MAX_BYTES = 3 * 1024 * 1024 };

static struct {
	struct string_list files;
	bool recursive;
	const char *patch, *patch_file, *type, *subresource, *output, *dry_run, *manager;
} flags = { .type = "strategic", .manager = "kubectl-patch" };

static const struct flag patch_flags[] = {
	{ "patch", 'p', FLAG_STRING, &flags.patch, "PATCH", "the change, as JSON or YAML", NULL, NULL },
	{ "patch-file", 0, FLAG_STRING, &flags.patch_file, "FILE", "a file with the change", NULL, NULL },
	{ "type", 0, FLAG_STRING, &flags.type, "TYPE", "strategic (default), merge or json", NULL, NULL },
	{ "subresource", 0, FLAG_STRING, &flags.subresource, "NAME", "status or scale instead of the object",
	  NULL, NULL },
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE", "the objects named in files", NULL, NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	{ "output", 'o', FLAG_STRING, &flags.output, "FORM", "yaml, json, name or jsonpath=TEMPLATE", NULL,
	  NULL },
	{ "field-manager", 0, FLAG_STRING, &flags.manager, "NAME", "who is to own the fields", NULL, NULL },
	{ "dry-run", 0, FLAG_STRING, &flags.dry_run, "WHERE", "none or server (ask, but store nothing)",
	  "unchanged", NULL },
	{ 0 },
};

/* object_patch's word for --type; NULL: there is none such. */
static const char *patch_type(void)
{
	static const char *const types[][2] = { { "strategic", "strategic-merge" },
						{ "merge", "merge" },
						{ "json", "json" } };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(flags.type, types[i][0]) == 0)
			return types[i][1];
	return NULL;
}

static int read_patch(struct json_object **ret, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct yaml_doc *docs = NULL;
	size_t n = 0;

	if (flags.patch_file) {
		if (buf_read_file(&text, flags.patch_file, PATCH_MAX_BYTES, err) < 0)
			return -1;
	} else {
		buf_str(&text, flags.patch);
	}
	if (yaml_parse("--patch", text.data ? text.data : "", text.len, &docs, &n, err) < 0)
		return err_wrap(err, "unable to parse \"%s\"",
				flags.patch_file ? flags.patch_file : flags.patch);
	if (n == 1 && docs[0].value)
		*ret = json_object_get(docs[0].value);
	yaml_docs_free(docs, n);
	return *ret ? 0 : err_set(err, ERR_PARSE, "the patch must be one object or list");
}

static int patch_one(const struct object *object, const struct json_object *patch, const char *type,
		     enum dry_run dry_run, const struct output *output, struct err *err)
{
	CLEANUP(json_putp) struct json_object *result = NULL;
	CLEANUP(buf_close) struct buf query = BUF_INIT;
	char text[400];

	buf_str(&query, dry_run == DRY_RUN_SERVER ? "dryRun=All&fieldManager=" : "fieldManager=");
	buf_url_encode(&query, flags.manager);
	if (object_patch(object->resource, object->namespace_, object->name, flags.subresource, query.data,
			 type, patch, &result, err) < 0) {
		if (err->kind != ERR_UNSUPPORTED_MEDIA_TYPE)
			return -1;
		struct err why = *err;
		return err_set(err, ERR_PARSE,
			       "application/%s-patch+json is not supported by %s, Kind=%s: %.600s", type,
			       object->resource->group_version, object->resource->kind_name, why.msg);
	}
	if (output->form != OUTPUT_TABLE)
		return output_object(output, object->resource, result, false, err);
	bool same = strcmp(object_meta(object->value, "resourceVersion"),
			   object_meta(result, "resourceVersion")) == 0;
	printf("%s patched%s%s\n", target_text(object->resource, object->name, text, sizeof(text)),
	       same && dry_run == DRY_RUN_NONE ? " (no change)" : "", dry_run_suffix(dry_run));
	return 0;
}

static int patch_all(const struct objects *objects, const char *type, enum dry_run dry_run)
{
	CLEANUP(json_putp) struct json_object *patch = NULL;
	struct output output;
	struct err err = ERR_INIT;
	int code = objects->bad > 0;

	if (output_parse(flags.output, &output, &err) < 0)
		return session_failed(&err);
	if (read_patch(&patch, &err) < 0)
		code = session_failed(&err);
	for (size_t i = 0; patch && i < objects->n; i++) {
		err = ERR_INIT;
		if (patch_one(&objects->items[i], patch, type, dry_run, &output, &err) < 0)
			code = session_failed(&err);
	}
	output_close(&output);
	return code;
}

static int run_patch(char **args, size_t n_args)
{
	struct objects_query query = { .args = args,
				       .n_args = n_args,
				       .files = &flags.files,
				       .recursive = flags.recursive,
				       .fetch = true };
	const char *type = patch_type();
	struct objects objects;
	enum dry_run dry_run;
	struct err err = ERR_INIT;

	if (!flags.patch == !flags.patch_file)
		return command_error(
		    "must specify --patch or --patch-file containing the contents of the patch");
	if (!type)
		return command_error("--type must be one of [json merge strategic], not \"%s\"", flags.type);
	if (n_args == 0 && !flags.files.n)
		return command_no_objects();
	if (n_args == 1 && !strchr(args[0], '/'))
		return command_error("resource(s) were provided, but no name was specified");
	if (dry_run_parse(flags.dry_run, &dry_run, &err) < 0)
		return session_failed(&err);
	if (dry_run == DRY_RUN_CLIENT)
		return command_error(
		    "what a patch makes of an object is known to the server: --dry-run=server");
	if (objects_find(&query, &objects, &err) < 0)
		return session_failed(&err);
	int code = patch_all(&objects, type, dry_run);
	objects_close(&objects);
	return code;
}

const struct command command_patch = {
	.name = "patch",
	.about = "Change some fields of an object",
	.usage = "patch (TYPE NAME | TYPE/NAME | -f FILE) (-p PATCH | --patch-file FILE) [flags]",
	.help = "Examples:\n"
		"  kubectl-lite patch node n1 -p '{\"spec\":{\"unschedulable\":true}}'\n"
		"  kubectl-lite patch pod web-0 --type=json -p "
		"'[{\"op\":\"remove\",\"path\":\"/metadata/labels/a\"}]'\n"
		"  kubectl-lite patch deployment web --subresource=scale --type=merge -p "
		"'{\"spec\":{\"replicas\":2}}'\n",
	.flags = patch_flags,
	.run = run_patch,
};
