/* JSON values as server-side apply sees them: with the schema's types, which say what of a value is a field
 * of its own. (sigs.k8s.io/structured-merge-diff, typed.)
 *
 *     struct, map    a field per member            atomic ones are one field
 *     list           of maps with keys, or a set: a field per item; else one field
 *     any            as its value has it: maps are maps, lists are one field
 *
 * Values are decoded (decode.h); what a client applies may be anything.
 */
#pragma once

#include "api/field_set.h"
#include "api/schema.h"
#include "lib/json.h"

/* A type: the struct DEF, or what is left of FIELD inside of CONTAINER. */
struct typed {
	const struct schema_def *def;     /* NULL: FIELD's */
	const struct schema_field *field; /* NULL: DEF's */
	uint8_t container;                /* enum schema_container */
	bool inner;                       /* an element of FIELD, not its value */
};

enum typed_shape { TYPED_SCALAR, TYPED_LIST, TYPED_MAP };

struct typed_atom {
	uint8_t shape; /* enum typed_shape */
	bool atomic;   /* lists and maps: one field */
	bool deduced;  /* from the value */
};

/* The type of values of DEF, which outlives it. */
struct typed typed_struct(const struct schema_def *def);
/* The struct of TYPE, or NULL when it has no fields with names. */
const struct schema_def *typed_def(struct typed type);
/* VALUE matters only where the schema leaves it open. */
struct typed_atom typed_atom(struct typed type, const struct json_object *value);
/* Type of member KEY. ret_declared: it is a field of a struct. What no schema knows is any. */
struct typed typed_member(struct typed type, const char *key, size_t len, bool *ret_declared);
struct typed typed_item(struct typed type);
bool typed_is_any(struct typed type);

/* What tells ITEM from others in a list of TYPE that is not atomic. Text in the arena. ERR_INVALID in
 * Kubernetes' words. */
int typed_element(struct field_arena *arena, struct typed type, const struct json_object *item,
		  struct field_element *ret, struct err *err);

/* What differs between two values of TYPE. */
struct typed_difference {
	const struct field_set *changed; /* added or modified */
	const struct field_set *removed;
};
/* OLD NULL: what a Go program's empty object of the type shows, which is less than nothing at all: structs
 * that are no pointers are always there. ONLY: a member of the object to look at besides metadata; NULL: all.
 */
struct typed_difference typed_compare(struct field_arena *arena, struct typed type,
				      const struct json_object *old, const struct json_object *new_,
				      const char *only);

/* The fields of VALUE that whoever applied it owns. */
const struct field_set *typed_fields(struct field_arena *arena, struct typed type,
				     const struct json_object *value);
/* Checks what a client applies. ERR_BAD_REQUEST: ".spec.nope: field not declared in schema". */
int typed_validate(struct typed type, const struct json_object *value, struct err *err);

/* LIVE with what CONFIG says put over it. The result shares values with both: none may be changed after. */
struct json_object *typed_merge(struct field_arena *arena, struct typed type, const struct json_object *live,
				const struct json_object *config);
/* VALUE without the fields of SET; NULL when nothing is left of it. Maps and lists that lose all go too,
 * items of lists stay as {}. Shares values as well. */
struct json_object *typed_remove(struct field_arena *arena, struct typed type,
				 const struct json_object *value, const struct field_set *set);
/* SET and the structs' fields on the way to its paths. */
const struct field_set *typed_with_parents(struct field_arena *arena, struct typed type,
					   const struct field_set *set);
