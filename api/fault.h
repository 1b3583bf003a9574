/* Validation errors at a member of the object whose path is under construction: each call pushes KEY, adds
 * one error of field_error.h and pops it, so that a rule stays one line.
 */
#pragma once

#include "api/field_error.h"
#include "api/validate.h"

/* Errors about member KEY of what is at PATH, which is as before afterwards. VALUE is shown. */
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
/* A struct as Kubernetes shows it in a message: members by their Go names, absent ones too. KEYS are the JSON
 * names, to a NULL. The caller's. */
struct json_object *fault_shown(const struct json_object *obj, const char *const *keys);
/* Lists whose items are compared with each other: longer ones are refused, so that a request cannot buy
 * minutes of work. False, with an error at PATH, when LIST is too long; its items then need no look. */
#define FAULT_LIST_MAX 1000
bool fault_list_fits(struct field_errors *errors, struct field_path *path, const struct json_object *list);
void fault_too_many(struct field_errors *errors, struct field_path *path, const char *key, size_t n,
		    size_t max);
void fault_too_long(struct field_errors *errors, struct field_path *path, const char *key, size_t max);
/* Calls FN with each item of the list at KEY of OBJ; PATH is the item's then. */
typedef void (*fault_item_fn)(const struct json_object *item, struct field_path *path,
			      struct field_errors *errors);
void fault_each(const struct json_object *obj, const char *key, struct field_path *path,
		struct field_errors *errors, fault_item_fn fn);
/* The member KEY, a name: what CHECK finds wrong with it. An absent or empty one is not looked at, or
 * required. */
typedef void (*fault_name_fn)(const char *name, bool is_prefix, struct name_faults *faults);
void fault_name(const struct json_object *obj, const char *key, bool required, fault_name_fn check,
		struct field_path *path, struct field_errors *errors);
/* One "Invalid value" for each fault of a name. KEY NULL: at the path itself. */
void fault_names(struct field_errors *errors, struct field_path *path, const char *key, const char *value,
		 const struct name_faults *faults);
