#include "apiserver/openapi_schema.h"

#include <stdlib.h>
#include <string.h>

#include "api/description.h"
#include "apiserver/openapi_custom.h"
#include "lib/mem.h"

/* --- names --- */

/* Go packages that are not k8s.io/api's. */
static const struct {
	const char *prefix, *package;
} packages[] = {
	{ "meta.", "io.k8s.apimachinery.pkg.apis.meta." },
	{ "resource.Quantity", "io.k8s.apimachinery.pkg.api.resource.Quantity" },
	{ "util.", "io.k8s.apimachinery.pkg.util." },
	{ "runtime.", "io.k8s.apimachinery.pkg.runtime." },
	{ "version.", "io.k8s.apimachinery.pkg.version." },
	{ "apiextensions.", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions." },
	{ "apiregistration.", "io.k8s.kube-aggregator.pkg.apis.apiregistration." },
	{ "", "io.k8s.api." },
};

void openapi_write_name(struct buf *b, const struct schema_def *def)
{
	size_t i = 0;
	while (strncmp(def->name, packages[i].prefix, strlen(packages[i].prefix)) != 0)
		i++;
	buf_str(b, packages[i].package);
	buf_str(b, def->name + strlen(packages[i].prefix));
}

static void begin_ref(struct buf *b, enum openapi_version version)
{
	buf_str(b,
		version == OPENAPI_V2 ? "{\"$ref\":\"#/definitions/" : "{\"$ref\":\"#/components/schemas/");
}

void openapi_write_ref(struct buf *b, enum openapi_version version, const struct schema_def *def)
{
	begin_ref(b, version);
	openapi_write_name(b, def);
	buf_str(b, "\"}");
}

struct openapi_body openapi_object_body(const struct resource *resource)
{
	bool custom = resource->custom != NULL;
	return (struct openapi_body){ custom ? NULL : resource->def, custom ? resource : NULL, false };
}

struct openapi_body openapi_list_body(const struct resource *resource)
{
	if (resource->custom)
		return (struct openapi_body){ NULL, resource, true };
	CLEANUP(mem_freep) char *name = mem_printf("%sList", resource->def->name);
	return (struct openapi_body){ schema_def_find(name), NULL, false };
}

/* The group's words stand the other way round, as in the packages of the API's own types. */
void openapi_write_custom_name(struct buf *b, const struct resource *resource, bool is_list)
{
	const char *group = resource->group, *end = group + strlen(group);
	while (end > group) {
		const char *dot = memrchr(group, '.', (size_t)(end - group)), *word = dot ? dot + 1 : group;
		buf_add(b, word, (size_t)(end - word));
		buf_char(b, '.');
		end = dot ? dot : group;
	}
	buf_printf(b, "%s.%s", resource->version, is_list ? resource->list_kind : resource->kind_name);
}

void openapi_write_body(struct buf *b, enum openapi_version version, const struct openapi_body *body)
{
	if (body->def) {
		openapi_write_ref(b, version, body->def);
	} else if (body->custom) {
		begin_ref(b, version);
		openapi_write_custom_name(b, body->custom, body->is_list);
		buf_str(b, "\"}");
	} else {
		buf_str(b, "{\"type\":\"string\"}");
	}
}

void openapi_write_gvk(struct buf *b, const char *group, const char *version, const char *kind)
{
	buf_printf(b, "{\"group\":\"%s\",\"kind\":\"%s\",\"version\":\"%s\"}", group, kind, version);
}

/* --- types --- */

/* Types that have a schema of their own, and those that are written where they are used. V2 NULL: as V3. */
static const struct scalar {
	const char *name, *v3, *v2, *description;
} scalars[SCHEMA_ANY + 1] = {
	[SCHEMA_STRING] = { NULL, "\"type\":\"string\"", NULL, NULL },
	[SCHEMA_BYTES] = { NULL, "\"type\":\"string\",\"format\":\"byte\"", NULL, NULL },
	[SCHEMA_BOOLEAN] = { NULL, "\"type\":\"boolean\"", NULL, NULL },
	[SCHEMA_INT32] = { NULL, "\"type\":\"integer\",\"format\":\"int32\"", NULL, NULL },
	[SCHEMA_INT64] = { NULL, "\"type\":\"integer\",\"format\":\"int64\"", NULL, NULL },
	[SCHEMA_DOUBLE] = { NULL, "\"type\":\"number\",\"format\":\"double\"", NULL, NULL },
	[SCHEMA_TIME] = { "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
			  "\"type\":\"string\",\"format\":\"date-time\"", NULL,
			  "A time to the second, as RFC 3339 writes it." },
	[SCHEMA_MICRO_TIME] = { "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
				"\"type\":\"string\",\"format\":\"date-time\"", NULL,
				"A time to the microsecond, as RFC 3339 writes it." },
	[SCHEMA_QUANTITY] = { "io.k8s.apimachinery.pkg.api.resource.Quantity",
			      "\"oneOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]",
			      "\"type\":\"string\"",
			      "An amount with a suffix: m for thousandths, k, M, G ... for powers of 1000, "
			      "Ki, Mi, Gi ... for "
			      "powers of 1024. 100m of cpu is a tenth of a core." },
	[SCHEMA_INT_OR_STRING] = { "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
				   "\"format\":\"int-or-string\",\"oneOf\":[{\"type\":\"integer\"},{\"type\":"
				   "\"string\"}]",
				   "\"type\":\"string\",\"format\":\"int-or-string\"",
				   "A number, or a name or percentage." },
	[SCHEMA_ANY] = { NULL, "\"x-kubernetes-preserve-unknown-fields\":true", NULL, NULL },
};

static void write_scalar(struct buf *b, enum openapi_version version, const struct scalar *scalar)
{
	buf_str(b, version == OPENAPI_V2 && scalar->v2 ? scalar->v2 : scalar->v3);
}

static void write_description(struct buf *b, const struct schema_def *def, const char *field)
{
	size_t len;
	const char *text = description_find(def, field, &len);
	if (!text)
		return;
	buf_str(b, "\"description\":");
	buf_json_stringn(b, text, len);
	buf_char(b, ',');
}

static void write_values(struct buf *b, const struct schema_def *def, const char *field)
{
	size_t len;
	const char *values = description_values(def, field, &len);
	if (!values)
		return;
	CLEANUP(mem_freep) char *copy = mem_dupn(values, len);
	char *rest = copy;
	buf_str(b, ",\"enum\":");
	for (char *value, separator = '['; (value = strsep(&rest, "|")); separator = ',') {
		buf_char(b, separator);
		buf_json_string(b, value);
	}
	buf_char(b, ']');
}

/* The members of an element's schema. IS_FIELD: others stand beside it, which version 3 does not allow a
 * reference to have. */
static void write_element(struct buf *b, enum openapi_version version, const struct schema_def *def,
			  const struct schema_field *field, bool is_field)
{
	const struct scalar *scalar = &scalars[field->type];
	if (!field->def && !scalar->name) {
		write_scalar(b, version, scalar);
		if (field->type == SCHEMA_STRING)
			write_values(b, def, field->name);
		return;
	}
	CLEANUP(buf_close) struct buf ref = BUF_INIT;
	if (field->def) {
		openapi_write_ref(&ref, version, field->def);
	} else {
		begin_ref(&ref, version);
		buf_printf(&ref, "%s\"}", scalar->name);
	}
	if (is_field && version == OPENAPI_V3)
		buf_printf(b, "\"allOf\":[%s]", ref.data);
	else
		buf_add(b, ref.data + 1, ref.len - 2);
}

static void write_type(struct buf *b, enum openapi_version version, const struct schema_def *def,
		       const struct schema_field *field)
{
	static const char *const open[] = {
		[SCHEMA_SINGLE] = "",
		[SCHEMA_ARRAY] = "\"type\":\"array\",\"items\":{",
		[SCHEMA_MAP] = "\"type\":\"object\",\"additionalProperties\":{",
		[SCHEMA_MAP_OF_ARRAY] =
		    "\"type\":\"object\",\"additionalProperties\":{\"type\":\"array\",\"items\":{",
	};
	static const char *const close[] = {
		[SCHEMA_SINGLE] = "", [SCHEMA_ARRAY] = "}", [SCHEMA_MAP] = "}", [SCHEMA_MAP_OF_ARRAY] = "}}"
	};
	buf_str(b, open[field->container]);
	write_element(b, version, def, field, field->container == SCHEMA_SINGLE);
	buf_str(b, close[field->container]);
}

/* --- extensions: what merging and applying need --- */

static void write_list_keys(struct buf *b, const struct schema_field *field)
{
	static const char *const lists[] = { NULL, "atomic", "set", "map" };
	if (field->list != SCHEMA_LIST_DEFAULT)
		buf_printf(b, ",\"x-kubernetes-list-type\":\"%s\"", lists[field->list]);
	if (!schema_texts(field)->list_map_keys)
		return;
	CLEANUP(mem_freep) char *keys = mem_dup(schema_texts(field)->list_map_keys);
	char *rest = keys;
	buf_str(b, ",\"x-kubernetes-list-map-keys\":");
	for (char *key, separator = '['; (key = strsep(&rest, ",")); separator = ',')
		buf_printf(b, "%c\"%s\"", separator, key);
	buf_char(b, ']');
}

static void write_extensions(struct buf *b, const struct schema_field *field)
{
	write_list_keys(b, field);
	if (field->patch_merge || field->retain_keys)
		buf_printf(b, ",\"x-kubernetes-patch-strategy\":\"%s%s%s\"",
			   field->patch_merge ? "merge" : "",
			   field->patch_merge && field->retain_keys ? "," : "",
			   field->retain_keys ? "retainKeys" : "");
	if (schema_texts(field)->merge_key)
		buf_printf(b, ",\"x-kubernetes-patch-merge-key\":\"%s\"", schema_texts(field)->merge_key);
	if (field->map_atomic)
		buf_str(b, ",\"x-kubernetes-map-type\":\"atomic\"");
	if (schema_texts(field)->default_value)
		buf_printf(b, ",\"default\":%s", schema_texts(field)->default_value);
}

/* --- schemas --- */

static void write_required(struct buf *b, const struct schema_def *def)
{
	bool any = false;
	for (size_t i = 0; i < def->n_fields; i++) {
		if (!schema_fields(def)[i].required)
			continue;
		buf_printf(b, "%s\"%s\"", any ? "," : ",\"required\":[", schema_fields(def)[i].name);
		any = true;
	}
	if (any)
		buf_char(b, ']');
}

static void write_kinds(struct buf *b, const struct schema_def *def, const struct openapi_kind *kinds,
			size_t n_kinds)
{
	bool any = false;
	for (size_t i = 0; i < n_kinds; i++) {
		if (kinds[i].def != def)
			continue;
		buf_str(b, any ? "," : ",\"x-kubernetes-group-version-kind\":[");
		openapi_write_gvk(b, kinds[i].group, kinds[i].version, kinds[i].kind);
		any = true;
	}
	if (any)
		buf_char(b, ']');
}

static void write_schema(struct buf *b, enum openapi_version version, const struct schema_def *def)
{
	buf_char(b, '{');
	write_description(b, def, "");
	buf_str(b, "\"type\":\"object\"");
	write_required(b, def);
	for (size_t i = 0; i < def->n_fields; i++) {
		const struct schema_field *field = &schema_fields(def)[i];
		buf_printf(b, "%s\"%s\":{", i ? "," : ",\"properties\":{", field->name);
		write_description(b, def, field->name);
		write_type(b, version, def, field);
		write_extensions(b, field);
		buf_char(b, '}');
	}
	if (def->n_fields)
		buf_char(b, '}');
}

void openapi_each_schema(const struct openapi_closure *closure, enum openapi_version version,
			 const struct openapi_kind *kinds, size_t n_kinds,
			 void (*fn)(const char *name, const struct buf *json, void *arg), void *arg)
{
	CLEANUP(buf_close) struct buf name = BUF_INIT;
	CLEANUP(buf_close) struct buf json = BUF_INIT;
	for (size_t i = 0; i < schema_n_defs; i++) {
		if (!closure->defs[i])
			continue;
		buf_reset(&name);
		buf_reset(&json);
		openapi_write_name(&name, &schema_defs[i]);
		write_schema(&json, version, &schema_defs[i]);
		write_kinds(&json, &schema_defs[i], kinds, n_kinds);
		buf_char(&json, '}');
		fn(name.data, &json, arg);
	}
	for (size_t i = 0; i < closure->n_customs; i++)
		openapi_each_custom(closure->customs[i], version, fn, arg);
	for (size_t i = 0; i < ARRAY_SIZE(scalars); i++) {
		if (!closure->scalars[i])
			continue;
		buf_reset(&json);
		buf_str(&json, "{\"description\":");
		buf_json_string(&json, scalars[i].description);
		buf_char(&json, ',');
		write_scalar(&json, version, &scalars[i]);
		buf_char(&json, '}');
		fn(scalars[i].name, &json, arg);
	}
}

/* --- closure --- */

void openapi_closure_init(struct openapi_closure *closure)
{
	*closure = (struct openapi_closure){ .defs = mem_zalloc(schema_n_defs * sizeof(bool)) };
}

void openapi_closure_close(struct openapi_closure *closure)
{
	free(closure->defs);
	free(closure->customs);
	*closure = (struct openapi_closure){ 0 };
}

/* As deep as the API's types lie in each other. */
void openapi_closure_add(struct openapi_closure *closure, const struct schema_def *def)
{
	if (!def || closure->defs[def - schema_defs])
		return;
	closure->defs[def - schema_defs] = true;
	for (size_t i = 0; i < def->n_fields; i++) {
		const struct schema_field *field = &schema_fields(def)[i];
		openapi_closure_add(closure, field->def);
		if (!field->def && scalars[field->type].name)
			closure->scalars[field->type] = true;
	}
}

void openapi_closure_add_custom(struct openapi_closure *closure, const struct resource *resource)
{
	closure->customs =
	    mem_realloc_array(closure->customs, closure->n_customs + 1, sizeof(*closure->customs));
	closure->customs[closure->n_customs++] = resource;
}
