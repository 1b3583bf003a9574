/* The checker: says of every part of an expression what its type is, in cel-go's words where it has none, and
 * which variable or function a name means.
 */
#pragma once

#include "api/cel/cel_node.h"
#include "api/cel/cel_source.h"
#include "api/cel/cel_type.h"

struct cel_variable {
	const char *name;
	const struct cel_type *type;
};

struct cel_used_pattern {
	struct pattern *pattern;
	struct cel_used_pattern *next;
};

struct cel_checked {
	const struct cel_type *type;       /* in SCRATCH */
	unsigned n_slots;                  /* for the variables: those given come first */
	bool used[2];                      /* which of the given ones */
	struct cel_used_pattern *patterns; /* the caller's */
};

/* Checks NODE, of SOURCE's text, with N variables, two at most. What the tree refers to afterwards lies in
 * ARENA, types in SCRATCH. False with faults in SOURCE; *RET has its patterns even then. */
bool cel_check(struct cel_source *source, struct cel_node *node, const struct cel_variable *variables,
	       unsigned n, struct cel_arena *arena, struct cel_arena *scratch, struct cel_checked *ret);
