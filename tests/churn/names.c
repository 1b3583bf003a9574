#include "tests/churn/names.h"

#include <stdlib.h>
#include <string.h>

void names_close(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->list[i]);
	free(names->list);
	*names = (struct names){ 0 };
}

static bool has(const struct names *names, const char *name, size_t len)
{
	for (size_t i = 0; i < names->n; i++)
		if (strlen(names->list[i]) == len && memcmp(names->list[i], name, len) == 0)
			return true;
	return false;
}

void names_add(struct names *names, const char *name, size_t len)
{
	if (has(names, name, len))
		return;
	names->list = mem_realloc_array(names->list, names->n + 1, sizeof(*names->list));
	names->list[names->n++] = mem_dupn(name, len);
}

static bool within(const char *what, const char *fault, const struct names *some, const struct names *all,
		   struct buf *why)
{
	for (size_t i = 0; i < some->n; i++)
		if (!has(all, some->list[i], strlen(some->list[i]))) {
			buf_printf(why, "%s: %s %s", what, some->list[i], fault);
			return false;
		}
	return true;
}

bool names_equal(const char *what, const struct names *want, const struct names *got, struct buf *why)
{
	return within(what, "is missing", want, got, why) && within(what, "is left over", got, want, why);
}
