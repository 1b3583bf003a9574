/* Hash map from string keys to pointers: open addressing, keys stay owned by the caller (usually they
 * lie inside the value), so an entry costs 16 bytes over the load factor. Not ordered.
 * Hash: a seeded wyhash-like mix, seed drawn at start by getrandom(2) against chosen collisions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot {
	const char *key; /* NULL: empty; a private mark: deleted */
	void *value;
};

struct map {
	struct map_slot *slots;
	size_t capacity; /* power of two, or 0 */
	size_t count;
	size_t used; /* count and deleted marks */
};

#define MAP_INIT ((struct map){ 0 })

void map_close(struct map *m); /* frees the slots; values are the caller's */
/* The value, or NULL. */
void *map_get(const struct map *m, const char *key);
/* Sets KEY, which must live as long as the entry; gives back the value it replaces, or NULL.
 * A replaced entry's key pointer becomes KEY. */
void *map_put(struct map *m, const char *key, void *value);
/* Removes; gives back the value, or NULL when there was none. */
void *map_remove(struct map *m, const char *key);
/* Walks all entries in no order:  for (size_t i = 0; map_next(&m, &i, &key, &value);) ...
 * Removing the current entry during the walk is allowed, putting is not. */
bool map_next(const struct map *m, size_t *cursor, const char **ret_key, void **ret_value);
/* The process-wide seeded hash. */
uint64_t map_hash(const void *data, size_t len);
