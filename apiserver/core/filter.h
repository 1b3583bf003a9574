/* What a list or a watch selects (struct core_filter of core.h), applied to objects. */
#pragma once

#include "apiserver/core/core.h"

/* Whether OBJECT is in the namespace, has the name and is what both selectors ask for, as far as FILTER says
 * so. */
bool filter_matches(const struct core_filter *filter, const struct object *object);
/* A copy that owns what it points to. */
void filter_copy(struct core_filter *ret, const struct core_filter *filter);
void filter_close(struct core_filter *copy);
