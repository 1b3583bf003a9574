#include "lib/yaml_scalar.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/mem.h"

enum word { WORD_NULL, WORD_TRUE, WORD_FALSE, WORD_NOT_FINITE };

static const struct {
	const char *text;
	enum word word;
} words[] = {
	{ "", WORD_NULL },
	{ "~", WORD_NULL },
	{ "null", WORD_NULL },
	{ "Null", WORD_NULL },
	{ "NULL", WORD_NULL },
	{ "true", WORD_TRUE },
	{ "True", WORD_TRUE },
	{ "TRUE", WORD_TRUE },
	{ "y", WORD_TRUE },
	{ "Y", WORD_TRUE },
	{ "yes", WORD_TRUE },
	{ "Yes", WORD_TRUE },
	{ "YES", WORD_TRUE },
	{ "on", WORD_TRUE },
	{ "On", WORD_TRUE },
	{ "ON", WORD_TRUE },
	{ "false", WORD_FALSE },
	{ "False", WORD_FALSE },
	{ "FALSE", WORD_FALSE },
	{ "n", WORD_FALSE },
	{ "N", WORD_FALSE },
	{ "no", WORD_FALSE },
	{ "No", WORD_FALSE },
	{ "NO", WORD_FALSE },
	{ "off", WORD_FALSE },
	{ "Off", WORD_FALSE },
	{ "OFF", WORD_FALSE },
	{ ".inf", WORD_NOT_FINITE },
	{ ".Inf", WORD_NOT_FINITE },
	{ ".INF", WORD_NOT_FINITE },
	{ "+.inf", WORD_NOT_FINITE },
	{ "+.Inf", WORD_NOT_FINITE },
	{ "+.INF", WORD_NOT_FINITE },
	{ "-.inf", WORD_NOT_FINITE },
	{ "-.Inf", WORD_NOT_FINITE },
	{ "-.INF", WORD_NOT_FINITE },
	{ ".nan", WORD_NOT_FINITE },
	{ ".NaN", WORD_NOT_FINITE },
	{ ".NAN", WORD_NOT_FINITE },
};

static bool find_word(const char *text, size_t len, enum word *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i].text) == len && memcmp(words[i].text, text, len) == 0) {
			*ret = words[i].word;
			return true;
		}
	}
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int digit_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

/* "0x1f", "0b101", "0o17", "017", "17", with a sign; S has no underscores any more. */
static struct json_object *parse_integer(const char *s)
{
	bool negative = *s == '-';
	uint64_t value = 0;
	int base = 10;

	if (*s == '-' || *s == '+')
		s++;
	if (s[0] == '0' && s[1]) {
		switch (*++s) {
		case 'x':
		case 'X':
			base = 16;
			s++;
			break;
		case 'b':
		case 'B':
			base = 2;
			s++;
			break;
		case 'o':
		case 'O':
			base = 8;
			s++;
			break;
		default:
			base = 8;
		}
	}
	if (!*s)
		return NULL;
	for (; *s; s++) {
		int digit = digit_value(*s);

		if (digit >= base || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return NULL;
	}
	if (negative)
		return value > (uint64_t)INT64_MAX + 1 ? NULL : json_object_new_int64((int64_t)-value);
	return value > INT64_MAX ? json_object_new_uint64(value) : json_object_new_int64((int64_t)value);
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool looks_like_float(const char *s)
{
	size_t digits = 0;

	if (*s == '-' || *s == '+')
		s++;
	for (; is_digit(*s); s++)
		digits++;
	if (*s == '.')
		for (s++; is_digit(*s); s++)
			digits++;
	if (digits == 0)
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		if (*s == '-' || *s == '+')
			s++;
		if (!is_digit(*s))
			return false;
		while (is_digit(*s))
			s++;
	}
	return *s == '\0';
}

static struct json_object *parse_number(const char *text, size_t len)
{
	char digits[128];
	struct json_object *value;
	size_t n = 0;
	double number;

	if (len >= sizeof(digits) || !strchr("+-.0123456789", text[0]) || memchr(text, '\0', len))
		return NULL;
	for (size_t i = 0; i < len; i++)
		if (text[i] != '_')
			digits[n++] = text[i];
	digits[n] = '\0';
	value = parse_integer(digits);
	if (value || !looks_like_float(digits))
		return value;
	number = strtod(digits, NULL);
	return isfinite(number) ? json_object_new_double(number) : NULL;
}

int yaml_scalar_resolve(const char *text, size_t len, struct json_object **ret)
{
	struct json_object *number;
	enum word word;

	if (find_word(text, len, &word)) {
		if (word == WORD_NOT_FINITE)
			return -1;
		*ret = word == WORD_NULL ? NULL : json_object_new_boolean(word == WORD_TRUE);
		return 0;
	}
	number = parse_number(text, len);
	*ret = number ? number : json_object_new_string_len(text, (int)len);
	return 0;
}

/* 2026-11-21, alone or with a time behind it. */
static bool looks_like_timestamp(const char *s)
{
	/* d: a digit; o: a digit that may lack. */
	for (const char *p = "dddd-do-do"; *p; p++) {
		bool fits = *p == '-' ? *s == '-' : is_digit(*s);

		if (!fits && *p != 'o')
			return false;
		s += fits;
	}
	return !*s || ((*s == 'T' || *s == 't' || *s == ' ') && is_digit(s[1]));
}

/* Minutes and hours as YAML 1.1 counts them: 22:30. */
static bool looks_like_base60(const char *s)
{
	bool colon = false;

	if (*s == '-' || *s == '+')
		s++;
	if (!is_digit(*s))
		return false;
	for (; *s; s++) {
		colon = colon || *s == ':';
		if (!is_digit(*s) && *s != ':' && *s != '_' && *s != '.')
			return false;
	}
	return colon;
}

bool yaml_scalar_is_ambiguous(const char *text, size_t len)
{
	struct json_object *number;
	enum word word;

	if (find_word(text, len, &word) || strcmp(text, "<<") == 0)
		return true;
	number = parse_number(text, len);
	json_object_put(number);
	return number || looks_like_timestamp(text) || looks_like_base60(text);
}
