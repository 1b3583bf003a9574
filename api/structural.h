/* Structural schemas: what a CustomResourceDefinition says about the shape of its objects, compiled from
 * openAPIV3Schema to a tree that is walked along with an object. Three walks use it:
 *
 *     prune ─▶ default ─▶ validate
 *
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 * A schema is immutable once it is built: any number of threads may walk it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/field_error.h"
#include "lib/json.h"
#include "lib/pattern.h"

enum structural_type {
	STRUCTURAL_ANY,
	STRUCTURAL_OBJECT,
	STRUCTURAL_ARRAY,
	STRUCTURAL_STRING,
	STRUCTURAL_INTEGER,
	STRUCTURAL_NUMBER,
	STRUCTURAL_BOOLEAN
};

enum structural_list { STRUCTURAL_ATOMIC, STRUCTURAL_SET, STRUCTURAL_MAP };

struct structural;

struct structural_property {
	char *name;
	struct structural *schema;
};

/* Schemas of allOf, anyOf, oneOf. */
struct structural_list_of {
	struct structural **items;
	size_t n;
};

/* Limits of the value. Absent numbers: the flag is off, lengths are -1. */
struct structural_rules {
	bool has_minimum, has_maximum, exclusive_minimum, exclusive_maximum, has_multiple;
	double minimum, maximum, multiple_of;
	int64_t min_length, max_length, min_items, max_items, min_properties, max_properties;
	struct pattern *pattern;
	char *pattern_text;
	char *format;
	struct json_object *values;   /* enum: an array, or NULL */
	struct json_object *required; /* an array of names, or NULL */
	struct structural_list_of all_of, any_of, one_of;
	struct structural *not_;
};

struct structural {
	enum structural_type type;
	bool nullable, preserve_unknown, embedded, int_or_string;
	bool additional_allowed; /* additionalProperties: true, or a schema */
	bool map_atomic;
	enum structural_list list;
	struct structural_property *properties; /* sorted by name */
	size_t n_properties;
	struct structural *additional; /* of the other properties, or NULL */
	struct structural *items;
	struct json_object *list_keys;  /* of MAP: an array of names */
	struct json_object *default_;   /* or NULL */
	struct structural_rules *rules; /* NULL: none */
};

/* Compiles SCHEMA (openAPIV3Schema, which structural_check found well), which is not needed afterwards. NULL
 * stands for the schema that says nothing but that everything is kept. ERR_INVALID when a pattern cannot be
 * understood. */
int structural_new(const struct json_object *schema, struct structural **ret, struct err *err);
void structural_free(struct structural *schema); /* NULL is fine */
const struct structural *structural_property(const struct structural *schema, const char *name);
/* The schema at a path of names: ".spec.replicas"; NULL when there is none. */
const struct structural *structural_at(const struct structural *schema, const char *path);
const char *structural_type_name(enum structural_type type); /* "object" */

/* What is wrong with SCHEMA (JSON, decoded as JSONSchemaProps) by the rules for CustomResourceDefinitions, in
 * Kubernetes' words; PATH is its place. STATUS: the status subresource is on. */
void structural_check(const struct json_object *schema, bool status, struct field_path *path,
		      struct field_errors *errors);

/* Removes from OBJ, which is a whole object (ROOT) or a value of SCHEMA, what SCHEMA does not know.
 * apiVersion, kind and metadata of whole and embedded objects stay. UNKNOWN, when not NULL, is told the path
 * of each. */
void structural_prune(const struct structural *schema, struct json_object *obj, bool root,
		      void (*unknown)(const char *path, void *arg), void *arg);
/* Fills in defaults; nulls where none is allowed give way to them, or go. */
void structural_default(const struct structural *schema, struct json_object *obj);
/* What of VALUE does not keep to SCHEMA. What is equal in OLD (or NULL) was accepted before and is not looked
 * at again. PATH is VALUE's place, "" for a whole object. */
void structural_validate(const struct structural *schema, const struct json_object *value,
			 const struct json_object *old, struct field_path *path, struct field_errors *errors);
/* The same for what is beyond single values: names and kinds of embedded objects, and lists whose items must
 * differ. */
void structural_validate_lists(const struct structural *schema, const struct json_object *value,
			       struct field_path *path, struct field_errors *errors);
void structural_validate_embedded(const struct structural *schema, const struct json_object *value,
				  struct field_path *path, struct field_errors *errors);
/* True when TEXT is of FORMAT; formats that are not known hold for everything. */
bool structural_format_holds(const char *format, const char *text);
