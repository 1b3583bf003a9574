/* edit: objects in the user's editor. What was changed goes to the server as a patch; what it refuses comes
 * back into the editor with the reasons.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kubectl-lite/causes.h"
#include "kubectl-lite/commands.h"
#include "kubectl-lite/edit_text.h"
#include "kubectl-lite/editor.h"
#include "kubectl-lite/field_slip.h"
#include "kubectl-lite/last_applied.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/print.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/target.h"
#include "kubectl-lite/write.h"
#include "lib/yaml.h"

static struct {
	struct string_list files;
	bool recursive, save_config, output_patch, managed, windows;
	const char *output, *manager, *subresource, *validate;
} flags = { .manager = "kubectl-edit" };

static const struct flag edit_flags[] = {
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE", "the objects named in files", NULL, NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	{ "output", 'o', FLAG_STRING, &flags.output, "FORM",
	  "yaml or json: edit in this form, and print what came of it", NULL, NULL },
	{ "output-patch", 0, FLAG_BOOL, &flags.output_patch, NULL, "show the patch that is sent", NULL,
	  NULL },
	{ "subresource", 0, FLAG_STRING, &flags.subresource, "NAME", "status or scale instead of the object",
	  NULL, NULL },
	{ "save-config", 0, FLAG_BOOL, &flags.save_config, NULL, "remember the text for a later apply", NULL,
	  NULL },
	{ "field-manager", 0, FLAG_STRING, &flags.manager, "NAME", "who is to own the fields", NULL, NULL },
	{ "show-managed-fields", 0, FLAG_BOOL, &flags.managed, NULL, "keep managedFields in the text", NULL,
	  NULL },
	{ "validate", 0, FLAG_STRING, &flags.validate, "HOW", "accepted as kubectl does; always strict",
	  "strict", NULL },
	{ "windows-line-endings", 0, FLAG_BOOL, &flags.windows, NULL,
	  "accepted as kubectl does; either end of a line is understood", NULL, NULL },
	{ 0 },
};

/* What is being edited. An object that the server has taken leaves; the others come up again. */
struct editing {
	struct object **objects; /* borrowed */
	size_t n;
	struct json_object *document; /* as it is shown next */
	struct buf text;              /* shown instead of it: what could not be read */
	struct buf problems;
	struct output output;
	char *path; /* the user's file */
};

enum outcome { DONE, AGAIN, GIVEN_UP, FAILED };

static void editing_close(struct editing *e)
{
	free(e->objects);
	json_object_put(e->document);
	buf_close(&e->text);
	buf_close(&e->problems);
	output_close(&e->output);
	free(e->path);
}

static enum outcome keep_file(struct editing *e)
{
	fprintf(stderr, "A copy of your changes has been stored to \"%s\"\n", e->path);
	return FAILED;
}

static enum outcome give_up(struct editing *e, const char *why)
{
	unlink(e->path);
	fprintf(stderr, "Edit cancelled, %s.\n", why);
	return GIVEN_UP;
}

/* --- sending --- */

static bool same_identity(const struct json_object *a, const struct json_object *b)
{
	return strcmp(json_str_or_empty(a, "apiVersion"), json_str_or_empty(b, "apiVersion")) == 0 &&
	       strcmp(json_str_or_empty(a, "kind"), json_str_or_empty(b, "kind")) == 0 &&
	       strcmp(object_meta(a, "name"), object_meta(b, "name")) == 0 &&
	       strcmp(object_meta(a, "namespace"), object_meta(b, "namespace")) == 0;
}

static int send_patch(const struct object *object, const struct json_object *patch, const char *type,
		      struct json_object **ret, struct err *err)
{
	CLEANUP(buf_close) struct buf query = BUF_INIT;

	if (flags.output_patch) {
		CLEANUP(buf_close) struct buf text = BUF_INIT;
		json_write_sorted(&text, patch);
		printf("Patch: %s\n", text.data);
	}
	object_write_query(&query, false, flags.manager);
	buf_str(&query, "&fieldValidation=Strict");
	return object_send("PATCH", object->resource, object->namespace_, object->name, flags.subresource,
			   query.data, type, patch, ret, err);
}

