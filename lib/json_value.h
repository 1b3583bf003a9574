/* JSON values in memory: reference-counted trees, with the names that json-c gave these functions.
 *
 * Every request makes and drops some hundred of them, so they are small and one allocation each: a string
 * lies in its value, a key in its member, and an object has a table of its keys only when it is large.
 * (json-c's objects begin with a table of 640 bytes.) NULL is JSON's null. Members keep the order in which
 * they came.
 *
 * Reference counts are plain: a value belongs to one thread at a time. Memory that is out ends the process
 * (mem.h), so nothing here fails. Getters of the wrong type give 0, false, NULL, or an empty length, and
 * convert between numbers, booleans and strings where that is said.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_type {
	json_type_null,
	json_type_boolean,
	json_type_double,
	json_type_int,
	json_type_object,
	json_type_array,
	json_type_string,
};

struct json_object;

struct json_member {
	struct json_member *next;
	struct json_object *value;
	uint32_t key_len;
	char key[]; /* NUL-terminated, no NUL within */
};

/* One more reference to OBJ, which it returns. NULL for NULL. */
struct json_object *json_object_get(struct json_object *obj);
/* One less; the last one frees it, and drops what is in it. */
void json_object_put(struct json_object *obj);

enum json_type json_object_get_type(const struct json_object *obj);
bool json_object_is_type(const struct json_object *obj, enum json_type type);

/* --- making --- */

struct json_object *json_object_new_object(void);
struct json_object *json_object_new_array(void);
struct json_object *json_object_new_array_ext(size_t room);
struct json_object *json_object_new_string(const char *s);
struct json_object *json_object_new_string_len(const char *s, int len); /* may have NULs in it */
struct json_object *json_object_new_boolean(bool b);
struct json_object *json_object_new_int(int32_t i);
struct json_object *json_object_new_int64(int64_t i);
struct json_object *json_object_new_uint64(uint64_t i);
struct json_object *json_object_new_double(double d);
/* TEXT is how it is written. */
struct json_object *json_object_new_double_s(double d, const char *text);
struct json_object *json_object_deep_copy(const struct json_object *obj);

/* --- scalars --- */

/* A string's text; of any other value its JSON, which lives until the value changes. NULL for NULL. */
const char *json_object_get_string(struct json_object *obj);
int json_object_get_string_len(const struct json_object *obj);
/* Of numbers (fractions cut off, beyond 64 bits the nearest), booleans, and strings of digits. */
int64_t json_object_get_int64(const struct json_object *obj);
uint64_t json_object_get_uint64(const struct json_object *obj);
double json_object_get_double(const struct json_object *obj);
/* Whether it is true, a number other than 0, or a string that is not empty. */
bool json_object_get_boolean(const struct json_object *obj);
/* What json_object_new_double_s was given, or NULL. */
const char *json_object_get_double_text(const struct json_object *obj);

/* --- objects --- */

int json_object_object_length(const struct json_object *obj);
/* Sets a member and takes VALUE; a key that is there keeps its place. */
void json_object_object_add(struct json_object *obj, const char *key, struct json_object *value_taken);
/* The same for a key of LEN bytes, not NUL-terminated. False: the key was there. */
bool json_object_object_addn(struct json_object *obj, const char *key, size_t len,
			     struct json_object *value_taken);
void json_object_object_del(struct json_object *obj, const char *key);
/* Whether KEY is there; its value, borrowed, which may be null, to *RET_VALUE unless that is NULL. */
bool json_object_object_get_ex(const struct json_object *obj, const char *key,
			       struct json_object **ret_value);
struct json_member *json_object_first_member(const struct json_object *obj);
struct json_member *json_object_find_member(const struct json_object *obj, const char *key);
/* All members, in order. The current one may be removed, others replaced and added. */
#define json_object_object_foreach(obj, key_, value_)                                                        \
	const char *key_ = NULL;                                                                             \
	struct json_object *value_ __attribute__((unused)) = NULL;                                           \
	for (struct json_member *at_##key_ = json_object_first_member(obj), *next_##key_ = NULL;             \
	     at_##key_ &&                                                                                    \
	     (key_ = at_##key_->key, value_ = at_##key_->value, next_##key_ = at_##key_->next, true);        \
	     at_##key_ = next_##key_)

/* --- arrays --- */

size_t json_object_array_length(const struct json_object *array);
struct json_object *json_object_array_get_idx(const struct json_object *array, size_t i);
void json_object_array_add(struct json_object *array, struct json_object *value_taken);
/* Sets element I; between the end and it there are nulls. */
void json_object_array_put_idx(struct json_object *array, size_t i, struct json_object *value_taken);
void json_object_array_del_idx(struct json_object *array, size_t i, size_t count);
/* COMPARE gets pointers to two elements. */
void json_object_array_sort(struct json_object *array, int (*compare)(const void *a, const void *b));
