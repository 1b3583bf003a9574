#include "apiserver/openapi_paths.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/edge/dispatch.h"
#include "lib/mem.h"

/* --- parameters --- */

enum parameters {
	FOR_ALL = 1 << 0,
	FOR_WRITES = 1 << 1,
	FOR_PATCHES = 1 << 2,
	FOR_DELETES = 1 << 3,
	FOR_LISTS = 1 << 4,
	FOR_LOGS = 1 << 5,
	FOR_EXEC = 1 << 6,
	FOR_ATTACH = 1 << 7,
	FOR_PORT_FORWARD = 1 << 8,
	FOR_PROXY = 1 << 9,
};

static const struct parameter {
	const char *name, *type, *description;
	unsigned sets;
} parameters[] = {
	{ "pretty", "string", "Indents the answer: true or false.", FOR_ALL },
	{ "dryRun", "string", "All: goes through every step, but stores nothing.", FOR_WRITES | FOR_DELETES },
	{ "fieldManager", "string", "Name of the writer, for metadata.managedFields; applying needs it.",
	  FOR_WRITES },
	{ "fieldValidation", "string",
	  "Unknown and repeated fields are refused (Strict), warned of (Warn, the default) or dropped "
	  "(Ignore).",
	  FOR_WRITES },
	{ "force", "boolean", "Takes over fields that other managers own. Only when applying.", FOR_PATCHES },
	{ "gracePeriodSeconds", "integer", "Time to end for what runs; 0 deletes at once.", FOR_DELETES },
	{ "ignoreStoreReadErrorWithClusterBreakingPotential", "boolean",
	  "Deletes what cannot be read from the store any more.", FOR_DELETES },
	{ "orphanDependents", "boolean", "Old form of propagationPolicy.", FOR_DELETES },
	{ "propagationPolicy", "string",
	  "What becomes of dependents: Orphan, Background (deleted afterwards) or Foreground (deleted "
	  "before).",
	  FOR_DELETES },
	{ "allowWatchBookmarks", "boolean", "A watch also sends BOOKMARK events, with nothing but a version.",
	  FOR_LISTS },
	{ "continue", "string", "Token of the page before: gives the next one of the same snapshot.",
	  FOR_LISTS },
	{ "fieldSelector", "string", "Selects by fields, as metadata.name=x.", FOR_LISTS },
	{ "labelSelector", "string", "Selects by labels, as a=b,c in (d,e),!f.", FOR_LISTS },
	{ "limit", "integer", "Most items of a page.", FOR_LISTS },
	{ "resourceVersion", "string", "Version to read at or to watch from; see resourceVersionMatch.",
	  FOR_LISTS },
	{ "resourceVersionMatch", "string", "What resourceVersion means to a list: Exact or NotOlderThan.",
	  FOR_LISTS },
	{ "sendInitialEvents", "boolean", "A watch begins with what there is, and a bookmark.", FOR_LISTS },
	{ "timeoutSeconds", "integer", "When to end the call.", FOR_LISTS },
	{ "watch", "boolean", "Sends changes from now on instead of a list.", FOR_LISTS },
	{ "container", "string", "Container of the pod; needed when it has more than one.",
	  FOR_LOGS | FOR_EXEC | FOR_ATTACH },
	{ "follow", "boolean", "Goes on with what is written from now on.", FOR_LOGS },
	{ "insecureSkipTLSVerifyBackend", "boolean", "Does not check the node's certificate.", FOR_LOGS },
	{ "limitBytes", "integer", "Most bytes to send.", FOR_LOGS },
	{ "previous", "boolean", "The log of the run before this one.", FOR_LOGS },
	{ "sinceSeconds", "integer", "Only what is not older than this.", FOR_LOGS },
	{ "tailLines", "integer", "Only the last lines.", FOR_LOGS },
	{ "timestamps", "boolean", "Begins each line with its time.", FOR_LOGS },
	{ "command", "string", "Program and arguments, one parameter each; no shell takes part.", FOR_EXEC },
	{ "stdin", "boolean", "Connects standard input.", FOR_EXEC | FOR_ATTACH },
	{ "stdout", "boolean", "Connects standard output.", FOR_EXEC | FOR_ATTACH },
	{ "stderr", "boolean", "Connects standard error.", FOR_EXEC | FOR_ATTACH },
	{ "tty", "boolean", "Gives it a terminal.", FOR_EXEC | FOR_ATTACH },
	{ "ports", "integer", "Ports to forward, over WebSocket.", FOR_PORT_FORWARD },
	{ "path", "string", "Path of the request to pass on.", FOR_PROXY },
};

