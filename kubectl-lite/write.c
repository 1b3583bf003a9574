#include "kubectl-lite/write.h"

#include <stdio.h>
#include <string.h>

#include "kubectl-lite/go_shape.h"
#include "kubectl-lite/last_applied.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/target.h"

struct write_flags write_flags;

static int parse_validation(const char *value, const char **ret, struct err *err)
{
	static const char *const words[][2] = { { "strict", "Strict" },
						{ "true", "Strict" },
						{ "warn", "Warn" },
						{ "ignore", "Ignore" },
						{ "false", "Ignore" } };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!value || strcmp(value, words[i][0]) == 0) {
			*ret = words[i][1];
			return 0;
		}
	return err_set(err, ERR_PARSE,
		       "invalid - validate option \"%s\"; must be one of: strict (or true), warn, ignore (or "
		       "false)",
		       value);
}

int write_begin(struct write *ret, const char *manager, struct err *err)
{
	struct write write = { .manager = write_flags.manager ? write_flags.manager : manager,
			       .typed = true };

	if (dry_run_parse(write_flags.dry_run, &write.dry_run, err) < 0 ||
	    parse_validation(write_flags.validate, &write.validation, err) < 0 ||
	    output_parse_objects(write_flags.output, &write.output, err) < 0)
		return -1;
	*ret = write;
	return 0;
}

void write_end(struct write *write)
{
	output_close(&write->output);
}

void write_query(const struct write *write, struct buf *b)
{
	object_write_query(b, write->dry_run == DRY_RUN_SERVER, write->manager);
	buf_printf(b, "&fieldValidation=%s", write->validation);
}

int write_create(const struct write *write, const struct resource *resource, const char *namespace_,
		 struct json_object **obj, struct err *err)
{
	CLEANUP(buf_close) struct buf query = BUF_INIT;
	struct json_object *created = NULL;

	if (write->dry_run == DRY_RUN_CLIENT)
		return 0;
	write_query(write, &query);
	if (object_send("POST", resource, namespace_, NULL, NULL, query.data, NULL, *obj, &created, err) < 0)
		return -1;
	json_object_put(*obj);
	*obj = created;
	return 0;
}

void write_go_json(struct buf *b, const struct json_object *obj, bool sorted)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	if (sorted)
		json_write_sorted(&text, obj);
	else
		json_write(&text, obj);
	output_escape_html(b, &text);
}

void write_save_config(struct json_object *obj, bool sorted)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct json_object *metadata = json_ensure_object(obj, "metadata");

	/* Go leaves an empty map out of what it knows, and keeps it in what it does not. */
	if (sorted || json_get(metadata, "annotations"))
		last_applied_drop(obj);
	write_go_json(&text, obj, sorted);
	buf_char(&text, '\n');
	json_set_str(json_ensure_object(metadata, "annotations"), LAST_APPLIED, text.data);
}

int write_show(struct write *write, const struct resource *resource, struct json_object *obj,
	       const char *done, struct err *err)
{
	char text[400];

	if (write->output.form == OUTPUT_TABLE) {
		printf("%s %s%s\n",
		       target_text(resource, json_str_or_empty(json_get(obj, "metadata"), "name"), text,
				   sizeof(text)),
		       done, dry_run_suffix(write->dry_run));
		return 0;
	}
	if (write->output.form == OUTPUT_YAML && write->n_shown++)
		puts("---");
	write->output.in_order = write->typed;
	CLEANUP(json_putp)
	struct json_object *shown =
	    write->typed ? go_shape(json_object_get(obj), resource->def) : json_object_get(obj);
	return output_object(&write->output, resource, shown, write_flags.managed, err);
}

int write_check_named(char *const *args, size_t n_args, const struct string_list *files, bool chosen,
		      struct err *err)
{
	if (!n_args && !files->n)
		return err_set(err, ERR_PARSE,
			       "You must provide one or more resources by argument or filename.\n"
			       "Example resource specifications include:\n"
			       "   '-f rsrc.yaml'\n"
			       "   '--filename=rsrc.json'\n"
			       "   '<resource> <name>'\n"
			       "   '<resource>'");
	if (n_args == 1 && !strchr(args[0], '/') && !chosen)
		return err_set(err, ERR_PARSE, "resource(s) were provided, but no name was specified");
	return 0;
}

int write_for_each(const struct objects_query *query, const char *manager,
		   int (*make)(const struct object *object, struct write *write, struct err *err))
{
	struct objects objects = { 0 };
	struct write write;
	struct err err = ERR_INIT;

	if (write_check_named(query->args, query->n_args, query->files, false, &err) < 0 ||
	    write_begin(&write, manager, &err) < 0)
		return session_failed(&err);
	if (objects_find(query, &objects, &err) < 0) {
		write_end(&write);
		return session_failed(&err);
	}
	int code = objects.bad > 0;
	for (size_t i = 0; i < objects.n; i++) {
		err = ERR_INIT;
		if (make(&objects.items[i], &write, &err) < 0)
			code = session_failed(&err);
	}
	objects_close(&objects);
	write_end(&write);
	return code;
}
