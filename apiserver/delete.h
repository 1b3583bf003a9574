/* What a deletion does to an object: pure decisions. (registry/rest/delete.go BeforeDelete, registry/generic
 * store Delete, registry/core pod and namespace strategies.)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/resource.h"
#include "lib/json.h"

enum delete_propagation {
	PROPAGATION_DEFAULT,
	PROPAGATION_BACKGROUND,
	PROPAGATION_FOREGROUND,
	PROPAGATION_ORPHAN
};

struct delete_options {
	bool has_grace_period;
	int64_t grace_period_s;
	enum delete_propagation propagation;
	bool has_orphan_dependents, orphan_dependents; /* the deprecated way to say propagation */
	char uid[64], resource_version[24];            /* preconditions, "" for none */
	bool dry_run;
};

enum delete_action {
	DELETE_REMOVE, /* from the store; OBJ is its final state */
	DELETE_UPDATE, /* OBJ is what to store: it is being deleted, and something holds it */
	DELETE_KEEP,   /* it is being deleted already and this changes nothing */
};

/* A copy of the stored OLD for delete_decide(), which shares all that it leaves alone. */
struct json_object *delete_copy(const struct resource *resource, const struct json_object *old);
/* OBJ, the stored object, is changed to what becomes of it. */
enum delete_action delete_decide(const struct resource *resource, struct json_object *obj,
				 const struct delete_options *options, int64_t now_us);
/* A CustomResourceDefinition: it has no grace period, and goes when nothing holds it. */
bool delete_is_of_definition(const struct resource *resource);
/* Clients get the object back, not a Status, when it was removed. */
bool delete_returns_object(const struct resource *resource);
