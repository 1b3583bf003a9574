/* Fields as the generator writes them: numbers instead of pointers. What is a pointer the dynamic linker
 * writes at each start of every program, into pages that it then has for itself; most of them, a command
 * above all, look at few definitions or none. So schema_fields() makes struct schema_field of all of them
 * when it is first asked for one.
 */
#pragma once

#include "api/schema.h"

struct schema_seed {
	uint16_t name;  /* where in schema_names it begins */
	uint16_t def;   /* of schema_defs, from 1 on; 0: none */
	uint16_t texts; /* of schema_seed_texts, from 1 on; 0: none */
	/* As struct schema_field has them. */
	uint8_t type, container, list;
	bool required, patch_merge, patch_replace, retain_keys, or_boolean, map_atomic, map_granular, zero;
	uint8_t wire, wire_outer;
	bool wire_zero;
};

extern const struct schema_seed schema_seeds[]; /* of all definitions, one after another */
extern const size_t schema_n_seeds;
extern const char schema_names[];
extern const struct schema_texts schema_seed_texts[];
