/* A structural schema as the tables of schema.h have it, for what works on those: who manages which field,
 * server-side apply, selectors. Values and limits are not in it.
 */
#pragma once

#include "api/schema.h"
#include "api/structural.h"

/* NAME is the definition's: "dev.example.v1.Ship". The caller's, until structural_def_free. SCHEMA is not
 * needed afterwards. */
struct schema_def *structural_def_new(const struct structural *schema, const char *name);
/* The same for a whole object: apiVersion, kind and metadata are in it in any case. */
struct schema_def *structural_def_of_object(const struct structural *schema, const char *name);
void structural_def_free(struct schema_def *def); /* NULL is fine */
