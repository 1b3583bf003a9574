/* YAML on libyaml: text of one or more documents to JSON values, and JSON values to YAML text.
 * Scalars resolve as sigs.k8s.io/yaml does (YAML 1.1 core: null ~ true/false yes/no y/n on/off as booleans,
 * also as keys; integers, floats; quoted is a string). Anchors, aliases and merge keys (<<) are followed;
 * expansion is bounded (1,000,000 nodes, 64 MiB) against alias bombs, nesting at JSON_MAX_DEPTH.
 */
#pragma once

#include "lib/json.h"

struct yaml_doc {
	struct json_object *value; /* NULL for an empty document */
	size_t line;               /* where it starts, from 1 */
	size_t duplicates;         /* keys repeated in it */
	char *first_duplicate;     /* path of the first, or NULL */
};

/* Parses all documents of TEXT. NAME stands in messages: "deploy.yaml:12:3: mapping values are not
 * allowed in this context". *ret_docs is an array for yaml_docs_free. JSON text is YAML and works. */
int yaml_parse(const char *name, const char *text, size_t len, struct yaml_doc **ret_docs, size_t *ret_n,
	       struct err *err);
void yaml_docs_free(struct yaml_doc *docs, size_t n);

/* Appends OBJ as block YAML, keys sorted, as kubectl -o yaml prints: two spaces, sequences not indented
 * under their key, strings quoted only where needed, multi-line strings as literal blocks. A string that is
 * not UTF-8 leaves B failed. */
void yaml_write(struct buf *b, const struct json_object *obj);