/* Makes OBJECT what EDITED is. */
static int save(const struct editing *e, const struct object *object, const struct json_object *edited,
		struct err *err)
{
	CLEANUP(json_putp) struct json_object *wanted = json_clone(edited), *was = NULL, *patch = NULL;
	CLEANUP(json_putp) struct json_object *result = NULL;
	const char *type;
	char text[400];

	was = edit_document(&object->value, 1, flags.managed);
	target_text(object->resource, object->name, text, sizeof(text));
	if (json_equal(was, wanted)) {
		printf("%s skipped\n", text);
		return 0;
	}
	if (flags.save_config)
		write_save_config(wanted, true);
	if (last_applied_patch(object->resource, was, wanted, was, &patch, &type, err) < 0 ||
	    send_patch(object, patch, flags.subresource ? "application/merge-patch+json" : type, &result,
		       err) < 0)
		return -1;
	if (flags.output)
		return output_object(&e->output, object->resource, result, flags.managed, err);
	printf("%s edited\n", text);
	return 0;
}

static void add_cause(const char *cause, size_t len, void *arg)
{
	struct buf *problems = arg;

	buf_printf(problems, "* %.*s\n", (int)len, cause);
}

/* What the server says of OBJECT's change: what is invalid can be mended in the editor. */
static enum outcome refused(struct editing *e, const struct object *object, const struct err *err)
{
	const char *qualified = object->resource->qualified;

	if (err->kind == ERR_INVALID) {
		fprintf(stderr, "error: %s \"%s\" is invalid\n", qualified, object->name);
		buf_printf(&e->problems, "%s \"%s\" was not valid:\n", qualified, object->name);
		causes_each(err->msg, add_cause, &e->problems);
		return AGAIN;
	}
	if (err->kind == ERR_NOT_FOUND)
		command_error("%s \"%s\" could not be found on the server", qualified, object->name);
	else
		command_error("%s \"%s\" could not be patched: %s", qualified, object->name, err->msg);
	fprintf(stderr, "You can run `kubectl-lite replace -f %s` to try this update again.\n", e->path);
	field_slip_tell(err->msg);
	return FAILED;
}

/* Sends what DOCUMENT has of the objects; those that are to be mended make the next one. */
static enum outcome save_all(struct editing *e, struct json_object *document)
{
	struct json_object *items = json_get(document, "items");
	bool list = e->n != 1 && json_object_is_type(items, json_type_array);
	struct object **left = mem_zalloc((e->n + 1) * sizeof(*left));
	struct json_object **values = mem_zalloc((e->n + 1) * sizeof(*values));
	enum outcome outcome = DONE;
	size_t n_left = 0;

	for (size_t i = 0; i < (list ? json_len(items) : 1) && outcome != FAILED; i++) {
		struct json_object *edited = list ? json_at(items, i) : document;
		struct object *object = NULL;
		struct err err = ERR_INIT;
		for (size_t k = 0; k < e->n; k++)
			if (same_identity(e->objects[k]->value, edited))
				object = e->objects[k];
		if (!object) {
			outcome = keep_file(e);
			command_error("At least one of apiVersion, kind and name was changed");
		} else if (save(e, object, edited, &err) < 0 &&
			   (outcome = refused(e, object, &err)) == AGAIN) {
			left[n_left] = object;
			values[n_left++] = edited;
		}
	}
	if (n_left && outcome != FAILED) {
		struct json_object *next = edit_document(values, n_left, true);
		json_object_put(e->document);
		e->document = next;
		outcome = AGAIN;
	}
	free(values);
	free(e->objects);
	e->objects = left;
	e->n = n_left;
	return outcome;
}

/* --- editing --- */

static int read_document(const char *text, size_t len, struct json_object **ret, struct err *err)
{
	struct yaml_doc *docs = NULL;
	size_t n = 0;
	int failed = 0;

	if (yaml_parse("edited-file", text, len, &docs, &n, err) < 0)
		return -1;
	if (n != 1 || !json_object_is_type(docs[0].value, json_type_object))
		failed = err_set(err, ERR_PARSE, "edited-file: want one object");
	else if (docs[0].duplicates)
		failed = err_set(err, ERR_PARSE, "edited-file: key \"%s\" already set in map",
				 docs[0].first_duplicate ? docs[0].first_duplicate : "?");
	else
		*ret = json_object_get(docs[0].value);
	yaml_docs_free(docs, n);
	return failed;
}

static bool is_blank(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return !*text;
}

