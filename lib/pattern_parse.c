#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/pattern_class.h"

struct parser {
	const char *start, *at, *end;
	bool fold, dot_all, multi_line;
	unsigned depth;
	struct err *err;
	bool failed;
};

/* --- errors --- */

static struct node *fail(struct parser *p, const char *what, const char *from, const char *to)
{
	if (!p->failed)
		err_set(p->err, ERR_PARSE, "error parsing regexp: %s: `%.*s`", what, (int)(to - from), from);
	p->failed = true;
	return NULL;
}

/* --- nodes --- */

static struct node *node_new(enum node_kind kind, struct node *left, struct node *right)
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

static struct node *assertion_node(enum assertion assertion)
{
	struct node *node = node_new(NODE_ASSERT, NULL, NULL);

	node->assertion = assertion;
	return node;
}

static struct node *class_node(struct parser *p, struct char_class *set, bool negated)
{
	struct node *node = node_new(NODE_CLASS, NULL, NULL);

	if (p->fold)
		class_fold(set);
	if (negated)
		class_negate(set);
	class_finish(set);
	node->set = *set;
	*set = (struct char_class){ 0 };
	return node;
}

static struct node *char_node(struct parser *p, uint32_t c)
{
	struct char_class set = { 0 };

	class_add(&set, c, c);
	return class_node(p, &set, false);
}

/* --- escapes --- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* \x7F or \x{10FFFF}; P is behind the x. */
static bool parse_hex(struct parser *p, uint32_t *ret)
{
	bool braces = p->at < p->end && *p->at == '{';
	uint32_t value = 0;
	int digits = 0;

	p->at += braces;
	while (p->at < p->end && hex_value(*p->at) >= 0 && (braces || digits < 2) && value <= CHAR_MAX_) {
		value = value * 16 + (uint32_t)hex_value(*p->at++);
		digits++;
	}
	if (value > CHAR_MAX_ || digits < (braces ? 1 : 2))
		return false;
	if (braces && (p->at == p->end || *p->at++ != '}'))
		return false;
	*ret = value;
	return true;
}

