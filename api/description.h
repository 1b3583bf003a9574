/* What fields and kinds are for, in our own words, from facts/descriptions.tsv. One text in the program,
 * looked through when somebody asks: it costs no memory until then.
 */
#pragma once

#include <stddef.h>

#include "api/schema.h"

/* Of a field of DEF, or of DEF itself for FIELD ""; NULL when there is none. Not terminated: *RET_LEN bytes.
 * What all kinds have (apiVersion, metadata ...) is found for each. */
const char *description_find(const struct schema_def *def, const char *field, size_t *ret_len);

/* The table, from gen_schema.c: lines "DEF<tab>FIELD<tab>TEXT", sorted by byte; DEF "*" stands for every
 * kind. */
extern const char description_lines[];
extern const size_t description_lines_len;
