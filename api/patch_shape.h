/* What strategic patches know about a value: whether it is a struct or a map of the schema, and what list
 * items are told apart by. Shared by patch_strategic.c and patch_three_way.c.
 */
#pragma once

#include "api/schema.h"
#include "lib/err.h"
#include "lib/json.h"

/* All NULL: no schema knows this value; objects merge, lists are replaced. */
struct patch_shape {
	const struct schema_def *def;   /* an object with these fields */
	const struct schema_field *map; /* an object whose members are this field's elements */
};

/* The field that KEY is in an object of SHAPE, or NULL. */
const struct schema_field *patch_shape_field(struct patch_shape shape, const char *key);
/* Of member KEY when it is an object, and of the objects in list FIELD. */
struct patch_shape patch_shape_member(struct patch_shape shape, const char *key);
struct patch_shape patch_shape_item(const struct schema_field *field);
/* True when strategic merge patch merges FIELD (may be NULL), a list, item by item. */
bool patch_shape_merges_list(const struct schema_field *field);

/* What tells ITEM from others in a list of FIELD: its merge key's value, or itself when it is no object; as
 * text (to be freed). ERR_BAD_REQUEST when an object lacks the merge key. */
int patch_shape_item_id(const struct schema_field *field, const struct json_object *item, char **ret,
			struct err *err);

/* Appends VALUE as messages show it: map[a:1 b:[x y]]. */
void patch_shape_print(struct buf *b, const struct json_object *value);
