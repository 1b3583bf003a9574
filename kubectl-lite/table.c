#include "kubectl-lite/table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kubectl-lite/describe_text.h"
#include "lib/mem.h"

enum { PADDING = 3, MIN_WIDTH = 6 };

void table_init(struct table *t, size_t columns)
{
	*t = (struct table){ .columns = columns, .widths = mem_zalloc((columns + 1) * sizeof(size_t)) };
}

static void forget_rows(struct table *t)
{
	for (size_t i = 0; i < t->rows * t->columns; i++)
		free(t->cells[i]);
	t->rows = 0;
}

void table_close(struct table *t)
{
	forget_rows(t);
	free(t->cells);
	free(t->widths);
	*t = (struct table){ 0 };
}

/* Characters, not bytes. */
static size_t text_width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

void table_row(struct table *t, const char *const *cells)
{
	t->cells = mem_realloc_array(t->cells, (t->rows + 1) * t->columns, sizeof(char *));
	for (size_t i = 0; i < t->columns; i++)
		t->cells[t->rows * t->columns + i] = mem_dup(cells[i] ? cells[i] : "");
	t->rows++;
}

/* Colour of a status word; NULL: none. */
static const char *status_colour(const char *header, const char *cell)
{
	static const char *const bad[] = { "Error",    "BackOff",   "Failed",  "Err",    "Invalid",
					   "NotReady", "OOMKilled", "Evicted", "Unknown" };

	if (strcmp(header, "STATUS") != 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (strstr(cell, bad[i]))
			return "\033[31m";
	if (strcmp(cell, "Running") == 0 || strcmp(cell, "Ready") == 0 || strcmp(cell, "Active") == 0 ||
	    strcmp(cell, "Completed") == 0)
		return "\033[32m";
	return "\033[33m";
}

static void print_cell(const struct table *t, FILE *to, const char *cell, size_t column, const char *colour)
{
	size_t width = text_width(cell);

	if (colour)
		fprintf(to, "%s%s\033[0m", colour, cell);
	else
		fputs(cell, to);
	if (column + 1 < t->columns)
		for (; width < t->widths[column]; width++)
			fputc(' ', to);
}

void table_print(struct table *t, FILE *to, bool no_headers)
{
	bool colours = isatty(fileno(to)) && !getenv("NO_COLOR");
	bool first = !t->header_done;

	for (size_t row = no_headers && first ? 1 : 0; row < t->rows; row++)
		for (size_t c = 0; c < t->columns; c++) {
			size_t width = text_width(t->cells[row * t->columns + c]) + PADDING;
			if (width < MIN_WIDTH)
				width = MIN_WIDTH;
			if (width > t->widths[c])
				t->widths[c] = width;
		}
	for (size_t row = no_headers && first ? 1 : 0; row < t->rows; row++) {
		bool header = first && row == 0;
		for (size_t c = 0; c < t->columns; c++) {
			const char *cell = t->cells[row * t->columns + c];
			const char *colour = !colours ? NULL
					     : header ? "\033[1m"
					     : first  ? status_colour(t->cells[c], cell)
						      : NULL;
			print_cell(t, to, cell, c, colour);
		}
		fputc('\n', to);
	}
	t->header_done = true;
	forget_rows(t);
}

static char *upper(const char *s)
{
	char *copy = mem_dup(s);

	for (char *p = copy; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return copy;
}

/* "a=b,c=d", or <none>. */
static char *labels_text(const struct json_object *labels)
{
	struct buf b = BUF_INIT;

	if (json_object_is_type(labels, json_type_object)) {
		json_object_object_foreach((struct json_object *)(uintptr_t)labels, key, value)
		    buf_printf(&b, "%s%s=%s", b.len ? "," : "", key, json_object_get_string(value));
	}
	if (!b.len)
		buf_str(&b, "<none>");
	return buf_take(&b);
}

/* A row under construction: strings that are owned. */
struct row {
	char *cells[64];
	size_t n;
};

static void row_add(struct row *row, char *cell_taken)
{
	if (row->n < ARRAY_SIZE(row->cells))
		row->cells[row->n++] = cell_taken;
	else
		free(cell_taken);
}

static void row_flush(struct row *row, struct table *t)
{
	if (!t->columns)
		table_init(t, row->n);
	while (row->n < t->columns)
		row_add(row, mem_dup(""));
	table_row(t, (const char *const *)row->cells);
	for (size_t i = 0; i < row->n; i++)
		free(row->cells[i]);
	row->n = 0;
}

static bool shown(const struct json_object *column, const struct table_view *view)
{
	return view->wide || json_int(column, "priority", 0) == 0;
}

static void add_header(struct table *t, const struct json_object *columns, const struct table_view *view)
{
	struct row row = { .n = 0 };

	if (view->event)
		row_add(&row, mem_dup("EVENT"));
	if (view->with_namespace)
		row_add(&row, mem_dup("NAMESPACE"));
	for (size_t c = 0; c < json_len(columns); c++)
		if (shown(json_at(columns, c), view))
			row_add(&row, upper(json_str_or_empty(json_at(columns, c), "name")));
	for (size_t i = 0; view->label_columns && i < view->label_columns->n; i++) {
		const char *slash = strrchr(view->label_columns->items[i], '/');
		row_add(&row, upper(slash ? slash + 1 : view->label_columns->items[i]));
	}
	if (view->show_labels)
		row_add(&row, mem_dup("LABELS"));
	row_flush(&row, t);
}

static void add_row(struct table *t, const struct json_object *columns, const struct json_object *server_row,
		    const struct table_view *view)
{
	const struct json_object *cells = json_get(server_row, "cells"),
				 *metadata = json_path(server_row, "object", "metadata", NULL);
	const struct json_object *labels = json_get(metadata, "labels");
	struct row row = { .n = 0 };

	if (view->event)
		row_add(&row, mem_printf("%-8s", view->event)); /* as wide as the longest: MODIFIED */
	if (view->with_namespace)
		row_add(&row, mem_dup(json_str_or_empty(metadata, "namespace")));
	for (size_t c = 0; c < json_len(columns); c++) {
		const struct json_object *column = json_at(columns, c);
		struct json_object *cell = json_at(cells, c);
		const char *text = cell ? json_object_get_string(cell) : "";
		if (!shown(column, view))
			continue;
		if (view->kind_prefix && strcmp(json_str_or_empty(column, "format"), "name") == 0)
			row_add(&row, mem_printf("%s%s", view->kind_prefix, text));
		else
			row_add(&row, mem_dup(text));
	}
	for (size_t i = 0; view->label_columns && i < view->label_columns->n; i++)
		row_add(&row, mem_dup(json_str_or_empty(labels, view->label_columns->items[i])));
	if (view->show_labels)
		row_add(&row, labels_text(labels));
	row_flush(&row, t);
}

void table_add_server(struct table *t, const struct json_object *obj, const struct table_view *view)
{
	const struct json_object *columns = json_get(obj, "columnDefinitions"), *rows = json_get(obj, "rows");

	if (!t->columns)
		add_header(t, columns, view);
	for (size_t i = 0; i < json_len(rows); i++)
		add_row(t, columns, json_at(rows, i), view);
}

struct json_object *table_of_object(struct json_object *obj_taken)
{
	static const char *const names[] = { "Name", "Age" };
	const struct json_object *metadata = json_get(obj_taken, "metadata");
	struct json_object *table = json_object_new_object(), *row = json_object_new_object();
	struct json_object *columns = json_ensure_array(table, "columnDefinitions"),
			   *cells = json_ensure_array(row, "cells");
	char age[32];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct json_object *column = json_object_new_object();
		json_set_str(column, "name", names[i]);
		json_set_str(column, "format", i == 0 ? "name" : "");
		json_object_array_add(columns, column);
	}
	describe_age(json_str(metadata, "creationTimestamp"), age, sizeof(age));
	json_object_array_add(cells, json_object_new_string(json_str_or_empty(metadata, "name")));
	json_object_array_add(cells, json_object_new_string(age));
	json_set(row, "object", obj_taken);
	json_object_array_add(json_ensure_array(table, "rows"), row);
	return table;
}
