#include "lib/json_key.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/json.h"
#include "lib/mem.h"

/* Open addressing, with room enough that most names stand where they are looked for. */
#define SLOT_BITS 12
#define SLOTS     (1u << SLOT_BITS)

static struct slot {
	const char *name;
	size_t len;
	unsigned long hash;
} slots[SLOTS];
static size_t n_names;

/* Four bytes of the beginning and of the end, and the length: names differ there. A key that is no name meets
 * those in a row from its slot on; there are few, since more than half of the slots are free. */
static size_t slot_of(const char *text, size_t len)
{
	uint32_t first = 0, last = 0;

	if (len >= sizeof(first)) {
		memcpy(&first, text, sizeof(first));
		memcpy(&last, text + len - sizeof(last), sizeof(last));
	} else {
		for (size_t i = 0; i < len; i++)
			first = first << 8 | (unsigned char)text[i];
	}
	uint64_t mixed = (first ^ (uint64_t)last << 23 ^ (uint64_t)len << 57) * 0x9e3779b97f4a7c15u;

	return mixed >> (64 - SLOT_BITS);
}

static struct slot *find(const char *text, size_t len)
{
	size_t i = slot_of(text, len);

	while (slots[i].name && (slots[i].len != len || memcmp(slots[i].name, text, len) != 0))
		i = (i + 1) % SLOTS;
	return &slots[i];
}

void json_key_learn(const char *name)
{
	struct slot *slot = find(name, strlen(name));

	if (slot->name || n_names == JSON_KEYS_MAX)
		return;
	CLEANUP(json_putp) struct json_object *any = json_object_new_object();
	*slot = (struct slot){ name, strlen(name), lh_get_hash(json_object_get_object(any), name) };
	n_names++;
}

const char *json_key_find(const char *text, size_t len, unsigned long *ret_hash)
{
	/* A program without names leaves the table's pages alone. */
	if (!n_names)
		return NULL;
	const struct slot *slot = find(text, len);

	*ret_hash = slot->hash;
	return slot->name;
}

static void insert(struct lh_table *table, const char *key, bool known, unsigned long hash,
		   struct json_object *value_taken)
{
	json_checked(lh_table_insert_w_hash(table, known ? key : mem_dup(key), value_taken, hash,
					    known ? JSON_C_OBJECT_ADD_CONSTANT_KEY : 0));
}

/* KEY's hash to *RET_HASH, and KEY, or the name that never goes. */
static const char *look_up(const struct lh_table *table, const char *key, unsigned long *ret_hash,
			   bool *ret_known)
{
	const char *name = json_key_find(key, strlen(key), ret_hash);

	*ret_known = name != NULL;
	if (!name)
		*ret_hash = lh_get_hash(table, key);
	return name ? name : key;
}

void json_key_add_new(struct json_object *obj, const char *key, struct json_object *value_taken)
{
	struct lh_table *table = json_object_get_object(obj);
	unsigned long hash;
	bool known;
	const char *name = look_up(table, key, &hash, &known);

	insert(table, name, known, hash, value_taken);
}

void json_key_add(struct json_object *obj, const char *key, struct json_object *value_taken)
{
	struct lh_table *table = json_object_get_object(obj);
	unsigned long hash;
	bool known;
	const char *name = look_up(table, key, &hash, &known);
	struct lh_entry *entry = lh_table_lookup_entry_w_hash(table, name, hash);

	if (!entry) {
		insert(table, name, known, hash, value_taken);
		return;
	}
	json_object_put(lh_entry_v(entry));
	lh_entry_set_val(entry, value_taken);
}
