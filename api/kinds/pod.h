/* The parts of kind Pod beside its row. */
#pragma once

#include "api/kind.h"

/* pod.c: what admission does to every new pod in a default cluster: service account, tolerations of an absent
 * node for five minutes, priority. Called by prepare_create until admission takes it over. */
void pod_admit_defaults(struct json_object *obj);

/* pod_parts.c */
extern const struct kind_part pod_parts[];

/* pod_cells.c */
#define POD_COLUMNS 9
extern const struct kind_column pod_columns[POD_COLUMNS];
extern const char *const pod_cell_fields[];
void pod_cells(const struct json_object *obj, int64_t now_us, struct json_object *cells);
