#include "apiserver/openapi_document.h"

#include <stdlib.h>
#include <string.h>

#include "apiserver/openapi_paths.h"
#include "apiserver/openapi_schema.h"
#include "apiserver/openapi_wire.h"
#include "lib/mem.h"

#define INFO "\"info\":{\"title\":\"Kubernetes\",\"version\":\"v1.36\"}"

/* Pages that are read, and are no resources. */
static const struct page {
	const char *root, *path, *operation, *tag, *def; /* def NULL: text */
} pages[] = {
	{ "api", "/api/", "getCoreAPIVersions", "core", "meta.v1.APIVersions" },
	{ "apis", "/apis/", "getAPIVersions", "apis", "meta.v1.APIGroupList" },
	{ "version", "/version/", "getCodeVersion", "version", "version.Info" },
	{ ".well-known", "/.well-known/openid-configuration", "getServiceAccountIssuerOpenIDConfiguration",
	  "WellKnown", NULL },
	{ "openid", "/openid/v1/jwks", "getServiceAccountIssuerOpenIDKeyset", "openid", NULL },
};

/* --- which documents there are --- */

void openapi_each_page(const struct catalogue *catalogue,
		       void (*fn)(const struct openapi_page *page, void *arg), void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		fn(&(struct openapi_page){ pages[i].root, "", "" }, arg);
	for (size_t i = 0; i < catalogue->n; i++) {
		const struct resource *resource = catalogue->rows[i];
		const char *root = *resource->group ? "apis" : "api";
		if (*resource->group && catalogue_begins_group(catalogue, i))
			fn(&(struct openapi_page){ root, resource->group, "" }, arg);
		if (catalogue_begins_version(catalogue, i))
			fn(&(struct openapi_page){ root, resource->group, resource->version }, arg);
	}
}

void openapi_write_page_path(struct buf *b, const struct openapi_page *page)
{
	buf_str(b, page->root);
	if (strcmp(page->root, ".well-known") == 0)
		buf_str(b, "/openid-configuration");
	if (strcmp(page->root, "openid") == 0)
		buf_str(b, "/v1/jwks");
	if (*page->group)
		buf_printf(b, "/%s", page->group);
	if (*page->version)
		buf_printf(b, "/%s", page->version);
}

/* --- what they hold --- */

/* What a document is put together from; its pieces go one by one to a writer of JSON or of protobuf. */
struct document {
	struct buf *b;
	enum openapi_version version;
	bool any; /* of the map that is being written */
	struct openapi_closure closure;
	struct openapi_kind *kinds;
	size_t n_kinds;
};

static void add_kind(struct document *document, const struct schema_def *def, const char *group,
		     const char *version, const char *kind)
{
	if (!def)
		return;
	document->kinds = mem_realloc_array(document->kinds, document->n_kinds + 1, sizeof(*document->kinds));
	document->kinds[document->n_kinds++] = (struct openapi_kind){ def, group, version, kind };
}

/* Kinds of all resources, and of what every group answers: these are the same in each document. */
static void add_kinds(struct document *document, const struct catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->n; i++) {
		const struct resource *resource = catalogue->rows[i];
		CLEANUP(mem_freep) char *list = mem_printf("%sList", resource->def->name);
		add_kind(document, resource->def, resource->group, resource->version, resource->kind_name);
		add_kind(document, schema_def_find(list), resource->group, resource->version,
			 resource->list_kind);
		if (catalogue_begins_version(catalogue, i))
			add_kind(document, schema_def_find("meta.v1.DeleteOptions"), resource->group,
				 resource->version, "DeleteOptions");
	}
	add_kind(document, schema_def_find("meta.v1.Status"), "", "v1", "Status");
	add_kind(document, schema_def_find("autoscaling.v1.Scale"), "autoscaling", "v1", "Scale");
	add_kind(document, schema_def_find("policy.v1.Eviction"), "policy", "v1", "Eviction");
}

static void document_begin(struct document *document, struct buf *b, enum openapi_version version,
			   const struct catalogue *catalogue)
{
	*document = (struct document){ .b = b, .version = version };
	openapi_closure_init(&document->closure);
	add_kinds(document, catalogue);
}

static void document_close(struct document *document)
{
	openapi_closure_close(&document->closure);
	free(document->kinds);
}

static void put_member(const char *name, const struct buf *json, void *arg)
{
	struct document *document = arg;
	buf_printf(document->b, "%s\"%s\":", document->any ? "," : "", name);
	buf_add(document->b, json->data, json->len);
	document->any = true;
}

/* GET of a page whose body is DEF, as a path of its own. */
static void put_page(struct document *document, const char *path, const char *operation, const char *tag,
		     const char *def, void (*put)(const char *, const struct buf *, void *))
{
	CLEANUP(buf_close) struct buf json = BUF_INIT;
	const struct schema_def *body = def ? schema_def_find(def) : NULL;
	openapi_closure_add(&document->closure, body);
	openapi_write_page(&json, document->version, operation, tag, body);
	put(path, &json, document);
}

static void put_group_page(struct document *document, const char *group, const char *version,
			   void (*put)(const char *, const struct buf *, void *))
{
	const char *root = *group ? "/apis/" : "/api";
	CLEANUP(mem_freep)
	char *path = mem_printf("%s%s%s%s/", root, group, *version ? "/" : "", version);
	CLEANUP(mem_freep)
	char *tag = mem_printf("%s%s%s", *group ? group : "core", *version ? "_" : "", version);
	CLEANUP(mem_freep)
	char *operation = mem_printf("%s_%s", *version ? "getAPIResources" : "getAPIGroup", tag);
	for (char *c = operation; *c; c++)
		if (*c == '.' || *c == '-')
			*c = '_';
	put_page(document, path, operation, tag, *version ? "meta.v1.APIResourceList" : "meta.v1.APIGroup",
		 put);
}

