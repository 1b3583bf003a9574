#include "lib/map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/mem.h"
#include "lib/timefmt.h"

static uint64_t seed[2];

/* Before main(), so that hashing needs no check whether it has been done. */
__attribute__((constructor)) static void draw_seed(void)
{
	/* Only without a kernel random source, where nothing else is safe either, is it the time. */
	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		seed[0] = (uint64_t)time_mono_us();
	seed[0] |= 1;
	seed[1] |= 1;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t read64(const unsigned char *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static uint64_t read32(const unsigned char *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

uint64_t map_hash(const void *data, size_t len)
{
	const uint64_t k0 = 0xa0761d6478bd642f, k1 = 0xe7037ed1a0b428db;
	const unsigned char *p = data;
	uint64_t h = seed[0] ^ k0, a, b;
	size_t left = len;

	for (; left > 16; left -= 16, p += 16)
		h = mix(read64(p) ^ k1, read64(p + 8) ^ h);
	/* The tail is read with overlapping words instead of byte by byte. */
	if (left >= 8) {
		a = read64(p);
		b = read64(p + left - 8);
	} else if (left >= 4) {
		a = read32(p);
		b = read32(p + left - 4);
	} else if (left > 0) {
		a = (uint64_t)p[0] << 16 | (uint64_t)p[left / 2] << 8 | p[left - 1];
		b = 0;
	} else {
		a = b = 0;
	}
	return mix(k1 ^ len, mix(a ^ seed[1], b ^ h));
}

/* Marks a removed entry: a search goes on past it, an insertion may take it. */
static const char deleted_mark[1];
#define DELETED deleted_mark

void map_close(struct map *m)
{
	free(m->slots);
	*m = MAP_INIT;
}

static struct map_slot *find(const struct map *m, const char *key)
{
	size_t mask = m->capacity - 1;

	if (m->count == 0)
		return NULL;
	for (size_t i = (size_t)map_hash(key, strlen(key)) & mask;; i = (i + 1) & mask) {
		struct map_slot *slot = &m->slots[i];

		if (!slot->key)
			return NULL;
		if (slot->key != DELETED && strcmp(slot->key, key) == 0)
			return slot;
	}
}

void *map_get(const struct map *m, const char *key)
{
	struct map_slot *slot = find(m, key);

	return slot ? slot->value : NULL;
}

static void insert_new(struct map *m, const char *key, void *value)
{
	size_t mask = m->capacity - 1;
	size_t i = (size_t)map_hash(key, strlen(key)) & mask;

	while (m->slots[i].key && m->slots[i].key != DELETED)
		i = (i + 1) & mask;
	if (!m->slots[i].key)
		m->used++;
	m->slots[i] = (struct map_slot){ .key = key, .value = value };
	m->count++;
}

/* Sized by what lives, so that a map with many removals is cleaned instead of grown. */
static void resize(struct map *m)
{
	struct map old = *m;
	size_t capacity = 8;

	while (capacity * 3 < (old.count + 1) * 5)
		capacity *= 2;
	m->slots = mem_zalloc(capacity * sizeof(*m->slots));
	m->capacity = capacity;
	m->count = m->used = 0;
	for (size_t i = 0; i < old.capacity; i++)
		if (old.slots[i].key && old.slots[i].key != DELETED)
			insert_new(m, old.slots[i].key, old.slots[i].value);
	free(old.slots);
}

void *map_put(struct map *m, const char *key, void *value)
{
	struct map_slot *slot = find(m, key);

	if (slot) {
		void *replaced = slot->value;

		*slot = (struct map_slot){ .key = key, .value = value };
		return replaced;
	}
	/* At most three quarters full, marks included: probes stay short and always meet an empty slot. */
	if ((m->used + 1) * 4 > m->capacity * 3)
		resize(m);
	insert_new(m, key, value);
	return NULL;
}

void *map_remove(struct map *m, const char *key)
{
	struct map_slot *slot = find(m, key);
	size_t next;
	void *value;

	if (!slot)
		return NULL;
	value = slot->value;
	next = ((size_t)(slot - m->slots) + 1) & (m->capacity - 1);
	/* Before an empty slot no search has to go on: no mark is needed. */
	if (m->slots[next].key) {
		*slot = (struct map_slot){ .key = DELETED };
	} else {
		*slot = (struct map_slot){ 0 };
		m->used--;
	}
	m->count--;
	return value;
}

bool map_next(const struct map *m, size_t *cursor, const char **ret_key, void **ret_value)
{
	while (*cursor < m->capacity) {
		const struct map_slot *slot = &m->slots[(*cursor)++];

		if (!slot->key || slot->key == DELETED)
			continue;
		if (ret_key)
			*ret_key = slot->key;
		if (ret_value)
			*ret_value = slot->value;
		return true;
	}
	return false;
}
