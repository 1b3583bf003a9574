#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/pattern_parser.h"

/* --- errors --- */

struct node *pattern_fail(struct pattern_parser *p, const char *what, const char *from, const char *to)
{
	if (!p->failed)
		err_set(p->err, ERR_PARSE, "error parsing regexp: %s: `%.*s`", what, (int)(to - from), from);
	p->failed = true;
	return NULL;
}

/* --- nodes --- */

struct node *pattern_node_new(enum node_kind kind, struct node *left, struct node *right)
{
	struct node *node = mem_zalloc(sizeof(*node));

	node->kind = kind;
	node->left = left;
	node->right = right;
	return node;
}

/* A pattern is a long chain to the right, and its nesting is bounded. */
void pattern_tree_free(struct node *node)
{
	while (node) {
		struct node *right = node->right;

		pattern_tree_free(node->left);
		class_close(&node->set);
		free(node);
		node = right;
	}
}

struct node *pattern_assertion(enum assertion assertion)
{
	struct node *node = pattern_node_new(NODE_ASSERT, NULL, NULL);

	node->assertion = assertion;
	return node;
}

struct node *pattern_class_node(struct pattern_parser *p, struct char_class *set, bool negated)
{
	struct node *node = pattern_node_new(NODE_CLASS, NULL, NULL);

	if (p->fold)
		class_fold(set);
	if (negated)
		class_negate(set);
	class_finish(set);
	node->set = *set;
	*set = (struct char_class){ 0 };
	return node;
}

struct node *pattern_char_node(struct pattern_parser *p, uint32_t c)
{
	struct char_class set = { 0 };

	class_add(&set, c, c);
	return pattern_class_node(p, &set, false);
}

/* --- groups and repetitions --- */

static struct node *parse_alternatives(struct pattern_parser *p);

static bool parse_group_name(struct pattern_parser *p, const char *from)
{
	const char *close = memchr(p->at, '>', (size_t)(p->end - p->at));

	for (const char *s = p->at; close && s < close; s++)
		if (pattern_hex_value(*s) < 0 && !(*s >= 'g' && *s <= 'z') && !(*s >= 'G' && *s <= 'Z') &&
		    *s != '_')
			close = NULL;
	if (!close || close == p->at) {
		pattern_fail(p, "invalid named capture", from, close ? close + 1 : p->end);
		return false;
	}
	p->at = close + 1;
	return true;
}

/* What follows "(?". False on an error; *RET_BARE when the group holds flags only, for what comes after. */
static bool parse_flags(struct pattern_parser *p, const char *from, bool *ret_bare)
{
	bool on = true;

	for (; p->at < p->end; p->at++) {
		switch (*p->at) {
		case 'i':
			p->fold = on;
			continue;
		case 'm':
			p->multi_line = on;
			continue;
		case 's':
			p->dot_all = on;
			continue;
		case 'U': /* which match is preferred: all the same here */
			continue;
		case '-':
			on = false;
			continue;
		case ':':
		case ')':
			*ret_bare = *p->at++ == ')';
			return true;
		default:
			break;
		}
		break;
	}
	pattern_fail(p, "invalid or unsupported Perl syntax", from, p->at < p->end ? p->at + 1 : p->end);
	return false;
}

static struct node *parse_group(struct pattern_parser *p)
{
	const char *from = p->at++;
	bool fold = p->fold, dot_all = p->dot_all, multi_line = p->multi_line, bare = false;
	struct node *node;

	if (p->at < p->end && *p->at == '?') {
		size_t left = (size_t)(p->end - p->at);
		bool named =
		    (left > 2 && p->at[1] == 'P' && p->at[2] == '<') || (left > 1 && p->at[1] == '<');
		bool looks_around = left > 2 && p->at[1] == '<' && (p->at[2] == '=' || p->at[2] == '!');
		if (named && !looks_around) {
			p->at += p->at[1] == 'P' ? 3 : 2;
			if (!parse_group_name(p, from))
				return NULL;
		} else {
			p->at++;
			if (!parse_flags(p, from, &bare))
				return NULL;
		}
	}
	if (bare)
		return pattern_node_new(NODE_EMPTY, NULL,
					NULL); /* its flags hold up to the end of the group around */
	if (++p->depth > PATTERN_DEPTH_MAX)
		return pattern_fail(p, "expression nests too deeply", p->start, p->end);
	node = parse_alternatives(p);
	p->depth--;
	p->fold = fold;
	p->dot_all = dot_all;
	p->multi_line = multi_line;
	if (node && (p->at == p->end || *p->at++ != ')')) {
		pattern_tree_free(node);
		return pattern_fail(p, "missing closing )", p->start, p->end);
	}
	return node;
}

/* {n}, {n,}, {n,m}; anything else in braces is text. */
static bool parse_counts(const char **at, const char *end, unsigned *min, unsigned *max)
{
	const char *s = *at + 1;
	unsigned counts[2] = { 0, 0 };
	bool digits[2] = { false, false }, comma = false;

	for (; s < end && *s != '}'; s++) {
		if (*s == ',' && !comma && digits[0]) {
			comma = true;
		} else if (*s >= '0' && *s <= '9') {
			unsigned *count = &counts[comma];
			digits[comma] = true;
			if (*count <= PATTERN_REPEAT_MAX)
				*count = *count * 10 + (unsigned)(*s - '0');
		} else {
			return false;
		}
	}
	if (s == end || !digits[0])
		return false;
	*min = counts[0];
	*max = !comma ? counts[0] : digits[1] ? counts[1] : UINT_MAX;
	*at = s + 1;
	return true;
}

