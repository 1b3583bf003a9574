#include "apiserver/core/index.h"

#include <stdlib.h>
#include <string.h>

#define LEAF_MAX 128U

void index_close(struct index *index)
{
	for (size_t i = 0; i < index->n_leaves; i++) {
		for (uint32_t k = 0; k < index->leaves[i].n; k++)
			object_unref(index->leaves[i].items[k]);
		free(index->leaves[i].items);
	}
	free(index->leaves);
	*index = INDEX_INIT;
}

/* The leaf KEY belongs to: the last one that begins at or before it, else the first. There must be one. */
static size_t find_leaf(const struct index *index, const char *key)
{
	size_t low = 0, high = index->n_leaves;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(object_key(index->leaves[middle].items[0]), key) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The first item of LEAF whose key is at least KEY. */
static uint32_t find_item(const struct index_leaf *leaf, const char *key, bool *ret_equal)
{
	uint32_t low = 0, high = leaf->n;

	*ret_equal = false;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(object_key(leaf->items[middle]), key);

		if (order == 0) {
			*ret_equal = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct object *index_get(const struct index *index, const char *key)
{
	const struct index_leaf *leaf;
	bool equal;
	uint32_t i;

	if (!index->n_leaves)
		return NULL;
	leaf = &index->leaves[find_leaf(index, key)];
	i = find_item(leaf, key, &equal);
	return equal ? leaf->items[i] : NULL;
}

static struct index_leaf *insert_leaf(struct index *index, size_t position)
{
	if (index->n_leaves == index->cap) {
		index->cap = index->cap ? index->cap * 2 : 1;
		index->leaves = mem_realloc_array(index->leaves, index->cap, sizeof(*index->leaves));
	}
	memmove(index->leaves + position + 1, index->leaves + position,
		(index->n_leaves - position) * sizeof(*index->leaves));
	index->n_leaves++;
	index->leaves[position] = (struct index_leaf){ 0 };
	return &index->leaves[position];
}

static void remove_leaf(struct index *index, size_t position)
{
	free(index->leaves[position].items);
	index->n_leaves--;
	memmove(index->leaves + position, index->leaves + position + 1,
		(index->n_leaves - position) * sizeof(*index->leaves));
}

static void leaf_reserve(struct index_leaf *leaf, uint32_t n)
{
	if (n <= leaf->cap)
		return;
	leaf->cap = leaf->cap * 2 > n ? leaf->cap * 2 : n;
	leaf->cap = leaf->cap > LEAF_MAX ? LEAF_MAX : leaf->cap;
	leaf->items = mem_realloc_array(leaf->items, leaf->cap, sizeof(struct object *));
}

/* Splits a full leaf and gives back the half, and the place in it, where item I now belongs. Appending at the
 * very end starts a new leaf instead, so that names in growing order leave full leaves behind. */
static struct index_leaf *split_leaf(struct index *index, size_t position, uint32_t *i)
{
	bool at_end = position + 1 == index->n_leaves && *i == LEAF_MAX;
	uint32_t keep = at_end ? LEAF_MAX : LEAF_MAX / 2;
	struct index_leaf *right = insert_leaf(index, position + 1);
	struct index_leaf *left = &index->leaves[position];

	leaf_reserve(right, LEAF_MAX - keep + 1);
	memcpy(right->items, left->items + keep, (left->n - keep) * sizeof(struct object *));
	right->n = left->n - keep;
	left->n = keep;
	if (*i < keep || (*i == keep && !at_end))
		return left;
	*i -= keep;
	return right;
}

struct object *index_put(struct index *index, struct object *object)
{
	bool equal;
	size_t position;
	uint32_t i;

	if (!index->n_leaves)
		insert_leaf(index, 0);
	position = find_leaf(index, object_key(object));

	struct index_leaf *leaf = &index->leaves[position];

	i = find_item(leaf, object_key(object), &equal);
	if (equal) {
		struct object *old = leaf->items[i];

		leaf->items[i] = object;
		return old;
	}
	if (leaf->n == LEAF_MAX)
		leaf = split_leaf(index, position, &i);
	leaf_reserve(leaf, leaf->n + 1);
	memmove(leaf->items + i + 1, leaf->items + i, (leaf->n - i) * sizeof(struct object *));
	leaf->items[i] = object;
	leaf->n++;
	index->count++;
	return NULL;
}

/* Appends the leaf after POSITION to it when both are small. */
static void merge_leaf(struct index *index, size_t position)
{
	if (position + 1 >= index->n_leaves)
		return;

	struct index_leaf *left = &index->leaves[position], *right = left + 1;

	if (left->n + right->n > LEAF_MAX / 2)
		return;
	leaf_reserve(left, left->n + right->n);
	memcpy(left->items + left->n, right->items, right->n * sizeof(struct object *));
	left->n += right->n;
	remove_leaf(index, position + 1);
}

struct object *index_remove(struct index *index, const char *key)
{
	bool equal;

	if (!index->n_leaves)
		return NULL;

	size_t position = find_leaf(index, key);
	struct index_leaf *leaf = &index->leaves[position];
	uint32_t i = find_item(leaf, key, &equal);

	if (!equal)
		return NULL;

	struct object *object = leaf->items[i];

	leaf->n--;
	index->count--;
	memmove(leaf->items + i, leaf->items + i + 1, (leaf->n - i) * sizeof(struct object *));
	if (!leaf->n) {
		remove_leaf(index, position);
	} else if (leaf->n < LEAF_MAX / 4) {
		merge_leaf(index, position);
		if (position)
			merge_leaf(index, position - 1);
	}
	return object;
}

struct index_cursor index_seek(const struct index *index, const char *key, bool after)
{
	struct index_cursor cursor = { 0, 0 };
	bool equal;

	if (!index->n_leaves || !*key)
		return cursor;
	cursor.leaf = find_leaf(index, key);
	cursor.item = find_item(&index->leaves[cursor.leaf], key, &equal);
	if (equal && after)
		cursor.item++;
	return cursor;
}

struct object *index_next(const struct index *index, struct index_cursor *cursor)
{
	while (cursor->leaf < index->n_leaves) {
		const struct index_leaf *leaf = &index->leaves[cursor->leaf];

		if (cursor->item < leaf->n)
			return leaf->items[cursor->item++];
		cursor->leaf++;
		cursor->item = 0;
	}
	return NULL;
}
