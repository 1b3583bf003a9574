/* Inside of pattern_parse.c, which makes trees, and pattern_escape.c, which reads what stands for single
 * characters and sets of them.
 */
#pragma once

#include "lib/pattern_class.h"

struct pattern_parser {
	const char *start, *at, *end;   /* of the text; what comes next */
	bool fold, dot_all, multi_line; /* flags: as they hold here */
	unsigned depth;                 /* of groups */
	struct err *err;
	bool failed;
};

/* Tells the first error, about the text from FROM to TO. Gives NULL. */
struct node *pattern_fail(struct pattern_parser *p, const char *what, const char *from, const char *to);

/* Nodes are the caller's, and own what they are made of. */
struct node *pattern_node_new(enum node_kind kind, struct node *left, struct node *right);
struct node *pattern_assertion(enum assertion assertion);
/* One of SET, which is emptied; of all others when NEGATED; in both cases of letters when the flags say so.
 */
struct node *pattern_class_node(struct pattern_parser *p, struct char_class *set, bool negated);
struct node *pattern_char_node(struct pattern_parser *p, uint32_t c);

/* From the backslash, or the opening bracket, on; NULL after an error. */
struct node *pattern_parse_escape(struct pattern_parser *p);
struct node *pattern_parse_class(struct pattern_parser *p);
/* 0 to 15, or -1. */
int pattern_hex_value(char c);
