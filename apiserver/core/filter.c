#include "apiserver/core/filter.h"

#include <stdlib.h>
#include <string.h>

bool filter_matches(const struct core_filter *filter, const struct object *object)
{
	if (filter->namespace_ && strcmp(filter->namespace_, object_namespace(object)) != 0)
		return false;
	if (filter->name && strcmp(filter->name, object_name(object)) != 0)
		return false;
	if (filter->labels && !selector_matches(filter->labels, object_label, object))
		return false;
	return !filter->fields || selector_matches(filter->fields, object_field, object);
}

static struct selector *copy_selector(const struct selector *selector)
{
	struct selector *copy;

	if (!selector)
		return NULL;
	copy = mem_zalloc(sizeof(*copy));
	copy->nothing = selector->nothing;
	copy->n = selector->n;
	copy->requirements = mem_realloc_array(NULL, selector->n + 1, sizeof(*copy->requirements));
	for (size_t i = 0; i < selector->n; i++) {
		const struct selector_requirement *from = &selector->requirements[i];
		struct selector_requirement *to = &copy->requirements[i];

		*to = (struct selector_requirement){ .key = mem_dup(from->key),
						     .op = from->op,
						     .n_values = from->n_values };
		to->values = mem_realloc_array(NULL, from->n_values + 1, sizeof(*to->values));
		for (size_t v = 0; v < from->n_values; v++)
			to->values[v] = mem_dup(from->values[v]);
	}
	return copy;
}

void filter_copy(struct core_filter *ret, const struct core_filter *filter)
{
	*ret = (struct core_filter){
		.namespace_ = mem_dup(filter->namespace_),
		.name = mem_dup(filter->name),
		.labels = copy_selector(filter->labels),
		.fields = copy_selector(filter->fields),
	};
}

static void free_selector(const struct selector *selector)
{
	if (selector)
		selector_close((struct selector *)selector);
	free((struct selector *)selector);
}

void filter_close(struct core_filter *copy)
{
	free((char *)copy->namespace_);
	free((char *)copy->name);
	free_selector(copy->labels);
	free_selector(copy->fields);
	*copy = (struct core_filter){ 0 };
}
