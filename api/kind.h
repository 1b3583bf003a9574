/* What a kind does beyond its fields: one const row per kind, in kinds/NAME.c, found through resource.h. A
 * new kind is a new file with a row and its line in kinds/kinds.c. Every function may be NULL. All work on
 * JSON of a known shape: decode.h has checked types and names before they are called.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/field_error.h"
#include "lib/json.h"

struct name_faults; /* validate.h */

typedef void (*warning_fn)(const char *text, void *arg);

struct kind_column {
	const char *name;   /* "Ready" */
	const char *type;   /* "string", "integer", "boolean" */
	const char *format; /* "name" or "" */
	const char *description;
	int priority; /* 1: only with -o wide */
};

/* One stored object under two group-versions: the row of one is stored, the other's is a view of it. A view's
 * columns and selectable_fields are its own; what is done to objects (preparation, validation) is the stored
 * row's, as in Kubernetes, where it happens on the internal version; validators of the view, where it has
 * any, see the stored object after them. Both conversions change OBJ in place; apiVersion is set by the
 * caller. */
struct kind_view {
	const char *api_version; /* of the row that is stored: "autoscaling/v2" */
	/* OBJ is decoded and has the view's defaults. */
	void (*to_stored)(struct json_object *obj);
	void (*from_stored)(struct json_object *obj);
};

/* A subresource that changes a part of the object which is not its status: "resize". */
struct kind_part {
	const char *name;
	/* What OBJ, as it was sent, says of the part, into MERGED: a copy of what is stored. */
	void (*merge)(struct json_object *merged, const struct json_object *obj);
	/* Instead of the kind's validators. May be NULL: then it is validated as any update. */
	void (*validate)(const struct json_object *obj, const struct json_object *old,
			 struct field_errors *errors);
	bool counts; /* a change counts in metadata.generation */
};

struct kind {
	const char *api_version;      /* "apps/v1" */
	const char *kind;             /* "Deployment" */
	const char *definition;       /* "apps.v1.Deployment" in schema.h */
	const struct kind_view *view; /* NULL: stored as it is */

	/* What metadata.name must be: NULL for RFC 1123 subdomain, else one of name_check_*() of validate.h.
	 */
	void (*name_check)(const char *name, bool is_prefix, struct name_faults *faults);
	bool any_finalizer;       /* finalizers need no domain in their names (CustomResourceDefinition) */
	bool has_status;          /* a status subresource: spec writes keep the old status, and the reverse */
	bool status_keeps_labels; /* ...and the status subresource leaves labels as they are (Deployment) */
	bool has_generation;      /* metadata.generation is 1 on create and grows when the spec changes */
	bool generation_of_annotations; /* ...or its annotations (Deployment) */
	bool unconditional_update;      /* PUT without resourceVersion is allowed */
	bool create_on_update;          /* PUT of an absent object creates it */
	bool graceful_delete;           /* pods: deletion waits for the node */
	bool orphans_by_default;        /* a deletion that says nothing of dependants leaves them (Job) */
	const char *orphan_warning;     /* and answers with this Warning; or NULL */
	const char *deprecated;         /* a Warning that every answer about it has; or NULL */

	/* Fills defaults in; idempotent. Runs after decoding, on every write. */
	void (*set_defaults)(struct json_object *obj);
	/* Before validation, on create: what a client must not set is dropped, initial status set (phase
	 * Pending). METADATA (uid, creationTimestamp, generation) is the server's business, not the kind's.
	 */
	void (*prepare_create)(struct json_object *obj);
	/* On update: OLD is what is stored. */
	void (*prepare_update)(struct json_object *obj, const struct json_object *old);
	void (*validate)(const struct json_object *obj, struct field_errors *errors);
	/* What only a new object must keep to, besides validate. */
	void (*validate_create)(const struct json_object *obj, struct field_errors *errors);
	void (*validate_update)(const struct json_object *obj, const struct json_object *old,
				struct field_errors *errors);
	void (*validate_status)(const struct json_object *obj, const struct json_object *old,
				struct field_errors *errors);
	/* Deprecated or risky things worth a Warning header: CALL once each. OLD NULL: on create; not called
	 * for subresources. */
	void (*warnings)(const struct json_object *obj, const struct json_object *old, warning_fn call,
			 void *arg);

	const struct kind_part *parts; /* ends with a row without a name; NULL: none */

	/* Paths that a field selector may ask for besides metadata.name and metadata.namespace,
	 * NULL-terminated: "spec.nodeName", "status.phase". A value that is absent selects as "" (booleans
	 * "false", numbers "0"). */
	const char *const *selectable_fields;
	/* For each of them where its value is, when it is not at the path of its name; of a view: its name in
	 * the row that is stored. */
	const char *const *field_paths;
	/* One of these paths, and another of them whose value is taken where it has none (Event's source). */
	const char *field_else[2];

	/* Table columns and the cells of one object: exactly n_columns values are appended to CELLS.
	 * CELL_FIELDS are the paths that they are made from (json_pick), NULL-terminated; NULL: any. Tables
	 * of kinds with many large objects are made several times faster by it. */
	const struct kind_column *columns;
	size_t n_columns;
	const char *const *cell_fields;
	void (*cells)(const struct json_object *obj, int64_t now_us, struct json_object *cells);

	/* Scale subresource: paths of replicas, status.replicas and selector; NULL when there is none. */
	const char *scale_replicas, *scale_status_replicas, *scale_selector;
	bool scale_selector_is_map; /* of labels, not a LabelSelector (ReplicationController) */
};

/* The part that subresource NAME is, or NULL. */
const struct kind_part *kind_part(const struct kind *kind, const char *name);

/* All rows, NULL-terminated. (kinds/kinds.c) */
extern const struct kind *const kind_rows[];
