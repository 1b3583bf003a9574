#include "lib/cron.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/buf.h"
#include "lib/timefmt.h"

#define FIELDS 5

static const char *const months[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul",
				      "aug", "sep", "oct", "nov", "dec", NULL };
static const char *const weekdays[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };

static const struct bounds {
	int min, max;
	const char *const *names; /* of MIN and what follows */
} bounds[FIELDS] = {
	{ 0, 59, NULL }, { 0, 23, NULL }, { 1, 31, NULL }, { 1, 12, months }, { 0, 6, weekdays },
};

static const struct {
	const char *name, *fields;
} descriptors[] = {
	{ "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" }, { "@monthly", "0 0 1 * *" },
	{ "@weekly", "0 0 * * 0" }, { "@daily", "0 0 * * *" },    { "@midnight", "0 0 * * *" },
	{ "@hourly", "0 * * * *" },
};

static int parse_int(const char *text, int64_t *ret, struct err *err)
{
	const char *digits = *text == '-' || *text == '+' ? text + 1 : text;

	if (!*digits || digits[strspn(digits, "0123456789")])
		return err_set(err, ERR_PARSE,
			       "failed to parse int from %s: strconv.Atoi: parsing \"%s\": invalid syntax",
			       text, text);
	*ret = strtoll(text, NULL, 10);
	if (*ret < 0)
		return err_set(err, ERR_PARSE, "negative number (%lld) not allowed: %s", (long long)*ret,
			       text);
	return 0;
}

static int parse_int_or_name(const char *text, const struct bounds *b, int64_t *ret, struct err *err)
{
	for (int i = 0; b->names && b->names[i]; i++) {
		if (strcasecmp(b->names[i], text) != 0)
			continue;
		*ret = b->min + i;
		return 0;
	}
	return parse_int(text, ret, err);
}

static size_t count(const char *text, char c)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == c;
	return n;
}

static int check_range(const char *text, const struct bounds *b, int64_t start, int64_t end, int64_t step,
		       struct err *err)
{
	if (start < b->min)
		return err_set(err, ERR_PARSE, "beginning of range (%lld) below minimum (%d): %s",
			       (long long)start, b->min, text);
	if (end > b->max)
		return err_set(err, ERR_PARSE, "end of range (%lld) above maximum (%d): %s", (long long)end,
			       b->max, text);
	if (start > end)
		return err_set(err, ERR_PARSE, "beginning of range (%lld) beyond end of range (%lld): %s",
			       (long long)start, (long long)end, text);
	if (step == 0)
		return err_set(err, ERR_PARSE, "step of range should be a positive number: %s", text);
	return 0;
}

/* NUMBER | NUMBER-NUMBER | *, each with or without /STEP, into the set. */
static int parse_range(const char *text, const struct bounds *b, uint64_t *set, bool *any, struct err *err)
{
	CLEANUP(mem_freep) char *copy = mem_dup(text);
	char *rest = copy, *range = strsep(&rest, "/"), *step_text = rest;
	bool single = count(range, '-') == 0;
	char *first = strsep(&range, "-");
	int64_t start, end, step = 1;

	if (strcmp(first, "*") == 0 || strcmp(first, "?") == 0) {
		start = b->min;
		end = b->max;
		*any = true;
	} else {
		if (parse_int_or_name(first, b, &start, err) < 0)
			return -1;
		end = start;
		if (range && strchr(range, '-'))
			return err_set(err, ERR_PARSE, "too many hyphens: %s", text);
		if (range && parse_int_or_name(range, b, &end, err) < 0)
			return -1;
	}
	if (step_text) {
		if (strchr(step_text, '/'))
			return err_set(err, ERR_PARSE, "too many slashes: %s", text);
		if (parse_int(step_text, &step, err) < 0)
			return -1;
		if (single)
			end = b->max; /* N/STEP is N-MAX/STEP */
		if (step > 1)
			*any = false;
	}
	if (check_range(text, b, start, end, step, err) < 0)
		return -1;
	for (int64_t value = start; value <= end; value += step)
		*set |= (uint64_t)1 << value;
	return 0;
}

static int parse_field(const char *text, const struct bounds *b, uint64_t *set, bool *any, struct err *err)
{
	CLEANUP(mem_freep) char *copy = mem_dup(text);

	for (char *rest = copy, *range; (range = strsep(&rest, ",")) != NULL;)
		if (*range && parse_range(range, b, set, any, err) < 0)
			return -1;
	return 0;
}

static int parse_fields(const char *text, struct cron_schedule *ret, struct err *err)
{
	CLEANUP(mem_freep) char *copy = mem_dup(text);
	CLEANUP(buf_close) struct buf seen = BUF_INIT;
	const char *fields[FIELDS] = { NULL };
	uint64_t *const sets[FIELDS] = { &ret->minutes, &ret->hours, &ret->days, &ret->months,
					 &ret->weekdays };
	bool any[FIELDS] = { false };
	size_t n = 0;

	for (char *rest = copy, *field; (field = strsep(&rest, " \t\n\v\f\r")) != NULL;) {
		if (!*field)
			continue;
		if (n < FIELDS)
			fields[n] = field;
		buf_printf(&seen, "%s%s", n > 0 ? " " : "", field);
		n++;
	}
	if (n != FIELDS)
		return err_set(err, ERR_PARSE, "expected exactly %d fields, found %zu: [%s]", FIELDS, n,
			       seen.data ? seen.data : "");
	for (n = 0; n < FIELDS; n++)
		if (parse_field(fields[n], &bounds[n], sets[n], &any[n], err) < 0)
			return -1;
	ret->any_day = any[2];
	ret->any_weekday = any[4];
	return 0;
}

static int parse_descriptor(const char *text, struct cron_schedule *ret, struct err *err)
{
	static const char every[] = "@every ";

	for (size_t i = 0; i < ARRAY_SIZE(descriptors); i++)
		if (strcmp(descriptors[i].name, text) == 0)
			return parse_fields(descriptors[i].fields, ret, err);
	if (strncmp(text, every, sizeof(every) - 1) != 0)
		return err_set(err, ERR_PARSE, "unrecognized descriptor: %s", text);
	if (!time_parse_duration(text + sizeof(every) - 1, &ret->every_us))
		return err_set(err, ERR_PARSE, "failed to parse duration %s: time: invalid duration \"%s\"",
			       text, text + sizeof(every) - 1);
	return 0;
}

/* Behind "TZ=Europe/Paris " or "CRON_TZ=...", which the caller may or may not allow. */
static const char *skip_zone(const char *text)
{
	if (strncmp(text, "TZ=", 3) != 0 && strncmp(text, "CRON_TZ=", 8) != 0)
		return text;
	text += strcspn(text, " ");
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

int cron_parse(const char *text, struct cron_schedule *ret, struct err *err)
{
	struct cron_schedule schedule = { 0 };

	if (!*text)
		return err_set(err, ERR_PARSE, "empty spec string");
	text = skip_zone(text);
	if ((*text == '@' ? parse_descriptor(text, &schedule, err) : parse_fields(text, &schedule, err)) < 0)
		return -1;
	if (ret)
		*ret = schedule;
	return 0;
}
