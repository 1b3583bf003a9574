/* What an unquoted YAML scalar means: shared by the reader, and by the writer to know what to quote. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct json_object;

/* The value of the plain scalar TEXT, a new reference (NULL for null): null, boolean, integer, float or else
 * a string. -1 for infinity and NaN, which JSON does not have. */
int yaml_scalar_resolve(const char *text, size_t len, struct json_object **ret);
/* Whether the string TEXT must be quoted, since plain it would be read, here or by another YAML 1.1 reader,
 * as something else than a string. */
bool yaml_scalar_is_ambiguous(const char *text, size_t len);
