#include "api/decode_syntax.h"

#include <stdio.h>
#include <string.h>

#include "lib/json.h"

struct scanner {
	const char *text;
	size_t len, at;
	unsigned depth;
	struct buf *message;
	bool faulty;
};

static void skip_space(struct scanner *s)
{
	static const char space[] = { ' ', '\t', '\r', '\n' };

	while (s->at < s->len && memchr(space, s->text[s->at], sizeof(space)) != NULL)
		s->at++;
}

static bool at_end(const struct scanner *s)
{
	return s->at >= s->len;
}

/* A character as Go quotes it. */
static void write_char(struct buf *b, unsigned char c)
{
	static const char escaped[] = "abtnvfr";

	if (c == '\'')
		buf_str(b, "'\\''");
	else if (c == '"')
		buf_str(b, "'\"'");
	else if (c == '\\')
		buf_str(b, "'\\\\'");
	else if (c >= '\a' && c <= '\r')
		buf_printf(b, "'\\%c'", escaped[c - '\a']);
	else if (c < 0x20 || c == 0x7f)
		buf_printf(b, "'\\x%02x'", c);
	else if (c < 0x7f)
		buf_printf(b, "'%c'", c);
	else if (c < 0xa1 || c == 0xad)
		buf_printf(b, "'\\u%04x'", c);
	else /* the byte's code point, in UTF-8 */
		buf_printf(b, "'%c%c'", 0xc0 | c >> 6, 0x80 | (c & 0x3f));
}

/* The character at hand is wrong where it stands; at the end of the text, it is the end that is wrong. */
static bool fault(struct scanner *s, const char *where)
{
	if (s->faulty)
		return false;
	s->faulty = true;
	if (at_end(s)) {
		buf_str(s->message, "unexpected end of JSON input");
		return false;
	}
	buf_str(s->message, "invalid character ");
	write_char(s->message, (unsigned char)s->text[s->at]);
	buf_char(s->message, ' ');
	buf_str(s->message, where);
	return false;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool scan_escape(struct scanner *s)
{
	if (at_end(s) || s->text[s->at] == '\0' || strchr("\"\\/bfnrtu", s->text[s->at]) == NULL)
		return fault(s, "in string escape code");
	if (s->text[s->at++] != 'u')
		return true;
	for (int i = 0; i < 4; i++, s->at++)
		if (at_end(s) || !is_hex(s->text[s->at]))
			return fault(s, "in \\u hexadecimal character escape");
	return true;
}

/* Behind the opening quote. */
static bool scan_string(struct scanner *s)
{
	for (; !at_end(s);) {
		char c = s->text[s->at];
		if ((unsigned char)c < 0x20)
			return fault(s, "in string literal");
		s->at++;
		if (c == '"')
			return true;
		if (c == '\\' && !scan_escape(s))
			return false;
	}
	return fault(s, "in string literal");
}

static size_t scan_digits(struct scanner *s)
{
	size_t start = s->at;

	while (!at_end(s) && s->text[s->at] >= '0' && s->text[s->at] <= '9')
		s->at++;
	return s->at - start;
}

static bool take(struct scanner *s, const char *any)
{
	if (at_end(s) || s->text[s->at] == '\0' || strchr(any, s->text[s->at]) == NULL)
		return false;
	s->at++;
	return true;
}

static bool scan_number(struct scanner *s)
{
	take(s, "-");
	/* A zero ends the whole part: what follows it is found wrong by whoever comes next. */
	if (!take(s, "0") && scan_digits(s) == 0)
		return fault(s, "in numeric literal");
	if (take(s, ".") && scan_digits(s) == 0)
		return fault(s, "after decimal point in numeric literal");
	if (take(s, "eE")) {
		take(s, "+-");
		if (scan_digits(s) == 0)
			return fault(s, "in exponent of numeric literal");
	}
	return true;
}

static bool scan_literal(struct scanner *s, const char *literal)
{
	char where[64];

	for (const char *c = literal; *c != '\0'; c++, s->at++) {
		if (!at_end(s) && s->text[s->at] == *c)
			continue;
		snprintf(where, sizeof(where), "in literal %s (expecting '%c')", literal, *c);
		return fault(s, where);
	}
	return true;
}

static bool scan_value(struct scanner *s);

static bool scan_object(struct scanner *s)
{
	skip_space(s);
	if (take(s, "}"))
		return true;
	for (;;) {
		skip_space(s);
		if (!take(s, "\""))
			return fault(s, "looking for beginning of object key string");
		if (!scan_string(s))
			return false;
		skip_space(s);
		if (!take(s, ":"))
			return fault(s, "after object key");
		if (!scan_value(s))
			return false;
		skip_space(s);
		if (take(s, "}"))
			return true;
		if (!take(s, ","))
			return fault(s, "after object key:value pair");
	}
}

static bool scan_array(struct scanner *s)
{
	skip_space(s);
	if (take(s, "]"))
		return true;
	for (;;) {
		if (!scan_value(s))
			return false;
		skip_space(s);
		if (take(s, "]"))
			return true;
		if (!take(s, ","))
			return fault(s, "after array element");
	}
}

static bool scan_nested(struct scanner *s, bool (*scan)(struct scanner *))
{
	if (s->depth == JSON_MAX_DEPTH)
		return false; /* not a fault of syntax */
	s->at++;
	s->depth++;
	bool ok = scan(s);
	s->depth--;
	return ok;
}

static bool scan_value(struct scanner *s)
{
	skip_space(s);
	switch (at_end(s) ? '\0' : s->text[s->at]) {
	case '{':
		return scan_nested(s, scan_object);
	case '[':
		return scan_nested(s, scan_array);
	case '"':
		s->at++;
		return scan_string(s);
	case 't':
		return scan_literal(s, "true");
	case 'f':
		return scan_literal(s, "false");
	case 'n':
		return scan_literal(s, "null");
	case '-':
	case '0' ... '9':
		return scan_number(s);
	default:
		return fault(s, "looking for beginning of value");
	}
}

bool decode_syntax_fault(const char *text, size_t len, struct buf *ret_message)
{
	struct scanner s = { .text = text, .len = len, .message = ret_message };

	if (scan_value(&s)) {
		skip_space(&s);
		if (!at_end(&s))
			fault(&s, "after top-level value");
	}
	return s.faulty;
}