/* What stands for one character behind a backslash, which P is behind. */
static bool parse_escaped_char(struct parser *p, uint32_t *ret)
{
	static const char names[] = "aftnrv", values[] = "\a\f\t\n\r\v";
	char c = *p->at;
	const char *name = memchr(names, c, sizeof(names) - 1);

	if (name) {
		p->at++;
		*ret = (unsigned char)values[name - names];
		return true;
	}
	if (c == 'x') {
		p->at++;
		return parse_hex(p, ret);
	}
	/* Octal; a single digit but 0 would be a reference to what was matched. */
	if (c >= '0' && c <= '7' &&
	    (c == '0' || (p->end - p->at > 1 && p->at[1] >= '0' && p->at[1] <= '7'))) {
		uint32_t value = 0;
		for (int i = 0; i < 3 && p->at < p->end && *p->at >= '0' && *p->at <= '7'; i++)
			value = value * 8 + (uint32_t)(*p->at++ - '0');
		*ret = value;
		return true;
	}
	if ((unsigned char)c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z'))
		return false;
	*ret = (unsigned char)*p->at++;
	return true;
}

static struct node *parse_escape(struct parser *p)
{
	const char *from = p->at++;
	struct char_class set = { 0 };
	uint32_t c;

	if (p->at == p->end)
		return fail(p, "trailing backslash at end of expression", p->end, p->end);
	switch (*p->at) {
	case 'A':
		p->at++;
		return assertion_node(ASSERT_TEXT_BEGIN);
	case 'z':
		p->at++;
		return assertion_node(ASSERT_TEXT_END);
	case 'b':
		p->at++;
		return assertion_node(ASSERT_WORD);
	case 'B':
		p->at++;
		return assertion_node(ASSERT_NOT_WORD);
	default:
		break;
	}
	if (class_add_perl(&set, *p->at)) {
		p->at++;
		return class_node(p, &set, false);
	}
	if (parse_escaped_char(p, &c))
		return char_node(p, c);
	if (p->at < p->end)
		pattern_next_char(&p->at, p->end);
	return fail(p, "invalid escape sequence", from, p->at);
}

/* --- classes --- */

static bool parse_class_char(struct parser *p, const char *from, uint32_t *ret)
{
	const char *at = p->at;

	if (p->at == p->end) {
		fail(p, "missing closing ]", from, p->end);
		return false;
	}
	if (*p->at != '\\') {
		*ret = pattern_next_char(&p->at, p->end);
		return true;
	}
	p->at++;
	if (p->at == p->end) {
		fail(p, "trailing backslash at end of expression", p->end, p->end);
		return false;
	}
	if (parse_escaped_char(p, ret))
		return true;
	if (p->at < p->end)
		pattern_next_char(&p->at, p->end);
	fail(p, "invalid escape sequence", at, p->at);
	return false;
}

/* [:name:] inside of a class. */
static bool parse_posix(struct parser *p, struct char_class *set)
{
	const char *close = NULL, *name;
	bool negated;

	if (p->end - p->at < 4 || p->at[0] != '[' || p->at[1] != ':')
		return false;
	for (const char *s = p->at + 2; s + 1 < p->end && !close; s++)
		if (s[0] == ':' && s[1] == ']')
			close = s;
	if (!close)
		return false;
	name = p->at + 2;
	negated = *name == '^';
	name += negated;
	if (class_add_posix(set, name, (size_t)(close - name), negated))
		p->at = close + 2;
	else
		fail(p, "invalid character class range", p->at, close + 2);
	return true;
}

static bool parse_class_item(struct parser *p, const char *from, struct char_class *set)
{
	const char *item = p->at;
	uint32_t low, high;

	if (parse_posix(p, set))
		return !p->failed;
	if (p->end - p->at > 1 && p->at[0] == '\\' && class_add_perl(set, p->at[1])) {
		p->at += 2;
		return true;
	}
	if (!parse_class_char(p, from, &low))
		return false;
	high = low;
	if (p->end - p->at > 1 && p->at[0] == '-' && p->at[1] != ']') {
		p->at++;
		if (!parse_class_char(p, from, &high))
			return false;
		if (high < low) {
			fail(p, "invalid character class range", item, p->at);
			return false;
		}
	}
	class_add(set, low, high);
	return true;
}

static struct node *parse_class(struct parser *p)
{
	const char *from = p->at++;
	struct char_class set = { 0 };
	bool negated = p->at < p->end && *p->at == '^', first = true;
	struct node *node = NULL;

	p->at += negated;
	while (p->at < p->end && (*p->at != ']' || first)) {
		first = false;
		if (!parse_class_item(p, from, &set))
			goto out;
	}
	if (p->at == p->end) {
		fail(p, "missing closing ]", from, p->end);
		goto out;
	}
	p->at++;
	node = class_node(p, &set, negated);
out:
	class_close(&set);
	return node;
}

/* --- groups and repetitions --- */

static struct node *parse_alternatives(struct parser *p);

static bool parse_group_name(struct parser *p, const char *from)
{
	const char *close = memchr(p->at, '>', (size_t)(p->end - p->at));

	for (const char *s = p->at; close && s < close; s++)
		if (hex_value(*s) < 0 && !(*s >= 'g' && *s <= 'z') && !(*s >= 'G' && *s <= 'Z') && *s != '_')
			close = NULL;
	if (!close || close == p->at) {
		fail(p, "invalid named capture", from, close ? close + 1 : p->end);
		return false;
	}
	p->at = close + 1;
	return true;
}

/* What follows "(?". False on an error; *RET_BARE when the group holds flags only, for what comes after. */
static bool parse_flags(struct parser *p, const char *from, bool *ret_bare)
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
	fail(p, "invalid or unsupported Perl syntax", from, p->at < p->end ? p->at + 1 : p->end);
	return false;
}

