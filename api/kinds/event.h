/* What both versions of Event print: core/v1 is stored, events.k8s.io/v1 a view of it. */
#pragma once

#include "api/kind.h"

#define EVENT_COLUMNS 10
extern const struct kind_column event_columns[EVENT_COLUMNS];
/* Of an object of version v1 of core. */
void event_cells(const struct json_object *obj, int64_t now_us, struct json_object *ret);
