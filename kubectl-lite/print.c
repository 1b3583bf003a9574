#include "kubectl-lite/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/objects.h"
#include "kubectl-lite/suggest.h"
#include "kubectl-lite/table.h"
#include "kubectl-lite/target.h"
#include "lib/yaml.h"

enum { TEMPLATE_MAX_BYTES = 1024 * 1024 };

static int add_column(struct output *ret, const char *header, const char *text, struct err *err)
{
	struct jsonpath *path;

	if (jsonpath_parse_relaxed(text, &path, err) < 0)
		return -1;
	ret->columns = mem_realloc_array(ret->columns, ret->n_columns + 1, sizeof(*ret->columns));
	ret->columns[ret->n_columns++] = (struct output_column){ mem_dup(header), path };
	return 0;
}

static int parse_columns(const char *text, struct output *ret, struct err *err)
{
	CLEANUP(mem_freep) char *copy = mem_dup(text);
	char *rest = copy;

	for (char *part; (part = strsep(&rest, ","));) {
		char *colon = strchr(part, ':');
		if (!colon || colon == part)
			return err_set(
			    err, ERR_PARSE,
			    "unexpected custom-columns spec: %s, expected <header>:<json-path-expr>", part);
		*colon = '\0';
		if (add_column(ret, part, colon + 1, err) < 0)
			return -1;
	}
	return 0;
}

/* Of two lines, headers and paths, in words. */
static int parse_columns_file(const char *file, struct output *ret, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct err why = ERR_INIT;

	if (buf_read_file(&text, file, TEMPLATE_MAX_BYTES, &why) < 0)
		return err_set(err, ERR_PARSE, "error reading template %s, %s", file, why.msg);
	char *paths = text.data, *headers = strsep(&paths, "\n"), *end = paths ? strchr(paths, '\n') : NULL;
	if (end)
		*end = '\0';
	char *header_at = NULL, *path_at = NULL;
	const char *header = headers ? strtok_r(headers, " \t\r", &header_at) : NULL;
	const char *path = paths ? strtok_r(paths, " \t\r", &path_at) : NULL;
	for (; header && path;
	     header = strtok_r(NULL, " \t\r", &header_at), path = strtok_r(NULL, " \t\r", &path_at)) {
		if (add_column(ret, header, path, err) < 0)
			return -1;
	}
	if (header || path || !ret->n_columns)
		return err_set(err, ERR_PARSE,
			       "%s: want a line of headers and one of as many paths, like \"NAME\" and "
			       "\".metadata.name\"",
			       file);
	return 0;
}

static int parse_template(const char *text, struct output *ret, struct err *err)
{
	if (!*text)
		return err_set(err, ERR_PARSE, "template format specified but no template given");
	return jsonpath_parse(text, &ret->template, err);
}

static int parse_template_file(const char *file, struct output *ret, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	if (buf_read_file(&text, file, TEMPLATE_MAX_BYTES, err) < 0)
		return -1;
	return parse_template(text.data ? text.data : "", ret, err);
}

static int parse_columns_given(const char *text, struct output *ret, struct err *err)
{
	if (!*text)
		return err_set(err, ERR_PARSE, "custom-columns format specified but no custom columns given");
	return parse_columns(text, ret, err);
}

static const struct {
	const char *name;
	enum output_form form;
	bool of_tables; /* only where a table could be */
	int (*parse)(const char *value, struct output *ret, struct err *err); /* of what is behind = */
} forms[] = {
	{ "custom-columns", OUTPUT_CUSTOM_COLUMNS, true, parse_columns_given },
	{ "custom-columns-file", OUTPUT_CUSTOM_COLUMNS, true, parse_columns_file },
	{ "json", OUTPUT_JSON, false, NULL },
	{ "jsonpath", OUTPUT_JSONPATH, false, parse_template },
	{ "jsonpath-as-json", OUTPUT_JSONPATH_JSON, false, parse_template },
	{ "jsonpath-file", OUTPUT_JSONPATH, false, parse_template_file },
	{ "name", OUTPUT_NAME, false, NULL },
	{ "wide", OUTPUT_WIDE, true, NULL },
	{ "yaml", OUTPUT_YAML, false, NULL },
};

