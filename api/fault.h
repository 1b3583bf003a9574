/* Validation errors at a member of the object whose path is under construction: each call pushes KEY, adds
 * one error of field_error.h and pops it, so that a rule stays one line.
 */
#pragma once

#include "api/field_error.h"
#include "api/validate.h"

void fault_required(struct field_errors *errors, struct field_path *path, const char *key,
		    const char *detail);
void fault_str(struct field_errors *errors, struct field_path *path, const char *key, const char *value,
	       const char *detail);
void fault_int(struct field_errors *errors, struct field_path *path, const char *key, long long value,
	       const char *detail);
/* VALUE as JSON; NULL prints null. */
void fault_json(struct field_errors *errors, struct field_path *path, const char *key,
		const struct json_object *value, const char *detail);
void fault_forbidden(struct field_errors *errors, struct field_path *path, const char *key,
		     const char *detail);
void fault_duplicate(struct field_errors *errors, struct field_path *path, const char *key,
		     const char *value);
void fault_not_supported(struct field_errors *errors, struct field_path *path, const char *key,
			 const char *value, const char *const *supported);
void fault_not_found(struct field_errors *errors, struct field_path *path, const char *key,
		     const char *value);
/* Lists whose items are compared with each other: longer ones are refused, so that a request cannot buy
 * minutes of work. False, with an error at PATH, when LIST is too long; its items then need no look. */
#define FAULT_LIST_MAX 1000
bool fault_list_fits(struct field_errors *errors, struct field_path *path, const struct json_object *list);
/* One "Invalid value" for each fault of a name. KEY NULL: at the path itself. */
void fault_names(struct field_errors *errors, struct field_path *path, const char *key, const char *value,
		 const struct name_faults *faults);