/* The operator at P, if there is one. */
static bool parse_operator(struct pattern_parser *p, unsigned *min, unsigned *max, bool *lazy)
{
	if (p->at == p->end)
		return false;
	switch (*p->at) {
	case '*':
	case '+':
	case '?':
		*min = *p->at == '+';
		*max = *p->at == '?' ? 1 : UINT_MAX;
		p->at++;
		break;
	case '{':
		if (!parse_counts(&p->at, p->end, min, max))
			return false;
		break;
	default:
		return false;
	}
	*lazy = p->at < p->end && *p->at == '?';
	p->at += *lazy;
	return true;
}

static struct node *parse_repeat(struct pattern_parser *p, struct node *atom)
{
	const char *from = p->at;
	unsigned min, max;
	bool lazy;

	if (!parse_operator(p, &min, &max, &lazy))
		return atom;
	if (min > PATTERN_REPEAT_MAX || (max != UINT_MAX && (max > PATTERN_REPEAT_MAX || max < min))) {
		pattern_tree_free(atom);
		return pattern_fail(p, "invalid repeat count", from, p->at);
	}

	struct node *node = pattern_node_new(NODE_REPEAT, atom, NULL);

	node->min = min;
	node->max = max;
	node->lazy = lazy;
	if (parse_operator(p, &min, &max, &lazy)) {
		pattern_tree_free(node);
		return pattern_fail(p, "invalid nested repetition operator", from, p->at);
	}
	return node;
}

/* --- sequences --- */

static struct node *parse_dot(struct pattern_parser *p)
{
	struct char_class set = { 0 };
	bool fold = p->fold;
	struct node *node;

	p->at++;
	if (!p->dot_all)
		class_add(&set, '\n', '\n');
	p->fold = false;
	node = pattern_class_node(p, &set, true);
	p->fold = fold;
	return node;
}

/* \Q...\E: text as it is. */
static struct node *parse_quoted(struct pattern_parser *p)
{
	struct node *first = NULL, **last = &first;

	p->at += 2;
	while (p->at < p->end && !(p->end - p->at > 1 && p->at[0] == '\\' && p->at[1] == 'E')) {
		*last =
		    pattern_node_new(NODE_CAT, pattern_char_node(p, pattern_next_char(&p->at, p->end)), NULL);
		last = &(*last)->right;
	}
	*last = pattern_node_new(NODE_EMPTY, NULL, NULL);
	if (p->at < p->end)
		p->at += 2;
	return first;
}

static struct node *parse_atom(struct pattern_parser *p)
{
	const char *from = p->at;
	unsigned min, max;
	bool lazy;

	if (parse_operator(p, &min, &max, &lazy))
		return pattern_fail(p, "missing argument to repetition operator", from, p->at);
	switch (*p->at) {
	case '(':
		return parse_group(p);
	case '[':
		return pattern_parse_class(p);
	case '.':
		return parse_dot(p);
	case '^':
		p->at++;
		return pattern_assertion(p->multi_line ? ASSERT_LINE_BEGIN : ASSERT_TEXT_BEGIN);
	case '$':
		p->at++;
		return pattern_assertion(p->multi_line ? ASSERT_LINE_END : ASSERT_TEXT_END);
	case '\\':
		if (p->end - p->at > 1 && p->at[1] == 'Q')
			return parse_quoted(p);
		return pattern_parse_escape(p);
	default:
		return pattern_char_node(p, pattern_next_char(&p->at, p->end));
	}
}

/* A sequence up to | or ). The chain grows to the right, so that nothing recurses with its length. */
static struct node *parse_sequence(struct pattern_parser *p)
{
	struct node *first = NULL, **last = &first;

	while (p->at < p->end && *p->at != '|' && *p->at != ')') {
		struct node *atom = parse_atom(p);

		if (atom)
			atom = parse_repeat(p, atom);
		if (!atom) {
			pattern_tree_free(first);
			return NULL;
		}
		*last = pattern_node_new(NODE_CAT, atom, NULL);
		last = &(*last)->right;
	}
	if (!first)
		return pattern_node_new(NODE_EMPTY, NULL, NULL);
	*last = pattern_node_new(NODE_EMPTY, NULL, NULL);
	return first;
}

static struct node *parse_alternatives(struct pattern_parser *p)
{
	struct node *first = parse_sequence(p), **last = &first;

	while (*last && p->at < p->end && *p->at == '|') {
		p->at++;
		*last = pattern_node_new(NODE_ALT, *last, NULL);
		last = &(*last)->right;
		*last = parse_sequence(p);
	}
	if (!*last) {
		pattern_tree_free(first);
		return NULL;
	}
	return first;
}

struct node *pattern_tree(const char *text, struct err *err)
{
	struct pattern_parser p = { .start = text, .at = text, .end = text + strlen(text), .err = err };
	struct node *node;

	if (p.end - p.at > PATTERN_TEXT_MAX)
		return pattern_fail(&p, "expression too large", text, text + 40);
	node = parse_alternatives(&p);
	if (node && p.at < p.end) {
		pattern_tree_free(node);
		return pattern_fail(&p, "unexpected )", text, p.end);
	}
	return node;
}
