/* /openapi/v3: the schemas of the served kinds, generated from the schema tables: what kubectl needs for
 * apply (merge keys, and that the server validates fields itself) and explain.
 * https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/resource.h"
#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/respond.h"
#include "lib/map.h"

#define REF "#/components/schemas/io.k8s.api."

/* Definitions that a document needs, each once, in the order they were found. */
struct closure {
	struct map seen;
	const struct schema_def **defs;
	size_t n;
};

static void closure_add(struct closure *closure, const struct schema_def *def)
{
	if (!def || map_get(&closure->seen, def->name))
		return;
	map_put(&closure->seen, def->name, (void *)(uintptr_t)def);
	closure->defs = mem_realloc_array(closure->defs, closure->n + 1, sizeof(*closure->defs));
	closure->defs[closure->n++] = def;
}

static void closure_close(struct closure *closure)
{
	map_close(&closure->seen);
	free(closure->defs);
}

static const char *const type_texts[] = {
	[SCHEMA_STRING] = "\"type\":\"string\"",
	[SCHEMA_BYTES] = "\"type\":\"string\",\"format\":\"byte\"",
	[SCHEMA_BOOLEAN] = "\"type\":\"boolean\"",
	[SCHEMA_INT32] = "\"type\":\"integer\",\"format\":\"int32\"",
	[SCHEMA_INT64] = "\"type\":\"integer\",\"format\":\"int64\"",
	[SCHEMA_DOUBLE] = "\"type\":\"number\",\"format\":\"double\"",
	[SCHEMA_TIME] = "\"type\":\"string\",\"format\":\"date-time\"",
	[SCHEMA_MICRO_TIME] = "\"type\":\"string\",\"format\":\"date-time\"",
	[SCHEMA_QUANTITY] = "\"oneOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]",
	[SCHEMA_INT_OR_STRING] =
	    "\"format\":\"int-or-string\",\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]",
	[SCHEMA_ANY] = "\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true",
};

static void write_element(struct buf *b, const struct schema_field *field)
{
	if (field->type == SCHEMA_OBJECT && field->def)
		buf_printf(b, "\"allOf\":[{\"$ref\":\"" REF "%s\"}]", field->def->name);
	else
		buf_str(b, type_texts[field->type == SCHEMA_OBJECT ? SCHEMA_ANY : field->type]);
}

static void write_list_keys(struct buf *b, const struct schema_field *field)
{
	static const char *const lists[] = { NULL, "atomic", "set", "map" };
	if (field->list != SCHEMA_LIST_DEFAULT)
		buf_printf(b, ",\"x-kubernetes-list-type\":\"%s\"", lists[field->list]);
	if (!field->list_map_keys)
		return;
	CLEANUP(mem_freep) char *keys = mem_dup(field->list_map_keys);
	char *rest = keys;
	buf_str(b, ",\"x-kubernetes-list-map-keys\":");
	for (char *key, separator = '['; (key = strsep(&rest, ",")); separator = ',')
		buf_printf(b, "%c\"%s\"", separator, key);
	buf_char(b, ']');
}

static void write_field(struct buf *b, const struct schema_field *field)
{
	buf_printf(b, "\"%s\":{", field->name);
	switch (field->container) {
	case SCHEMA_SINGLE:
		write_element(b, field);
		break;
	case SCHEMA_ARRAY:
		buf_str(b, "\"type\":\"array\",\"items\":{");
		write_element(b, field);
		buf_char(b, '}');
		write_list_keys(b, field);
		break;
	case SCHEMA_MAP:
		buf_str(b, "\"type\":\"object\",\"additionalProperties\":{");
		write_element(b, field);
		buf_char(b, '}');
		break;
	case SCHEMA_MAP_OF_ARRAY:
		buf_str(b, "\"type\":\"object\",\"additionalProperties\":{\"type\":\"array\",\"items\":{");
		write_element(b, field);
		buf_str(b, "}}");
		break;
	}
	if (field->patch_merge || field->retain_keys)
		buf_printf(b, ",\"x-kubernetes-patch-strategy\":\"%s%s%s\"",
			   field->patch_merge ? "merge" : "",
			   field->patch_merge && field->retain_keys ? "," : "",
			   field->retain_keys ? "retainKeys" : "");
	if (field->merge_key)
		buf_printf(b, ",\"x-kubernetes-patch-merge-key\":\"%s\"", field->merge_key);
	if (field->map_atomic)
		buf_str(b, ",\"x-kubernetes-map-type\":\"atomic\"");
	if (field->default_value)
		buf_printf(b, ",\"default\":%s", field->default_value);
	buf_char(b, '}');
}

static void write_gvk(struct buf *b, const struct resource *resource)
{
	buf_printf(b, "{\"group\":\"%s\",\"kind\":\"%s\",\"version\":\"%s\"}", resource->group,
		   resource->kind_name, resource->version);
}

static const struct resource *resource_of_def(const struct schema_def *def)
{
	size_t n;
	const struct resource *resources = resource_all(&n);
	for (size_t i = 0; i < n; i++)
		if (resources[i].def == def)
			return &resources[i];
	return NULL;
}