static void write_parameter(struct buf *b, enum openapi_version version, const char *name, const char *in,
			    const char *type, const char *description)
{
	bool query = strcmp(in, "query") == 0;
	buf_printf(b, "{\"name\":\"%s\",\"in\":\"%s\",\"description\":", name, in);
	buf_json_string(b, description);
	if (!query)
		buf_str(b, ",\"required\":true");
	if (version == OPENAPI_V2)
		buf_printf(b, ",\"type\":\"%s\",\"uniqueItems\":true}", type);
	else
		buf_printf(b, ",\"schema\":{\"type\":\"%s\",\"uniqueItems\":true}}", type);
}

/* Appends ,"parameters":[...]; BODY stands among them in version 2. */
static void write_parameters(struct buf *b, enum openapi_version version, unsigned sets, const char *body,
			     bool body_required)
{
	bool any = false;
	buf_str(b, ",\"parameters\":[");
	if (version == OPENAPI_V2 && body) {
		buf_printf(b, "{\"name\":\"body\",\"in\":\"body\",%s\"schema\":%s}",
			   body_required ? "\"required\":true," : "", body);
		any = true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++) {
		if (!(parameters[i].sets & sets))
			continue;
		if (any)
			buf_char(b, ',');
		any = true;
		write_parameter(b, version, parameters[i].name, "query", parameters[i].type,
				parameters[i].description);
	}
	buf_char(b, ']');
}

/* --- operations --- */

struct operation {
	enum verb verb;
	const char *method, *action;
	const char *name; /* of its id: "replace" */
	unsigned sets;
	const char *codes; /* of success */
};

static const struct operation collection_operations[] = {
	{ VERB_LIST, "get", "list", "list", FOR_LISTS, "200" },
	{ VERB_CREATE, "post", "post", "create", FOR_WRITES, "200 201 202" },
	{ VERB_DELETECOLLECTION, "delete", "deletecollection", "delete", FOR_DELETES | FOR_LISTS, "200" },
};
static const struct operation object_operations[] = {
	{ VERB_GET, "get", "get", "read", 0, "200" },
	{ VERB_UPDATE, "put", "put", "replace", FOR_WRITES, "200 201" },
	{ VERB_PATCH, "patch", "patch", "patch", FOR_WRITES | FOR_PATCHES, "200 201" },
	{ VERB_DELETE, "delete", "delete", "delete", FOR_DELETES, "200 202" },
	/* Of subresources only: */
	{ VERB_CREATE, "post", "post", "create", FOR_WRITES, "200 201 202" },
};

/* Subresources that lead on to a node or pod: they have no body. */
static const struct connection {
	const char *subresource;
	unsigned sets;
} connections[] = {
	{ "exec", FOR_EXEC },   { "attach", FOR_ATTACH }, { "portforward", FOR_PORT_FORWARD },
	{ "proxy", FOR_PROXY }, { "log", FOR_LOGS },
};

static const struct connection *connection_of(const struct subresource *subresource)
{
	for (size_t i = 0; subresource && i < ARRAY_SIZE(connections); i++)
		if (strcmp(connections[i].subresource, subresource->name) == 0)
			return &connections[i];
	return NULL;
}

/* What an operation is about. */
struct subject {
	enum openapi_version version;
	const struct resource *resource;
	const struct subresource *subresource; /* or NULL */
	struct openapi_body body;              /* that is written and read; empty: text */
	const char *group, *api_version, *kind;
	const char *scope; /* "Namespaced" in ids */
	bool all_namespaces;
};

static void write_capitalised(struct buf *b, const char *text, size_t len)
{
	if (len)
		buf_char(b, (char)toupper((unsigned char)*text));
	for (size_t i = 1; i < len; i++)
		if (isalnum((unsigned char)text[i]))
			buf_char(b, text[i]);
}

/* "CoreV1", "RbacAuthorizationV1"; VERSION may be NULL. */
static void write_group_name(struct buf *b, const char *group, const char *version)
{
	const char *end = strstr(group, ".k8s.io");
	size_t len = end ? (size_t)(end - group) : strlen(group);
	if (!len)
		buf_str(b, "Core");
	while (len) {
		const char *dot = memchr(group, '.', len);
		size_t part = dot ? (size_t)(dot - group) : len;
		write_capitalised(b, group, part);
		part += dot != NULL;
		group += part;
		len -= part;
	}
	if (version)
		write_capitalised(b, version, strlen(version));
}

