/* format(): %s, %d, %f, %e, %b, %o, %x, %X and %%.
 * https://pkg.go.dev/github.com/google/cel-go/ext#Strings
 */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "api/cel/cel_functions.h"
#include "api/cel/cel_time.h"

#define SHOWN_MAX  100000
#define DEPTH_MAX  32
#define DIGITS_MAX 100

/* --- %s --- */

static void show(struct cel_eval *e, struct buf *b, const struct cel_value *v, unsigned depth);

static void show_list(struct cel_eval *e, struct buf *b, const struct cel_value *v, unsigned depth)
{
	size_t len = cel_list_len(v);

	buf_char(b, '[');
	for (size_t i = 0; i < len && b->len < SHOWN_MAX && cel_charge(e, CEL_STEP); i++) {
		struct cel_value item = cel_list_at(e, v, i);

		buf_str(b, i ? ", " : "");
		show(e, b, &item, depth + 1);
	}
	buf_char(b, ']');
}

static void show_map(struct cel_eval *e, struct buf *b, const struct cel_value *v, unsigned depth)
{
	struct cel_value key, value;
	bool first = true;

	buf_char(b, '{');
	for (const void *at = NULL; cel_map_next(e, v, &at, &key, &value); first = false) {
		if (b->len > SHOWN_MAX || !cel_charge(e, CEL_STEP))
			break;
		buf_str(b, first ? "" : ", ");
		show(e, b, &key, depth + 1);
		buf_str(b, ": ");
		show(e, b, &value, depth + 1);
	}
	buf_char(b, '}');
}

static void show(struct cel_eval *e, struct buf *b, const struct cel_value *v, unsigned depth)
{
	if (depth > DEPTH_MAX)
		return;
	switch ((enum cel_kind)v->kind) {
	case CEL_NULL:
		buf_str(b, "null");
		break;
	case CEL_STRING:
	case CEL_BYTES:
		cel_charge(e, v->len);
		buf_add(b, v->text, v->len);
		break;
	case CEL_DOUBLE:
		if (isinf(v->d))
			buf_str(b, v->d < 0 ? "-Infinity" : "Infinity");
		else
			cel_write_double(b, v->d, true);
		break;
	case CEL_DURATION:
		cel_write_duration(b, v);
		break;
	case CEL_TIMESTAMP:
		cel_write_timestamp(b, v);
		break;
	case CEL_TYPE:
		buf_str(b, cel_kind_name((enum cel_kind)v->i));
		break;
	case CEL_LIST:
		show_list(e, b, v, depth);
		break;
	case CEL_MAP:
	case CEL_OBJECT:
		show_map(e, b, v, depth);
		break;
	default:
		cel_show(b, v);
	}
}

/* --- numbers --- */

static void digits(struct buf *b, uint64_t u, unsigned base, bool upper)
{
	const char *letters = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[64];
	size_t at = sizeof(text);

	do
		text[--at] = letters[u % base];
	while (u /= base);
	buf_add(b, text + at, sizeof(text) - at);
}

static void write_int(struct buf *b, const struct cel_value *v, unsigned base, bool upper)
{
	bool minus = v->kind == CEL_INT && v->i < 0;

	if (minus)
		buf_char(b, '-');
	digits(b, v->kind == CEL_BOOL ? v->b : minus ? 0 - v->u : v->u, base, upper);
}

static void write_hex(struct buf *b, const struct cel_value *v, bool upper)
{
	for (uint32_t i = 0; i < v->len; i++)
		buf_printf(b, upper ? "%02X" : "%02x", (unsigned char)v->text[i]);
}

static bool write_real(struct buf *b, const struct cel_value *v, char verb, int precision)
{
	double d = v->kind == CEL_DOUBLE ? v->d : v->kind == CEL_INT ? (double)v->i : (double)v->u;

	if (v->kind != CEL_DOUBLE && v->kind != CEL_INT && v->kind != CEL_UINT)
		return false;
	if (isnan(d) || isinf(d))
		buf_str(b, isnan(d) ? "NaN" : d < 0 ? "-Infinity" : "Infinity");
	else if (verb == 'f')
		buf_printf(b, "%.*f", precision, d);
	else
		buf_printf(b, "%.*e", precision, d);
	return true;
}

/* --- clauses --- */

/* One clause's value; false: the verb does not take it. */
static bool write_clause(struct cel_eval *e, struct buf *b, char verb, int precision,
			 const struct cel_value *v)
{
	bool whole = v->kind == CEL_INT || v->kind == CEL_UINT;
	bool bytes = v->kind == CEL_STRING || v->kind == CEL_BYTES;

	switch (verb) {
	case 's':
		show(e, b, v, 0);
		return true;
	case 'd':
		if (whole)
			write_int(b, v, 10, false);
		return whole;
	case 'f':
	case 'e':
		return write_real(b, v, verb, precision < 0 ? 6 : precision);
	case 'b':
		if (whole || v->kind == CEL_BOOL)
			write_int(b, v, 2, false);
		return whole || v->kind == CEL_BOOL;
	case 'o':
		if (whole)
			write_int(b, v, 8, false);
		return whole;
	default: /* x, X */
		if (whole)
			write_int(b, v, 16, verb == 'X');
		else if (bytes)
			write_hex(b, v, verb == 'X');
		return whole || bytes;
	}
}

/* ".3" before a verb; -1: there is none; -2: it is too large. */
static int parse_precision(const char **at, const char *end)
{
	int precision = 0;

	if (*at == end || **at != '.')
		return -1;
	for (++*at; *at < end && isdigit((unsigned char)**at); ++*at) {
		precision = precision * 10 + (**at - '0');
		if (precision > DIGITS_MAX)
			return -2;
	}
	return precision;
}

CEL_FUNCTION(cel_format_string)
{
	const char *at = args[0].text, *end = at + args[0].len;
	CLEANUP(buf_close) struct buf made = BUF_INIT;
	size_t used = 0, given = cel_list_len(&args[1]);

	(void)node, (void)n;
	while (at < end) {
		struct cel_value v;
		int precision;

		if (!cel_charge(e, 1) || made.len > 10 * SHOWN_MAX)
			return cel_exhausted();
		if (*at != '%') {
			buf_char(&made, *at++);
			continue;
		}
		if (++at < end && *at == '%') {
			buf_char(&made, *at++);
			continue;
		}
		precision = parse_precision(&at, end);
		if (precision == -2)
			return cel_errorf(e, "could not parse formatting clause: precision may not exceed %d",
					  DIGITS_MAX);
		if (at == end)
			return cel_error("could not parse formatting clause: unexpected end of string");
		if (!strchr("sdfeboxX", *at) || !*at)
			return cel_errorf(e,
					  "could not parse formatting clause: unrecognized formatting clause "
					  "\"%c\"",
					  *at);
		if (used == given)
			return cel_errorf(e, "index %zu out of range", used);
		v = cel_list_at(e, &args[1], used++);
		if (v.kind == CEL_ERROR)
			return v;
		if (!write_clause(e, &made, *at, precision, &v))
			return cel_errorf(e, "error during formatting: %%%c does not take a value of type %s",
					  *at, cel_kind_name(v.kind));
		at++;
	}
	return cel_charge(e, made.len) ? cel_new_text(e, made.data ? made.data : "", made.len)
				       : cel_exhausted();
}
