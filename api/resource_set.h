/* Resources that come and go while a program runs: those of CustomResourceDefinitions, beside the built-in
 * ones. Any thread may look one up while another publishes.
 *
 *     definition ─▶ family: rows of its served versions, their schemas ─┐ resource_publish
 *              └──▶ slot: the index, for as long as any row has it      ▼
 *     request ─▶ resource_take ─▶ a reference to a row ◀──────────── resource_set
 *
 * Whoever takes a row holds it, and all that it points to, until resource_unref: a definition that changes
 * meanwhile has new rows, and the old ones go with the last who holds them. An index is given out again when
 * no row has it any more. For built-in rows references cost nothing.
 */
#pragma once

#include <stdatomic.h>

#include "api/resource.h"

/* The memory that rows are part of; the first member of whatever holds them. */
struct resource_family {
	atomic_uint refs;
	void (*free)(struct resource_family *family);
};

/* One more reference to it and all that it was made with; any thread that holds one. Returns RESOURCE. */
const struct resource *resource_ref(const struct resource *resource);
/* NULL is fine; any thread. */
void resource_unref(const struct resource *resource);
void resource_family_unref(struct resource_family *family);

/* The index of the resource GROUP and PLURAL name, which no other has until the last reference is gone. While
 * anything of that name is left (objects without a definition, say), a new one gets the same slot. */
struct resource_slot {
	unsigned refs; /* under the registry's lock */
	unsigned index;
	atomic_bool retired; /* its definition is gone, and no object is left: nothing more is stored */
	char *group, *plural;
};
struct resource_slot *resource_slot_new(const char *group, const char *plural);
struct resource_slot *resource_slot_ref(struct resource_slot *slot);
void resource_slot_unref(struct resource_slot *slot); /* NULL is fine */

/* The row that the core's objects of SLOT (referenced anew) belong to, in the stored VERSION. It is never
 * published, and has no schema: old objects do not keep old schemas in memory.
 * SELECTABLE_FIELDS as in kind.h, copied; NULL: none. One reference, the caller's. */
const struct resource *resource_holder_new(struct resource_slot *slot, const char *version,
					   const char *kind_name, bool namespaced,
					   const char *const *selectable_fields);

/* In one step, the rows of the family OLD go (NULL: none) and ROWS come. Each of ROWS is referenced anew.
 * Returns false, and does nothing, when one of ROWS is there already by group, version and plural. */
bool resource_publish(const struct resource_family *old, const struct resource *const *rows, size_t n);
/* A row, built-in or published, as a new reference; NULL when there is none. */
const struct resource *resource_take(const char *group, const char *version, const char *plural);
const struct resource *resource_take_kind(const char *api_version, const char *kind);
/* The row that objects stored under GROUP and PLURAL belong to. */
const struct resource *resource_take_stored(const char *group, const char *plural);
/* True when GROUP/VERSION (VERSION NULL: GROUP) has any resource. */
bool resource_serves(const char *group, const char *version);

/* All rows as they are at one moment, in the order of resource_compare, all valid until resource_set_put. */
struct resource_set {
	atomic_uint refs;
	uint64_t generation; /* another one whenever anything is published: for caches and ETags */
	size_t n;
	const struct resource *rows[];
};
struct resource_set *resource_set_get(void);
void resource_set_put(struct resource_set *set); /* NULL is fine */
void resource_set_putp(struct resource_set **set);
/* The generation of the newest set, without a lock. */
uint64_t resource_generation(void);
