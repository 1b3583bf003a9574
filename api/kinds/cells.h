/* Cells of Tables that kinds share. Every function appends exactly one value to CELLS. The texts are those of
 * Kubernetes' server-side printers (pkg/printers/internalversion).
 */
#pragma once

#include <stdint.h>

#include "lib/buf.h"
#include "lib/json.h"

/* Columns that many kinds have, as initialisers. */
#define CELL_COLUMN_NAME                                                                                     \
	{                                                                                                    \
		"Name", "string", "name", "Name of the object, unique in its namespace.", 0                  \
	}
#define CELL_COLUMN_AGE                                                                                      \
	{                                                                                                    \
		"Age", "string", "", "Time since the object was created.", 0                                 \
	}

void cell_str(struct json_object *cells, const char *s); /* NULL: "" */
void cell_str_or(struct json_object *cells, const char *s, const char *if_empty);
void cell_bool(struct json_object *cells, bool b);
void cell_int(struct json_object *cells, int64_t n);
/* The buffer's text; B may be empty. */
void cell_buf(struct json_object *cells, const struct buf *b);
void cell_name(struct json_object *cells, const struct json_object *obj);
/* Time since metadata.creationTimestamp. */
void cell_age(struct json_object *cells, const struct json_object *obj, int64_t now_us);
/* Time since the RFC 3339 time S; "<unknown>". */
void cell_since_time(struct json_object *cells, const char *s, int64_t now_us);
/* Member KEY of MAP, a quantity; IF_ABSENT. */
void cell_quantity(struct json_object *cells, const struct json_object *map, const char *key,
		   const char *if_absent);
/* Time from the RFC 3339 time S to now; "<unknown>" when S is NULL or no time. */
const char *cell_since(const char *s, int64_t now_us, char *buf, size_t size);
/* Container names, and images, of a pod spec: "web,log". */
void cell_containers(struct json_object *cells, const struct json_object *pod_spec);
void cell_images(struct json_object *cells, const struct json_object *pod_spec);
/* A map of labels: "a=b,c=d" by key; "<none>" when empty. */
void cell_labels(struct json_object *cells, const struct json_object *labels);
/* A meta/v1 LabelSelector in string form; "<none>" when it is absent or empty, "<error>" when it is not
 * valid. */
void cell_selector(struct json_object *cells, const struct json_object *selector);
