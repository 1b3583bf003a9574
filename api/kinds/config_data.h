/* What ConfigMap and Secret have in common: maps of keys to content, a size limit, and `immutable`. */
#pragma once

#include "api/field_error.h"

#define CONFIG_DATA_MAX_BYTES (1024 * 1024)

/* Every key must be a valid config key. Returns how many bytes the values have as they are written. */
size_t config_data_validate_keys(const struct json_object *data, struct field_path *path,
				 struct field_errors *errors);
/* No key may be in both. */
void config_data_validate_overlap(const struct json_object *data, const struct json_object *binary,
				  struct field_path *path, struct field_errors *errors);
/* An object once immutable stays so, and its members KEYS (to a NULL) never change again. */
void config_data_validate_update(const struct json_object *obj, const struct json_object *old,
				 const char *const *keys, struct field_errors *errors);
