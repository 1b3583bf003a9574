/* --sort-by: objects, or rows of a server's Table, in the order of a field.
 */
#pragma once

#include <stdbool.h>

#include "lib/err.h"
#include "lib/json.h"

struct sort_by;

/* PATH as users write it: ".metadata.name", "{.metadata.name}". */
int sort_by_new(const char *path, struct sort_by **ret, struct err *err);
void sort_by_free(struct sort_by *sort);
/* Sorts N values, each an object, or with ROWS a row that has it as "object", and ALONG (N pointers, or NULL)
 * with them. Fails when none has the field. */
int sort_by_values(const struct sort_by *sort, struct json_object **values, const void **along, size_t n,
		   bool rows, struct err *err);
