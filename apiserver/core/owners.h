/* Who owns what: from an owner's uid to the objects, of any resource, that name it in
 * metadata.ownerReferences. Holds references to the objects.
 */
#pragma once

#include "apiserver/core/index.h"
#include "lib/map.h"

struct owners {
	struct map by_uid; /* struct owner */
};

#define OWNERS_INIT ((struct owners){ 0 })

void owners_close(struct owners *owners);
/* One published change: OLD or NEW may be NULL. */
void owners_change(struct owners *owners, struct object *old, struct object *new_);
/* The objects owned by UID in order of resource index and key; new references in an array that is the
 * caller's (NULL when there are none). */
struct object **owners_list(const struct owners *owners, const char *uid, size_t *ret_n);
