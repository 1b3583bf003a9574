#include <string.h>

#include "lib/pattern_parser.h"

/* --- escapes --- */

int pattern_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* \x7F or \x{10FFFF}; P is behind the x. */
static bool parse_hex(struct pattern_parser *p, uint32_t *ret)
{
	bool braces = p->at < p->end && *p->at == '{';
	uint32_t value = 0;
	int digits = 0;

	p->at += braces;
	while (p->at < p->end && pattern_hex_value(*p->at) >= 0 && (braces || digits < 2) &&
	       value <= CHAR_MAX_) {
		value = value * 16 + (uint32_t)pattern_hex_value(*p->at++);
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
static bool parse_escaped_char(struct pattern_parser *p, uint32_t *ret)
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

struct node *pattern_parse_escape(struct pattern_parser *p)
{
	const char *from = p->at++;
	struct char_class set = { 0 };
	uint32_t c;

	if (p->at == p->end)
		return pattern_fail(p, "trailing backslash at end of expression", p->end, p->end);
	switch (*p->at) {
	case 'A':
		p->at++;
		return pattern_assertion(ASSERT_TEXT_BEGIN);
	case 'z':
		p->at++;
		return pattern_assertion(ASSERT_TEXT_END);
	case 'b':
		p->at++;
		return pattern_assertion(ASSERT_WORD);
	case 'B':
		p->at++;
		return pattern_assertion(ASSERT_NOT_WORD);
	default:
		break;
	}
	if (class_add_perl(&set, *p->at)) {
		p->at++;
		return pattern_class_node(p, &set, false);
	}
	if (parse_escaped_char(p, &c))
		return pattern_char_node(p, c);
	if (p->at < p->end)
		pattern_next_char(&p->at, p->end);
	return pattern_fail(p, "invalid escape sequence", from, p->at);
}

/* --- classes --- */

static bool parse_class_char(struct pattern_parser *p, const char *from, uint32_t *ret)
{
	const char *at = p->at;

	if (p->at == p->end) {
		pattern_fail(p, "missing closing ]", from, p->end);
		return false;
	}
	if (*p->at != '\\') {
		*ret = pattern_next_char(&p->at, p->end);
		return true;
	}
	p->at++;
	if (p->at == p->end) {
		pattern_fail(p, "trailing backslash at end of expression", p->end, p->end);
		return false;
	}
	if (parse_escaped_char(p, ret))
		return true;
	if (p->at < p->end)
		pattern_next_char(&p->at, p->end);
	pattern_fail(p, "invalid escape sequence", at, p->at);
	return false;
}

/* [:name:] inside of a class. */
static bool parse_posix(struct pattern_parser *p, struct char_class *set)
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
		pattern_fail(p, "invalid character class range", p->at, close + 2);
	return true;
}

static bool parse_class_item(struct pattern_parser *p, const char *from, struct char_class *set)
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
			pattern_fail(p, "invalid character class range", item, p->at);
			return false;
		}
	}
	class_add(set, low, high);
	return true;
}

struct node *pattern_parse_class(struct pattern_parser *p)
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
		pattern_fail(p, "missing closing ]", from, p->end);
		goto out;
	}
	p->at++;
	node = pattern_class_node(p, &set, negated);
out:
	class_close(&set);
	return node;
}
