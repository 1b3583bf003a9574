#include "api/cel/cel_time.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXT_MAX 128

/* N digits at *AT, which moves on; -1: they are not there. */
static int number(const char **at, unsigned n)
{
	int value = 0;

	for (; n; n--, ++*at) {
		if (!isdigit((unsigned char)**at))
			return -1;
		value = value * 10 + (**at - '0');
	}
	return value;
}

static bool take(const char **at, char c)
{
	if (**at != c)
		return false;
	++*at;
	return true;
}

static bool copy(char *room, const char *text, size_t len)
{
	if (len >= TEXT_MAX || memchr(text, '\0', len))
		return false;
	*(char *)mempcpy(room, text, len) = '\0';
	return true;
}

/* --- timestamps --- */

static bool date(const char **at, struct tm *tm)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year = number(at, 4);
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	if (year < 1 || !take(at, '-'))
		return false;
	tm->tm_year = year - 1900;
	tm->tm_mon = number(at, 2) - 1;
	if (tm->tm_mon < 0 || tm->tm_mon > 11 || !take(at, '-'))
		return false;
	tm->tm_mday = number(at, 2);
	return tm->tm_mday >= 1 && tm->tm_mday <= days[tm->tm_mon] + (leap && tm->tm_mon == 1);
}

static bool clock_time(const char **at, struct tm *tm, uint32_t *ret_nanos)
{
	uint32_t unit = 100000000;

	tm->tm_hour = number(at, 2);
	if (tm->tm_hour < 0 || tm->tm_hour > 23 || !take(at, ':'))
		return false;
	tm->tm_min = number(at, 2);
	if (tm->tm_min < 0 || tm->tm_min > 59 || !take(at, ':'))
		return false;
	tm->tm_sec = number(at, 2);
	*ret_nanos = 0;
	if (tm->tm_sec < 0 || tm->tm_sec > 59)
		return false;
	if (**at != '.')
		return true;
	if (!isdigit((unsigned char)*++*at))
		return false;
	for (; isdigit((unsigned char)**at); ++*at, unit /= 10)
		*ret_nanos += unit * (uint32_t)(**at - '0');
	return true;
}

/* Z or +01:00, in seconds. */
static bool zone(const char **at, long *ret)
{
	int sign = **at == '-' ? -1 : 1, hours, minutes;

	*ret = 0;
	if (**at == 'Z' || **at == 'z') {
		++*at;
		return true;
	}
	if (**at != '+' && **at != '-')
		return false;
	++*at;
	hours = number(at, 2);
	if (hours < 0 || hours > 23 || !take(at, ':'))
		return false;
	minutes = number(at, 2);
	*ret = sign * (hours * 3600L + minutes * 60L);
	return minutes >= 0 && minutes < 60;
}

bool cel_parse_timestamp(const char *text, size_t len, struct cel_value *ret)
{
	char room[TEXT_MAX];
	const char *at = room;
	struct tm tm = { 0 };
	uint32_t nanos;
	int64_t seconds;
	long offset;

	if (!copy(room, text, len) || !date(&at, &tm) || !(take(&at, 'T') || take(&at, 't')) ||
	    !clock_time(&at, &tm, &nanos) || !zone(&at, &offset) || *at)
		return false;
	seconds = timegm(&tm) - offset;
	if (seconds < CEL_TIME_MIN || seconds > CEL_TIME_MAX)
		return false;
	*ret = (struct cel_value){ .kind = CEL_TIMESTAMP, .len = nanos, .i = seconds };
	return true;
}

bool cel_parse_date(const char *text, size_t len, struct cel_value *ret)
{
	char room[TEXT_MAX];
	const char *at = room;
	struct tm tm = { 0 };

	if (!copy(room, text, len) || !date(&at, &tm) || *at)
		return false;
	*ret = (struct cel_value){ .kind = CEL_TIMESTAMP, .i = timegm(&tm) };
	return true;
}

/* ".123456789" without the zeros at its end. */
static void write_fraction(struct buf *b, uint32_t nanos)
{
	char digits[10];
	int n = 9;

	if (!nanos)
		return;
	for (int i = 8; i >= 0; i--, nanos /= 10)
		digits[i] = (char)('0' + nanos % 10);
	while (digits[n - 1] == '0')
		n--;
	buf_char(b, '.');
	buf_add(b, digits, (size_t)n);
}

void cel_write_timestamp(struct buf *b, const struct cel_value *timestamp)
{
	time_t seconds = timestamp->i;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
		   tm.tm_hour, tm.tm_min, tm.tm_sec);
	write_fraction(b, timestamp->len);
	buf_char(b, 'Z');
}

