#include "api/cel/cel_lex.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct lexer {
	struct cel_source *source;
	struct cel_arena *arena;
	const char *begin, *end; /* of the token so far; of the text */
	const char *at;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static char peek(const struct lexer *l, size_t ahead)
{
	return l->at + ahead < l->end ? l->at[ahead] : '\0';
}

static struct cel_token token(const struct lexer *l, int kind)
{
	return (struct cel_token){
		.kind = kind,
		.at = (uint32_t)(l->begin - l->source->text),
		.len = (uint32_t)(l->at - l->begin),
	};
}

static struct cel_token unrecognised(struct lexer *l)
{
	do
		l->at++;
	while (l->at < l->end && (*l->at & 0xC0) == 0x80);
	cel_fault(l->source, (uint32_t)(l->begin - l->source->text),
		  "Syntax error: token recognition error at: '%.*s'", (int)(l->at - l->begin), l->begin);
	return token(l, CEL_T_BAD);
}

/* --- numbers --- */

static bool is_real(struct lexer *l)
{
	bool real = false;
	size_t exponent;

	while (is_digit(peek(l, 0)))
		l->at++;
	if (peek(l, 0) == '.' && is_digit(peek(l, 1))) {
		real = true;
		for (l->at++; is_digit(peek(l, 0));)
			l->at++;
	}
	exponent = peek(l, 1) == '+' || peek(l, 1) == '-' ? 2 : 1;
	if ((peek(l, 0) == 'e' || peek(l, 0) == 'E') && is_digit(peek(l, exponent))) {
		real = true;
		for (l->at += exponent; is_digit(peek(l, 0));)
			l->at++;
	}
	return real;
}

/* The magnitude of an int may be that of the lowest one: a minus before it is the parser's. */
static struct cel_token number(struct lexer *l)
{
	bool hex = peek(l, 0) == '0' && peek(l, 1) == 'x' && hex_value(peek(l, 2)) >= 0, real = false;
	struct cel_token t;
	const char *text;

	if (hex)
		for (l->at += 2; hex_value(peek(l, 0)) >= 0;)
			l->at++;
	else
		real = is_real(l);
	text = cel_copy(l->arena, l->begin, (size_t)(l->at - l->begin));
	errno = 0;
	if (real) {
		double d = strtod(text, NULL);
		t = token(l, CEL_T_LITERAL);
		t.value = cel_double(d);
		t.out_of_range = isinf(d) ? "invalid double literal" : NULL;
		return t;
	}
	unsigned long long u = strtoull(text, NULL, hex ? 16 : 10);
	if (peek(l, 0) == 'u' || peek(l, 0) == 'U') {
		l->at++;
		t = token(l, CEL_T_LITERAL);
		t.value = cel_uint(u);
		t.out_of_range = errno ? "invalid uint literal" : NULL;
		return t;
	}
	t = token(l, CEL_T_LITERAL);
	t.value = cel_int((int64_t)u);
	t.out_of_range = errno || u > (uint64_t)INT64_MAX ? "invalid int literal" : NULL;
	return t;
}

/* --- strings --- */

static char *put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xC0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3F));
	} else if (c < 0x10000) {
		*to++ = (char)(0xE0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3F));
		*to++ = (char)(0x80 | (c & 0x3F));
	} else {
		*to++ = (char)(0xF0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3F));
		*to++ = (char)(0x80 | (c >> 6 & 0x3F));
		*to++ = (char)(0x80 | (c & 0x3F));
	}
	return to;
}

/* N digits of BASE at AT; -1 when they are not there. */
static int64_t digits(const char *at, const char *end, unsigned n, int base)
{
	int64_t value = 0;

	for (unsigned i = 0; i < n; i++) {
		int digit = at + i < end ? hex_value(at[i]) : -1;

		if (digit < 0 || digit >= base)
			return -1;
		value = value * base + digit;
	}
	return value;
}

