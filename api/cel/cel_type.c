#include "api/cel/cel_type.h"

#include <stdio.h>
#include <string.h>

#include "api/cel/cel_name.h"
#include "lib/mem.h"

static const char *const names[] = {
	[CEL_TYPE_DYN] = "dyn",
	[CEL_TYPE_UNKNOWN] = "!error!",
	[CEL_TYPE_NULL] = "null",
	[CEL_TYPE_BOOL] = "bool",
	[CEL_TYPE_INT] = "int",
	[CEL_TYPE_UINT] = "uint",
	[CEL_TYPE_DOUBLE] = "double",
	[CEL_TYPE_STRING] = "string",
	[CEL_TYPE_BYTES] = "bytes",
	[CEL_TYPE_DURATION] = "duration",
	[CEL_TYPE_TIMESTAMP] = "timestamp",
	[CEL_TYPE_QUANTITY] = "kubernetes.Quantity",
	[CEL_TYPE_URL] = "kubernetes.URL",
	[CEL_TYPE_IP] = "net.IP",
	[CEL_TYPE_CIDR] = "net.CIDR",
	[CEL_TYPE_SEMVER] = "kubernetes.Semver",
	[CEL_TYPE_FORMAT] = "kubernetes.NamedFormat",
	[CEL_TYPE_TYPE] = "type",
	[CEL_TYPE_LIST] = "list",
	[CEL_TYPE_MAP] = "map",
	[CEL_TYPE_OPTIONAL] = "optional_type",
	[CEL_TYPE_OBJECT] = "object",
	[CEL_TYPE_PARAM] = "A",
};

const struct cel_type *cel_type(enum cel_type_kind kind)
{
#define PLAIN(kind_) [kind_] = {.kind = (kind_) }
	static const struct cel_type plain[] = {
		PLAIN(CEL_TYPE_DYN),      PLAIN(CEL_TYPE_UNKNOWN),   PLAIN(CEL_TYPE_NULL),
		PLAIN(CEL_TYPE_BOOL),     PLAIN(CEL_TYPE_INT),       PLAIN(CEL_TYPE_UINT),
		PLAIN(CEL_TYPE_DOUBLE),   PLAIN(CEL_TYPE_STRING),    PLAIN(CEL_TYPE_BYTES),
		PLAIN(CEL_TYPE_DURATION), PLAIN(CEL_TYPE_TIMESTAMP), PLAIN(CEL_TYPE_QUANTITY),
		PLAIN(CEL_TYPE_URL),      PLAIN(CEL_TYPE_IP),        PLAIN(CEL_TYPE_CIDR),
		PLAIN(CEL_TYPE_SEMVER),   PLAIN(CEL_TYPE_FORMAT),
	};
#undef PLAIN
	return &plain[kind];
}

const struct cel_type *cel_type_of(struct cel_arena *arena, enum cel_type_kind kind, const struct cel_type *a,
				   const struct cel_type *b)
{
	struct cel_type *type = cel_alloc(arena, sizeof(*type));

	type->kind = kind;
	type->a = a;
	type->b = b;
	return type;
}

/* --- of schemas --- */

static const struct structural string_schema = { .type = STRUCTURAL_STRING };

static struct structural_property names_of_metadata[] = {
	{ (char *)(uintptr_t) "generateName", (struct structural *)(uintptr_t)&string_schema },
	{ (char *)(uintptr_t) "name", (struct structural *)(uintptr_t)&string_schema },
};

static const struct structural metadata_schema = { .type = STRUCTURAL_OBJECT,
						   .properties = names_of_metadata,
						   .n_properties = ARRAY_SIZE(names_of_metadata) };

const struct structural *cel_property(const struct structural *schema, bool root, const char *key)
{
	if (root || schema->embedded) {
		if (!strcmp(key, "apiVersion") || !strcmp(key, "kind"))
			return &string_schema;
		if (!strcmp(key, "metadata"))
			return &metadata_schema;
	}
	return structural_property(schema, key);
}

static enum cel_type_kind kind_of_string(const struct structural *schema)
{
	static const struct {
		const char *format;
		enum cel_type_kind kind;
	} rows[] = { { "byte", CEL_TYPE_BYTES },
		     { "duration", CEL_TYPE_DURATION },
		     { "date", CEL_TYPE_TIMESTAMP },
		     { "date-time", CEL_TYPE_TIMESTAMP } };
	const char *format = schema->rules && schema->rules->format ? schema->rules->format : "";

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].format, format) == 0)
			return rows[i].kind;
	return CEL_TYPE_STRING;
}

static const char *below(struct cel_arena *arena, const char *name, const char *part)
{
	size_t size = strlen(name) + strlen(part) + 2;
	char *text = cel_alloc(arena, size);

	snprintf(text, size, "%s.%s", name, part);
	return text;
}

