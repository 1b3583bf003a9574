/* What a CustomResourceDefinition makes: a row of resource.h for each version that is served, in one family
 * with all that they point to. Whoever knows of a definition (the API server, the controllers) makes them and
 * publishes them with resource_publish.
 */
#pragma once

#include "api/resource_set.h"
#include "lib/err.h"

struct crd;

/* DEFINITION is whole and valid; its names are those of status.acceptedNames. BEFORE is what an older state
 * of it made, or NULL: what has not changed is taken over. REVISION is that of the state. The caller's, until
 * crd_unref. */
int crd_new(const struct json_object *definition, const struct crd *before, uint64_t revision,
	    struct crd **ret, struct err *err);
void crd_unref(struct crd *crd); /* NULL is fine */
struct resource_family *crd_family(struct crd *crd);
const struct resource *const *crd_rows(const struct crd *crd, size_t *ret_n);
/* The row that its objects in the core belong to. */
const struct resource *crd_holder(const struct crd *crd);
/* True when condition TYPE of DEFINITION is "True". */
bool crd_condition_is_true(const struct json_object *definition, const char *type);
