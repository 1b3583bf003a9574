/* The parsing half of json.h: one pass of recursive descent over the text that builds json-c's objects.
 *
 * Why not json-c's tokener: it takes what RFC 8259 does not (numbers such as 01, bad UTF-8, raw control
 * characters), cannot tell of repeated keys, and so needs a second pass before and a third one after; and it
 * copies each byte through a state machine made for input in pieces. All of that took twice as long. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/json_key.h"
#include "lib/json_origin.h"
#include "lib/mem.h"

/* json-c would make room for 32 elements; nearly all lists in the API have fewer than this. */
#define ARRAY_ROOM 4
/* Numbers with a fraction and strings with escapes that are longer live on the heap while they are built. */
#define SCRATCH_ROOM 256

struct parser {
	const char *text, *p, *end;
	unsigned depth;
	size_t duplicates;
	const char *fault;          /* what is wrong at p, or NULL */
	struct json_origin *origin; /* what is to know the outer values, or NULL */
	/* A number that is no plain integer, or a string whose escapes are resolved; NUL-terminated. */
	char *scratch;
	size_t scratch_len, scratch_cap;
	char room[SCRATCH_ROOM];
};

static bool parse_value(struct parser *s, struct json_object **ret);

static bool fault_at(struct parser *s, const char *p, const char *what)
{
	s->p = p;
	s->fault = p < s->end ? what : "unexpected end of JSON input";
	return false;
}

static bool fault(struct parser *s, const char *what)
{
	return fault_at(s, s->p, what);
}

