/* What fields and kinds are for, in our own words, from facts/descriptions.tsv. One text in the program,
 * looked through when somebody asks: it costs no memory until then.
 */
#pragma once

#include <stddef.h>

#include "api/schema.h"

/* Of a field of DEF, or of DEF itself for FIELD ""; NULL when there is none. Not terminated: *RET_LEN bytes.
 * What all kinds have (apiVersion, metadata ...) is found for each. */
const char *description_find(const struct schema_def *def, const char *field, size_t *ret_len);

/* The values that a field of DEF may have, when they are a closed set: "Always|Never". As above. */
const char *description_values(const struct schema_def *def, const char *field, size_t *ret_len);

/* The tables, from gen_schema.c: lines "DEF<tab>FIELD<tab>TEXT", sorted by byte; DEF "*" stands for every
 * kind. */
extern const char description_lines[], description_value_lines[];
extern const size_t description_lines_len, description_value_lines_len;
