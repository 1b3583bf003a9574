/* How an answer differs from the recorded one, place by place. Both ways: what should be there and is not,
 * what is there and should not be.
 */
#pragma once

#include "lib/json.h"

/* PATH is "AT.spec.containers[c].image": elements of arrays go by their name where each has one, else by
 * number. "PATH.<order>" means that the same elements come in another order. WANT and GOT are JSON texts,
 * shortened, and "nothing" for what is not there. */
typedef void compare_fn(const char *path, const char *want, const char *got, void *arg);

/* Calls FN for each difference. Strings of WANT may hold masks, see the README. */
void compare_json(const char *at, const struct json_object *want, const struct json_object *got,
		  compare_fn *fn, void *arg);
/* TEXT is what PATTERN, with its masks, says. */
bool compare_text(const char *pattern, const char *text);
