/* Calculating with times, and their parts. Zones are UTC and offsets ("+02:00"); names of places would need
 * the machine's database, and an object would be valid on one server and not on another.
 */
#include <ctype.h>
#include <string.h>
#include <time.h>

#include "api/cel/cel_functions.h"
#include "api/cel/cel_time.h"

/* --- sums --- */

static struct cel_value shifted(const struct cel_value *time, int64_t seconds, int64_t nanos)
{
	struct cel_value result = *time;

	nanos += time->len;
	seconds += nanos / CEL_SECOND;
	nanos %= CEL_SECOND;
	if (nanos < 0) {
		nanos += CEL_SECOND;
		seconds--;
	}
	result.len = (uint32_t)nanos;
	if (__builtin_add_overflow(time->i, seconds, &result.i) || result.i < CEL_TIME_MIN ||
	    result.i > CEL_TIME_MAX)
		return cel_error("timestamp overflow");
	return result;
}

CEL_FUNCTION(cel_add_time)
{
	const struct cel_value *time = args[0].kind == CEL_TIMESTAMP ? &args[0] : &args[1];
	int64_t ns = time == args ? args[1].i : args[0].i;

	(void)e, (void)node, (void)n;
	return shifted(time, ns / CEL_SECOND, ns % CEL_SECOND);
}

CEL_FUNCTION(cel_subtract_time)
{
	int64_t seconds, ns;

	(void)e, (void)node, (void)n;
	if (args[1].kind == CEL_DURATION)
		return shifted(&args[0], -(args[1].i / CEL_SECOND), -(args[1].i % CEL_SECOND));
	seconds = args[0].i - args[1].i;
	if (__builtin_mul_overflow(seconds, CEL_SECOND, &ns) ||
	    __builtin_add_overflow(ns, (int64_t)args[0].len - (int64_t)args[1].len, &ns))
		return cel_error("duration overflow");
	return cel_duration(ns);
}

/* --- parts --- */

/* "UTC", "+02:00", "-5:30", "02:00" */
static bool parse_zone(const struct cel_value *text, int64_t *ret_seconds)
{
	const char *at = text->text, *end = at + text->len;
	int64_t parts[2] = { 0, 0 };
	bool minus = at < end && *at == '-';

	*ret_seconds = 0;
	if (text->len == 0 || (text->len == 3 && !memcmp(at, "UTC", 3)))
		return true;
	at += *at == '-' || *at == '+';
	for (unsigned i = 0; i < 2; i++) {
		unsigned digits = 0;

		for (; at < end && isdigit((unsigned char)*at) && digits < 2; at++, digits++)
			parts[i] = parts[i] * 10 + (*at - '0');
		if (!digits || (i == 0 && (at == end || *at++ != ':')))
			return false;
	}
	if (at != end || parts[0] > 23 || parts[1] > 59)
		return false;
	*ret_seconds = (parts[0] * 3600 + parts[1] * 60) * (minus ? -1 : 1);
	return true;
}

CEL_FUNCTION(cel_date_part)
{
	const char *part = node->name + 3;
	int64_t offset = 0;
	time_t seconds;
	struct tm tm;

	if (n == 2 && !parse_zone(&args[1], &offset))
		return cel_errorf(e, "unknown time zone %.*s", (int)(args[1].len < 100 ? args[1].len : 100),
				  args[1].text);
	seconds = args[0].i + offset;
	gmtime_r(&seconds, &tm);
	const struct {
		const char *name;
		int64_t value;
	} rows[] = {
		{ "FullYear", tm.tm_year + 1900 },
		{ "Month", tm.tm_mon },
		{ "DayOfYear", tm.tm_yday },
		{ "DayOfMonth", tm.tm_mday - 1 },
		{ "Date", tm.tm_mday },
		{ "DayOfWeek", tm.tm_wday },
		{ "Hours", tm.tm_hour },
		{ "Minutes", tm.tm_min },
		{ "Seconds", tm.tm_sec },
		{ "Milliseconds", args[0].len / 1000000 },
	};
	size_t i = 0;

	while (strcmp(rows[i].name, part) != 0)
		i++;
	return cel_int(rows[i].value);
}

CEL_FUNCTION(cel_duration_part)
{
	static const struct {
		const char *name;
		int64_t ns;
	} rows[] = { { "getHours", 3600 * CEL_SECOND },
		     { "getMinutes", 60 * CEL_SECOND },
		     { "getSeconds", CEL_SECOND },
		     { "getMilliseconds", 1000000 } };
	size_t i = 0;

	(void)e, (void)n;
	while (strcmp(rows[i].name, node->name) != 0)
		i++;
	return cel_int(args[0].i / rows[i].ns);
}
