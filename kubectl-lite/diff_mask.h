/* Values of Secrets are not for a terminal: what diff shows of them is whether they change.
 */
#pragma once

#include "lib/json.h"

/* Puts "***" for each value in "data" of both; where they differ "*** (before)" and "*** (after)". Either may
 * be NULL: the object is not there. */
void diff_mask(struct json_object *before, struct json_object *after);
