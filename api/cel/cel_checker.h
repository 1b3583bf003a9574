/* Inside of the checker: what the walk over a tree (cel_check.c) and macros (cel_check_fold.c) share.
 */
#pragma once

#include "api/cel/cel_check.h"

struct cel_checker {
	struct cel_source *source;
	struct cel_arena *arena, *scratch;
	struct cel_variable variables[2 * CEL_DEPTH_MAX + 2]; /* the innermost is last */
	unsigned n;
	struct cel_checked *checked;
};

/* The type of NODE, whose names and calls are resolved; unknown with a fault where it has none. */
const struct cel_type *cel_check_node(struct cel_checker *c, struct cel_node *node);
const struct cel_type *cel_check_fold(struct cel_checker *c, struct cel_node *node);
/* A variable of NAME is seen until c->n is what it was before. */
void cel_declare(struct cel_checker *c, const char *name, const struct cel_type *type);

/* Faults at AT; the type that is not known comes back. FORMAT has one %s, for TYPE. */
const struct cel_type *cel_fault_type(struct cel_checker *c, uint32_t at, const char *format,
				      const struct cel_type *type);
/* "found no matching overload for 'size' applied to '(int)'" */
const struct cel_type *cel_no_overload(struct cel_checker *c, uint32_t at, const char *name, bool member,
				       const struct cel_type *const *types, unsigned n);
