/* Sets of names that are compared: what is there with what should be.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"

struct names {
	char **list;
	size_t n;
};

void names_close(struct names *names); /* for CLEANUP */
/* A copy of the first LEN bytes, once. */
void names_add(struct names *names, const char *name, size_t len);
/* True when both hold the same; else WHY gets one that only one of them has: "WHAT: extra X", "WHAT: X is
 * missing". */
bool names_equal(const char *what, const struct names *want, const struct names *got, struct buf *why);
