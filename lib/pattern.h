/* Regular expressions with the syntax and the promise of RE2, which Kubernetes' schemas are written for
 * (https://github.com/google/re2/wiki/Syntax): the time to match grows with text times pattern and never
 * explodes, whatever a client chooses for both, since all ways through the pattern are followed at once. No
 * backreferences and no looking around, as in RE2.
 *
 * PCRE2 would be the library for it, and takes patterns that RE2 refuses, backtracks, and would be loaded
 * into every program that validates. Not here: classes of Unicode properties (\p{Greek}), and letters beyond
 * ASCII do not fold with (?i).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

struct pattern;

/* ERR_PARSE in the words of Go's regexp: "error parsing regexp: missing closing ): `(a`". Patterns that
 * unfold to more than some thousand steps are refused ("expression too large"). */
int pattern_parse(const char *text, struct pattern **ret, struct err *err);
void pattern_free(struct pattern *pattern); /* NULL is fine */
/* True when a part of TEXT (UTF-8; other bytes count as U+FFFD) matches. A text for which that would take
 * more than some 100 million steps counts as one that does not. Any number of threads at once. */
bool pattern_matches(const struct pattern *pattern, const char *text, size_t len);
/* The first match at or behind FROM: where it begins and ends. Of several that begin there it is the one that
 * RE2 and Perl prefer: the first alternative, as often as can be, or with a ? as seldom. False as above. */
bool pattern_find(const struct pattern *pattern, const char *text, size_t len, size_t from, size_t *ret_begin,
		  size_t *ret_end);
/* How much it is: matching costs at most this many steps for each byte of a text. */
size_t pattern_steps(const struct pattern *pattern);
