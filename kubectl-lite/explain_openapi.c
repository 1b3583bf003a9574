/* explain for types that are not linked in, from the server's OpenAPI document of their group and version.
 * https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3
 */
#include <stdio.h>
#include <string.h>

#include "kubectl-lite/describe_text.h"
#include "kubectl-lite/explain_text.h"
#include "kubectl-lite/session.h"

enum { MAX_DEEP = 64 };

#define GVK "x-kubernetes-group-version-kind"

const struct json_object *explain_openapi_schema(const struct json_object *document,
						 const struct resource *resource)
{
	struct json_object *schemas = json_path(document, "components", "schemas", NULL);

	if (!json_object_is_type(schemas, json_type_object))
		return NULL;
	json_object_object_foreach(schemas, name, schema)
	{
		const struct json_object *kinds = json_get(schema, GVK);
		(void)name;
		for (size_t i = 0; i < json_len(kinds); i++) {
			const struct json_object *kind = json_at(kinds, i);
			if (strcmp(json_str_or_empty(kind, "kind"), resource->kind_name) == 0 &&
			    strcmp(json_str_or_empty(kind, "group"), resource->group) == 0 &&
			    strcmp(json_str_or_empty(kind, "version"), resource->version) == 0)
				return schema;
		}
	}
	return NULL;
}

/* What SCHEMA refers to, by itself or as the only one of allOf; NULL when it stands for itself. */
static const char *reference(const struct json_object *schema)
{
	const struct json_object *all = json_get(schema, "allOf");
	const char *ref = json_str(schema, "$ref");

	if (!ref && json_len(all) == 1 && !json_get(schema, "properties"))
		ref = json_str(json_at(all, 0), "$ref");
	return ref;
}

static void write_type(const struct json_object *document, const struct json_object *schema, struct buf *type,
		       const struct json_object **ret_inner)
{
	*ret_inner = NULL;
	for (unsigned deep = 0; schema && deep < MAX_DEEP; deep++) {
		const char *ref = reference(schema), *name = ref ? strrchr(ref, '/') : NULL;
		const struct json_object *items = json_get(schema, "items"),
					 *more = json_get(schema, "additionalProperties");
		*ret_inner = schema;
		if (name) {
			const struct json_object *to =
			    json_path(document, "components", "schemas", name + 1, NULL);
			const char *plain = json_str(to, "type"), *last = strrchr(name, '.');
			*ret_inner = to;
			/* Times are strings; all that has fields is told by its name. */
			buf_str(type, plain && strcmp(plain, "object") != 0 ? plain
				      : last                                ? last + 1
									    : name + 1);
			return;
		}
		if (json_object_is_type(items, json_type_object)) {
			buf_str(type, "[]");
			schema = items;
		} else if (json_object_is_type(more, json_type_object)) {
			buf_str(type, "map[string]");
			schema = more;
		} else {
			const char *plain = json_str(schema, "type");
			buf_str(type, plain && strcmp(plain, "object") != 0 ? plain : "Object");
			return;
		}
	}
}

void explain_openapi_type(const struct json_object *document, const struct json_object *schema,
			  struct buf *type, const struct json_object **ret_inner)
{
	buf_char(type, '<');
	write_type(document, schema, type, ret_inner);
	buf_char(type, '>');
}

/* "a|b" of enum, or NULL. */
static char *values_of(const struct json_object *schema)
{
	const struct json_object *values = json_get(schema, "enum");
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < json_len(values); i++)
		buf_printf(&b, "%s%s", i ? "|" : "", json_object_get_string(json_at(values, i)));
	return b.len ? buf_take(&b) : NULL;
}

static bool is_required(const struct json_object *holder, const char *name)
{
	const struct json_object *required = json_get(holder, "required");

	for (size_t i = 0; i < json_len(required); i++)
		if (strcmp(json_object_get_string(json_at(required, i)), name) == 0)
			return true;
	return false;
}

static bool print_description(const struct json_object *schema)
{
	const char *text = json_str(schema, "description");

	if (text && *text)
		explain_paragraph(text, strlen(text));
	return text && *text;
}

