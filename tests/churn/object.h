/* What is asked of objects' JSON again and again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/json.h"

/* metadata.name, metadata.uid, status.phase; "" when absent. Borrowed. */
const char *object_name(const struct json_object *obj);
const char *object_uid(const struct json_object *obj);
const char *object_phase(const struct json_object *obj);
uint64_t object_revision(const struct json_object *obj);
/* The uid of its controller, or "". Borrowed. */
const char *object_controller(const struct json_object *obj);
/* Its condition Ready is True. */
bool object_ready(const struct json_object *obj);
/* It has a deletionTimestamp. */
bool object_terminating(const struct json_object *obj);
/* A pod that Succeeded or Failed. */
bool object_ended(const struct json_object *obj);
