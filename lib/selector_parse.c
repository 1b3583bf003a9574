/* The string forms of selector.h: a hand-written parser for label selectors, which gives at each wrong word
 * the message Kubernetes gives there, and the splitting of field selectors. */
#include <stdlib.h>
#include <string.h>

#include "lib/label.h"
#include "lib/mem.h"
#include "lib/selector.h"

enum token {
	END,
	IDENTIFIER,
	COMMA,
	OPEN,
	CLOSE,
	NOT,
	EQUALS,
	DOUBLE_EQUALS,
	NOT_EQUALS,
	GREATER,
	LESS,
	IN,
	NOT_IN,
};

static const struct {
	const char *text;
	enum token token;
} words[] = {
	{ "in", IN },		{ "notin", NOT_IN },
}, symbols[] = {
	/* Longer ones before those they begin with. */
	{ "==", DOUBLE_EQUALS }, { "!=", NOT_EQUALS }, { "=", EQUALS }, { "!", NOT },  { ">", GREATER },
	{ "<", LESS },		 { ",", COMMA },       { "(", OPEN },   { ")", CLOSE },
};

struct parser {
	const char *at; /* behind the token */
	enum token token;
	char *text; /* of the token; owned */
	struct selector selector;
	const char **values; /* of the requirement under way */
	size_t n_values;
	struct err *err;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_symbol(char c)
{
	return c && strchr("=!(),><", c);
}

static void set_token(struct parser *p, enum token token, size_t len)
{
	p->token = token;
	free(p->text);
	p->text = mem_dupn(p->at, len);
	p->at += len;
}

static void advance(struct parser *p)
{
	size_t len = 0;

	while (is_space(*p->at))
		p->at++;
	if (!*p->at) {
		set_token(p, END, 0);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		if (strncmp(p->at, symbols[i].text, strlen(symbols[i].text)) == 0) {
			set_token(p, symbols[i].token, strlen(symbols[i].text));
			return;
		}
	}
	while (p->at[len] && !is_space(p->at[len]) && !is_symbol(p->at[len]))
		len++;
	set_token(p, IDENTIFIER, len);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(p->text, words[i].text) == 0)
			p->token = words[i].token;
}

/* "in" and "notin" are operators only where one is expected, else names like any other. */
static enum token as_value(const struct parser *p)
{
	return p->token == IN || p->token == NOT_IN ? IDENTIFIER : p->token;
}

static int unexpected(struct parser *p, const char *expected)
{
	return err_set(p->err, ERR_BAD_REQUEST, "found '%s'%s", p->text, expected);
}

static void drop_values(struct parser *p)
{
	for (size_t i = 0; i < p->n_values; i++)
		free((char *)(uintptr_t)p->values[i]);
	p->n_values = 0;
}

static void add_value(struct parser *p, const char *value)
{
	p->values = mem_realloc_array(p->values, p->n_values + 1, sizeof(*p->values));
	p->values[p->n_values++] = mem_dup(value);
}

/* Behind "(": names and commas up to ")". A comma without a name beside it stands for an empty value. */
static int parse_list(struct parser *p)
{
	bool after_comma = true;

	if (as_value(p) == CLOSE)
		return 0;
	if (as_value(p) != IDENTIFIER && p->token != COMMA)
		return unexpected(p, ", expected: ',', ')' or identifier");
	for (;; advance(p)) {
		if (as_value(p) == IDENTIFIER && after_comma) {
			add_value(p, p->text);
			after_comma = false;
		} else if (p->token == COMMA) {
			if (after_comma)
				add_value(p, "");
			after_comma = true;
		} else if (p->token == CLOSE) {
			if (after_comma)
				add_value(p, "");
			return 0;
		} else {
			return unexpected(p, after_comma ? ", expected: ',', or identifier"
							 : ", expected: ',' or ')'");
		}
	}
}

static int parse_values(struct parser *p)
{
	if (p->token != OPEN)
		return unexpected(p, " expected: '('");
	advance(p);
	if (parse_list(p) < 0)
		return -1;
	advance(p);
	return 0;
}

static int parse_one_value(struct parser *p)
{
	if (p->token == END || p->token == COMMA) {
		add_value(p, "");
		return 0;
	}
	if (as_value(p) != IDENTIFIER)
		return unexpected(p, ", expected: identifier");
	add_value(p, p->text);
	advance(p);
	return 0;
}

