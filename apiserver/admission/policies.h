/* The policies that admission asks at every pod, kept at hand by a follower: limit ranges and quotas by
 * namespace, priority classes by name.
 */
#pragma once

#include "apiserver/core/core.h"

struct policies;
/* CORE need not be started yet. */
struct policies *policies_new(struct core *core);
void policies_free(struct policies *policies); /* NULL is fine */

/* Brings them up to date and holds them until policies_done; as follow_read. */
int policies_read(struct policies *policies, struct err *err);
void policies_done(struct policies *policies);

/* Between the two; what they give is valid until policies_done. Parsed objects in order of their names, NULL
 * and 0 without any. */
struct json_object *const *policies_limit_ranges(const struct policies *policies, const char *namespace_,
						 size_t *ret_n);
struct json_object *const *policies_quotas(const struct policies *policies, const char *namespace_,
					   size_t *ret_n);
/* The PriorityClass NAME, or NULL. */
const struct json_object *policies_priority_class(const struct policies *policies, const char *name);
/* The one for pods that name none: of those marked globalDefault the one with the least value; or NULL. */
const struct json_object *policies_default_priority_class(const struct policies *policies);
