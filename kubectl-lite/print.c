#include "kubectl-lite/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/table.h"
#include "kubectl-lite/target.h"
#include "lib/yaml.h"

enum { TEMPLATE_MAX_BYTES = 1024 * 1024 };

static int parse_columns(const char *text, struct output *ret, struct err *err)
{
	CLEANUP(mem_freep) char *copy = mem_dup(text);
	char *rest = copy;

	for (char *part; (part = strsep(&rest, ","));) {
		char *colon = strchr(part, ':');
		struct jsonpath *path;
		if (!colon || colon == part)
			return err_set(
			    err, ERR_PARSE,
			    "unexpected custom-columns spec: %s, expected <header>:<json-path-expr>", part);
		*colon = '\0';
		if (jsonpath_parse_relaxed(colon + 1, &path, err) < 0)
			return -1;
		ret->columns = mem_realloc_array(ret->columns, ret->n_columns + 1, sizeof(*ret->columns));
		ret->columns[ret->n_columns++] = (struct output_column){ mem_dup(part), path };
	}
	return 0;
}

int output_parse(const char *value, struct output *ret, struct err *err)
{
	static const struct {
		const char *name;
		enum output_form form;
	} plain[] = {
		{ "", OUTPUT_TABLE },    { "wide", OUTPUT_WIDE }, { "json", OUTPUT_JSON },
		{ "yaml", OUTPUT_YAML }, { "name", OUTPUT_NAME },
	};
	struct output output = { .form = OUTPUT_TABLE };
	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (strcmp(value ? value : "", plain[i].name) == 0) {
			output.form = plain[i].form;
			*ret = output;
			return 0;
		}
	if (strncmp(value, "jsonpath=", 9) == 0) {
		output.form = OUTPUT_JSONPATH;
		failed = jsonpath_parse(value + 9, &output.template, err);
	} else if (strncmp(value, "jsonpath-file=", 14) == 0) {
		CLEANUP(buf_close) struct buf text = BUF_INIT;
		output.form = OUTPUT_JSONPATH;
		failed = buf_read_file(&text, value + 14, TEMPLATE_MAX_BYTES, err);
		if (!failed)
			failed = jsonpath_parse(text.data ? text.data : "", &output.template, err);
	} else if (strncmp(value, "custom-columns=", 15) == 0) {
		output.form = OUTPUT_CUSTOM_COLUMNS;
		failed = parse_columns(value + 15, &output, err);
	} else {
		failed = err_set(
		    err, ERR_PARSE,
		    "unable to match a printer suitable for the output format \"%s\", allowed formats are: "
		    "custom-columns,json,jsonpath,jsonpath-file,name,wide,yaml",
		    value);
	}
	if (failed) {
		output_close(&output);
		return -1;
	}
	*ret = output;
	return 0;
}

void output_close(struct output *output)
{
	jsonpath_free(output->template);
	for (size_t i = 0; i < output->n_columns; i++) {
		free(output->columns[i].header);
		jsonpath_free(output->columns[i].path);
	}
	free(output->columns);
	*output = (struct output){ 0 };
}

void output_escape_html(struct buf *b, const struct buf *text)
{
	for (size_t i = 0; i < text->len;) {
		size_t plain = strcspn(text->data + i, "<>&");
		buf_add(b, text->data + i, plain);
		i += plain;
		if (i < text->len)
			buf_printf(b, "\\u%04x", text->data[i++]);
	}
}

static void drop_managed(struct json_object *obj, bool managed)
{
	struct json_object *metadata = json_get(obj, "metadata");

	if (json_object_is_type(metadata, json_type_object) && !managed)
		json_object_object_del(metadata, "managedFields");
}

/* Indented, and with <, > and & as Go's encoder writes them; they stand within strings only. */
static void write_json(const struct json_object *obj, struct buf *b)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	json_write_pretty(&text, obj);
	output_escape_html(b, &text);
	buf_char(b, '\n');
}

/* JSON and YAML: all members sorted, as kubectl's decoder leaves them. */
static void write_value(const struct output *output, struct json_object *obj, struct buf *b)
{
	if (output->form == OUTPUT_YAML) {
		yaml_write(b, obj);
		return;
	}
	if (output->in_order) {
		write_json(obj, b);
		return;
	}
	CLEANUP(buf_close) struct buf sorted = BUF_INIT;
	CLEANUP(json_putp) struct json_object *copy = NULL;
	json_write_sorted(&sorted, obj);
	if (json_parse(sorted.data, sorted.len, &copy, NULL, NULL) == 0)
		write_json(copy, b);
}

