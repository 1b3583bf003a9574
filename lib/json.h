/* JSON on json-c: parsing with limits, lookups that never fail loudly, and a writer.
 * A `struct json_object` here is json-c's; ownership is json-c's (put drops a reference). Parser and writer
 * are our own, since every request passes through them: json_parse.c says why. json-c's hash of keys stays
 * the seeded one: its other one is no faster here and lets a client choose keys that collide.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

#define JSON_MAX_DEPTH 128

/* json-c gives NULL or -1 when memory is out, and NULL is its null: an object would be stored without what
 * was to be in it. Its allocations are small ones of ours (mem.h) and end the process as those do. */
int json_checked(int result);
#define json_object_new_object()           ((struct json_object *)mem_checked(json_object_new_object()))
#define json_object_new_array()            ((struct json_object *)mem_checked(json_object_new_array()))
#define json_object_new_array_ext(n)       ((struct json_object *)mem_checked(json_object_new_array_ext(n)))
#define json_object_new_string(s)          ((struct json_object *)mem_checked(json_object_new_string(s)))
#define json_object_new_string_len(s, n)   ((struct json_object *)mem_checked(json_object_new_string_len(s, n)))
#define json_object_new_boolean(b)         ((struct json_object *)mem_checked(json_object_new_boolean(b)))
#define json_object_new_int(i)             ((struct json_object *)mem_checked(json_object_new_int(i)))
#define json_object_new_int64(i)           ((struct json_object *)mem_checked(json_object_new_int64(i)))
#define json_object_new_uint64(i)          ((struct json_object *)mem_checked(json_object_new_uint64(i)))
#define json_object_new_double(d)          ((struct json_object *)mem_checked(json_object_new_double(d)))
#define json_object_new_double_s(d, s)     ((struct json_object *)mem_checked(json_object_new_double_s(d, s)))
#define json_object_object_add(o, k, v)    json_checked(json_object_object_add(o, k, v))
#define json_object_array_add(a, v)        json_checked(json_object_array_add(a, v))
#define json_object_array_put_idx(a, i, v) json_checked(json_object_array_put_idx(a, i, v))

/* Parses exactly one value (white space around it allowed) by the letter of RFC 8259. ERR_PARSE with line and
 * column and what was wrong; invalid UTF-8, nesting over JSON_MAX_DEPTH, numbers beyond a double's range and
 * a NUL in a key are errors; integers saturate at 64 bits and half a surrogate pair is U+FFFD. *ret is NULL
 * for null. Duplicate keys: the last one wins, as in Go; when ret_duplicates is not NULL it gets how many
 * keys were repeated and json_find_duplicates() names them. */
int json_parse(const char *text, size_t len, struct json_object **ret, size_t *ret_duplicates,
	       struct err *err);

/* Calls FN with the path of each repeated key, in order: "spec.containers[0].image". */
void json_find_duplicates(const char *text, size_t len, void (*fn)(const char *path, void *arg), void *arg);

/* json_object_put for CLEANUP. */
void json_putp(struct json_object **obj);

/* Member KEY of OBJ, borrowed; NULL when OBJ is no object, has no such key, or it is null. */
struct json_object *json_get(const struct json_object *obj, const char *key);
/* The same, and whether it is there: null is. */
bool json_member(const struct json_object *obj, const char *key, struct json_object **ret);
/* Follows keys down to a NULL: json_path(pod, "metadata", "labels", NULL). */
struct json_object *json_path(const struct json_object *obj, ...) __attribute__((sentinel));
/* String member, borrowed; NULL when absent or not a string. */
const char *json_str(const struct json_object *obj, const char *key);
/* The same with "" for absent. */
const char *json_str_or_empty(const struct json_object *obj, const char *key);
int64_t json_int(const struct json_object *obj, const char *key, int64_t if_absent);
bool json_boolean(const struct json_object *obj, const char *key, bool if_absent);
/* Length of the array OBJ; 0 when it is none. */
size_t json_len(const struct json_object *obj);
struct json_object *json_at(const struct json_object *array, size_t i);

/* Member KEY as object (array), made when absent or null. Borrowed. */
struct json_object *json_ensure_object(struct json_object *obj, const char *key);
struct json_object *json_ensure_array(struct json_object *obj, const char *key);
/* Sets a member; VALUE NULL of json_set_str removes the key. */
void json_set(struct json_object *obj, const char *key, struct json_object *value_taken);
void json_set_str(struct json_object *obj, const char *key, const char *value);
void json_set_int(struct json_object *obj, const char *key, int64_t value);
void json_set_bool(struct json_object *obj, const char *key, bool value);
struct json_object *json_clone(const struct json_object *obj); /* deep; NULL for NULL */
/* The same, but strings, numbers and booleans are OBJ's own: nobody changes one. For the thread that has OBJ,
 * since references are counted without locks. */
struct json_object *json_copy(const struct json_object *obj);
/* A new object with the members of OBJ, which both share from then on: for when few of them are to be set
 * anew. What is in a shared member is not to be changed. */
struct json_object *json_share(const struct json_object *obj);
/* Deep equality; numbers by value, member order does not matter, null members equal absent ones only
 * when both are absent or null. */
bool json_equal(const struct json_object *a, const struct json_object *b);

/* Appends OBJ, compact, members in their order. Integers as written, doubles as they were parsed. */
void json_write(struct buf *b, const struct json_object *obj);
/* The same indented by four spaces, as kubectl -o json prints, without a final newline. */
void json_write_pretty(struct buf *b, const struct json_object *obj);
/* By two spaces, as an API server answers ?pretty=true. */
void json_write_indented(struct buf *b, const struct json_object *obj);
/* Canonical: members sorted by key. Equal values give equal bytes (hashes, comparisons). */
void json_write_sorted(struct buf *b, const struct json_object *obj);
