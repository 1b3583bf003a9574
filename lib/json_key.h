/* Names that members of JSON objects have again and again ("metadata", "name"): one string for each that is
 * never freed, with its hash in json-c's tables. An object's member then needs neither a copy of its key nor
 * the key's hash.
 *
 * Whoever parses much tells the names once, before there are threads; afterwards nothing changes, so that no
 * client can fill the table. Without names everything works, a little slower.
 */
#pragma once

#include <json-c/json.h>
#include <stddef.h>

/* Names beyond this many are not kept. */
#define JSON_KEYS_MAX 2048

/* Most objects are small, and most look-ups are for what is absent: up to so many members, comparing first
 * characters is cheaper than hashing a key. */
#define JSON_KEYS_SCANNED 16

/* NAME must live for ever. Not thread-safe. */
void json_key_learn(const char *name);

/* The name TEXT of LEN bytes, or NULL; *ret_hash is lh_get_hash() of it in any object. */
const char *json_key_find(const char *text, size_t len, unsigned long *ret_hash);

/* json_object_object_add(), and the same for a KEY that OBJ does not have yet. */
void json_key_add(struct json_object *obj, const char *key, struct json_object *value_taken);
void json_key_add_new(struct json_object *obj, const char *key, struct json_object *value_taken);
