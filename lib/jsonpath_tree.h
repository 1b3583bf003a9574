/* What a parsed JSONPath template is made of; shared by the parser (jsonpath.c) and the evaluation
 * (jsonpath_eval.c).
 *
 *     "pod {.metadata.name}: {range .items[*]}{.name}{end}"
 *      TEXT  EXPR           TEXT RANGE(expr, body = EXPR)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/json.h"

enum jsonpath_step_type {
	STEP_ROOT,      /* $ */
	STEP_CURRENT,   /* @, a lone "." */
	STEP_FIELD,     /* .name, ['name'] */
	STEP_ALL,       /* .*, [*] */
	STEP_RECURSIVE, /* ..: the value and all that is below it; the next step picks from these */
	STEP_SLICE,     /* [0], [-1], [1:3], [0:6:2] */
	STEP_UNION,     /* [1,2], ['a','b'] */
	STEP_FILTER,    /* [?(@.a == "b")] */
	STEP_LITERAL,   /* a value: right side of a filter */
};

enum jsonpath_compare {
	COMPARE_EXISTS,
	COMPARE_EQ,
	COMPARE_NE,
	COMPARE_LT,
	COMPARE_LE,
	COMPARE_GT,
	COMPARE_GE
};

struct jsonpath_steps {
	struct jsonpath_step *items;
	size_t n;
};

struct jsonpath_step {
	enum jsonpath_step_type type;
	char *name;                        /* STEP_FIELD */
	int64_t start, end, stride;        /* STEP_SLICE */
	bool has_start, has_end, single;   /* single: [i], where an absent item is an error */
	struct jsonpath_steps members;     /* STEP_UNION: one step each */
	enum jsonpath_compare compare;     /* STEP_FILTER */
	struct jsonpath_steps left, right; /* STEP_FILTER */
	struct json_object *literal;       /* STEP_LITERAL */
};

enum jsonpath_part_type { PART_TEXT, PART_EXPR, PART_RANGE };

struct jsonpath_part {
	enum jsonpath_part_type type;
	char *text;                  /* PART_TEXT */
	struct jsonpath_steps steps; /* PART_EXPR, PART_RANGE */
	struct jsonpath_parts *body; /* PART_RANGE */
};

struct jsonpath_parts {
	struct jsonpath_part *items;
	size_t n;
};

struct jsonpath {
	struct jsonpath_parts parts;
};
