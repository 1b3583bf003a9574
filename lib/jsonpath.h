/* JSONPath templates as kubectl has them: text with {expressions}.
 * https://kubernetes.io/docs/reference/kubectl/jsonpath/
 * Supported: . .name ['name'] [0] [-1] [1:3] [0:6:2] [*] .* ..name [?(@.a=="b")] [1,2] "text" {range
 * x}...{end}, $ and @.
 */
#pragma once

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"

struct jsonpath;

/* TEMPLATE; ERR_PARSE says what is wrong. Text of at most 1 MiB. */
int jsonpath_parse(const char *template, struct jsonpath **ret, struct err *err);
/* One expression, braces and the leading dot may be left out: "metadata.name", ".a.b", "{.a.b}" (columns,
 * sort keys). */
int jsonpath_parse_relaxed(const char *expression, struct jsonpath **ret, struct err *err);
void jsonpath_free(struct jsonpath *path);
/* Appends the text for OBJ. Missing fields give nothing, or ERR_NOT_FOUND when STRICT; an item beyond the end
 * of its list is an error always, as in kubectl. */
int jsonpath_write(const struct jsonpath *path, const struct json_object *obj, bool strict, struct buf *b,
		   struct err *err);
/* Calls VALUE with each value (borrowed from OBJ; NULL for null) of a template that is one expression. */
int jsonpath_each(const struct jsonpath *path, const struct json_object *obj,
		  void (*value)(struct json_object *value, void *arg), void *arg, struct err *err);
/* First value of a template that is one expression, borrowed from OBJ, or NULL: for --sort-by. */
struct json_object *jsonpath_first(const struct jsonpath *path, const struct json_object *obj);
