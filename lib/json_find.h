/* Finds values in a JSON text by their paths and leaves them where they stand: no value is made of anything.
 * For objects that come by the thousands and of which a decoder looks at little. Whether what is passed over
 * is JSON nobody has checked.
 *
 *     static const char *const wants[] = { "metadata.name", "status.phase", NULL };
 *     struct json_paths *paths = json_paths_new(wants);
 *     struct json_span found[2];
 *     json_find(paths, text, len, found, &err);
 *     running = json_span_is(found[1], "Running");
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/json.h"
#include "lib/json_skip.h"

/* A value where it stands in a text, a string with its quotes. None, or null: P is NULL. */
struct json_span {
	const char *p;
	size_t len;
};

struct json_paths;

/* PATHS ("metadata.name") end with NULL, are kept by pointer and lead through objects only; "" is the whole
 * object. A path may begin with another one. */
struct json_paths *json_paths_new(const char *const *paths);
void json_paths_free(struct json_paths *paths);
size_t json_paths_count(const struct json_paths *paths);
/* Of the object TEXT the values at PATHS, in their order, into RET, which has a place for each. Of what is
 * found twice the last counts; keys with escapes in them are not found. ERR_PARSE. */
int json_find(const struct json_paths *paths, const char *text, size_t len, struct json_span *ret,
	      struct err *err);

/* Members of an object, elements of an array, one after the other; KEY is without its quotes.
 *
 *     struct json_cursor c = json_span_begin(array);
 *     while (json_span_element(&c, &value)) ...
 */
struct json_cursor json_span_begin(struct json_span container);
bool json_span_member(struct json_cursor *c, struct json_span *ret_key, struct json_span *ret_value);
bool json_span_element(struct json_cursor *c, struct json_span *ret_value);
/* KEY, as json_span_member gives it, is NAME. */
bool json_key_is(struct json_span key, const char *name);

/* The value is the string STRING. */
bool json_span_is(struct json_span span, const char *string);
/* The string's copy, owned by the caller; NULL when it is none. */
char *json_span_dup(struct json_span span);
/* The same without copying where it has no escapes in it: what is between its quotes. P NULL when it is no
 * string or has some. */
struct json_span json_span_plain(struct json_span span);
int64_t json_span_int(struct json_span span, int64_t otherwise);
bool json_span_true(struct json_span span);
/* A value of it, owned by the caller; NULL when there is none or it is no JSON. */
struct json_object *json_span_parse(struct json_span span);
