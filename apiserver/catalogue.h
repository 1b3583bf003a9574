/* The served resources in the order in which clients are told of them: groups as Kubernetes orders them,
 * versions with the preferred one first, resources by name. For discovery and OpenAPI.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/resource_set.h"

struct catalogue {
	const struct resource **rows; /* the core group first */
	size_t n;
	struct resource_set *set; /* holds them; its generation is another one whenever they change */
};

/* What is served at this moment. */
void catalogue_read(struct catalogue *ret);
void catalogue_close(struct catalogue *catalogue);
/* The row at I is the first of its group, of its version. */
bool catalogue_begins_group(const struct catalogue *catalogue, size_t i);
bool catalogue_begins_version(const struct catalogue *catalogue, size_t i);
/* The first row of GROUP, or of its VERSION when that is not NULL; N when there is none. */
size_t catalogue_find(const struct catalogue *catalogue, const char *group, const char *version);
