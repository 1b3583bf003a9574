/* Values of one type as another's. */
#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/cel/cel_functions.h"
#include "api/cel/cel_time.h"

#define NUMBER_MAX 64 /* no number is longer that means anything */

static struct cel_value cannot(struct cel_eval *e, const struct cel_value *from, const char *to)
{
	return cel_errorf(e, "type conversion error from '%s' to '%s'", cel_kind_name(from->kind), to);
}

/* A number's text with a NUL behind it, without blanks. */
static bool number_text(const struct cel_value *v, char *room)
{
	if (!v->len || v->len >= NUMBER_MAX || isspace((unsigned char)*v->text) ||
	    memchr(v->text, '\0', v->len))
		return false;
	*(char *)mempcpy(room, v->text, v->len) = '\0';
	return true;
}

CEL_FUNCTION(cel_type_value)
{
	(void)e, (void)node, (void)n;
	return (struct cel_value){ .kind = CEL_TYPE, .i = args[0].kind };
}

CEL_FUNCTION(cel_dyn)
{
	(void)e, (void)node, (void)n;
	return args[0];
}

/* --- numbers --- */

static struct cel_value text_to_int(struct cel_eval *e, const struct cel_value *v)
{
	char room[NUMBER_MAX], *end;
	long long i;

	if (!number_text(v, room))
		return cannot(e, v, "int");
	errno = 0;
	i = strtoll(room, &end, 10);
	return *end || errno ? cannot(e, v, "int") : cel_int(i);
}

CEL_FUNCTION(cel_to_int)
{
	double d = args[0].d;

	(void)node, (void)n;
	switch ((enum cel_kind)args[0].kind) {
	case CEL_UINT:
		return args[0].u > INT64_MAX ? cel_error("integer overflow") : cel_int((int64_t)args[0].u);
	case CEL_DOUBLE:
		return d > -9223372036854775808.0 && d < 9223372036854775808.0
			   ? cel_int((int64_t)d)
			   : cel_error("integer overflow");
	case CEL_STRING:
		return text_to_int(e, &args[0]);
	default: /* a timestamp in seconds, a duration in nanoseconds */
		return cel_int(args[0].i);
	}
}

CEL_FUNCTION(cel_to_uint)
{
	static const char overflow[] = "unsigned integer overflow";
	char room[NUMBER_MAX], *end;
	unsigned long long u;
	double d = args[0].d;

	(void)node, (void)n;
	switch ((enum cel_kind)args[0].kind) {
	case CEL_INT:
		return args[0].i < 0 ? cel_error(overflow) : cel_uint((uint64_t)args[0].i);
	case CEL_DOUBLE:
		return d >= 0 && d < 18446744073709551616.0 ? cel_uint((uint64_t)d) : cel_error(overflow);
	case CEL_STRING:
		if (!number_text(&args[0], room) || !isdigit((unsigned char)*room))
			return cannot(e, &args[0], "uint");
		errno = 0;
		u = strtoull(room, &end, 10);
		return *end || errno ? cannot(e, &args[0], "uint") : cel_uint(u);
	default:
		return args[0];
	}
}

CEL_FUNCTION(cel_to_double)
{
	char room[NUMBER_MAX], *end;
	double d;

	(void)node, (void)n;
	switch ((enum cel_kind)args[0].kind) {
	case CEL_INT:
		return cel_double((double)args[0].i);
	case CEL_UINT:
		return cel_double((double)args[0].u);
	case CEL_STRING:
		if (!number_text(&args[0], room))
			return cannot(e, &args[0], "double");
		d = strtod(room, &end);
		return *end || (isinf(d) && isdigit((unsigned char)end[-1])) ? cannot(e, &args[0], "double")
									     : cel_double(d);
	default:
		return args[0];
	}
}

CEL_FUNCTION(cel_to_bool)
{
	static const char *const words[2][6] = { { "0", "f", "F", "false", "FALSE", "False" },
						 { "1", "t", "T", "true", "TRUE", "True" } };
	char room[NUMBER_MAX];

	(void)node, (void)n;
	if (args[0].kind == CEL_BOOL)
		return args[0];
	for (unsigned b = 0; number_text(&args[0], room) && b < 2; b++)
		for (unsigned i = 0; i < 6; i++)
			if (strcmp(words[b][i], room) == 0)
				return cel_bool(b);
	return cannot(e, &args[0], "bool");
}

/* --- texts --- */

/* The shortest digits that are read back as D. */
void cel_write_double(struct buf *b, double d, bool plain)
{
	char text[40];
	long exponent;
	int digits;

	if (isnan(d) || isinf(d)) {
		buf_str(b, isnan(d) ? "NaN" : d < 0 ? "-Inf" : "+Inf");
		return;
	}
	for (int precision = 0; precision < DBL_DECIMAL_DIG; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, d);
		if (!(strtod(text, NULL) < d) && !(strtod(text, NULL) > d))
			break;
	}
	exponent = strtol(strchr(text, 'e') + 1, NULL, 10);
	if (!plain && (exponent < -4 || exponent >= 6)) {
		buf_str(b, text);
		return;
	}
	digits = (int)(strchr(text, 'e') - text) - (*text == '-') - (strchr(text, '.') != NULL);
	digits -= 1 + (int)exponent;
	buf_printf(b, "%.*f", digits > 0 ? digits : 0, d);
}

static bool is_utf8(const char *text, size_t len)
{
	for (size_t i = 0, step; i < len; i += step) {
		step = (text[i] & 0x80) ? buf_utf8_length(text + i, len - i) : 1;
		if (!step)
			return false;
	}
	return true;
}

CEL_FUNCTION(cel_to_string)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct cel_value result = args[0];

	(void)node, (void)n;
	switch ((enum cel_kind)args[0].kind) {
	case CEL_STRING:
		return result;
	case CEL_BYTES:
		cel_charge(e, result.len);
		result.kind = CEL_STRING;
		return is_utf8(result.text, result.len)
			   ? result
			   : cel_error("invalid UTF-8 in bytes, cannot convert to "
				       "string");
	case CEL_TIMESTAMP:
		cel_write_timestamp(&text, &args[0]);
		break;
	case CEL_DURATION:
		cel_write_duration(&text, &args[0]);
		break;
	default:
		cel_show(&text, &args[0]);
	}
	return cel_new_text(e, text.data, text.len);
}

CEL_FUNCTION(cel_to_bytes)
{
	struct cel_value result = args[0];

	(void)e, (void)node, (void)n;
	result.kind = CEL_BYTES;
	return result;
}

/* --- times --- */

CEL_FUNCTION(cel_to_timestamp)
{
	struct cel_value result = args[0];

	(void)node, (void)n;
	if (args[0].kind == CEL_STRING)
		return cel_parse_timestamp(args[0].text, args[0].len, &result)
			   ? result
			   : cannot(e, &args[0], "google.protobuf.Timestamp");
	if (args[0].kind == CEL_INT && (args[0].i < CEL_TIME_MIN || args[0].i > CEL_TIME_MAX))
		return cel_error("timestamp overflow");
	if (args[0].kind == CEL_INT)
		result.len = 0;
	result.kind = CEL_TIMESTAMP;
	return result;
}

CEL_FUNCTION(cel_to_duration)
{
	struct cel_value result = args[0];

	(void)node, (void)n;
	if (args[0].kind == CEL_STRING && !cel_parse_duration(args[0].text, args[0].len, &result))
		return cannot(e, &args[0], "google.protobuf.Duration");
	return result;
}