/* --- durations --- */

struct unit {
	const char *name;
	int64_t ns;
};

static const struct unit units[] = {
	{ "ns", 1 },       { "us", 1000 },      { "\u00B5s", 1000 },      { "\u03BCs", 1000 },
	{ "ms", 1000000 }, { "s", CEL_SECOND }, { "m", 60 * CEL_SECOND }, { "h", 3600 * CEL_SECOND },
	{ NULL, 0 },
};

static const struct unit long_units[] = {
	{ "ns", 1 },
	{ "nano", 1 },
	{ "us", 1000 },
	{ "micro", 1000 },
	{ "ms", 1000000 },
	{ "milli", 1000000 },
	{ "s", CEL_SECOND },
	{ "sec", CEL_SECOND },
	{ "second", CEL_SECOND },
	{ "m", 60 * CEL_SECOND },
	{ "min", 60 * CEL_SECOND },
	{ "minute", 60 * CEL_SECOND },
	{ "h", 3600 * CEL_SECOND },
	{ "hr", 3600 * CEL_SECOND },
	{ "hour", 3600 * CEL_SECOND },
	{ "d", 86400 * CEL_SECOND },
	{ "day", 86400 * CEL_SECOND },
	{ "w", 604800 * CEL_SECOND },
	{ "week", 604800 * CEL_SECOND },
	{ NULL, 0 },
};

/* WORD is the unit's name, or, where PLURAL is allowed, that with an s. */
static int64_t unit_of(const struct unit *rows, const char *word, size_t len, bool plural)
{
	for (; rows->name; rows++) {
		size_t own = strlen(rows->name);

		if (strncmp(rows->name, word, own) == 0 &&
		    (len == own || (plural && own > 1 && len == own + 1 && word[own] == 's')))
			return rows->ns;
	}
	return 0;
}

/* One number with its unit; the sum grows by it. */
static bool add_part(const char **at, const struct unit *rows, bool spaces, uint64_t *sum)
{
	const char *word;
	uint64_t whole = 0, ns;
	double fraction = 0, digit = 0.1;
	bool any = false;
	size_t len;

	for (; isdigit((unsigned char)**at); ++*at, any = true)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(**at - '0'), &whole))
			return false;
	if (**at == '.')
		for (++*at; isdigit((unsigned char)**at); ++*at, digit /= 10, any = true)
			fraction += digit * (**at - '0');
	while (spaces && **at == ' ')
		++*at;
	word = *at;
	len = strcspn(word, "0123456789. ");
	ns = (uint64_t)unit_of(rows, word, len, spaces);
	*at += len;
	while (spaces && **at == ' ')
		++*at;
	if (!any || !ns || __builtin_mul_overflow(whole, ns, &whole) ||
	    __builtin_add_overflow(whole, (uint64_t)(fraction * (double)ns + 0.5), &whole))
		return false;
	return !__builtin_add_overflow(*sum, whole, sum) && *sum <= (uint64_t)INT64_MAX + 1;
}

static bool parse(const char *text, size_t len, const struct unit *rows, bool spaces, struct cel_value *ret)
{
	char room[TEXT_MAX];
	const char *at = room;
	uint64_t sum = 0;
	bool minus;

	if (!copy(room, text, len))
		return false;
	minus = *at == '-';
	at += *at == '-' || *at == '+';
	if (strcmp(at, "0") == 0) {
		*ret = cel_duration(0);
		return true;
	}
	do
		if (!add_part(&at, rows, spaces, &sum))
			return false;
	while (*at);
	if (sum > (uint64_t)INT64_MAX && !minus)
		return false;
	*ret = cel_duration(minus ? (int64_t)(0 - sum) : (int64_t)sum);
	return true;
}

bool cel_parse_duration(const char *text, size_t len, struct cel_value *ret)
{
	return parse(text, len, units, false, ret);
}

bool cel_parse_long_duration(const char *text, size_t len, struct cel_value *ret)
{
	return cel_parse_duration(text, len, ret) || parse(text, len, long_units, true, ret);
}

void cel_write_duration(struct buf *b, const struct cel_value *duration)
{
	uint64_t ns = duration->i < 0 ? 0 - (uint64_t)duration->i : (uint64_t)duration->i;

	if (duration->i < 0)
		buf_char(b, '-');
	buf_uint(b, ns / CEL_SECOND);
	write_fraction(b, (uint32_t)(ns % CEL_SECOND));
	buf_char(b, 's');
}
