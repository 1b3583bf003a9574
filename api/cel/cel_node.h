/* The tree of an expression. All of it lies in the arena of its program (cel_program.h), and nothing changes
 * it once it is checked: any number of threads may evaluate it.
 */
#pragma once

#include "api/cel/cel_arena.h"
#include "api/cel/cel_value.h"

#define CEL_DEPTH_MAX 250    /* of the tree: what parser, checker and evaluator recurse by */
#define CEL_TEXT_MAX  100000 /* characters of an expression */
#define CEL_NODES_MAX 50000

enum cel_node_kind {
	CEL_LITERAL,
	CEL_IDENT,
	CEL_SELECT, /* args[0].name */
	CEL_CALL,   /* operators too: "_+_" */
	CEL_LIST_OF,
	CEL_MAP_OF, /* args: key, value, key, value */
	CEL_AND,    /* args: two or more */
	CEL_OR,
	CEL_IF, /* args: condition, then, else */
	CEL_FOLD,
};

/* What a macro does with the items of its range. */
enum cel_fold {
	CEL_ALL,
	CEL_EXISTS,
	CEL_EXISTS_ONE,
	CEL_FILTER,
	CEL_TRANSFORM, /* map, transformList */
	CEL_TRANSFORM_MAP,
	CEL_TRANSFORM_ENTRY,
	CEL_OPT_MAP, /* on an optional */
	CEL_OPT_FLAT_MAP
};

struct cel_overload;
struct pattern;

struct cel_node {
	uint8_t kind;
	uint8_t fold;
	bool member;    /* CALL: args[0] is the target */
	bool test_only; /* SELECT: has() */
	bool optional;  /* SELECT: a.?b; in a LIST_OF and MAP_OF see optionals */
	bool keyed;     /* FOLD with two variables */
	uint16_t depth;
	uint32_t at;   /* in the text, bytes */
	uint32_t n;    /* of args */
	uint32_t slot; /* IDENT: its variable; FOLD: its first variable */
	struct cel_node **args;
	const char *name;  /* IDENT, SELECT, CALL, the first variable of FOLD */
	const char *other; /* SELECT: the name as JSON has it; FOLD: the second variable */
	union {
		struct cel_value value;              /* LITERAL */
		const struct cel_overload *overload; /* CALL: the first of its function */
		const bool *optionals;               /* LIST_OF, MAP_OF: by entry, or NULL */
	};
	struct pattern *pattern; /* CALL with a literal regular expression */
};