struct listing {
	const struct json_object *document, *holder;
	const struct json_object *
	    *above; /* schemas that this one lies in: one that holds itself is shown once */
	unsigned depth;
	bool recursive;
};

static void print_field(const char *name, struct json_object *schema, void *arg);

static void print_fields(struct listing *l)
{
	for (unsigned i = 0; i + 1 < l->depth; i++)
		if (l->above[i] == l->holder)
			return;
	l->above[l->depth - 1] = l->holder;
	describe_sorted(json_get(l->holder, "properties"), print_field, l);
}

static void print_field(const char *name, struct json_object *schema, void *arg)
{
	struct listing *l = arg;
	CLEANUP(buf_close) struct buf type = BUF_INIT;
	CLEANUP(mem_freep) char *values = values_of(schema);
	const struct json_object *inner;

	explain_openapi_type(l->document, schema, &type, &inner);
	explain_name(name, type.data, is_required(l->holder, name), values, l->depth);
	if (l->recursive) {
		struct listing below = { l->document, inner, l->above, l->depth + 1, true };
		if (below.depth < MAX_DEEP && json_get(inner, "properties"))
			print_fields(&below);
		return;
	}
	if (!print_description(schema))
		puts("    <no description>");
	putchar('\n');
}

static void offer(const char *name, struct json_object *schema, void *arg)
{
	(void)schema;
	suggest_offer(arg, name);
}

/* *ret_name is where the last of ALL begins, *ret_field its schema, or NULL; *ret_holder of what it holds or,
 * without fields, the kind's. Returns the exit code. */
static int find_field(const struct json_object *document, const char *all, const char **ret_name,
		      const struct json_object **ret_field, const struct json_object **ret_holder)
{
	CLEANUP(mem_freep) char *copy = mem_dup(all);
	char *fields = copy;

	for (char *name; (name = strsep(&fields, "."));) {
		CLEANUP(buf_close) struct buf type = BUF_INIT;
		const struct json_object *field = json_path(*ret_holder, "properties", name, NULL);
		if (!*name && !fields)
			break; /* "spec." */
		if (!field) {
			struct suggestion s = suggest_for(name);
			describe_sorted(json_get(*ret_holder, "properties"), offer, &s);
			return explain_no_field(all, &s);
		}
		*ret_name = all + (name - copy);
		*ret_field = field;
		explain_openapi_type(document, field, &type, ret_holder);
	}
	return 0;
}

static int explain(const struct json_object *document, const struct json_object *schema, const char *fields,
		   bool recursive)
{
	const struct json_object *above[MAX_DEEP], *field = NULL;
	CLEANUP(buf_close) struct buf type = BUF_INIT;
	const char *name = "";

	if (find_field(document, fields, &name, &field, &schema))
		return 1;
	if (field) {
		CLEANUP(mem_freep)
		char *values = values_of(field), *shown = mem_dupn(name, strcspn(name, "."));
		explain_openapi_type(document, field, &type, &schema);
		explain_field(shown, type.data, values);
	}
	puts("DESCRIPTION:");
	bool any = field && print_description(field);
	if (schema != field)
		any |= print_description(schema);
	puts(any ? "    " : "    <empty>");
	if (json_get(schema, "properties")) {
		struct listing l = { document, schema, above, 1, recursive };
		puts("FIELDS:");
		print_fields(&l);
	}
	putchar('\n');
	return 0;
}

int explain_openapi(const struct resource *resource, const char *fields, bool recursive)
{
	CLEANUP(mem_freep)
	char *path = mem_printf("/openapi/v3/apis/%s", resource->group_version);
	CLEANUP(json_putp) struct json_object *document = NULL;
	struct err err = ERR_INIT;

	if (session_get(path, &document, &err) < 0)
		return session_failed(&err);
	const struct json_object *schema = explain_openapi_schema(document, resource);
	if (!schema)
		return command_error("the server publishes no schema of %s", resource->qualified);
	explain_kind(resource);
	return explain(document, schema, fields, recursive);
}
