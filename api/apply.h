/* Server-side apply: a configuration put over an object on behalf of a manager, who then owns what it says.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/
 *
 *     live ──┬─▶ merge ──▶ take out what the manager ──▶ compare with live: fields of others ──▶ new object
 *     config ┘             said before, says no more     that change are conflicts, or taken     and owners
 *                          and nobody else owns          from them by force
 */
#pragma once

#include "api/field_error.h"
#include "api/managed_fields.h"

struct apply {
	const struct schema_def *def;
	const struct json_object *live; /* as stored; NULL: the object is to be made */
	const char *managed;            /* of the live object, see managed_fields.h */
	size_t managed_len;
	const struct json_object *config; /* as the client sent it */
	struct managed_writer writer;
	bool force;
};

/* *ret is the new object, without its defaults and not decoded, to be put; NULL when the configuration says
 * nothing that is not so already. The new managedFields are appended to RET_MANAGED, in either case.
 * ERR_CONFLICT: each conflict is in CONFLICTS; ERR_BAD_REQUEST: ".spec.nope: field not declared in schema",
 * without context. */
int apply_object(const struct apply *apply, struct json_object **ret, struct buf *ret_managed,
		 struct field_errors *conflicts, struct err *err);

/* The same for a view of an object that shows one of its fields: the scale, whose .spec.replicas is the field
 * at PATH of the object. */
struct apply_view {
	const char *managed; /* the object's */
	size_t managed_len;
	const char *path, *shown_path,
	    *shown_version; /* "spec.replicas", ".spec.replicas", "autoscaling/v1" */
	bool says;          /* the configuration has the field */
	bool changes;       /* it is another value */
	struct managed_writer writer;
	bool force;
};
int apply_view(const struct apply_view *view, struct buf *ret_managed, struct field_errors *conflicts,
	       struct err *err);
