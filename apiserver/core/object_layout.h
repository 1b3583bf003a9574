/* Inside of an object: object_build.c lays it out, object.c reads it. */
#pragma once

#include <string.h>

#include "apiserver/core/object.h"

/* The memory of an object, one allocation:
 *
 *     struct object | pointers to owner uids | strings | room | head | rest | NUL
 *
 * strings: key, namespace, uid; label key and value by turns, sorted by key; values of the selectable fields
 * in the order of kind->selectable_fields; owner uids. Each ends with a NUL; only the first of a group has an
 * offset, the others are found by walking, which keeps the bookkeeping to a few words.
 *
 * head: {"kind":...,"apiVersion":...,"metadata":{"resourceVersion":"N", and ends where rest begins, so that a
 * longer number moves its start to the left, into room.
 *
 * rest: what follows in metadata, managedFields last, and the other members.
 */
struct object {
	atomic_uint refs; /* first: the rest is copied by object_copy_at */
	uint32_t written_s;
	const struct resource *resource; /* referenced */
	uint64_t revision;
	uint32_t size;                     /* of the allocation */
	uint32_t key, uid, labels, fields; /* offsets from the struct's start */
	uint32_t head, rest, end;
	uint32_t managed, managed_len; /* value of metadata.managedFields in rest; or length 0 */
	uint32_t n_labels, n_owners;
	uint32_t namespace_len;
	uint16_t prefix_len; /* from head to the "metadata" member */
	uint8_t n_fields;
	bool deleting, finalizers, rest_empty;
};

#define HEAD_METADATA  "\"metadata\":{"
#define MANAGED_MEMBER ",\"managedFields\":"

static inline const char *at(const struct object *object, uint32_t offset)
{
	return (const char *)object + offset;
}

static inline const char *after_nul(const char *s)
{
	return s + strlen(s) + 1;
}