/* A value as kubectl's columns show it, which is how Go prints it: map[a:b c:d], [a b], <nil>. */
static void write_column_value(struct buf *b, struct json_object *value)
{
	if (json_object_is_type(value, json_type_array)) {
		buf_char(b, '[');
		for (size_t i = 0; i < json_len(value); i++) {
			buf_str(b, i ? " " : "");
			write_column_value(b, json_at(value, i));
		}
		buf_char(b, ']');
	} else if (json_object_is_type(value, json_type_object)) {
		CLEANUP(buf_close) struct buf text = BUF_INIT;
		CLEANUP(json_putp) struct json_object *sorted = NULL;
		bool first = true;
		json_write_sorted(&text, value);
		buf_str(b, "map[");
		if (json_parse(text.data, text.len, &sorted, NULL, NULL) == 0) {
			json_object_object_foreach(sorted, key, member)
			{
				buf_printf(b, "%s%s:", first ? "" : " ", key);
				write_column_value(b, member);
				first = false;
			}
		}
		buf_char(b, ']');
	} else {
		buf_str(b, value ? json_object_get_string(value) : "<nil>");
	}
}

static void add_column_value(struct json_object *value, void *arg)
{
	struct buf *b = arg;

	if (b->len)
		buf_char(b, ',');
	if (value)
		write_column_value(b, value);
	else
		buf_str(b, "<none>");
}

static int print_columns(const struct output *output, struct json_object **objects, size_t n, struct err *err)
{
	struct table t;
	CLEANUP(mem_freep) const char **cells = mem_zalloc((output->n_columns + 1) * sizeof(*cells));
	int failed = 0;

	table_init(&t, output->n_columns);
	for (size_t c = 0; c < output->n_columns; c++)
		cells[c] = output->columns[c].header;
	table_row(&t, cells);
	for (size_t i = 0; i < n && !failed; i++) {
		CLEANUP(mem_freep) struct buf *texts = mem_zalloc((output->n_columns + 1) * sizeof(*texts));
		for (size_t c = 0; c < output->n_columns && !failed; c++) {
			failed = jsonpath_each(output->columns[c].path, objects[i], add_column_value,
					       &texts[c], err);
			cells[c] = texts[c].len ? texts[c].data : "<none>";
		}
		if (!failed)
			table_row(&t, cells);
		for (size_t c = 0; c < output->n_columns; c++)
			buf_close(&texts[c]);
	}
	if (!failed)
		table_print(&t, stdout, output->no_headers);
	table_close(&t);
	return failed;
}

int output_object(const struct output *output, const struct resource *resource, struct json_object *obj,
		  bool managed, struct err *err)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	char name[320];

	drop_managed(obj, managed);
	switch (output->form) {
	case OUTPUT_NAME:
		buf_printf(&b, "%s\n",
			   target_text(resource, json_str_or_empty(json_get(obj, "metadata"), "name"), name,
				       sizeof(name)));
		break;
	case OUTPUT_JSONPATH:
		if (jsonpath_write(output->template, obj, false, &b, err) < 0)
			return -1;
		break;
	case OUTPUT_CUSTOM_COLUMNS:
		return print_columns(output, &obj, 1, err);
	case OUTPUT_JSON:
	case OUTPUT_YAML:
	case OUTPUT_TABLE:
	case OUTPUT_WIDE:
		write_value(output, obj, &b);
		break;
	}
	if (b.len > 0)
		fwrite(b.data, 1, b.len, stdout);
	return 0;
}

int output_list(const struct output *output, struct json_object **objects,
		const struct resource *const *resources, size_t n, bool managed, struct err *err)
{
	if (output->form == OUTPUT_CUSTOM_COLUMNS)
		return print_columns(output, objects, n, err);
	if (output->form == OUTPUT_NAME) {
		for (size_t i = 0; i < n; i++)
			output_object(output, resources[i], objects[i], managed, err);
		return 0;
	}
	CLEANUP(json_putp) struct json_object *list = json_object_new_object();
	json_set_str(list, "apiVersion", "v1");
	struct json_object *items = json_ensure_array(list, "items");
	for (size_t i = 0; i < n; i++) {
		drop_managed(objects[i], managed);
		json_object_array_add(items, json_object_get(objects[i]));
	}
	json_set_str(list, "kind", "List");
	json_set_str(json_ensure_object(list, "metadata"), "resourceVersion", "");
	return output_object(output, NULL, list, true, err);
}
