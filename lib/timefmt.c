#include "lib/timefmt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define US_PER_S INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

/* The first and the last second that RFC 3339 has. */
#define YEAR_0_US    (INT64_C(-62167219200) * US_PER_S)
#define YEAR_9999_US (INT64_C(253402300799) * US_PER_S)

static int64_t clock_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

int64_t time_now_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

int64_t time_mono_ms(void)
{
	return clock_us(CLOCK_MONOTONIC) / 1000;
}

int64_t time_mono_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

int64_t time_boot_ms(void)
{
	return clock_us(CLOCK_BOOTTIME) / 1000;
}

struct timespec time_mono_in(int64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= NS_PER_S) {
		until.tv_sec++;
		until.tv_nsec -= NS_PER_S;
	}
	return until;
}

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
	return value < least ? least : value > most ? most : value;
}

int64_t time_add_s(int64_t us, int64_t seconds)
{
	int64_t sum;

	if (__builtin_mul_overflow(seconds, US_PER_S, &sum) || __builtin_add_overflow(us, sum, &sum))
		return seconds < 0 ? YEAR_0_US : YEAR_9999_US;
	return clamp(sum, YEAR_0_US, YEAR_9999_US);
}

int64_t time_ms_of(int64_t seconds)
{
	return clamp(seconds, -(INT64_MAX / 4000), INT64_MAX / 4000) * 1000;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

struct civil {
	int64_t year;
	unsigned month, day;
};

/* Days since 1970-01-01 and back, in the proleptic Gregorian calendar, by eras of 400 years that
 * begin in March, where the leap day is the last of the year. */
static struct civil civil_of_days(int64_t days)
{
	int64_t shifted = days + 719468;
	int64_t era = floor_div(shifted, 146097);
	unsigned day_of_era = (unsigned)(shifted - era * 146097);
	unsigned year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned month = (5 * day_of_year + 2) / 153;
	struct civil c = {
		.year = era * 400 + year_of_era,
		.month = month < 10 ? month + 3 : month - 9,
		.day = day_of_year - (153 * month + 2) / 5 + 1,
	};

	c.year += c.month <= 2;
	return c;
}

static int64_t days_of_civil(int64_t year, int64_t month, int64_t day)
{
	int64_t y = year - (month <= 2);
	int64_t era = floor_div(y, 400);
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static char *put_digits(char *p, uint64_t value, int width)
{
	for (int i = width - 1; i >= 0; i--, value /= 10)
		p[i] = (char)('0' + value % 10);
	return p + width;
}

/* By hand: it stands in every object and log line, and strftime costs ten times as much. */
static const char *format(int64_t seconds, uint64_t fraction, int digits, char *buf)
{
	int64_t days = floor_div(seconds, 86400);
	uint64_t second = (uint64_t)(seconds - days * 86400);
	struct civil c = civil_of_days(days);
	char *p = put_digits(buf, (uint64_t)c.year % 10000, 4);

	*p++ = '-';
	p = put_digits(p, c.month, 2);
	*p++ = '-';
	p = put_digits(p, c.day, 2);
	*p++ = 'T';
	p = put_digits(p, second / 3600, 2);
	*p++ = ':';
	p = put_digits(p, second / 60 % 60, 2);
	*p++ = ':';
	p = put_digits(p, second % 60, 2);
	if (digits > 0) {
		*p++ = '.';
		p = put_digits(p, fraction, digits);
	}
	*p++ = 'Z';
	*p = '\0';
	return buf;
}

const char *time_format(int64_t us, char *buf)
{
	return format(floor_div(us, US_PER_S), 0, 0, buf);
}

const char *time_format_micro(int64_t us, char *buf)
{
	int64_t seconds = floor_div(us, US_PER_S);

	return format(seconds, (uint64_t)(us - seconds * US_PER_S), 6, buf);
}

const char *time_format_nano(int64_t ns, char *buf)
{
	int64_t seconds = floor_div(ns, NS_PER_S);

	return format(seconds, (uint64_t)(ns - seconds * NS_PER_S), 9, buf);
}

/* Exactly WIDTH digits at *P, which is moved past them. */
static bool take_number(const char **p, int width, int64_t *ret)
{
	int64_t value = 0;

	for (int i = 0; i < width; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		value = value * 10 + (**p - '0');
	}
	*ret = value;
	return true;
}

static bool take_char(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

static bool take_fraction_us(const char **p, int64_t *ret_us)
{
	int64_t us = 0, unit = US_PER_S / 10;

	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; (*p)++, unit /= 10)
		us += (**p - '0') * unit;
	*ret_us = us;
	return true;
}

static bool take_offset(const char **p, int64_t *ret_seconds)
{
	int64_t hours, minutes;
	bool west = **p == '-';

	if (take_char(p, 'Z')) {
		*ret_seconds = 0;
		return true;
	}
	if (!take_char(p, '+') && !take_char(p, '-'))
		return false;
	if (!take_number(p, 2, &hours) || !take_char(p, ':') || !take_number(p, 2, &minutes))
		return false;
	if (hours > 24 || minutes >= 60)
		return false;
	*ret_seconds = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
	return true;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
	static const int64_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

bool time_parse(const char *s, int64_t *ret_us)
{
	int64_t year, month, day, hour, minute, second, us = 0, offset;

	if (!s || !take_number(&s, 4, &year) || !take_char(&s, '-') || !take_number(&s, 2, &month) ||
	    !take_char(&s, '-') || !take_number(&s, 2, &day) || !take_char(&s, 'T') ||
	    !take_number(&s, 2, &hour) || !take_char(&s, ':') || !take_number(&s, 2, &minute) ||
	    !take_char(&s, ':') || !take_number(&s, 2, &second))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 ||
	    minute > 59 || second > 59)
		return false;
	if (take_char(&s, '.') && !take_fraction_us(&s, &us))
		return false;
	if (!take_offset(&s, &offset) || *s)
		return false;
	*ret_us = (days_of_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset) *
		      US_PER_S +
		  us;
	return true;
}

const char *time_human_duration(int64_t seconds, char *buf, size_t size)
{
	/* Below LIMIT seconds: a count of BIG, and with SMALL set what is left of it, unless it is 0. */
	static const struct {
		int64_t limit, big, small;
		char big_name, small_name;
	} steps[] = {
		{ 120, 1, 0, 's', 0 },
		{ 600, 60, 1, 'm', 's' },
		{ 3 * 3600, 60, 0, 'm', 0 },
		{ 8 * 3600, 3600, 60, 'h', 'm' },
		{ 48 * 3600, 3600, 0, 'h', 0 },
		{ 8 * 86400, 86400, 3600, 'd', 'h' },
		{ 2 * 365 * 86400, 86400, 0, 'd', 0 },
		{ 8LL * 365 * 86400, 365 * 86400, 86400, 'y', 'd' },
		{ INT64_MAX, 365 * 86400, 0, 'y', 0 },
	};
	size_t i = 0;
	int64_t rest;

	if (seconds < -1) {
		snprintf(buf, size, "<invalid>");
		return buf;
	}
	if (seconds < 0)
		seconds = 0;
	while (seconds >= steps[i].limit && steps[i].limit != INT64_MAX)
		i++;
	rest = steps[i].small ? seconds % steps[i].big / steps[i].small : 0;
	if (rest)
		snprintf(buf, size, "%" PRId64 "%c%" PRId64 "%c", seconds / steps[i].big, steps[i].big_name,
			 rest, steps[i].small_name);
	else
		snprintf(buf, size, "%" PRId64 "%c", seconds / steps[i].big, steps[i].big_name);
	return buf;
}

/* The unit at *P in nanoseconds, 0 when there is none. "m" stands last: "ms" begins like it. */
static int64_t take_unit(const char **p)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = {
		{ "ns", 1 },           { "us", 1000 },    { "\xc2\xb5s", 1000 }, /* micro sign */
		{ "\xce\xbcs", 1000 },                                           /* Greek mu */
		{ "ms", 1000000 },     { "s", NS_PER_S }, { "h", 3600 * NS_PER_S }, { "m", 60 * NS_PER_S },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t len = strlen(units[i].name);

		if (strncmp(*p, units[i].name, len) == 0) {
			*p += len;
			return units[i].ns;
		}
	}
	return 0;
}

/* One "1.5h" of a duration, added to *TOTAL_NS. False when malformed or past what Go holds. */
static bool take_duration_part(const char **p, __int128 *total_ns)
{
	__int128 whole = 0, fraction = 0, scale = 1;
	bool digits = false;
	int64_t unit;

	for (; **p >= '0' && **p <= '9'; (*p)++, digits = true) {
		whole = whole * 10 + (**p - '0');
		if (whole > INT64_MAX)
			return false;
	}
	if (take_char(p, '.')) {
		for (; **p >= '0' && **p <= '9'; (*p)++, digits = true) {
			if (scale < NS_PER_S * NS_PER_S) { /* further digits are below a nanosecond */
				fraction = fraction * 10 + (**p - '0');
				scale *= 10;
			}
		}
	}
	unit = take_unit(p);
	if (!digits || unit == 0)
		return false;
	*total_ns += whole * unit + fraction * unit / scale;
	return *total_ns <= INT64_MAX;
}

bool time_parse_duration(const char *s, int64_t *ret_us)
{
	__int128 total_ns = 0;
	bool negative;

	if (!s)
		return false;
	negative = *s == '-';
	if (*s == '-' || *s == '+')
		s++;
	if (strcmp(s, "0") == 0) {
		*ret_us = 0;
		return true;
	}
	if (!*s)
		return false;
	while (*s)
		if (!take_duration_part(&s, &total_ns))
			return false;
	*ret_us = (int64_t)(total_ns / 1000) * (negative ? -1 : 1);
	return true;
}

bool time_zone_known(const char *name)
{
	static const char folder[] = "/usr/share/zoneinfo";
	char path[256];
	struct stat st;

	if (name[0] == '/' || strstr(name, "..") || strchr(name, '\\') ||
	    strlen(name) + sizeof(folder) >= sizeof(path))
		return false;
	if (stat(folder, &st) < 0)
		return name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
					 "_+-/")] == '\0';
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}