static int unknown_form(const char *value, size_t len, bool tables, struct err *err)
{
	static const char *const go[] = { "go-template", "go-template-file", "template", "templatefile" };
	CLEANUP(mem_freep) char *word = mem_dupn(value, len);
	CLEANUP(buf_close) struct buf list = BUF_INIT;
	struct suggestion s = suggest_for(word);

	for (size_t i = 0; i < ARRAY_SIZE(go); i++)
		if (strcmp(word, go[i]) == 0)
			return err_set(err, ERR_PARSE,
				       "templates of Go are not understood here (-o %s): "
				       "-o jsonpath='{.metadata.name}' does the same for most ends",
				       word);
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (tables || !forms[i].of_tables) {
			buf_printf(&list, "%s%s", list.len ? "," : "", forms[i].name);
			suggest_offer(&s, forms[i].name);
		}
	err_set(err, ERR_PARSE,
		"unable to match a printer suitable for the output format \"%s\", allowed formats are: %s",
		value, list.data);
	return suggest_add(&s, err);
}

static int parse_form(const char *value, bool tables, struct output *ret, struct err *err)
{
	struct output output = { .form = OUTPUT_TABLE };
	size_t len = strcspn(value, "="), i = 0;

	if (!*value) {
		*ret = output;
		return 0;
	}
	while (i < ARRAY_SIZE(forms) && (strncmp(forms[i].name, value, len) != 0 || forms[i].name[len] ||
					 (forms[i].of_tables && !tables) || (value[len] && !forms[i].parse)))
		i++;
	if (i == ARRAY_SIZE(forms))
		return unknown_form(value, len, tables, err);
	output.form = forms[i].form;
	if (forms[i].parse && forms[i].parse(value + len + (value[len] == '='), &output, err) < 0) {
		output_close(&output);
		return -1;
	}
	*ret = output;
	return 0;
}

int output_parse(const char *value, struct output *ret, struct err *err)
{
	return parse_form(value ? value : "", true, ret, err);
}

int output_parse_objects(const char *value, struct output *ret, struct err *err)
{
	return parse_form(value ? value : "", false, ret, err);
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
			buf_printf(b, "\\u%04x", (unsigned)text->data[i++]);
	}
}

static void drop_managed(struct json_object *obj, bool managed)
{
	if (!managed)
		object_drop_managed(obj);
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

static void add_match(struct json_object *value, void *arg)
{
	json_object_array_add((struct json_object *)arg, json_object_get(value));
}

static int write_matches(const struct output *output, struct json_object *obj, struct buf *b, struct err *err)
{
	CLEANUP(json_putp) struct json_object *matches = json_object_new_array();

	if (jsonpath_each(output->template, obj, add_match, matches, err) < 0)
		return -1;
	write_value(&(struct output){ .form = OUTPUT_JSON }, matches, b);
	return 0;
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
	case OUTPUT_JSONPATH_JSON:
		if (write_matches(output, obj, &b, err) < 0)
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

int output_event(const struct output *output, const struct resource *resource, const char *type,
		 struct json_object *obj, bool managed, struct err *err)
{
	CLEANUP(json_putp) struct json_object *event = NULL;
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	if (output->form != OUTPUT_JSON && output->form != OUTPUT_YAML)
		return output_object(output, resource, obj, managed, err);
	drop_managed(obj, managed);
	event = json_object_new_object();
	json_set_str(event, "type", type);
	json_set(event, "object", json_object_get(obj));
	if (output->form == OUTPUT_YAML) {
		yaml_write(&text, event);
	} else {
		CLEANUP(buf_close) struct buf sorted = BUF_INIT;
		json_write_sorted(&sorted, obj);
		buf_printf(&text, "{\"type\":\"%s\",\"object\":%s}\n", type, sorted.data);
	}
	fwrite(text.data, 1, text.len, stdout);
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
