#include "api/decode_scalar.h"

#include <ctype.h>
#include <string.h>

#include "lib/quantity.h"
#include "lib/timefmt.h"

const char *decode_type_name(const struct json_object *value)
{
	static const char *const names[] = {
		[json_type_null] = "null",     [json_type_boolean] = "bool",  [json_type_double] = "number",
		[json_type_int] = "number",    [json_type_object] = "object", [json_type_array] = "array",
		[json_type_string] = "string",
	};

	return names[json_object_get_type(value)];
}

/* Times are read against a layout, piece by piece, so that an error can name the piece that does not fit, as
 * Go's time.Parse does. */
struct time_piece {
	const char *layout; /* as Go writes it; a single punctuation mark stands for itself */
	const char *range_error;
	int digits, min, max;
};

static const struct time_piece pieces[] = {
	{ .layout = "2006", .digits = 4, .max = 9999 },
	{ .layout = "-" },
	{ .layout = "01", .digits = 2, .min = 1, .max = 12, .range_error = "month" },
	{ .layout = "-" },
	{ .layout = "02", .digits = 2, .min = 1, .max = 31, .range_error = "day" },
	{ .layout = "T" },
	{ .layout = "15", .digits = 2, .max = 23, .range_error = "hour" },
	{ .layout = ":" },
	{ .layout = "04", .digits = 2, .max = 59, .range_error = "minute" },
	{ .layout = ":" },
	{ .layout = "05", .digits = 2, .max = 59, .range_error = "second" },
};

static bool time_error(struct buf *ret_message, const char *text, bool micro, const char *rest,
		       const char *piece)
{
	buf_str(ret_message, "parsing time ");
	buf_json_string(ret_message, text);
	buf_str(ret_message, micro ? " as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse "
				   : " as \"2006-01-02T15:04:05Z07:00\": cannot parse ");
	buf_json_string(ret_message, rest);
	buf_str(ret_message, " as ");
	buf_json_string(ret_message, piece);
	return false;
}

static bool time_range_error(struct buf *ret_message, const char *text, const char *what)
{
	buf_str(ret_message, "parsing time ");
	buf_json_string(ret_message, text);
	buf_printf(ret_message, ": %s out of range", what);
	return false;
}

static bool digits(const char *s, int n, int *ret)
{
	*ret = 0;
	for (int i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		*ret = *ret * 10 + (s[i] - '0');
	}
	return true;
}

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* "Z" or "+hh:mm"; *at moves behind it. */
static bool check_zone(const char *text, const char **at, bool micro, struct buf *ret_message)
{
	const char *s = *at;
	int hours, minutes;

	if (*s == 'Z') {
		*at = s + 1;
		return true;
	}
	if ((*s != '+' && *s != '-') || !digits(s + 1, 2, &hours) || s[3] != ':' ||
	    !digits(s + 4, 2, &minutes))
		return time_error(ret_message, text, micro, s, "Z07:00");
	if (hours > 24)
		return time_range_error(ret_message, text, "time zone offset hour");
	if (minutes > 59)
		return time_range_error(ret_message, text, "time zone offset minute");
	*at = s + 6;
	return true;
}

static bool check_fraction(const char *text, const char **at, bool micro, struct buf *ret_message)
{
	const char *s = *at;
	size_t n = *s == '.' || *s == ',' ? strspn(s + 1, "0123456789") : 0;

	if (micro && n != 6)
		return time_error(ret_message, text, micro, s, ".000000");
	if (n > 0)
		*at = s + 1 + n;
	return true;
}

static bool check_time(const char *text, bool micro, struct buf *ret_message)
{
	const char *at = text;
	int values[ARRAY_SIZE(pieces)] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		const struct time_piece *piece = &pieces[i];
		if (piece->digits == 0) {
			if (*at != *piece->layout)
				return time_error(ret_message, text, micro, at, piece->layout);
			at++;
			continue;
		}
		if (!digits(at, piece->digits, &values[i]))
			return time_error(ret_message, text, micro, at, piece->layout);
		if (values[i] < piece->min || values[i] > piece->max)
			return time_range_error(ret_message, text, piece->range_error);
		at += piece->digits;
	}
	if (!check_fraction(text, &at, micro, ret_message) || !check_zone(text, &at, micro, ret_message))
		return false;
	if (*at != '\0') {
		buf_str(ret_message, "parsing time ");
		buf_json_string(ret_message, text);
		buf_str(ret_message, ": extra text: ");
		buf_json_string(ret_message, at);
		return false;
	}
	if (values[4] > days_of_month(values[0], values[2]))
		return time_range_error(ret_message, text, "day");
	return true;
}

