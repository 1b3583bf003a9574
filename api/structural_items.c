#include "api/structural_items.h"

#include <stdlib.h>

#include "lib/mem.h"

#define FEW 16

void structural_items_init(struct structural_items *items, const struct structural *schema,
			   const struct json_object *list)
{
	*items = (struct structural_items){
		.schema = schema,
		.list = schema->list == STRUCTURAL_MAP ? list : NULL,
		.by_keys = MAP_INIT,
	};
}

void structural_items_close(struct structural_items *items)
{
	for (size_t i = 0; items->texts && i < json_len(items->list); i++)
		free(items->texts[i]);
	free(items->texts);
	map_close(&items->by_keys);
}

bool structural_same_item(const struct structural *schema, const struct json_object *a,
			  const struct json_object *b)
{
	for (size_t i = 0; i < json_len(schema->list_keys); i++) {
		const char *key = json_object_get_string(json_at(schema->list_keys, i));

		if (!json_equal(json_get(a, key), json_get(b, key)))
			return false;
	}
	return true;
}

/* Equal keys give equal texts. */
static char *text_of(const struct structural *schema, const struct json_object *item)
{
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < json_len(schema->list_keys); i++) {
		json_write_sorted(&text,
				  json_get(item, json_object_get_string(json_at(schema->list_keys, i))));
		buf_char(&text, ',');
	}
	return buf_take(&text);
}

static void make_index(struct structural_items *items)
{
	size_t n = json_len(items->list);

	items->texts = mem_zalloc(n * sizeof(*items->texts));
	for (size_t i = n; i-- > 0;) { /* of those that are alike the first one stays */
		items->texts[i] = text_of(items->schema, json_at(items->list, i));
		map_put(&items->by_keys, items->texts[i], json_at(items->list, i));
	}
}

const struct json_object *structural_items_find(struct structural_items *items,
						const struct json_object *item, size_t i)
{
	CLEANUP(mem_freep) char *text = NULL;
	size_t n = json_len(items->list);

	if (i < n && structural_same_item(items->schema, item, json_at(items->list, i)))
		return json_at(items->list, i);
	if (n <= FEW) {
		for (size_t k = 0; k < n; k++)
			if (structural_same_item(items->schema, item, json_at(items->list, k)))
				return json_at(items->list, k);
		return NULL;
	}
	if (!items->texts)
		make_index(items);
	text = text_of(items->schema, item);
	return map_get(&items->by_keys, text);
}
