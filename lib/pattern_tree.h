/* Inside of patterns: pattern_parse.c makes the tree, pattern.c the program that is run. */
#pragma once

#include <stdint.h>

#include "lib/pattern.h"

enum node_kind { NODE_EMPTY, NODE_CLASS, NODE_ASSERT, NODE_CAT, NODE_ALT, NODE_REPEAT };

enum assertion {
	ASSERT_TEXT_BEGIN,
	ASSERT_TEXT_END,
	ASSERT_LINE_BEGIN,
	ASSERT_LINE_END,
	ASSERT_WORD,
	ASSERT_NOT_WORD
};

struct range {
	uint32_t low, high;
};

/* A set of characters: sorted ranges that do not touch. */
struct char_class {
	struct range *ranges;
	size_t n, cap;
};

struct node {
	enum node_kind kind;
	struct char_class set;     /* CLASS */
	enum assertion assertion;  /* ASSERT */
	struct node *left, *right; /* CAT and ALT: both; REPEAT: left */
	unsigned min, max;         /* REPEAT; max UINT_MAX: no end */
	bool lazy;                 /* REPEAT: rather less often */
};

#define PATTERN_REPEAT_MAX 1000
#define PATTERN_DEPTH_MAX  200
#define PATTERN_TEXT_MAX   65536

/* The tree of TEXT. ERR_PARSE as pattern_parse. */
struct node *pattern_tree(const char *text, struct err *err);
void pattern_tree_free(struct node *node);

/* The character at *AT, which moves on; invalid bytes are U+FFFD, one by one. */
uint32_t pattern_next_char(const char **at, const char *end);
