#include "apiserver/core/owners.h"

#include <stdlib.h>
#include <string.h>

/* Objects of one resource; keys are unique only within it. Owners have few kinds of dependents. */
struct owned {
	unsigned resource; /* its index */
	struct index objects;
};

struct owner {
	struct owned *owned; /* ordered by resource index, none empty */
	size_t n;
	char uid[];
};

static void owner_free(struct owner *owner)
{
	for (size_t i = 0; i < owner->n; i++)
		index_close(&owner->owned[i].objects);
	free(owner->owned);
	free(owner);
}

void owners_close(struct owners *owners)
{
	void *owner;

	for (size_t i = 0; map_next(&owners->by_uid, &i, NULL, &owner);)
		owner_free(owner);
	map_close(&owners->by_uid);
}

static size_t find_owned(const struct owner *owner, unsigned resource)
{
	size_t i = 0;

	while (i < owner->n && owner->owned[i].resource < resource)
		i++;
	return i;
}

static void add(struct owners *owners, const char *uid, struct object *object)
{
	unsigned resource = object_resource(object)->index;
	struct owner *owner = map_get(&owners->by_uid, uid);
	size_t i;

	if (!owner) {
		owner = mem_zalloc(sizeof(*owner) + strlen(uid) + 1);
		memcpy(owner->uid, uid, strlen(uid) + 1);
		map_put(&owners->by_uid, owner->uid, owner);
	}
	i = find_owned(owner, resource);
	if (i == owner->n || owner->owned[i].resource != resource) {
		owner->owned = mem_realloc_array(owner->owned, owner->n + 1, sizeof(*owner->owned));
		memmove(owner->owned + i + 1, owner->owned + i, (owner->n - i) * sizeof(*owner->owned));
		owner->owned[i] = (struct owned){ .resource = resource };
		owner->n++;
	}
	object_unref(index_put(&owner->owned[i].objects, object_ref(object)));
}

static void drop(struct owners *owners, const char *uid, const struct object *object)
{
	unsigned resource = object_resource(object)->index;
	struct owner *owner = map_get(&owners->by_uid, uid);
	size_t i;

	if (!owner)
		return;
	i = find_owned(owner, resource);
	if (i == owner->n || owner->owned[i].resource != resource)
		return;
	object_unref(index_remove(&owner->owned[i].objects, object_key(object)));
	if (owner->owned[i].objects.count)
		return;
	index_close(&owner->owned[i].objects);
	owner->n--;
	memmove(owner->owned + i, owner->owned + i + 1, (owner->n - i) * sizeof(*owner->owned));
	if (!owner->n) {
		map_remove(&owners->by_uid, uid);
		owner_free(owner);
	}
}

static bool owned_by(const struct object *object, const char *uid)
{
	size_t n;

	if (!object)
		return false;
	const char *const *uids = object_owner_uids(object, &n);
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(uids[i], uid))
			return true;
	}
	return false;
}

void owners_change(struct owners *owners, struct object *old, struct object *new_)
{
	size_t n_old, n_new;

	if (old) {
		const char *const *uids = object_owner_uids(old, &n_old);
		for (size_t i = 0; i < n_old; i++) {
			if (!owned_by(new_, uids[i]))
				drop(owners, uids[i], old);
		}
	}
	if (new_) {
		const char *const *uids = object_owner_uids(new_, &n_new);
		for (size_t i = 0; i < n_new; i++)
			add(owners, uids[i], new_);
	}
}

struct object **owners_list(const struct owners *owners, const char *uid, size_t *ret_n)
{
	const struct owner *owner = map_get(&owners->by_uid, uid);
	struct object **objects;
	size_t n = 0;

	*ret_n = 0;
	if (!owner)
		return NULL;
	for (size_t i = 0; i < owner->n; i++)
		n += owner->owned[i].objects.count;
	objects = mem_alloc(n * sizeof(struct object *));
	for (size_t i = 0; i < owner->n; i++) {
		struct index_cursor cursor = { 0, 0 };
		struct object *object;

		while ((object = index_next(&owner->owned[i].objects, &cursor)))
			objects[(*ret_n)++] = object_ref(object);
	}
	return objects;
}
