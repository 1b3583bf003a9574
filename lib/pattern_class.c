#include "lib/pattern_class.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct named {
	const char *name;
	const char *pairs; /* low and high by turns */
};

static const struct named perl[] = {
	{ "d", "09" },
	{ "s", "\t\n\f\r  " },
	{ "w", "09AZ__az" },
};

static const struct named posix[] = {
	{ "alnum", "09AZaz" },
	{ "alpha", "AZaz" },
	{ "ascii", "\x01\x7f" },
	{ "blank", "\t\t  " },
	{ "cntrl", "\x01\x1f\x7f\x7f" },
	{ "digit", "09" },
	{ "graph", "!~" },
	{ "lower", "az" },
	{ "print", " ~" },
	{ "punct", "!/:@[`{~" },
	{ "space", "\t\r  " },
	{ "upper", "AZ" },
	{ "word", "09AZ__az" },
	{ "xdigit", "09AFaf" },
};

void class_add(struct char_class *set, uint32_t low, uint32_t high)
{
	if (set->n == set->cap) {
		set->cap = set->cap ? set->cap * 2 : 4;
		set->ranges = mem_realloc_array(set->ranges, set->cap, sizeof(*set->ranges));
	}
	set->ranges[set->n++] = (struct range){ low, high };
}

void class_close(struct char_class *set)
{
	free(set->ranges);
	*set = (struct char_class){ 0 };
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->low > y->low) - (x->low < y->low);
}

void class_finish(struct char_class *set)
{
	size_t kept = 0;

	if (set->n)
		qsort(set->ranges, set->n, sizeof(*set->ranges), compare_ranges);
	for (size_t i = 0; i < set->n; i++) {
		struct range *last = kept ? &set->ranges[kept - 1] : NULL;

		if (last && set->ranges[i].low <= last->high + 1) {
			if (set->ranges[i].high > last->high)
				last->high = set->ranges[i].high;
		} else {
			set->ranges[kept++] = set->ranges[i];
		}
	}
	set->n = kept;
}

void class_negate(struct char_class *set)
{
	struct char_class others = { 0 };
	uint32_t next = 0;

	class_finish(set);
	for (size_t i = 0; i < set->n; i++) {
		if (set->ranges[i].low > next)
			class_add(&others, next, set->ranges[i].low - 1);
		next = set->ranges[i].high + 1;
	}
	if (next <= CHAR_MAX_)
		class_add(&others, next, CHAR_MAX_);
	class_close(set);
	*set = others;
}

static void add_named(struct char_class *set, const struct named *named, bool negated)
{
	struct char_class own = { 0 };

	for (const char *pair = named->pairs; *pair; pair += 2)
		class_add(&own, (unsigned char)pair[0], (unsigned char)pair[1]);
	/* NUL, which a text of pairs cannot hold. */
	if (!strcmp(named->name, "ascii") || !strcmp(named->name, "cntrl"))
		class_add(&own, 0, 0);
	if (negated)
		class_negate(&own);
	for (size_t i = 0; i < own.n; i++)
		class_add(set, own.ranges[i].low, own.ranges[i].high);
	class_close(&own);
}

bool class_add_perl(struct char_class *set, char name)
{
	for (size_t i = 0; i < ARRAY_SIZE(perl); i++) {
		char lower = perl[i].name[0];

		if (name != lower && name != lower - 'a' + 'A')
			continue;
		add_named(set, &perl[i], name != lower);
		return true;
	}
	return false;
}

bool class_add_posix(struct char_class *set, const char *name, size_t len, bool negated)
{
	for (size_t i = 0; i < ARRAY_SIZE(posix); i++) {
		if (strlen(posix[i].name) != len || memcmp(posix[i].name, name, len) != 0)
			continue;
		add_named(set, &posix[i], negated);
		return true;
	}
	return false;
}

/* The part of RANGE in LOW to HIGH, moved by SHIFT. */
static void fold_part(struct char_class *set, struct range range, uint32_t low, uint32_t high, int shift)
{
	uint32_t from = range.low > low ? range.low : low, to = range.high < high ? range.high : high;

	if (from <= to)
		class_add(set, (uint32_t)((int)from + shift), (uint32_t)((int)to + shift));
}

void class_fold(struct char_class *set)
{
	size_t n = set->n;

	for (size_t i = 0; i < n; i++) {
		struct range range = set->ranges[i];

		fold_part(set, range, 'A', 'Z', 'a' - 'A');
		fold_part(set, range, 'a', 'z', 'A' - 'a');
	}
}

bool class_has(const struct char_class *set, uint32_t c)
{
	size_t low = 0, high = set->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c > set->ranges[middle].high)
			low = middle + 1;
		else if (c < set->ranges[middle].low)
			high = middle;
		else
			return true;
	}
	return false;
}
