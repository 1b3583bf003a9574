#include "api/version_order.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct version {
	int stage; /* 3: stable, 2: beta, 1: alpha, 0: not of this form */
	unsigned long major, minor;
};

/* A number without leading zeros. */
static bool take_number(const char **p, unsigned long *ret)
{
	char *end;
	if (**p < '1' || **p > '9')
		return false;
	*ret = strtoul(*p, &end, 10);
	*p = end;
	return true;
}

static struct version parse(const char *text)
{
	static const char *const stages[] = { NULL, "alpha", "beta" };
	const struct version other = { 0 };
	struct version version = { 0 };
	const char *p = text;
	if (*p++ != 'v' || !take_number(&p, &version.major))
		return other;
	if (!*p) {
		version.stage = 3;
		return version;
	}
	for (int stage = 1; stage <= 2; stage++) {
		size_t len = strlen(stages[stage]);
		if (strncmp(p, stages[stage], len) != 0)
			continue;
		p += len;
		version.stage = stage;
		return take_number(&p, &version.minor) && !*p ? version : other;
	}
	return other;
}

static int larger_first(unsigned long a, unsigned long b)
{
	return (a < b) - (a > b);
}

int version_order(const char *a, const char *b)
{
	if (strcmp(a, b) == 0)
		return 0;
	struct version x = parse(a), y = parse(b);
	int order = y.stage - x.stage;
	if (order == 0)
		order = larger_first(x.major, y.major);
	if (order == 0)
		order = larger_first(x.minor, y.minor);
	return order != 0 ? order : strcmp(a, b);
}