static enum outcome edit_once(struct editing *e, bool json)
{
	CLEANUP(buf_close) struct buf shown = BUF_INIT, body = BUF_INIT, edited = BUF_INIT, kept = BUF_INIT;
	CLEANUP(json_putp) struct json_object *document = NULL;
	struct err err = ERR_INIT;
	bool again = e->problems.len > 0;

	if (e->text.len)
		buf_add(&body, e->text.data, e->text.len);
	else
		edit_write(&body, e->document, json);
	if (!json || again)
		edit_write_head(&shown, again ? e->problems.data : "");
	buf_add(&shown, body.data, body.len);
	if (e->path)
		unlink(e->path);
	free(TAKE(e->path));
	if (editor_run(shown.data, shown.len, json ? ".json" : ".yaml", &edited, &e->path, &err) < 0)
		return session_failed(&err), FAILED;
	edit_strip(&kept, edited.data ? edited.data : "");
	bool same = kept.len == body.len && memcmp(kept.data ? kept.data : "", body.data, kept.len) == 0;
	if (same && again) {
		keep_file(e);
		command_error("Edit cancelled, no valid changes were saved.");
		return FAILED;
	}
	if (same)
		return give_up(e, "no changes made");
	if (is_blank(kept.data ? kept.data : ""))
		return give_up(e, "saved file was empty");
	buf_reset(&e->problems);
	buf_reset(&e->text);
	if (read_document(kept.data, kept.len, &document, &err) < 0) {
		buf_printf(&e->problems, "The edited file had a syntax error: %s\n", err.msg);
		buf_add(&e->text, kept.data, kept.len);
		fprintf(stderr, "error: the edited file had a syntax error: %s\n", err.msg);
		return AGAIN;
	}
	return save_all(e, document);
}

static int edit(struct objects *objects, struct editing *e)
{
	bool json = flags.output && strcmp(flags.output, "json") == 0;
	struct json_object **values = mem_zalloc((objects->n + 1) * sizeof(*values));
	enum outcome outcome;

	e->objects = mem_zalloc((objects->n + 1) * sizeof(*e->objects));
	for (size_t i = 0; i < objects->n; i++) {
		e->objects[e->n++] = &objects->items[i];
		values[i] = objects->items[i].value;
	}
	e->document = edit_document(values, e->n, flags.managed);
	free(values);
	while ((outcome = edit_once(e, json)) == AGAIN)
		;
	if (outcome == DONE)
		unlink(e->path);
	return outcome == FAILED;
}

static int run_edit(char **args, size_t n_args)
{
	struct objects_query query = { .args = args,
				       .n_args = n_args,
				       .files = &flags.files,
				       .recursive = flags.recursive,
				       .subresource = flags.subresource,
				       .fetch = true };
	struct editing editing = { .n = 0 };
	struct objects objects;
	struct err err = ERR_INIT;

	if (n_args == 0 && !flags.files.n)
		return command_no_objects();
	if (flags.output && strcmp(flags.output, "yaml") != 0 && strcmp(flags.output, "json") != 0)
		return command_error("unable to match a printer suitable for the output format \"%s\", "
				     "allowed formats are: json,yaml",
				     flags.output);
	if (output_parse(flags.output, &editing.output, &err) < 0 || objects_find(&query, &objects, &err) < 0)
		return session_failed(&err);
	int code = objects.bad > 0;
	if (!code && !objects.n)
		fputs("Edit cancelled, no objects found.\n", stderr);
	else if (!code)
		code = edit(&objects, &editing);
	editing_close(&editing);
	objects_close(&objects);
	return code;
}

const struct command command_edit = {
	.name = "edit",
	.about = "Change objects in an editor",
	.usage = "edit (TYPE [NAME...] | TYPE/NAME... | -f FILE) [flags]",
	.help =
	    "Opens KUBE_EDITOR, EDITOR or vi. What was changed is sent when the editor ends; what the server "
	    "refuses as invalid\n"
	    "comes up again, with the reasons. A text that is left as it was, or empty, changes nothing.\n"
	    "\n"
	    "Examples:\n"
	    "  kubectl-lite edit deployment web\n"
	    "  KUBE_EDITOR='nano -w' kubectl-lite edit svc/web cm/conf\n"
	    "  kubectl-lite edit deployment web --subresource=scale\n",
	.flags = edit_flags,
	.run = run_edit,
};
