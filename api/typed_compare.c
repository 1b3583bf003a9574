/* What differs between two values, in one walk of both. Sub-trees that are equal are passed over without
 * looking at their types. */
#include <stdlib.h>
#include <string.h>

#include "api/typed.h"

struct walk {
	struct field_arena *arena;
	struct field_builder changed, removed;
};

/* One of the two values. */
struct side {
	bool there; /* null is there as well */
	bool zero;  /* what Go shows of an empty object; value is NULL */
	const struct json_object *value;
};

/* What a comparison says of its path and of those below. */
struct outcome {
	bool changed, removed;
	const struct field_set *changed_below, *removed_below;
};

static struct json_object *unconst(const struct json_object *obj)
{
	return (struct json_object *)(uintptr_t)obj;
}

static bool is_zero(const struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		return true;
	case json_type_boolean:
		return !json_object_get_boolean(value);
	case json_type_int:
	case json_type_double:
		return !(json_object_get_double(value) < 0) && !(json_object_get_double(value) > 0);
	case json_type_string:
		return json_object_get_string_len(value) == 0;
	case json_type_object:
		return json_object_object_length(value) == 0;
	case json_type_array:
		return json_object_array_length(value) == 0;
	}
	return false;
}

static bool equal(struct side old, struct side new_)
{
	return old.zero ? is_zero(new_.value) : json_equal(old.value, new_.value);
}

static void leaf(struct side old, struct side new_, struct outcome *out)
{
	if (!old.there)
		out->changed = true;
	else if (!new_.there)
		out->removed = true;
	else if (!equal(old, new_))
		out->changed = true;
}

static struct outcome compare(struct walk *walk, struct typed type, struct side old, struct side new_);

static void note(struct walk *walk, const struct field_element *element, const struct outcome *out)
{
	field_builder_add(&walk->changed, element, out->changed, out->changed_below);
	field_builder_add(&walk->removed, element, out->removed, out->removed_below);
}

/* --- maps --- */

/* An empty object of Go has its structs and what is never left out. */
static struct side zero_member(struct typed type)
{
	bool zero = type.field && !type.inner && type.field->zero;
	return (struct side){ .there = zero, .zero = zero };
}

static void compare_member(struct walk *walk, struct typed type, const char *key, struct side old,
			   struct side new_)
{
	size_t len = strlen(key);
	bool declared;
	struct typed member = typed_member(type, key, len, &declared);
	if (old.zero)
		old = zero_member(member);
	struct outcome out = compare(walk, member, old, new_);
	struct field_element element = { key, (uint32_t)len, FIELD_ELEMENT_NAME };
	note(walk, &element, &out);
}

/* Scalars that are the same need no type to see that. */
static bool same_scalars(const struct json_object *old, const struct json_object *new_)
{
	enum json_type type = json_object_get_type(new_);
	return type != json_type_object && type != json_type_array && json_object_get_type(old) == type &&
	       json_equal(old, new_);
}

static void compare_members(struct walk *walk, struct typed type, struct side old, struct side new_,
			    const char *only)
{
	const struct json_object *old_map =
	    json_object_is_type(old.value, json_type_object) ? old.value : NULL;
	const struct json_object *new_map =
	    json_object_is_type(new_.value, json_type_object) ? new_.value : NULL;
	size_t n_old = 0;

	if (new_map) {
		json_object_object_foreach(unconst(new_map), key, value)
		{
			struct json_object *before = NULL;
			bool there = old_map && json_member(old_map, key, &before);
			n_old += there;
			if ((only && strcmp(key, only) != 0 && strcmp(key, "metadata") != 0) ||
			    (there && (before == value || same_scalars(before, value))))
				continue;
			compare_member(walk, type, key, (struct side){ there, old.zero, before },
				       (struct side){ true, false, value });
		}
	}
	if (!old_map || n_old == (size_t)json_object_object_length(old_map))
		return;
	json_object_object_foreach(unconst(old_map), gone, before)
	{
		struct json_object *after;
		if ((new_map && json_member(new_map, gone, &after)) ||
		    (only && strcmp(gone, only) != 0 && strcmp(gone, "metadata") != 0))
			continue;
		compare_member(walk, type, gone, (struct side){ true, false, before },
			       (struct side){ false, false, NULL });
	}
}

/* --- lists --- */

struct item {
	struct field_element element;
	const struct json_object *value;
	size_t place;
};

static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int order = field_element_compare(&x->element, &y->element);
	return order ? order : (x->place > y->place) - (x->place < y->place);
}

