/* Tokens of expressions.
 * https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax
 */
#pragma once

#include "api/cel/cel_arena.h"
#include "api/cel/cel_source.h"
#include "api/cel/cel_value.h"

enum cel_token_kind {
	CEL_T_EOF,
	CEL_T_BAD, /* a fault has been told */
	CEL_T_IDENT,
	CEL_T_LITERAL, /* number, string or bytes, true, false, null */
	CEL_T_IN,
	CEL_T_EQ,
	CEL_T_NE,
	CEL_T_LE,
	CEL_T_GE,
	CEL_T_LT,
	CEL_T_GT,
	CEL_T_AND,
	CEL_T_OR,
	/* Single characters are their own kind. */
};

struct cel_token {
	int kind;
	uint32_t at, len;
	struct cel_value value;   /* of a LITERAL */
	const char *out_of_range; /* of a number that is none: "invalid int literal", else NULL */
};

/* The token at AT or behind it. Strings lie in ARENA. */
struct cel_token cel_lex(struct cel_source *source, uint32_t at, struct cel_arena *arena);