bool decode_time(const char *text, bool micro, struct buf *ret_canonical, struct buf *ret_message)
{
	char canonical[TIMEFMT_SIZE];
	int64_t us;

	if (!check_time(text, micro, ret_message))
		return false;
	/* A time that check_time takes and time_parse does not has its comma of ISO 8601, or lies before what
	 * 64 bits of microseconds hold: neither is worth more than staying as it is. */
	if (!time_parse(text, &us))
		return true;
	if (micro)
		time_format_micro(us, canonical);
	else
		time_format(us, canonical);
	if (strcmp(canonical, text) != 0)
		buf_str(ret_canonical, canonical);
	return true;
}

/* Why TEXT is no quantity: sign, digits, fraction, then either a suffix nobody knows or something that could
 * not begin one. */
static const char *quantity_fault(const char *text)
{
	if (*text != '\0') {
		const char *s = text + (*text == '+' || *text == '-');
		s += strspn(s, "0123456789");
		if (*s == '.')
			s += 1 + strspn(s + 1, "0123456789");
		s += strspn(s, "eEinumkKMGTP");
		s += *s == '+' || *s == '-';
		s += strspn(s, "0123456789");
		if (*s == '\0')
			return "unable to parse quantity's suffix";
	}
	return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
}

bool decode_quantity(const char *text, struct buf *ret_canonical, struct buf *ret_message)
{
	char canonical[QUANTITY_SIZE];
	struct quantity q;
	struct buf trimmed CLEANUP(buf_close) = BUF_INIT;
	const char *s = text;
	size_t len = strlen(text);

	if (len > 0 && (isspace((unsigned char)s[0]) || isspace((unsigned char)s[len - 1]))) {
		while (len > 0 && isspace((unsigned char)s[len - 1]))
			len--;
		for (; len > 0 && isspace((unsigned char)*s); len--)
			s++;
		buf_add(&trimmed, s, len);
		buf_char(&trimmed, '\0');
		s = trimmed.data;
	}
	if (!quantity_parse(s, &q)) {
		buf_str(ret_message, quantity_fault(s));
		return false;
	}
	quantity_format(&q, canonical);
	if (strcmp(canonical, text) != 0)
		buf_str(ret_canonical, canonical);
	return true;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static size_t skip_newlines(const char *text, size_t len, size_t i)
{
	while (i < len && (text[i] == '\n' || text[i] == '\r'))
		i++;
	return i;
}

/* Groups of four characters, the last one padded, line ends anywhere. SIZE_MAX when TEXT is valid, else the
 * offset that Kubernetes blames. *ret_plain: it is canonical as it stands. */
static size_t base64_fault(const char *text, size_t len, bool *ret_plain)
{
	size_t i = 0;

	*ret_plain = memchr(text, '\n', len) == NULL && memchr(text, '\r', len) == NULL;
	for (;;) {
		int value = 0;
		int n = 0;
		for (; n < 4; n++) {
			i = skip_newlines(text, len, i);
			if (i == len)
				return n == 0 ? SIZE_MAX : i - (size_t)n;
			int next = base64_value(text[i]);
			if (next < 0)
				break;
			value = next;
			i++;
		}
		if (n == 4)
			continue;
		if (text[i] != '=' || n < 2)
			return i;
		i++;
		if (n == 2) {
			i = skip_newlines(text, len, i);
			if (i == len)
				return len;
			if (text[i] != '=')
				return i - 1;
			i++;
		}
		i = skip_newlines(text, len, i);
		/* Bits of the last character that no byte takes must be zero in what we keep. */
		if ((value & (n == 2 ? 0xf : 0x3)) != 0)
			*ret_plain = false;
		return i < len ? i : SIZE_MAX;
	}
}

/* Re-encodes what base64_fault has found valid. */
static void base64_canonical(const char *text, size_t len, struct buf *ret)
{
	struct buf bytes CLEANUP(buf_close) = BUF_INIT;
	unsigned bits = 0;
	int n_bits = 0;

	for (size_t i = 0; i < len && text[i] != '='; i++) {
		int value = base64_value(text[i]);
		if (value < 0)
			continue;
		bits = (bits << 6 | (unsigned)value) & 0xffff;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			buf_char(&bytes, (char)(bits >> n_bits & 0xff));
		}
	}
	buf_base64(ret, bytes.data, bytes.len);
}

bool decode_base64(const char *text, size_t len, struct buf *ret_canonical, struct buf *ret_message)
{
	bool plain;
	size_t fault = base64_fault(text, len, &plain);

	if (fault != SIZE_MAX) {
		buf_printf(ret_message, "illegal base64 data at input byte %zu", fault);
		return false;
	}
	if (!plain)
		base64_canonical(text, len, ret_canonical);
	return true;
}
