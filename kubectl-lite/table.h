/* Columns of text, aligned as kubectl aligns them: three spaces between columns, the last one unpadded; and
 * the server's Tables (meta.k8s.io/v1) as such columns.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "kubectl-lite/command.h"
#include "lib/json.h"

struct table {
	char **cells; /* rows * columns, row by row; the first row is the header */
	size_t columns, rows;
	size_t *widths; /* remembered, so that later rows of a watch line up */
	bool header_done;
};

void table_init(struct table *t, size_t columns);
void table_close(struct table *t);
/* Appends a row: COLUMNS strings, copied. */
void table_row(struct table *t, const char *const *cells);
/* Prints the rows so far and forgets them (not the widths). NO_HEADERS leaves the first row out. On a
 * terminal the header is bold and the words of a STATUS or READY column that tell of trouble are coloured. */
void table_print(struct table *t, FILE *to, bool no_headers);

/* How a server Table is shown. */
struct table_view {
	bool wide, no_headers, with_namespace, show_labels;
	const char *kind_prefix; /* "pod/": before names, when several kinds are shown; or NULL */
	const struct string_list *label_columns;
	const char *event; /* a first column with what happened, of a watch; or NULL */
};

/* A Table of one object, which it takes: name and age, as kubectl shows what the server makes no Table of. */
struct json_object *table_of_object(struct json_object *obj_taken);
/* Appends the rows of server Table OBJ to T, which is initialised at the first. */
void table_add_server(struct table *t, const struct json_object *obj, const struct table_view *view);
