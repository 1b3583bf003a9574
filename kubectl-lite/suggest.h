/* What somebody may have meant who typed a word that is not known: the nearest of those that are. Offered one
 * by one, so that they may come from anywhere.
 */
#pragma once

#include <stddef.h>

#include "lib/err.h"

struct suggestion {
	const char *typed; /* borrowed */
	char near[128];    /* the best so far, or "" */
	size_t distance;   /* of that one; only nearer ones are taken */
};

struct suggestion suggest_for(const char *typed);
/* WORD is one of those that could have been meant; NULL is none. The first of several as near stays. */
void suggest_offer(struct suggestion *s, const char *word);
/* Behind an error's text, on lines of its own so that the first line stays what scripts look for:
 * "Did you mean this?" and the word. Nothing when no word is near. Returns -1, as err_set does. */
int suggest_add(const struct suggestion *s, struct err *err);
/* The same lines on stderr, with BEFORE ("--") before the word. */
void suggest_print(const struct suggestion *s, const char *before);
