/* An object as the server holds it: immutable serialised JSON plus the few parsed parts that lookups need, in
 * one allocation, shared by reference count between core, edges and answers under way.
 *
 * The bytes are laid out so that no reader re-serialises anything:
 *
 *     {"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"42","name":...},...}
 *     ^ object_bytes()                ^ object_item_bytes() with a '{' before it: the item of a list
 *
 * An edge builds it with revision 0; the number is written by the core when the commit gives it one (space
 * for 20 digits is kept in front and the head is moved, so nothing is copied). What the store holds is
 * object_write_stored(): the JSON without resourceVersion, so a store that assigns revisions itself fits.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/resource.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/json_origin.h"

struct object;

/* Builds an object from OBJ (decoded, complete but for resourceVersion, which is ignored). Its
 * metadata.managedFields are MANAGED, the text of a JSON array (MANAGED_LEN 0: none), and not what OBJ has
 * there: nearly nobody looks into them. Reference count 1. */
struct object *object_new(const struct resource *resource, const struct json_object *obj, const char *managed,
			  size_t managed_len);
/* The same of an OBJ that shares values with an object's JSON, whose ORIGIN object_json_with_origin() told
 * (or NULL): what they share is copied. */
struct object *object_new_from(const struct resource *resource, const struct json_object *obj,
			       const struct json_origin *origin, const char *managed, size_t managed_len);
/* From stored bytes, with its revision: at start-up. ERR_CORRUPT. */
int object_load(const struct resource *resource, const char *stored, size_t len, uint64_t revision,
		struct object **ret, struct err *err);
struct object *object_ref(struct object *object);
void object_unref(struct object *object); /* NULL is fine; any thread */
void object_unrefp(struct object **object);

/* A copy that shows another revision: what a watcher gets of an object that left its selection or was
 * deleted. */
struct object *object_copy_at(const struct object *object, uint64_t revision);

/* Core only, before publication. */
void object_set_revision(struct object *object, uint64_t revision);
/* When it was committed, in seconds of the core's clock (core.c): what Events expire by. */
void object_set_written(struct object *object, uint32_t seconds);
uint32_t object_written(const struct object *object);

/* What these give is the object's own and lives as long as a reference to it. */
const struct resource *object_resource(const struct object *object);
/* Revision of the change that made this state; 0 until published, and then not shown in the bytes either. */
uint64_t object_revision(const struct object *object);
const char *object_namespace(const struct object *object); /* "" for cluster scope */
const char *object_name(const struct object *object);
const char *object_uid(const struct object *object);
const char *object_key(const struct object *object); /* "namespace/name" or "name" */
/* Value of label KEY, or NULL; and as selector_lookup_fn. */
const char *object_label(const void *set, const char *key);
/* Value of selectable field "spec.nodeName", "metadata.name"...; "" when absent, NULL when not selectable. */
const char *object_field(const void *set, const char *path);
/* uids of metadata.ownerReferences. */
const char *const *object_owner_uids(const struct object *object, size_t *ret_n);
bool object_deleting(const struct object *object); /* has a deletionTimestamp */
bool object_has_finalizers(
    const struct object *object); /* metadata.finalizers is not empty (namespaces: or spec.finalizers) */
/* Bytes of memory it takes. */
size_t object_size(const struct object *object);

/* As a GET shows it. The bytes of these three are the object's own. */
const char *object_bytes(const struct object *object, size_t *ret_len);
/* The same from its metadata member on: `"metadata":{...},...}`; list items omit kind and apiVersion. */
const char *object_item_bytes(const struct object *object, size_t *ret_len);
/* The same as an item of a list without its first brace: of custom resources, for which clients have no
 * types, with kind and apiVersion. */
const char *object_listed_bytes(const struct object *object, size_t *ret_len);
void object_write_stored(struct buf *b, const struct object *object);
/* True when both are the same but for their revision: an update that changes nothing. */
bool object_same(const struct object *a, const struct object *b);
/* Parses it again into JSON (resourceVersion included, managedFields not): for patches, updates, tables. */
struct json_object *object_json(const struct object *object);
/* The same; ORIGIN (or NULL), empty before, points into OBJECT's bytes. */
struct json_object *object_json_with_origin(const struct object *object, struct json_origin *origin);
/* Text of its metadata.managedFields; *ret_len is 0 when it has none. */
const char *object_managed(const struct object *object, size_t *ret_len);