/* One escape behind its backslash. NULL: there is none like it. */
static const char *escape(const char *at, const char *end, bool bytes, char **to)
{
	static const char simple[] = "abfnrtv\\?\"'`", meant[] = "\a\b\f\n\r\t\v\\?\"'`";
	const char *found = at < end && *at ? strchr(simple, *at) : NULL;
	unsigned n;
	int64_t c;

	if (found) {
		*(*to)++ = meant[found - simple];
		return at + 1;
	}
	if (at >= end)
		return NULL;
	if (*at >= '0' && *at <= '3') {
		c = digits(at, end, 3, 8);
		n = 3;
	} else {
		n = *at == 'x' || *at == 'X' ? 2 : *at == 'u' ? 4 : *at == 'U' ? 8 : 0;
		if (!n || (bytes && n > 2))
			return NULL;
		c = digits(++at, end, n, 16);
	}
	if (c < 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return NULL;
	if (bytes)
		*(*to)++ = (char)c;
	else
		*to = put_utf8(*to, (uint32_t)c);
	return at + n;
}

/* From the quote on. Both CR LF and CR count as a line's end in strings of several lines. */
static struct cel_token string(struct lexer *l, bool raw, bool bytes)
{
	char quote = *l->at, *room, *to;
	size_t quotes = peek(l, 1) == quote && peek(l, 2) == quote ? 3 : 1;
	const char *s = l->at + quotes, *close = NULL;
	struct cel_token t;

	for (const char *at = s; at < l->end && !close; at++) {
		if (*at == '\\' && !raw)
			at++;
		else if (quotes == 1 && (*at == '\n' || *at == '\r'))
			break;
		else if (*at == quote &&
			 (quotes == 1 || (l->end - at >= 3 && at[1] == quote && at[2] == quote)))
			close = at;
	}
	if (!close)
		return unrecognised(l);
	to = room = cel_alloc(l->arena, (size_t)(close - s) + 1);
	while (s && s < close) {
		if (*s == '\\' && !raw) {
			s = escape(s + 1, close, bytes, &to);
		} else if (*s == '\r') {
			s += s + 1 < close && s[1] == '\n' ? 2 : 1;
			*to++ = '\n';
		} else {
			*to++ = *s++;
		}
	}
	l->at = close + quotes;
	if (!s) {
		t = token(l, CEL_T_BAD);
		cel_fault(l->source, t.at, "Syntax error: token recognition error at: '%.*s'", (int)t.len,
			  l->begin);
		return t;
	}
	t = token(l, CEL_T_LITERAL);
	t.value = cel_text(room, (size_t)(to - room));
	t.value.kind = bytes ? CEL_BYTES : CEL_STRING;
	return t;
}

/* r"", b"", rb"", br"" in either case of the letters. */
static bool string_prefix(const struct lexer *l, bool *ret_raw, bool *ret_bytes, size_t *ret_len)
{
	size_t n = 0;

	*ret_raw = *ret_bytes = false;
	for (; n < 2; n++) {
		char c = peek(l, n);

		if ((c == 'r' || c == 'R') && !*ret_raw)
			*ret_raw = true;
		else if ((c == 'b' || c == 'B') && !*ret_bytes)
			*ret_bytes = true;
		else
			break;
	}
	*ret_len = n;
	return peek(l, n) == '"' || peek(l, n) == '\'';
}

/* --- the rest --- */

static struct cel_token word(struct lexer *l)
{
	static const struct {
		const char *word;
		struct cel_value value;
	} literals[] = {
		{ "true", { .kind = CEL_BOOL, .b = true } },
		{ "false", { .kind = CEL_BOOL } },
		{ "null", { .kind = CEL_NULL } },
	};
	struct cel_token t;

	while (is_letter(peek(l, 0)) || is_digit(peek(l, 0)))
		l->at++;
	t = token(l, CEL_T_IDENT);
	if (t.len == 2 && memcmp(l->begin, "in", 2) == 0)
		t.kind = CEL_T_IN;
	for (size_t i = 0; i < sizeof(literals) / sizeof(*literals); i++)
		if (t.len == strlen(literals[i].word) && memcmp(l->begin, literals[i].word, t.len) == 0) {
			t.kind = CEL_T_LITERAL;
			t.value = literals[i].value;
		}
	return t;
}

static struct cel_token operator(struct lexer *l)
{
	static const struct {
		char text[3];
		int kind;
	} rows[] = {
		{ "==", CEL_T_EQ },  { "!=", CEL_T_NE }, { "<=", CEL_T_LE }, { ">=", CEL_T_GE },
		{ "&&", CEL_T_AND }, { "||", CEL_T_OR }, { "<", CEL_T_LT },  { ">", CEL_T_GT },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t n = strlen(rows[i].text);

		if ((size_t)(l->end - l->at) >= n && memcmp(l->at, rows[i].text, n) == 0) {
			l->at += n;
			return token(l, rows[i].kind);
		}
	}
	if (!*l->at || !strchr("[]{}().,-!?:+*/%", *l->at))
		return unrecognised(l);
	l->at++;
	return token(l, *l->begin);
}

static void skip_blanks(struct lexer *l)
{
	while (l->at < l->end) {
		if (l->end - l->at >= 2 && l->at[0] == '/' && l->at[1] == '/') {
			while (l->at < l->end && *l->at != '\n')
				l->at++;
		} else if (*l->at == ' ' || *l->at == '\t' || *l->at == '\n' || *l->at == '\r' ||
			   *l->at == '\f') {
			l->at++;
		} else {
			break;
		}
	}
}

struct cel_token cel_lex(struct cel_source *source, uint32_t at, struct cel_arena *arena)
{
	struct lexer l = { .source = source, .arena = arena, .end = source->text + source->len };
	bool raw, bytes;
	size_t len;

	l.at = source->text + at;
	skip_blanks(&l);
	l.begin = l.at;
	if (l.at == l.end)
		return token(&l, CEL_T_EOF);
	if (is_digit(*l.at) || (*l.at == '.' && is_digit(peek(&l, 1))))
		return number(&l);
	if (string_prefix(&l, &raw, &bytes, &len)) {
		l.at += len;
		return string(&l, raw, bytes);
	}
	return is_letter(*l.at) ? word(&l) : operator(&l);
}