static void write_def(struct buf *b, const struct schema_def *def, struct closure *closure)
{
	bool required = false;
	buf_printf(b, "\"io.k8s.api.%s\":{\"type\":\"object\",\"properties\":{", def->name);
	for (size_t i = 0; i < def->n_fields; i++) {
		if (i)
			buf_char(b, ',');
		write_field(b, &def->fields[i]);
		closure_add(closure, def->fields[i].def);
	}
	buf_char(b, '}');
	for (size_t i = 0; i < def->n_fields; i++) {
		if (!def->fields[i].required)
			continue;
		buf_printf(b, "%s\"%s\"", required ? "," : ",\"required\":[", def->fields[i].name);
		required = true;
	}
	if (required)
		buf_char(b, ']');
	const struct resource *resource = resource_of_def(def);
	if (resource) {
		buf_str(b, ",\"x-kubernetes-group-version-kind\":[");
		write_gvk(b, resource);
		buf_char(b, ']');
	}
	buf_char(b, '}');
}

static void write_operation(struct buf *b, const struct resource *resource, const char *method,
			    const char *action)
{
	buf_printf(
	    b,
	    "\"%s\":{\"x-kubernetes-action\":\"%s\",\"parameters\":["
	    "{\"name\":\"dryRun\",\"in\":\"query\",\"schema\":{\"type\":\"string\",\"uniqueItems\":true}},"
	    "{\"name\":\"fieldManager\",\"in\":\"query\",\"schema\":{\"type\":\"string\",\"uniqueItems\":"
	    "true}},"
	    "{\"name\":\"fieldValidation\",\"in\":\"query\",\"schema\":{\"type\":\"string\",\"uniqueItems\":"
	    "true}}],"
	    "\"responses\":{\"200\":{\"description\":\"OK\",\"content\":{\"application/"
	    "json\":{\"schema\":{\"$ref\":\"" REF "%s\"}}}}},\"x-kubernetes-group-version-kind\":",
	    method, action, resource->def->name);
	write_gvk(b, resource);
	buf_char(b, '}');
}

static void write_path(struct buf *b, const struct resource *resource)
{
	const char *root = *resource->group ? "apis" : "api";
	const char *scope = resource->namespaced ? "namespaces/{namespace}/" : "";
	buf_printf(b, "\"/%s/%s/%s%s\":{", root, resource->group_version, scope, resource->plural);
	write_operation(b, resource, "get", "list");
	buf_char(b, ',');
	write_operation(b, resource, "post", "post");
	buf_printf(b, "},\"/%s/%s/%s%s/{name}\":{", root, resource->group_version, scope, resource->plural);
	write_operation(b, resource, "get", "get");
	buf_char(b, ',');
	write_operation(b, resource, "put", "put");
	buf_char(b, ',');
	write_operation(b, resource, "patch", "patch");
	buf_char(b, '}');
}

static void write_document(struct buf *b, const char *group, const char *version)
{
	size_t n, written = 0;
	const struct resource *resources = resource_all(&n);
	struct closure closure = { 0 };
	buf_str(
	    b,
	    "{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"Kubernetes\",\"version\":\"v1.36\"},\"paths\":{");
	for (size_t i = 0; i < n; i++) {
		if (strcmp(resources[i].group, group) != 0 || strcmp(resources[i].version, version) != 0)
			continue;
		if (closure.n)
			buf_char(b, ',');
		write_path(b, &resources[i]);
		closure_add(&closure, resources[i].def);
	}
	buf_str(b, "},\"components\":{\"schemas\":{");
	for (; written < closure.n; written++) {
		if (written)
			buf_char(b, ',');
		write_def(b, closure.defs[written], &closure); /* may add more */
	}
	buf_str(b, "}}}");
	closure_close(&closure);
}

/* The hash in a document's address lets clients keep it for ever. */
static void write_index(struct buf *b)
{
	size_t n;
	const struct resource *resources = resource_all(&n);
	const struct resource *last = NULL;
	buf_str(b, "{\"paths\":{");
	for (size_t i = 0; i < n; i++) {
		const struct resource *resource = &resources[i];
		if (last && strcmp(last->group_version, resource->group_version) == 0)
			continue;
		CLEANUP(buf_close) struct buf document = BUF_INIT;
		write_document(&document, resource->group, resource->version);
		const char *root = *resource->group ? "apis" : "api";
		buf_printf(b, "%s\"%s/%s\":{\"serverRelativeURL\":\"/openapi/v3/%s/%s?hash=%016llX\"}",
			   last ? "," : "", root, resource->group_version, root, resource->group_version,
			   (unsigned long long)respond_hash(&document));
		last = resource;
	}
	buf_str(b, "}}");
}

static enum step_result openapi_answer(struct request *r)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	if (r->route.version)
		write_document(&body, r->route.group, r->route.version);
	else
		write_index(&body);
	return respond_tagged(r, "application/json", &body);
}

const struct request_step openapi_steps[] = { { "answer", openapi_answer }, { NULL, NULL } };