static void write_operation_id(struct buf *b, const struct subject *subject,
			       const struct operation *operation, const struct connection *connection)
{
	const struct resource *resource = subject->resource;
	bool connects = connection && !(connection->sets & FOR_LOGS);
	buf_str(b, connects ? "connect" : operation->name);
	write_group_name(b, resource->group, resource->version);
	if (connects)
		write_capitalised(b, operation->method, strlen(operation->method));
	if (operation->verb == VERB_DELETECOLLECTION)
		buf_str(b, "Collection");
	buf_str(b, subject->scope);
	buf_str(b, resource->kind_name);
	if (subject->subresource)
		write_capitalised(b, subject->subresource->name, strlen(subject->subresource->name));
	if (subject->all_namespaces)
		buf_str(b, "ForAllNamespaces");
}

static void write_tag(struct buf *b, const struct resource *resource)
{
	CLEANUP(buf_close) struct buf name = BUF_INIT;
	write_group_name(&name, resource->group, NULL);
	if (name.len)
		name.data[0] = (char)tolower((unsigned char)name.data[0]);
	buf_printf(b, "\"tags\":[\"%s_%s\"]", name.data, resource->version);
}

static struct openapi_body answer_body(const struct subject *subject, const struct operation *operation)
{
	if (operation->verb == VERB_LIST)
		return openapi_list_body(subject->resource);
	if (operation->verb == VERB_DELETE || operation->verb == VERB_DELETECOLLECTION)
		return (struct openapi_body){ .def = schema_def_find("meta.v1.Status") };
	return subject->body;
}

static bool is_text(const struct openapi_body *body)
{
	return !body->def && !body->custom;
}

static void write_responses(struct buf *b, enum openapi_version version, const char *codes,
			    const struct openapi_body *body, bool streams)
{
	static const struct {
		const char *code, *text;
	} texts[] = { { "200", "OK" }, { "201", "Created" }, { "202", "Accepted" } };
	CLEANUP(buf_close) struct buf schema = BUF_INIT;
	openapi_write_body(&schema, version, body);
	buf_str(b, ",\"responses\":{");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (!strstr(codes, texts[i].code))
			continue;
		buf_printf(b, "\"%s\":{\"description\":\"%s\",", texts[i].code, texts[i].text);
		if (version == OPENAPI_V2)
			buf_printf(b, "\"schema\":%s},", schema.data);
		else if (is_text(body))
			buf_printf(b, "\"content\":{\"text/plain\":{\"schema\":%s}}},", schema.data);
		else
			buf_printf(b,
				   "\"content\":{\"application/json\":{\"schema\":%s},"
				   "%s%s%s\"application/yaml\":{\"schema\":%s}}},",
				   schema.data,
				   streams ? "\"application/json;stream=watch\":{\"schema\":" : "",
				   streams ? schema.data : "", streams ? "}," : "", schema.data);
	}
	buf_str(b, "\"401\":{\"description\":\"Unauthorized\"}}");
}

/* The last one is for the API's own types only. */
static const char *const patch_types[] = { "application/json-patch+json", "application/merge-patch+json",
					   "application/apply-patch+yaml",
					   "application/strategic-merge-patch+json" };

static size_t n_patch_types(const struct resource *resource)
{
	return ARRAY_SIZE(patch_types) - (resource->custom != NULL);
}

/* The schema of the body that the operation takes, or nothing. */
static void write_body_schema(struct buf *b, const struct subject *subject, const struct operation *operation)
{
	switch (operation->verb) {
	case VERB_CREATE:
	case VERB_UPDATE:
		openapi_write_body(b, subject->version, &subject->body);
		break;
	case VERB_PATCH:
		buf_str(b, "{\"type\":\"object\"}");
		break;
	case VERB_DELETE:
	case VERB_DELETECOLLECTION:
		openapi_write_ref(b, subject->version, schema_def_find("meta.v1.DeleteOptions"));
		break;
	default:
		break;
	}
}

static void write_request_body(struct buf *b, const struct subject *subject,
			       const struct operation *operation, const char *schema)
{
	buf_str(b, ",\"requestBody\":{");
	if (operation->verb != VERB_DELETE && operation->verb != VERB_DELETECOLLECTION)
		buf_str(b, "\"required\":true,");
	buf_str(b, "\"content\":{");
	if (operation->verb == VERB_PATCH)
		for (size_t i = 0; i < n_patch_types(subject->resource); i++)
			buf_printf(b, "%s\"%s\":{\"schema\":%s}", i ? "," : "", patch_types[i], schema);
	else
		buf_printf(b, "\"*/*\":{\"schema\":%s}", schema);
	buf_str(b, "}}");
}

