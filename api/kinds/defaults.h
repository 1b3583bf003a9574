/* Small steps that set_defaults functions are made of. A string member that is "" counts as absent, as in
 * Kubernetes' Go structs, where an empty string and a missing one are the same.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/json.h"

/* Set member KEY when it is absent. True when it was. */
bool default_str(struct json_object *obj, const char *key, const char *value);
bool default_int(struct json_object *obj, const char *key, int64_t value);
bool default_bool(struct json_object *obj, const char *key, bool value);
/* An int-or-string member: a number or, when TEXT is not NULL, a string. */
bool default_int_or_str(struct json_object *obj, const char *key, const char *text, int64_t value);
/* A member that Kubernetes writes even when it is empty: "" and null. */
void default_empty_str(struct json_object *obj, const char *key);
void default_null(struct json_object *obj, const char *key);
/* default_null of KEYS (to a NULL) in every object of ARRAY: the times of conditions. */
void default_null_each(struct json_object *array, const char *const *keys);
/* The member as a non-empty string. */
bool default_has_str(const struct json_object *obj, const char *key);
