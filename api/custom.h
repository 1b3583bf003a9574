/* What a version of a CustomResourceDefinition says about its objects: its schema compiled, printer columns,
 * where its scale lies. One per served version, immutable, part of the family of its row (crd.h).
 */
#pragma once

#include <stdatomic.h>

#include "api/custom_rules.h"
#include "api/resource.h"
#include "api/structural.h"
#include "lib/jsonpath.h"

struct custom {
	struct structural *schema;
	const struct structural *stored;      /* that of the version in which objects are stored */
	const struct json_object *definition; /* openAPIV3Schema as the definition has it, or NULL */
	struct kind_column *columns;          /* Name, then those with a path */
	struct jsonpath **paths; /* of the column behind; NULL: it is no path that is understood */
	size_t n_paths;
	char *warning;                    /* of a deprecated version, or NULL */
	struct custom_rules_cache *rules; /* made with the first object that is checked */
	bool terminating;                 /* its definition is being deleted: nothing can be created */
};

/* Rules are compiled where objects are written, not by everybody who knows the definition. */
struct custom_rules_cache {
	_Atomic(struct custom_rules *) rules;
	atomic_bool known; /* rules are what they will be: NULL when there are none */
};

/* Drops what the schema does not know; UNKNOWN as in structural_prune. */
void custom_prune(const struct custom *custom, struct json_object *obj,
		  void (*unknown)(const char *path, void *arg), void *arg);
/* Fills in what the schema defaults. */
void custom_default(const struct custom *custom, struct json_object *obj);
/* Makes OBJ what the stored version has of it: all else goes, and what that defaults is filled in. As in
 * Kubernetes other versions show the same under their apiVersion. */
void custom_store(const struct custom *custom, struct json_object *obj);
/* OBJ is of RESOURCE's kind and version; else this is all that is said of it. */
bool custom_validate_type(const struct resource *resource, const struct json_object *obj,
			  struct field_errors *errors);
/* What validate_object adds to the checks of metadata. */
void custom_validate(const struct resource *resource, const struct json_object *obj,
		     const struct json_object *old, struct field_errors *errors);
/* True when what is wanted of OBJ differs from OLD: all but metadata, and but status where that is a
 * subresource. */
bool custom_changed(const struct resource *resource, const struct json_object *obj,
		    const struct json_object *old);
/* Appends the cells of OBJ: its name, then the columns. */
void custom_cells(const struct custom *custom, const struct json_object *obj, int64_t now_us,
		  struct json_object *cells);