static int parse_operation(struct parser *p, enum selector_op *ret_op)
{
	static const struct {
		enum token token;
		enum selector_op op;
		bool list;
	} operators[] = {
		{ IN, SELECTOR_IN, true },
		{ NOT_IN, SELECTOR_NOT_IN, true },
		{ EQUALS, SELECTOR_IN, false },
		{ DOUBLE_EQUALS, SELECTOR_IN, false },
		{ NOT_EQUALS, SELECTOR_NOT_IN, false },
		{ GREATER, SELECTOR_GT, false },
		{ LESS, SELECTOR_LT, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		if (operators[i].token != p->token)
			continue;
		*ret_op = operators[i].op;
		advance(p);
		return operators[i].list ? parse_values(p) : parse_one_value(p);
	}
	return unexpected(p, ", expected: in, notin, =, ==, !=, gt, lt");
}

static int check_key(struct parser *p, const char *key)
{
	CLEANUP(buf_close) struct buf why = BUF_INIT, quoted = BUF_INIT;

	if (label_key_check(key, &why))
		return 0;
	buf_json_string(&quoted, key);
	return err_set(p->err, ERR_BAD_REQUEST, "<nil>: Invalid value: %s: %s", quoted.data, why.data);
}

static int parse_requirement(struct parser *p)
{
	CLEANUP(mem_freep) char *key = NULL;
	enum selector_op op = SELECTOR_EXISTS;

	if (p->token == NOT) {
		op = SELECTOR_NOT_EXISTS;
		advance(p);
	}
	if (as_value(p) != IDENTIFIER)
		return unexpected(p, ", expected: identifier");
	if (check_key(p, p->text) < 0)
		return -1;
	key = mem_dup(p->text);
	advance(p);
	drop_values(p);
	if (op == SELECTOR_EXISTS && p->token != END && p->token != COMMA && parse_operation(p, &op) < 0)
		return -1;
	return selector_add(&p->selector, key, op, p->values, p->n_values, p->err);
}

static int parse_all(struct parser *p)
{
	advance(p);
	if (p->token == END)
		return 0;
	if (as_value(p) != IDENTIFIER && p->token != NOT)
		return unexpected(p, ", expected: !, identifier, or 'end of string'");
	for (;;) {
		if (parse_requirement(p) < 0)
			return err_wrap(p->err, "unable to parse requirement");
		if (p->token == END)
			return 0;
		if (p->token != COMMA)
			return unexpected(p, ", expected: ',' or 'end of string'");
		advance(p);
		if (as_value(p) != IDENTIFIER && p->token != NOT)
			return unexpected(p, ", expected: identifier after ','");
	}
}

int selector_parse(const char *s, struct selector *ret, struct err *err)
{
	struct parser p = { .at = s, .err = err };
	int r = parse_all(&p);

	drop_values(&p);
	free(p.values);
	free(p.text);
	if (r < 0) {
		selector_close(&p.selector);
		return -1;
	}
	selector_sort(&p.selector);
	*ret = p.selector;
	return 0;
}

/* --- field selectors --- */

/* Takes the backslashes out of VALUE, in place. */
static int unescape(char *value, struct err *err)
{
	char *out = value;

	for (const char *in = value; *in; in++) {
		if (*in == '\\') {
			in++;
			if (*in != '\\' && *in != ',' && *in != '=')
				return err_set(err, ERR_BAD_REQUEST,
					       "invalid field selector: invalid escape sequence: \\%.1s", in);
		} else if (*in == '=') {
			return err_set(err, ERR_BAD_REQUEST,
				       "invalid field selector: unescaped character in value: %d", *in);
		}
		*out++ = *in;
	}
	*out = '\0';
	return 0;
}

/* One term of SELECTOR: TERM is cut in pieces. */
static int add_field(struct selector *s, const char *selector, char *term, struct err *err)
{
	char *op_at = term + strcspn(term, "=!");
	enum selector_op op = SELECTOR_IN;
	const char *values[1];
	char *value;

	/* A "!" that no "=" follows is part of the name. */
	while (*op_at == '!' && op_at[1] != '=')
		op_at += 1 + strcspn(op_at + 1, "=!");
	if (!*op_at)
		return err_set(err, ERR_BAD_REQUEST, "invalid selector: '%s'; can't understand '%s'",
			       selector, term);
	value = op_at + 1;
	if (*op_at == '!')
		op = SELECTOR_NOT_IN;
	if (*op_at == '!' || op_at[1] == '=')
		value++;
	*op_at = '\0';
	if (unescape(value, err) < 0)
		return -1;
	values[0] = value;
	selector_add_unchecked(s, term, op, values, 1);
	return 0;
}

/* The length of the term at S: up to a comma that no backslash precedes. */
static size_t term_length(const char *s)
{
	size_t len = 0;

	while (s[len] && s[len] != ',')
		len += s[len] == '\\' && s[len + 1] ? 2 : 1;
	return len;
}

int selector_parse_fields(const char *s, struct selector *ret, struct err *err)
{
	struct selector selector = { 0 };

	for (const char *at = s; *at;) {
		size_t len = term_length(at);
		CLEANUP(mem_freep) char *term = mem_dupn(at, len);

		if (len > 0 && add_field(&selector, s, term, err) < 0) {
			selector_close(&selector);
			return -1;
		}
		at += len + (at[len] == ',');
	}
	*ret = selector;
	return 0;
}