static void write_media_v2(struct buf *b, const struct subject *subject, const struct operation *operation)
{
	buf_str(b, ",\"schemes\":[\"https\"],\"consumes\":[");
	if (operation->verb == VERB_PATCH)
		for (size_t i = 0; i < n_patch_types(subject->resource); i++)
			buf_printf(b, "%s\"%s\"", i ? "," : "", patch_types[i]);
	else
		buf_str(b, "\"*/*\"");
	buf_str(b, !is_text(&subject->body) ? "],\"produces\":[\"application/json\",\"application/yaml\"]"
					    : "],\"produces\":[\"*/*\"]");
}

static void write_operation(struct buf *b, const struct subject *subject, const struct operation *operation)
{
	const struct connection *connection = connection_of(subject->subresource);
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	bool connects = connection && !(connection->sets & FOR_LOGS);
	unsigned sets = connection ? connection->sets : operation->sets;
	if (!connection)
		write_body_schema(&body, subject, operation);
	buf_printf(b, "\"%s\":{", operation->method);
	write_tag(b, subject->resource);
	buf_str(b, ",\"operationId\":\"");
	write_operation_id(b, subject, operation, connection);
	buf_char(b, '"');
	write_parameters(b, subject->version, sets, body.data,
			 operation->verb != VERB_DELETE && operation->verb != VERB_DELETECOLLECTION);
	if (subject->version == OPENAPI_V2)
		write_media_v2(b, subject, operation);
	else if (body.len)
		write_request_body(b, subject, operation, body.data);
	struct openapi_body answer = answer_body(subject, operation);
	write_responses(b, subject->version, operation->codes, &answer, operation->verb == VERB_LIST);
	buf_printf(b, ",\"x-kubernetes-action\":\"%s\",\"x-kubernetes-group-version-kind\":",
		   connects ? "connect" : operation->action);
	openapi_write_gvk(b, subject->group, subject->api_version, subject->kind);
	buf_char(b, '}');
}

/* --- items --- */

static void write_path_parameters(struct buf *b, enum openapi_version version, bool name, bool namespace_)
{
	buf_str(b, "\"parameters\":[");
	if (name) {
		write_parameter(b, version, "name", "path", "string", "Name of the object.");
		buf_char(b, ',');
	}
	if (namespace_) {
		write_parameter(b, version, "namespace", "path", "string", "Namespace of the object.");
		buf_char(b, ',');
	}
	write_parameter(b, version, parameters[0].name, "query", parameters[0].type,
			parameters[0].description);
	buf_char(b, ']');
}

static void write_item(struct buf *b, const struct subject *subject, const struct operation *operations,
		       size_t n, unsigned verbs, bool name)
{
	buf_char(b, '{');
	for (size_t i = 0; i < n; i++) {
		if (!(operations[i].verb & verbs))
			continue;
		write_operation(b, subject, &operations[i]);
		buf_char(b, ',');
	}
	write_path_parameters(b, subject->version, name,
			      subject->resource->namespaced && !subject->all_namespaces);
	buf_char(b, '}');
}

struct openapi_body openapi_subresource_body(const struct resource *resource,
					     const struct subresource *subresource)
{
	if (connection_of(subresource))
		return (struct openapi_body){ 0 };
	if (strcmp(subresource->kind, resource->kind_name) == 0)
		return openapi_object_body(resource);
	/* Packages are named by the first word of their group. */
	const char *slash = strchr(subresource->group_version, '/');
	CLEANUP(mem_freep)
	char *name = slash ? mem_printf("%.*s.%s.%s", (int)strcspn(subresource->group_version, "./"),
					subresource->group_version, slash + 1, subresource->kind)
			   : mem_printf("core.%s.%s", subresource->group_version, subresource->kind);
	return (struct openapi_body){ .def = schema_def_find(name) };
}