static const struct cel_type *of_object(struct cel_arena *arena, const struct structural *schema, bool root,
					const char *name)
{
	struct cel_type *type;

	if (schema->additional) {
		const struct cel_type *value =
		    cel_type_of_schema(arena, schema->additional, false, below(arena, name, "@elem"));

		return value ? cel_type_of(arena, CEL_TYPE_MAP, cel_type(CEL_TYPE_STRING), value) : NULL;
	}
	type = cel_alloc(arena, sizeof(*type));
	type->kind = CEL_TYPE_OBJECT;
	type->schema = schema;
	type->root = root;
	type->name = name;
	return type;
}

const struct cel_type *cel_type_of_schema(struct cel_arena *arena, const struct structural *schema, bool root,
					  const char *name)
{
	const struct cel_type *items;

	if (schema->int_or_string)
		return cel_type(CEL_TYPE_DYN);
	switch (schema->type) {
	case STRUCTURAL_ANY:
		return NULL;
	case STRUCTURAL_OBJECT:
		return of_object(arena, schema, root, name);
	case STRUCTURAL_ARRAY:
		items = schema->items
			    ? cel_type_of_schema(arena, schema->items, false, below(arena, name, "@idx"))
			    : NULL;
		return items ? cel_type_of(arena, CEL_TYPE_LIST, items, NULL) : NULL;
	case STRUCTURAL_STRING:
		return cel_type(kind_of_string(schema));
	case STRUCTURAL_INTEGER:
		return cel_type(CEL_TYPE_INT);
	case STRUCTURAL_NUMBER:
		return cel_type(CEL_TYPE_DOUBLE);
	case STRUCTURAL_BOOLEAN:
		return cel_type(CEL_TYPE_BOOL);
	}
	return NULL;
}

const struct cel_type *cel_type_field(struct cel_arena *arena, const struct cel_type *object,
				      const char *name, const char *key)
{
	const struct structural *schema = cel_property(object->schema, object->root, key);

	if (!schema || (cel_name_needs_escape(key) && strcmp(name, key) == 0))
		return NULL;
	return cel_type_of_schema(arena, schema, false, below(arena, object->name, name));
}

/* --- comparing --- */

bool cel_type_is_dyn(const struct cel_type *type)
{
	return type->kind == CEL_TYPE_DYN || type->kind == CEL_TYPE_UNKNOWN;
}

static bool parts(const struct cel_type *a, const struct cel_type *b,
		  bool (*compare)(const struct cel_type *, const struct cel_type *))
{
	return (!a->a || !b->a || compare(a->a, b->a)) && (!a->b || !b->b || compare(a->b, b->b));
}

bool cel_type_same(const struct cel_type *a, const struct cel_type *b)
{
	if (a == b)
		return true;
	if (a->kind != b->kind)
		return false;
	if (a->kind == CEL_TYPE_OBJECT)
		return a->schema == b->schema && a->root == b->root;
	return parts(a, b, cel_type_same);
}

static bool takes_null(const struct cel_type *type)
{
	return type->kind == CEL_TYPE_OBJECT || type->kind == CEL_TYPE_DURATION ||
	       type->kind == CEL_TYPE_TIMESTAMP;
}

bool cel_type_fits(const struct cel_type *to, const struct cel_type *from)
{
	if (cel_type_is_dyn(to) || cel_type_is_dyn(from))
		return true;
	if ((from->kind == CEL_TYPE_NULL && takes_null(to)) ||
	    (to->kind == CEL_TYPE_NULL && takes_null(from)))
		return true;
	if (to->kind != from->kind)
		return false;
	if (to->kind == CEL_TYPE_OBJECT)
		return cel_type_same(to, from);
	return to->kind == CEL_TYPE_TYPE || parts(to, from, cel_type_fits);
}

static bool has_dyn(const struct cel_type *type)
{
	return cel_type_is_dyn(type) || (type->a && has_dyn(type->a)) || (type->b && has_dyn(type->b));
}

const struct cel_type *cel_type_join(const struct cel_type *a, const struct cel_type *b)
{
	if (a->kind == CEL_TYPE_NULL)
		return b;
	return has_dyn(b) && !has_dyn(a) ? b : a;
}

void cel_type_write(struct buf *b, const struct cel_type *type)
{
	buf_str(b, type->kind == CEL_TYPE_OBJECT ? type->name : names[type->kind]);
	if (!type->a)
		return;
	buf_char(b, '(');
	cel_type_write(b, type->a);
	if (type->b) {
		buf_str(b, ", ");
		cel_type_write(b, type->b);
	}
	buf_char(b, ')');
}