static struct node *parse_group(struct parser *p)
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
		return node_new(NODE_EMPTY, NULL,
				NULL); /* its flags hold up to the end of the group around */
	if (++p->depth > PATTERN_DEPTH_MAX)
		return fail(p, "expression nests too deeply", p->start, p->end);
	node = parse_alternatives(p);
	p->depth--;
	p->fold = fold;
	p->dot_all = dot_all;
	p->multi_line = multi_line;
	if (node && (p->at == p->end || *p->at++ != ')')) {
		pattern_tree_free(node);
		return fail(p, "missing closing )", p->start, p->end);
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
static bool parse_operator(struct parser *p, unsigned *min, unsigned *max, bool *lazy)
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

static struct node *parse_repeat(struct parser *p, struct node *atom)
{
	const char *from = p->at;
	unsigned min, max;
	bool lazy;

	if (!parse_operator(p, &min, &max, &lazy))
		return atom;
	if (min > PATTERN_REPEAT_MAX || (max != UINT_MAX && (max > PATTERN_REPEAT_MAX || max < min))) {
		pattern_tree_free(atom);
		return fail(p, "invalid repeat count", from, p->at);
	}

	struct node *node = node_new(NODE_REPEAT, atom, NULL);

	node->min = min;
	node->max = max;
	node->lazy = lazy;
	if (parse_operator(p, &min, &max, &lazy)) {
		pattern_tree_free(node);
		return fail(p, "invalid nested repetition operator", from, p->at);
	}
	return node;
}

/* --- sequences --- */

static struct node *parse_dot(struct parser *p)
{
	struct char_class set = { 0 };
	bool fold = p->fold;
	struct node *node;

	p->at++;
	if (!p->dot_all)
		class_add(&set, '\n', '\n');
	p->fold = false;
	node = class_node(p, &set, true);
	p->fold = fold;
	return node;
}

/* \Q...\E: text as it is. */
static struct node *parse_quoted(struct parser *p)
{
	struct node *first = NULL, **last = &first;

	p->at += 2;
	while (p->at < p->end && !(p->end - p->at > 1 && p->at[0] == '\\' && p->at[1] == 'E')) {
		*last = node_new(NODE_CAT, char_node(p, pattern_next_char(&p->at, p->end)), NULL);
		last = &(*last)->right;
	}
	*last = node_new(NODE_EMPTY, NULL, NULL);
	if (p->at < p->end)
		p->at += 2;
	return first;
}

static struct node *parse_atom(struct parser *p)
{
	const char *from = p->at;
	unsigned min, max;
	bool lazy;

	if (parse_operator(p, &min, &max, &lazy))
		return fail(p, "missing argument to repetition operator", from, p->at);
	switch (*p->at) {
	case '(':
		return parse_group(p);
	case '[':
		return parse_class(p);
	case '.':
		return parse_dot(p);
	case '^':
		p->at++;
		return assertion_node(p->multi_line ? ASSERT_LINE_BEGIN : ASSERT_TEXT_BEGIN);
	case '$':
		p->at++;
		return assertion_node(p->multi_line ? ASSERT_LINE_END : ASSERT_TEXT_END);
	case '\\':
		if (p->end - p->at > 1 && p->at[1] == 'Q')
			return parse_quoted(p);
		return parse_escape(p);
	default:
		return char_node(p, pattern_next_char(&p->at, p->end));
	}
}

/* A sequence up to | or ). The chain grows to the right, so that nothing recurses with its length. */
static struct node *parse_sequence(struct parser *p)
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
		*last = node_new(NODE_CAT, atom, NULL);
		last = &(*last)->right;
	}
	if (!first)
		return node_new(NODE_EMPTY, NULL, NULL);
	*last = node_new(NODE_EMPTY, NULL, NULL);
	return first;
}

static struct node *parse_alternatives(struct parser *p)
{
	struct node *first = parse_sequence(p), **last = &first;

	while (*last && p->at < p->end && *p->at == '|') {
		p->at++;
		*last = node_new(NODE_ALT, *last, NULL);
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
	struct parser p = { .start = text, .at = text, .end = text + strlen(text), .err = err };
	struct node *node;

	if (p.end - p.at > PATTERN_TEXT_MAX)
		return fail(&p, "expression too large", text, text + 40);
	node = parse_alternatives(&p);
	if (node && p.at < p.end) {
		pattern_tree_free(node);
		return fail(&p, "unexpected )", text, p.end);
	}
	return node;
}
