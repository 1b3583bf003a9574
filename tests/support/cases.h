/* Tests whose cases are data: files of which each line is a case, an object of JSON.
 */
#pragma once

#include "api/field_error.h"
#include "lib/json.h"

/* Calls FN for each line of FILE, in order, with its "name", or NULL. The case is put away after the call,
 * unless FN takes a reference. Fails the test when a line is no JSON, or there is none. Returns how many. */
size_t cases_each(const char *file, void (*fn)(const char *name, struct json_object *one, void *arg),
		  void *arg);
/* Fails the test unless ERRORS are WANTED, an array of "field: message", in its order. */
void cases_expect_errors(const char *name, const struct field_errors *errors,
			 const struct json_object *wanted);