static void put_version(struct document *document, const struct catalogue *catalogue, size_t from,
			void (*put)(const char *, const struct buf *, void *))
{
	const struct resource *first = catalogue->rows[from];
	put_group_page(document, first->group, first->version, put);
	for (size_t i = from; i < catalogue->n && (i == from || !catalogue_begins_version(catalogue, i));
	     i++) {
		openapi_each_path(catalogue->rows[i], document->version, put, document);
		openapi_add_bodies(&document->closure, catalogue->rows[i]);
	}
}

/* --- version 3 --- */

static bool put_v3_paths(struct document *document, const struct catalogue *catalogue,
			 const struct openapi_page *page,
			 void (*put)(const char *, const struct buf *, void *))
{
	bool of_group = strcmp(page->root, "apis") == 0 && *page->group,
	     of_core = strcmp(page->root, "api") == 0;
	if (of_group || (of_core && *page->version)) {
		size_t from = catalogue_find(catalogue, page->group, *page->version ? page->version : NULL);
		if (from == catalogue->n)
			return false;
		if (*page->version)
			put_version(document, catalogue, from, put);
		else
			put_group_page(document, page->group, "", put);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		if (strcmp(page->root, pages[i].root) != 0)
			continue;
		put_page(document, pages[i].path, pages[i].operation, pages[i].tag, pages[i].def, put);
		return true;
	}
	return false;
}

bool openapi_write_v3(struct buf *b, const struct catalogue *catalogue, const struct openapi_page *page)
{
	struct document document;
	document_begin(&document, b, OPENAPI_V3, catalogue);
	buf_str(b, "{\"openapi\":\"3.0.0\"," INFO ",\"paths\":{");
	bool found = put_v3_paths(&document, catalogue, page, put_member);
	buf_str(b, "},\"components\":{\"schemas\":{");
	document.any = false;
	openapi_each_schema(&document.closure, OPENAPI_V3, document.kinds, document.n_kinds, put_member,
			    &document);
	buf_str(b, "}}}");
	document_close(&document);
	return found;
}

static void put_wire_v3_path(const char *name, const struct buf *json, void *arg)
{
	struct document *document = arg;
	openapi_wire_v3_path(document->b, name, json);
}

static void put_wire_v3_schema(const char *name, const struct buf *json, void *arg)
{
	struct document *document = arg;
	openapi_wire_v3_schema(document->b, name, json);
}

bool openapi_write_v3_wire(struct buf *b, const struct catalogue *catalogue, const struct openapi_page *page)
{
	CLEANUP(buf_close) struct buf paths = BUF_INIT;
	CLEANUP(buf_close) struct buf schemas = BUF_INIT;
	struct document document;
	document_begin(&document, &paths, OPENAPI_V3, catalogue);
	bool found = put_v3_paths(&document, catalogue, page, put_wire_v3_path);
	document.b = &schemas;
	openapi_each_schema(&document.closure, OPENAPI_V3, document.kinds, document.n_kinds,
			    put_wire_v3_schema, &document);
	openapi_wire_v3_document(b, "{" INFO ",\"openapi\":\"3.0.0\"}", &paths, &schemas);
	document_close(&document);
	return found;
}

/* --- version 2 --- */

static void put_v2_paths(struct document *document, const struct catalogue *catalogue,
			 void (*put)(const char *, const struct buf *, void *))
{
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		put_page(document, pages[i].path, pages[i].operation, pages[i].tag, pages[i].def, put);
	for (size_t i = 0; i < catalogue->n; i++) {
		const struct resource *resource = catalogue->rows[i];
		if (*resource->group && catalogue_begins_group(catalogue, i))
			put_group_page(document, resource->group, "", put);
		if (catalogue_begins_version(catalogue, i))
			put_version(document, catalogue, i, put);
	}
}

void openapi_write_v2(struct buf *b, const struct catalogue *catalogue)
{
	struct document document;
	document_begin(&document, b, OPENAPI_V2, catalogue);
	buf_str(b, "{\"swagger\":\"2.0\"," INFO ",\"paths\":{");
	put_v2_paths(&document, catalogue, put_member);
	buf_str(b, "},\"definitions\":{");
	document.any = false;
	openapi_each_schema(&document.closure, OPENAPI_V2, document.kinds, document.n_kinds, put_member,
			    &document);
	buf_str(b, "}}");
	document_close(&document);
}

static void put_wire_path(const char *name, const struct buf *json, void *arg)
{
	struct document *document = arg;
	openapi_wire_path(document->b, name, json);
}

static void put_wire_schema(const char *name, const struct buf *json, void *arg)
{
	struct document *document = arg;
	openapi_wire_definition(document->b, name, json);
}

void openapi_write_v2_wire(struct buf *b, const struct catalogue *catalogue)
{
	CLEANUP(buf_close) struct buf paths = BUF_INIT;
	CLEANUP(buf_close) struct buf definitions = BUF_INIT;
	struct document document;
	document_begin(&document, &paths, OPENAPI_V2, catalogue);
	put_v2_paths(&document, catalogue, put_wire_path);
	document.b = &definitions;
	openapi_each_schema(&document.closure, OPENAPI_V2, document.kinds, document.n_kinds, put_wire_schema,
			    &document);
	openapi_wire_document(b, "{" INFO ",\"swagger\":\"2.0\"}", &paths, &definitions);
	document_close(&document);
}