static int report(const struct parser *s, struct err *err)
{
	const char *line_start = s->text;
	size_t line = 1;

	for (const char *p = s->text; p < s->p; p++) {
		if (*p == '\n') {
			line++;
			line_start = p + 1;
		}
	}
	return err_set(err, ERR_PARSE, "line %zu, column %zu: %s", line, (size_t)(s->p - line_start) + 1,
		       s->fault);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void skip_space(struct parser *s)
{
	while (s->p < s->end && is_space(*s->p))
		s->p++;
}

/* The next character that is no white space; NUL at the end. */
static inline char peek(struct parser *s)
{
	/* What the server wrote has no white space. */
	if (s->p < s->end && (unsigned char)*s->p > ' ')
		return *s->p;
	skip_space(s);
	return s->p < s->end ? *s->p : '\0';
}

static void scratch_add(struct parser *s, const char *data, size_t len)
{
	if (s->scratch_cap - s->scratch_len <= len) {
		s->scratch_cap = (s->scratch_len + len + 1) * 2;
		if (s->scratch == s->room) {
			s->scratch = mem_alloc(s->scratch_cap);
			memcpy(s->scratch, s->room, s->scratch_len);
		} else {
			s->scratch = mem_realloc(s->scratch, s->scratch_cap);
		}
	}
	memcpy(s->scratch + s->scratch_len, data, len);
	s->scratch_len += len;
	s->scratch[s->scratch_len] = '\0';
}

static const char *scratch_set(struct parser *s, const char *data, size_t len)
{
	s->scratch_len = 0;
	scratch_add(s, data, len);
	return s->scratch;
}

static void add_code_point(struct parser *s, unsigned c)
{
	unsigned char b[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n; i-- > 1; c >>= 6)
		b[i] = (unsigned char)(0x80 | (c & 0x3f));
	b[0] = (unsigned char)(lead[n] | c);
	scratch_add(s, (const char *)b, n);
}

/* The four hexadecimal digits of the \u at P; -1 when there is none. */
static int read_hex4(const struct parser *s, const char *p)
{
	int value = 0;

	if (s->end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		char c = p[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* \u1234, or two of them for what lies beyond U+FFFF. Half a pair is U+FFFD, as in Go. */
static bool parse_unicode_escape(struct parser *s)
{
	int c = read_hex4(s, s->p), low;

	if (c < 0)
		return fault_at(s, s->end - s->p < 6 ? s->end : s->p, "invalid \\u escape in string");
	s->p += 6;
	if (c < 0xd800 || c > 0xdfff) {
		add_code_point(s, (unsigned)c);
		return true;
	}
	low = c < 0xdc00 ? read_hex4(s, s->p) : -1;
	if (low < 0xdc00 || low > 0xdfff) {
		add_code_point(s, 0xfffd);
		return true;
	}
	s->p += 6;
	add_code_point(s, 0x10000 + ((unsigned)(c & 0x3ff) << 10) + (unsigned)(low & 0x3ff));
	return true;
}

static bool parse_escape(struct parser *s)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *name;

	if (s->end - s->p < 2)
		return fault_at(s, s->end, NULL);
	if (s->p[1] == 'u')
		return parse_unicode_escape(s);
	name = s->p[1] ? strchr(names, s->p[1]) : NULL;
	if (!name)
		return fault(s, "invalid escape in string");
	scratch_add(s, values + (name - names), 1);
	s->p += 2;
	return true;
}

/* Up to the first byte from P that is a quote, a backslash, or not allowed in a string. */
static const char *skip_plain(struct parser *s, const char *p)
{
	while (p += buf_json_plain(p, (size_t)(s->end - p)), p < s->end && (unsigned char)*p >= 0x80) {
		size_t n = buf_utf8_length(p, (size_t)(s->end - p));

		if (n == 0)
			break;
		p += n;
	}
	return p;
}

/* The string whose opening quote is at hand. *ret points into the text, or, when something was escaped, to
 * the scratch memory. */
static bool parse_string(struct parser *s, const char **ret, size_t *ret_len)
{
	const char *start = s->p + 1, *p = skip_plain(s, start);

	if (p < s->end && *p == '"') {
		*ret = start;
		*ret_len = (size_t)(p - start);
		s->p = p + 1;
		return true;
	}
	s->scratch_len = 0;
	for (;;) {
		scratch_add(s, start, (size_t)(p - start));
		s->p = p;
		if (p == s->end || *p != '\\')
			break;
		if (!parse_escape(s))
			return false;
		start = s->p;
		p = skip_plain(s, start);
	}
	if (p == s->end || *p != '"')
		return fault(s, p < s->end && (unsigned char)*p < 0x20
				    ? "invalid control character in string literal"
				    : "invalid UTF-8");
	*ret = s->scratch;
	*ret_len = s->scratch_len;
	s->p++;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Past the digits from P, of which there must be one; NULL when not. */
static const char *skip_digits(const struct parser *s, const char *p)
{
	const char *start = p;

	while (p < s->end && is_digit(*p))
		p++;
	return p == start ? NULL : p;
}

/* Past the number at hand, or NULL when it is none as RFC 8259 section 6 has them. */
static const char *skip_number(const struct parser *s, bool *ret_integer)
{
	const char *digits = s->p + (*s->p == '-');
	const char *p = skip_digits(s, digits);

	*ret_integer = true;
	if (!p || (*digits == '0' && p > digits + 1))
		return NULL;
	if (p < s->end && *p == '.') {
		*ret_integer = false;
		p = skip_digits(s, p + 1);
	}
	if (p && p < s->end && (*p == 'e' || *p == 'E')) {
		*ret_integer = false;
		p++;
		p = skip_digits(s, p + (p < s->end && (*p == '+' || *p == '-')));
	}
	return p;
}

/* What 64 bits do not hold saturates, as it does in json-c. */
static struct json_object *new_integer(const char *digits, size_t len)
{
	uint64_t value = 0;
	bool negative = *digits == '-';

	for (size_t i = negative; i < len; i++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(digits[i] - '0'), &value)) {
			value = UINT64_MAX;
			break;
		}
	if (negative)
		return json_object_new_int64(value > INT64_MAX ? INT64_MIN : -(int64_t)value);
	return value > INT64_MAX ? json_object_new_uint64(value) : json_object_new_int64((int64_t)value);
}

static bool parse_number(struct parser *s, struct json_object **ret)
{
	/* Every integer of so many digits is finite as a double. */
	enum { FINITE_DIGITS = 300 };
	const char *start = s->p, *end, *text;
	bool integer;
	double value;

	end = skip_number(s, &integer);
	if (!end)
		return fault(s, "invalid number");
	s->p = end;
	if (integer && end - start <= FINITE_DIGITS) {
		*ret = new_integer(start, (size_t)(end - start));
		return true;
	}
	text = scratch_set(s, start, (size_t)(end - start));
	value = strtod(text, NULL);
	if (!isfinite(value))
		return fault_at(s, start, "number out of range");
	*ret = integer ? new_integer(start, (size_t)(end - start)) : json_object_new_double_s(value, text);
	return true;
}

static bool parse_literal(struct parser *s, const char *literal)
{
	for (; *literal; literal++, s->p++)
		if (s->p == s->end || *s->p != *literal)
			return fault(s, "invalid literal");
	return true;
}

/* A member's name and its hash. */
struct key {
	const char *text;
	char *copy; /* of a name that is not known: json_key.h */
	unsigned long hash;
};

static void key_close(struct key *key)
{
	free(key->copy);
}

/* The key at hand and its colon. json-c's table wants no NUL within. */
static bool parse_key(struct parser *s, const struct lh_table *table, struct key *ret)
{
	const char *start, *key;
	size_t len;

	if (peek(s) != '"')
		return fault(s, "quoted object key expected");
	start = s->p;
	if (!parse_string(s, &key, &len))
		return false;
	if (key == s->scratch && memchr(key, '\0', len))
		return fault_at(s, start, "NUL character in object key");
	ret->text = json_key_find(key, len, &ret->hash);
	if (!ret->text) {
		ret->text = ret->copy = mem_dupn(key, len);
		ret->hash = lh_get_hash(table, ret->copy);
	}
	if (peek(s) != ':')
		return fault(s, "':' expected after object key");
	s->p++;
	return true;
}

/* The member of TABLE that is called as KEY is. */
static struct lh_entry *find_member(struct lh_table *table, const struct key *key)
{
	struct lh_entry *entry;

	if (key->copy || lh_table_length(table) > JSON_KEYS_SCANNED)
		return lh_table_lookup_entry_w_hash(table, key->text, key->hash);
	/* A known name is the same string wherever it stands. */
	lh_foreach(table, entry)
	{
		if (lh_entry_k(entry) == key->text)
			return entry;
	}
	return NULL;
}

/* What json_object_object_add() does, but it takes the key instead of copying it, and tells a repeated one
 * without a second look-up. */
static void add_member(struct parser *s, struct lh_table *table, struct key *key,
		       struct json_object *value_taken)
{
	struct lh_entry *entry = find_member(table, key);

	if (entry) {
		s->duplicates++;
		json_object_put(lh_entry_v(entry));
		lh_entry_set_val(entry, value_taken);
	} else {
		json_checked(lh_table_insert_w_hash(table, key->text, value_taken, key->hash,
						    key->copy ? 0 : JSON_C_OBJECT_ADD_CONSTANT_KEY));
		key->copy = NULL;
	}
}

static bool parse_members(struct parser *s, struct lh_table *table)
{
	if (peek(s) == '}') {
		s->p++;
		return true;
	}
	for (;;) {
		CLEANUP(key_close) struct key key = { 0 };
		struct json_object *value = NULL;
		char c;

		if (!parse_key(s, table, &key) || !parse_value(s, &value))
			return false;
		add_member(s, table, &key, value);
		c = peek(s);
		if (c != ',' && c != '}')
			return fault(s, "',' or '}' expected after object member");
		s->p++;
		if (c == '}')
			return true;
	}
}

static bool parse_elements(struct parser *s, struct json_object *array)
{
	if (peek(s) == ']') {
		s->p++;
		return true;
	}
	for (;;) {
		struct json_object *value = NULL;
		char c;

		if (!parse_value(s, &value))
			return false;
		json_object_array_add(array, value);
		c = peek(s);
		if (c != ',' && c != ']')
			return fault(s, "',' or ']' expected after array element");
		s->p++;
		if (c == ']')
			return true;
	}
}

static bool parse_nested(struct parser *s, bool is_array, struct json_object **ret)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;
	const char *start = s->p;
	bool ok;

	if (s->depth == JSON_MAX_DEPTH)
		return fault(s, "exceeded max depth");
	obj = is_array ? json_object_new_array_ext(ARRAY_ROOM) : json_object_new_object();
	s->p++;
	s->depth++;
	ok = is_array ? parse_elements(s, obj) : parse_members(s, json_object_get_object(obj));
	s->depth--;
	if (ok && s->origin && s->depth > 0 && s->depth <= JSON_ORIGIN_DEPTH)
		json_origin_add(s->origin, obj, start, (size_t)(s->p - start));
	if (ok)
		*ret = TAKE(obj);
	return ok;
}

static bool parse_string_value(struct parser *s, struct json_object **ret)
{
	const char *text;
	size_t len;

	if (!parse_string(s, &text, &len))
		return false;
	*ret = json_object_new_string_len(text, (int)len);
	return true;
}

/* null is a NULL object. */
static bool parse_value(struct parser *s, struct json_object **ret)
{
	char c = peek(s);

	switch (c) {
	case '{':
	case '[':
		return parse_nested(s, c == '[', ret);
	case '"':
		return parse_string_value(s, ret);
	case '-':
	case '0' ... '9':
		return parse_number(s, ret);
	case 't':
	case 'f':
		if (!parse_literal(s, c == 't' ? "true" : "false"))
			return false;
		*ret = json_object_new_boolean(c == 't');
		return true;
	case 'n':
		*ret = NULL;
		return parse_literal(s, "null");
	default:
		return fault(s, "invalid character looking for beginning of value");
	}
}

static int parse(const char *text, size_t len, struct json_object **ret, size_t *ret_duplicates,
		 struct json_origin *origin, struct err *err)
{
	struct parser s = { .scratch_cap = SCRATCH_ROOM, .origin = origin };
	struct json_object *obj = NULL;

	if (len > INT32_MAX)
		return err_set(err, ERR_LIMIT, "JSON text is too large");
	/* So that what is cut off is reported at the end of what there is. */
	while (len > 0 && is_space(text[len - 1]))
		len--;
	s.text = s.p = len > 0 ? text : "";
	s.end = s.p + len;
	s.scratch = s.room;
	if (parse_value(&s, &obj)) {
		skip_space(&s);
		if (s.p < s.end)
			fault(&s, "invalid character after top-level value");
	}
	if (s.scratch != s.room)
		free(s.scratch);
	if (s.fault) {
		json_object_put(obj);
		return report(&s, err);
	}
	if (ret_duplicates)
		*ret_duplicates = s.duplicates;
	*ret = obj;
	return 0;
}

int json_parse(const char *text, size_t len, struct json_object **ret, size_t *ret_duplicates,
	       struct err *err)
{
	return parse(text, len, ret, ret_duplicates, NULL, err);
}

int json_parse_with_origin(const char *text, size_t len, struct json_object **ret, struct json_origin *origin,
			   struct err *err)
{
	return parse(text, len, ret, NULL, origin, err);
}
