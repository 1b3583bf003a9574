/* Finds members of a JSON text without building the values between them: by their brackets and quotes alone.
 * For texts of which little is wanted, where making a value of everything is most of the cost. Whether what
 * was skipped is JSON nobody has checked; what is wanted goes through json_parse.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"
#include "lib/json.h"

/* What is left of a text. */
struct json_cursor {
	const char *p, *end;
};

/* To the next character that is no white space of JSON's, or the end. */
void json_skip_space(struct json_cursor *c);
/* Takes CHARACTER, after white space. */
bool json_skip_char(struct json_cursor *c, char character);
/* From behind the opening quote to behind the closing one. */
bool json_skip_string(struct json_cursor *c);
/* Past the next value. False: the text ends before it does. */
bool json_skip_value(struct json_cursor *c);

#define JSON_PICK_MAX 64
/* Of the object TEXT what PATHS name ("metadata.name"; ended by NULL, at most JSON_PICK_MAX, none beginning
 * with another one), as a value with nothing else in it. A path leads into each element of an array; an
 * object that has no members is left out. ERR_PARSE; keys with escapes in them are not found.
 */
int json_pick(const char *text, size_t len, const char *const *paths, struct json_object **ret,
	      struct err *err);
/* json_parse without the member at PATH ("metadata.managedFields"), which is passed over; of a repeated key
 * the first counts. */
int json_parse_without(const char *text, size_t len, const char *path, struct json_object **ret,
		       struct err *err);
