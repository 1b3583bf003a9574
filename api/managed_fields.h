/* metadata.managedFields: who wrote which fields of an object last, and how.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 *
 * The server holds them as the text of their JSON array, beside the object's value: most requests neither
 * read nor change them. They are parsed when a write changes something, and what stays as it was keeps its
 * bytes.
 */
#pragma once

#include "api/field_set.h"
#include "api/typed.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"

/* How many entries of updates an object has at most; the oldest are then joined as "ancient-changes". */
#define MANAGED_UPDATES_MAX 10
/* Bytes of a manager's name. */
#define MANAGED_NAME_MAX 128

struct managed_entry {
	const char *manager, *api_version, *subresource; /* "" for none */
	bool applied;                                    /* by Apply; else by Update */
	const char *time;                                /* RFC 3339, or NULL */
	const struct field_set *set;
	const char *text; /* of its fieldsV1 while SET is what it says, or NULL */
	size_t text_len;
};

struct managed_fields {
	struct field_arena arena;
	bool lazy; /* managed_fields_open() */
	struct managed_entry *entries;
	size_t n, capacity;
};
void managed_fields_close(struct managed_fields *fields);

/* From the JSON array TEXT, which must live as long as they. LEN 0: none. An entry that is no such thing is
 * ERR_PARSE. */
int managed_fields_parse(const char *text, size_t len, struct managed_fields *ret, struct err *err);
/* The same, but sets are left as text, and are NULL until managed_entry_load() parses one: who writes a
 * status need not look at who wrote the spec. */
int managed_fields_open(const char *text, size_t len, struct managed_fields *ret, struct err *err);
/* What is no set is an entry that has nothing. */
void managed_entry_load(struct managed_fields *fields, struct managed_entry *entry);
/* False when ENTRY, loaded or not, cannot have a path of SET. */
bool managed_entry_may_have(const struct managed_entry *entry, const struct field_set *set);
/* Appends the JSON array, in Kubernetes' order; nothing when there are no entries. */
void managed_fields_write(struct buf *b, struct managed_fields *fields);
/* True when the texts differ in nothing but times. */
bool managed_fields_same_but_times(const char *a, size_t a_len, const char *b, size_t b_len);

/* Who writes. */
struct managed_writer {
	const char *manager;     /* "kubectl"; "" is "unknown" */
	const char *api_version; /* of the object as it is written */
	const char *subresource; /* "" for the object itself */
	const char *now;         /* RFC 3339 */
	/* Paths that such a write leaves as they are ("status", "metadata.labels"), ended by NULL; or NULL.
	 */
	const char *const *reset;
};

/* The entry of WRITER, by Apply or by Update, or NULL. */
struct managed_entry *managed_fields_find(struct managed_fields *fields, const struct managed_writer *writer,
					  bool applied);
/* The same, made when there is none. Valid until the next is made. */
struct managed_entry *managed_fields_ensure(struct managed_fields *fields,
					    const struct managed_writer *writer, bool applied);
void managed_entry_set(struct managed_entry *entry, const struct field_set *set);
/* Drops entries that own nothing. */
void managed_fields_drop_empty(struct managed_fields *fields);
/* SET without what nobody owns: names, versions and what else the server keeps of an object. */
const struct field_set *managed_fields_strip(struct field_arena *arena, const struct field_set *set);
/* SET without what WRITER cannot change. */
const struct field_set *managed_fields_without_reset(struct field_arena *arena, const struct field_set *set,
						     const struct managed_writer *writer);

/* WRITER changed what DIFFERENCE says: he owns it, and nobody else does. */
void managed_fields_update(struct managed_fields *fields, struct typed_difference difference,
			   const struct managed_writer *writer);

/* WRITER set the field at PATH ("spec.replicas") through a view of the object, as the scale is one: it is his
 * alone, in an entry that has nothing else and, as in Kubernetes, no time. */
void managed_fields_take(struct managed_fields *fields, const char *path,
			 const struct managed_writer *writer);
/* The set of PATH alone. */
const struct field_set *managed_fields_path(struct field_arena *arena, const char *path);

/* The managedFields after a write that is no apply, appended to RET. OLD: what was stored, with its TEXT;
 * NULL for a new object. NEW_: what is to be stored, defaults included; the managedFields in its metadata, as
 * the client sent them, are taken out: they count unless a subresource is written, and [{}] forgets all.
 * ONLY: see typed_compare. An object without managedFields gets none by an update. */
void managed_fields_after_write(const struct schema_def *def, const struct json_object *old, const char *text,
				size_t len, struct json_object *new_, const char *only,
				const struct managed_writer *writer, struct buf *ret);
