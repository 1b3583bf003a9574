/* What of a value is a field, and whether a client may apply it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/typed.h"

enum { MAX_FAULTS = 100 };

static struct json_object *unconst(const struct json_object *obj)
{
	return (struct json_object *)(uintptr_t)obj;
}

/* --- the fields --- */

/* Adds the fields of VALUE below ELEMENT. OWNED: the path itself is one whatever is below. */
static void add_fields(struct field_builder *builder, struct typed type, const struct json_object *value,
		       const struct field_element *element, bool owned)
{
	struct typed_atom atom = typed_atom(type, value);

	if (atom.shape == TYPED_SCALAR || atom.atomic || !value) {
		field_builder_add(builder, element, true, NULL);
		return;
	}
	size_t mark = field_builder_begin(builder);
	if (atom.shape == TYPED_MAP && json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(unconst(value), key, member)
		{
			size_t len = strlen(key);
			bool declared;
			struct typed inner = typed_member(type, key, len, &declared);
			struct field_element name = { key, (uint32_t)len, FIELD_ELEMENT_NAME };
			add_fields(builder, inner, member, &name, !declared);
		}
		owned |= json_object_object_length(value) == 0;
	} else if (atom.shape == TYPED_LIST) {
		for (size_t i = 0; i < json_len(value); i++) {
			struct field_element item;
			if (typed_element(builder->arena, type, json_at(value, i), &item, NULL) == 0)
				add_fields(builder, typed_item(type), json_at(value, i), &item, true);
		}
	}
	field_builder_add(builder, element, owned, field_builder_end(builder, mark));
}

const struct field_set *typed_fields(struct field_arena *arena, struct typed type,
				     const struct json_object *value)
{
	struct field_builder builder = { .arena = arena };
	struct field_element root = { "", 0, FIELD_ELEMENT_NAME };

	add_fields(&builder, type, value, &root, false);
	const struct field_set *set = field_builder_end(&builder, 0);
	field_builder_close(&builder);
	return field_set_below(set, &root);
}

/* --- validation --- */

struct place {
	const struct place *up;
	struct field_element element;
};

struct check {
	struct field_arena arena;
	struct buf faults; /* a line each */
	size_t n;
};

static void write_place(struct buf *b, const struct place *place)
{
	if (!place)
		return;
	write_place(b, place->up);
	field_element_print(b, &place->element);
}

static void fault(struct check *check, const struct place *place, const char *format, ...) PRINTF_LIKE(3, 4);
static void fault(struct check *check, const struct place *place, const char *format, ...)
{
	va_list ap;

	if (check->n >= MAX_FAULTS)
		return;
	check->n++;
	buf_str(&check->faults, check->n > 1 ? "\n  " : "");
	write_place(&check->faults, place);
	buf_str(&check->faults, place ? ": " : "");
	va_start(ap, format);
	buf_vprintf(&check->faults, format, ap);
	va_end(ap);
}

/* "expected string, got 1", where VALUE is no such thing. */
static void expected(struct check *check, const struct place *place, const char *what,
		     const struct json_object *value)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	json_write(&text, value);
	fault(check, place, "expected %s, got %.200s", what, text.data);
}

static void check_scalar(struct check *check, const struct schema_field *field,
			 const struct json_object *value, const struct place *place)
{
	enum json_type type = json_object_get_type(value);
	bool number = type == json_type_int || type == json_type_double;

	switch (field->type) {
	case SCHEMA_BOOLEAN:
		if (type != json_type_boolean)
			expected(check, place, "boolean", value);
		break;
	case SCHEMA_INT32:
	case SCHEMA_INT64:
	case SCHEMA_DOUBLE:
		if (!number)
			fault(check, place, "expected numeric (int or float), got %s",
			      type == json_type_string    ? "string"
			      : type == json_type_boolean ? "bool"
			      : type == json_type_array   ? "[]interface {}"
							  : "map[string]interface {}");
		break;
	case SCHEMA_QUANTITY:
	case SCHEMA_INT_OR_STRING:
		if (!number && type != json_type_string)
			expected(check, place, "any scalar", value);
		break;
	default:
		if (type != json_type_string)
			expected(check, place, "string", value);
	}
}

static void check_value(struct check *check, struct typed type, const struct json_object *value,
			const struct place *up);

static int compare_nodes(const void *a, const void *b)
{
	const struct field_node *x = a, *y = b;
	return field_element_compare(&x->element, &y->element);
}

static void check_items(struct check *check, struct typed type, struct typed_atom atom,
			const struct json_object *list, const struct place *up)
{
	struct field_builder seen = { .arena = &check->arena };

	for (size_t i = 0; i < json_len(list); i++) {
		char digits[24];
		struct place place = { up, { digits, 0, FIELD_ELEMENT_INDEX } };
		struct err err = ERR_INIT;
		place.element.len = (uint32_t)snprintf(digits, sizeof(digits), "%zu", i);
		if (!atom.atomic) {
			if (typed_element(&check->arena, type, json_at(list, i), &place.element, &err) < 0) {
				fault(check, up, "element %zu: %s", i, err.msg);
				continue;
			}
			field_builder_add(&seen, &place.element, true, NULL);
		}
		check_value(check, typed_item(type), json_at(list, i), &place);
	}
	if (seen.n)
		qsort(seen.nodes, seen.n, sizeof(*seen.nodes), compare_nodes);
	for (size_t i = 1; i < seen.n && check->n < MAX_FAULTS; i++) {
		CLEANUP(buf_close) struct buf shown = BUF_INIT;
		if (compare_nodes(&seen.nodes[i - 1], &seen.nodes[i]) != 0)
			continue;
		field_element_print(&shown, &seen.nodes[i].element);
		fault(check, up, "duplicate entries for key %s", shown.data);
	}
	field_builder_close(&seen);
}

static void check_members(struct check *check, struct typed type, const struct json_object *map,
			  const struct place *up)
{
	json_object_object_foreach(unconst(map), key, value)
	{
		struct place place = { up, { key, (uint32_t)strlen(key), FIELD_ELEMENT_NAME } };
		bool declared;
		struct typed inner = typed_member(type, key, place.element.len, &declared);
		if (!declared && typed_def(type))
			fault(check, &place, "field not declared in schema");
		else
			check_value(check, inner, value, &place);
	}
}

static void check_value(struct check *check, struct typed type, const struct json_object *value,
			const struct place *up)
{
	struct typed_atom atom = typed_atom(type, value);

	if (!value)
		return;
	if (atom.shape == TYPED_MAP) {
		if (json_object_is_type(value, json_type_object))
			check_members(check, type, value, up);
		else
			expected(check, up, "map", value);
	} else if (atom.shape == TYPED_LIST) {
		if (json_object_is_type(value, json_type_array))
			check_items(check, type, atom, value, up);
		else
			expected(check, up, "list", value);
	} else if (!atom.deduced) {
		check_scalar(check, type.field, value, up);
	}
}

int typed_validate(struct typed type, const struct json_object *value, struct err *err)
{
	struct check check = { 0 };

	check_value(&check, type, value, NULL);
	if (check.n)
		err_set(err, ERR_BAD_REQUEST, "%s%s", check.n > 1 ? "errors:\n  " : "", check.faults.data);
	field_arena_close(&check.arena);
	buf_close(&check.faults);
	return check.n ? -1 : 0;
}
