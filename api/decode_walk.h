/* The walk of decode.h over a value: names and types against a definition, in place. What it finds is kept
 * here and worded by decode.c.
 */
#pragma once

#include "api/decode.h"

struct decode_walk {
	enum field_validation validation; /* IGNORE: issues are not collected */
	struct buf error;                 /* type error to report; "" while there is none */
	char **issues; /* unknown fields, in order: "unknown field \"spec.nope\""; at most 100 */
	size_t n_issues;
	/* The walk's own: */
	bool stopped; /* an error after which Kubernetes reads no further */
	const struct schema_def *innermost;
};

/* Frees what the walk noted. */
void decode_walk_close(struct decode_walk *walk);
/* Changes OBJ in place. Everything is found in one walk: unknown fields are dropped and noted, the first
 * error of a type is kept. Values that OBJ shares with KNOWN (or NULL), a decoded object, are not looked at.
 */
void decode_walk(struct decode_walk *walk, const struct schema_def *def, const struct json_object *known,
		 struct json_object *obj);
/* Notes an issue (KIND "unknown field" or "duplicate field", and a path). */
void decode_walk_issue(struct decode_walk *walk, const char *kind, const char *path);