/* LIST's items, sorted by what tells them apart; those that have nothing are no fields. */
static struct item *index_items(struct walk *walk, struct typed type, const struct json_object *list,
				size_t *ret_n)
{
	size_t n = json_len(list), kept = 0;
	struct item *items = field_alloc(walk->arena, (n + 1) * sizeof(*items));

	for (size_t i = 0; i < n; i++) {
		struct item item = { .value = json_at(list, i), .place = i };
		if (typed_element(walk->arena, type, item.value, &item.element, NULL) == 0)
			items[kept++] = item;
	}
	qsort(items, kept, sizeof(*items), compare_items);
	*ret_n = kept;
	return items;
}

static size_t same_element(const struct item *items, size_t n)
{
	size_t i = 1;
	while (i < n && field_element_compare(&items[0].element, &items[i].element) == 0)
		i++;
	return i;
}

/* Items with one element, mostly one on either side. More than one are no items of their own: the path stands
 * for all of them. */
static void compare_same(struct walk *walk, struct typed type, const struct item *old, size_t n_old,
			 const struct item *new_, size_t n_new)
{
	const struct field_element *element = n_old ? &old->element : &new_->element;
	struct side before = { n_old == 1, false, n_old == 1 ? old->value : NULL };
	struct side after = { n_new == 1, false, n_new == 1 ? new_->value : NULL };
	struct outcome out = { 0 };

	if (n_old > 1 && n_new > 1) {
		out.changed = n_old != n_new;
		for (size_t i = 0; i < n_old && !out.changed; i++)
			out.changed = !json_equal(old[i].value, new_[i].value);
	} else {
		if (n_old == 1 || n_new == 1)
			out = compare(walk, typed_item(type), before, after);
		out.removed |= n_old > 1;
		out.changed |= n_new > 1;
	}
	note(walk, element, &out);
}

static void compare_lists(struct walk *walk, struct typed type, struct side old, struct side new_)
{
	size_t n_old, n_new, i = 0, k = 0;

	if (old.there && new_.there && json_equal(old.value, new_.value))
		return;
	struct item *before = index_items(walk, type, old.value, &n_old);
	struct item *after = index_items(walk, type, new_.value, &n_new);
	while (i < n_old || k < n_new) {
		int order = i == n_old   ? 1
			    : k == n_new ? -1
					 : field_element_compare(&before[i].element, &after[k].element);
		size_t here = order <= 0 ? same_element(before + i, n_old - i) : 0;
		size_t there = order >= 0 ? same_element(after + k, n_new - k) : 0;
		compare_same(walk, type, before + i, here, after + k, there);
		i += here;
		k += there;
	}
}

/* --- both --- */

static bool is_empty(struct side side)
{
	const struct json_object *value = side.value;
	return !value || (json_object_is_type(value, json_type_object) ? !json_object_object_length(value)
								       : !json_len(value));
}

static void walk_shape(struct walk *walk, struct typed type, struct typed_atom atom, struct side old,
		       struct side new_, const char *only, struct outcome *out)
{
	if (atom.shape == TYPED_SCALAR || atom.atomic || (is_empty(old) && is_empty(new_))) {
		leaf(old, new_, out);
		return;
	}
	size_t changed = field_builder_begin(&walk->changed), removed = field_builder_begin(&walk->removed);
	if (atom.shape == TYPED_MAP)
		compare_members(walk, type, old, new_, only);
	else
		compare_lists(walk, type, old, new_);
	out->changed_below = field_builder_end(&walk->changed, changed);
	out->removed_below = field_builder_end(&walk->removed, removed);
	out->changed |= !old.there;
	out->removed |= old.there && !new_.there;
}

static struct outcome compare(struct walk *walk, struct typed type, struct side old, struct side new_)
{
	struct typed_atom atom = typed_atom(type, new_.value ? new_.value : old.value);
	struct outcome out = { 0 };

	/* Any value may become one of another shape: all of the old goes, all of the new comes. */
	if (atom.deduced && old.value && new_.value && typed_atom(type, old.value).shape != atom.shape) {
		struct side nothing = { false, false, NULL };
		struct outcome gone = compare(walk, type, old, nothing),
			       come = compare(walk, type, nothing, new_);
		out.changed = true;
		out.changed_below = come.changed_below;
		out.removed_below = gone.removed_below;
		return out;
	}
	walk_shape(walk, type, atom, old, new_, NULL, &out);
	return out;
}

struct typed_difference typed_compare(struct field_arena *arena, struct typed type,
				      const struct json_object *old, const struct json_object *new_,
				      const char *only)
{
	struct walk walk = { arena, { .arena = arena }, { .arena = arena } };
	struct outcome out = { 0 };

	walk_shape(&walk, type, (struct typed_atom){ .shape = TYPED_MAP },
		   (struct side){ true, old == NULL, old }, (struct side){ true, false, new_ }, only, &out);
	field_builder_close(&walk.changed);
	field_builder_close(&walk.removed);
	return (struct typed_difference){ out.changed_below, out.removed_below };
}
