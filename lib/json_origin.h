/* Where the outer values of a parsed object lay in its text. A write changes few of them: when the object is
 * written again, what is still the same value is copied as it stood there, and only the rest is written anew.
 *
 *     {"metadata":{"labels":{...}},"spec":{"containers":[...],"nodeName":"a"},"status":{...}}
 *                           ^^^^^         ^^^^^^^^^^^^^^^^^^^                           ^^^^^
 *
 * Kept are objects and lists that are members of the object, or of such a member. The text must be compact,
 * as json_write() has it, and what lies within a kept value must stay as it is: so whoever shares values
 * (json_share) and sets others may use it, and who changes them in place may not.
 */
#pragma once

#include <stddef.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"

#define JSON_ORIGIN_VALUES 40
#define JSON_ORIGIN_DEPTH  2

struct json_origin {
	size_t n;
	struct json_origin_value {
		struct json_object *value; /* a reference: no other value gets its address */
		const char *text;
		size_t len;
	} values[JSON_ORIGIN_VALUES]; /* of more the first ones */
};

/* On the heap, and empty. */
struct json_origin *json_origin_new(void);
void json_origin_free(struct json_origin *origin);

/* json_parse; ORIGIN (or NULL), empty before, points into TEXT. */
int json_parse_with_origin(const char *text, size_t len, struct json_object **ret, struct json_origin *origin,
			   struct err *err);

/* json_write of the object that was parsed, of another that shares values with it, or of a member of either;
 * ORIGIN NULL: of anything. */
void json_write_from(struct buf *b, const struct json_object *obj, const struct json_origin *origin);

/* For tests, before there are threads: from then on each copy is compared with what json_write() makes of the
 * value, and the process ends when they differ. */
void json_origin_check_copies(void);

/* TEXT was a copy: its first N bytes stand at FIRST, what follows at SECOND. Values that lie in both are let
 * go. */
void json_origin_move(struct json_origin *origin, const char *text, size_t n, const char *first,
		      const char *second);

/* For the parser. */
void json_origin_add(struct json_origin *origin, struct json_object *value, const char *text, size_t len);
