/* The items of a list that is a map, found again by their keys: what an item was before. Items that keep
 * their place cost a comparison; for the others of a long list an index is made, so that no order of items is
 * expensive.
 */
#pragma once

#include "api/structural.h"
#include "lib/map.h"

struct structural_items {
	const struct structural *schema;
	const struct json_object *list;
	struct map by_keys; /* made when it is needed */
	char **texts;       /* its keys */
};

/* LIST, of SCHEMA, outlives ITEMS. NULL, or a list that is no map: nothing is found. */
void structural_items_init(struct structural_items *items, const struct structural *schema,
			   const struct json_object *list);
void structural_items_close(struct structural_items *items);
/* The item with the keys of ITEM, which stands at I of another list; or NULL. */
const struct json_object *structural_items_find(struct structural_items *items,
						const struct json_object *item, size_t i);
/* True when A and B, items of a list that SCHEMA says is a map, have the same keys. */
bool structural_same_item(const struct structural *schema, const struct json_object *a,
			  const struct json_object *b);