static void each_subresource(const struct subject *of, const char *path,
			     void (*fn)(const char *, const struct buf *, void *), void *arg)
{
	const struct resource *resource = of->resource;
	for (size_t i = 0; i < resource->n_subresources; i++) {
		const struct subresource *subresource = &resource->subresources[i];
		unsigned verbs = dispatch_subresource_verbs(subresource);
		const char *slash = strchr(subresource->group_version, '/');
		if (!verbs)
			continue;
		CLEANUP(mem_freep) char *at = mem_printf("%s/%s", path, subresource->name);
		CLEANUP(mem_freep)
		char *group =
		    slash ? mem_dupn(subresource->group_version, (size_t)(slash - subresource->group_version))
			  : mem_dup("");
		CLEANUP(buf_close) struct buf json = BUF_INIT;
		struct subject subject = *of;
		subject.subresource = subresource;
		subject.body = openapi_subresource_body(resource, subresource);
		subject.group = group;
		subject.api_version = slash ? slash + 1 : subresource->group_version;
		subject.kind = subresource->kind;
		write_item(&json, &subject, object_operations, ARRAY_SIZE(object_operations), verbs, true);
		fn(at, &json, arg);
	}
}

void openapi_each_path(const struct resource *resource, enum openapi_version version,
		       void (*fn)(const char *path, const struct buf *json, void *arg), void *arg)
{
	struct subject subject = { .version = version,
				   .resource = resource,
				   .body = openapi_object_body(resource),
				   .group = resource->group,
				   .api_version = resource->version,
				   .kind = resource->kind_name,
				   .scope = resource->namespaced ? "Namespaced" : "" };
	CLEANUP(mem_freep)
	char *root = mem_printf("/%s/%s", *resource->group ? "apis" : "api", resource->group_version);
	CLEANUP(mem_freep)
	char *collection = mem_printf("%s%s/%s", root, resource->namespaced ? "/namespaces/{namespace}" : "",
				      resource->plural);
	CLEANUP(mem_freep) char *object = mem_printf("%s/{name}", collection);
	CLEANUP(buf_close) struct buf json = BUF_INIT;
	if (resource->namespaced && resource->verbs & VERB_LIST) {
		CLEANUP(mem_freep) char *everywhere = mem_printf("%s/%s", root, resource->plural);
		struct subject all = subject;
		all.scope = "";
		all.all_namespaces = true;
		write_item(&json, &all, collection_operations, 1, VERB_LIST, false);
		fn(everywhere, &json, arg);
		buf_reset(&json);
	}
	write_item(&json, &subject, collection_operations, ARRAY_SIZE(collection_operations), resource->verbs,
		   false);
	fn(collection, &json, arg);
	if (!(resource->verbs & VERB_GET))
		return;
	buf_reset(&json);
	/* Objects are created in their collection. */
	write_item(&json, &subject, object_operations, ARRAY_SIZE(object_operations),
		   resource->verbs & ~(unsigned)VERB_CREATE, true);
	fn(object, &json, arg);
	each_subresource(&subject, object, fn, arg);
}

void openapi_write_page(struct buf *b, enum openapi_version version, const char *operation, const char *tag,
			const struct schema_def *def)
{
	buf_printf(b, "{\"get\":{\"tags\":[\"%s\"],\"operationId\":\"%s\"", tag, operation);
	if (version == OPENAPI_V2)
		buf_str(
		    b, ",\"schemes\":[\"https\"],\"consumes\":[\"*/*\"],\"produces\":[\"application/json\"]");
	write_responses(b, version, "200", &(struct openapi_body){ .def = def }, false);
	buf_str(b, "}}");
}

static void add_body(struct openapi_closure *closure, const struct openapi_body *body)
{
	openapi_closure_add(closure, body->def);
	if (body->custom && !body->is_list)
		openapi_closure_add_custom(closure, body->custom);
	if (body->custom)
		openapi_closure_add(
		    closure, schema_def_find(body->is_list ? "meta.v1.ListMeta" : "meta.v1.ObjectMeta"));
}

void openapi_add_bodies(struct openapi_closure *closure, const struct resource *resource)
{
	struct openapi_body object = openapi_object_body(resource), list = openapi_list_body(resource);
	add_body(closure, &object);
	if (resource->verbs & VERB_LIST)
		add_body(closure, &list);
	if (resource->verbs & (VERB_DELETE | VERB_DELETECOLLECTION)) {
		openapi_closure_add(closure, schema_def_find("meta.v1.DeleteOptions"));
		openapi_closure_add(closure, schema_def_find("meta.v1.Status"));
	}
	for (size_t i = 0; i < resource->n_subresources; i++) {
		struct openapi_body body = openapi_subresource_body(resource, &resource->subresources[i]);
		if (dispatch_subresource_verbs(&resource->subresources[i]))
			add_body(closure, &body);
	}
}
