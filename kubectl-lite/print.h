/* The forms of output that -o names.
 */
#pragma once

#include "api/resource.h"
#include "lib/json.h"
#include "lib/jsonpath.h"

enum output_form {
	OUTPUT_TABLE,
	OUTPUT_WIDE,
	OUTPUT_JSON,
	OUTPUT_YAML,
	OUTPUT_NAME,
	OUTPUT_JSONPATH,
	OUTPUT_JSONPATH_JSON,
	OUTPUT_CUSTOM_COLUMNS
};

struct output {
	enum output_form form;
	struct jsonpath *template;     /* of OUTPUT_JSONPATH and OUTPUT_JSONPATH_JSON */
	struct output_column *columns; /* of OUTPUT_CUSTOM_COLUMNS */
	size_t n_columns;
	bool no_headers; /* of OUTPUT_CUSTOM_COLUMNS; set by the caller */
	bool in_order;   /* of OUTPUT_JSON: members stay in their order; set by the caller */
};

struct output_column {
	char *header;
	struct jsonpath *path;
};

/* -o VALUE: "wide", "json", "yaml", "name", "jsonpath=TEMPLATE", "jsonpath-file=FILE",
 * "jsonpath-as-json=TEMPLATE", "custom-columns=NAME:.path,...", "custom-columns-file=FILE"; NULL or "": the
 * table. Errors list what is allowed. */
int output_parse(const char *value, struct output *ret, struct err *err);
/* The same without what is a table: "wide" and columns are refused. */
int output_parse_objects(const char *value, struct output *ret, struct err *err);
void output_close(struct output *output);
/* Prints one object in a form that is no table. MANAGED: keep metadata.managedFields. */
int output_object(const struct output *output, const struct resource *resource, struct json_object *obj,
		  bool managed, struct err *err);
/* Prints what happened to an object, of a watch: {"type": "ADDED", "object": ...} in the forms json and yaml,
 * else the object. */
int output_event(const struct output *output, const struct resource *resource, const char *type,
		 struct json_object *obj, bool managed, struct err *err);
/* Prints several as one List (json, yaml), or one after the other. */
int output_list(const struct output *output, struct json_object **objects,
		const struct resource *const *resources, size_t n, bool managed, struct err *err);
/* Appends TEXT, which is JSON, with <, > and & as Go's encoder writes them: \u003c. */
void output_escape_html(struct buf *b, const struct buf *text);
