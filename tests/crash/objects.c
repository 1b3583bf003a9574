#include "tests/crash/objects.h"

#include <stdlib.h>
#include <string.h>

#include "lib/map.h"

#define PAD_MAX 700

static const char *const namespaces[] = { "default", "kube-public" };
static const char *const plurals[HISTORY_RESOURCES] = { "configmaps", "pods" };

const struct history_object *objects_all(void)
{
	static struct history_object all[OBJECTS];

	for (unsigned i = 0; i < OBJECTS; i++)
		all[i] = (struct history_object){ i < OBJECTS_CONFIG_MAPS ? HISTORY_CONFIG_MAP : HISTORY_POD,
						  i % ARRAY_SIZE(namespaces) };
	return all;
}

static bool is_pod(unsigned object)
{
	return objects_all()[object].resource == HISTORY_POD;
}

uint64_t objects_uid_hash(const char *uid)
{
	return map_hash(uid, strlen(uid));
}

/* --- paths --- */

void objects_collection_path(struct buf *b, enum history_resource resource, int namespace_)
{
	buf_str(b, "/api/v1/");
	if (namespace_ >= 0)
		buf_printf(b, "namespaces/%s/", namespaces[namespace_]);
	buf_str(b, plurals[resource]);
}

void objects_path(struct buf *b, unsigned object)
{
	const struct history_object *about = &objects_all()[object];

	objects_collection_path(b, about->resource, (int)about->namespace_);
	buf_printf(b, "/o%u", object);
}

void objects_selection_path(struct buf *b, const struct selection *selection)
{
	objects_collection_path(b, selection->resource, selection->namespace_);
	buf_char(b, '?');
	if (selection->half >= 0)
		buf_printf(b, "labelSelector=half%%3D%d&", selection->half);
	if (selection->object >= 0)
		buf_printf(b, "fieldSelector=metadata.name%%3Do%d&", selection->object);
	else if (selection->unbound)
		buf_str(b, "fieldSelector=spec.nodeName%3D&");
}

/* --- writes --- */

static size_t pad_length(uint32_t slot0)
{
	return slot0 * UINT32_C(37) % PAD_MAX;
}

static void add_pad(struct buf *b, uint32_t slot0)
{
	for (size_t i = 0; i < pad_length(slot0); i++)
		buf_char(b, 'x');
}

static void add_precondition(struct buf *b, const struct op *op)
{
	if (op->if_revision)
		buf_printf(b, ",\"resourceVersion\":\"%llu\"", (unsigned long long)op->if_revision);
}

static void config_map_body(struct buf *b, const struct op *op, uint32_t number)
{
	buf_printf(b, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"o%u\"",
		   op->object);
	add_precondition(b, op);
	buf_printf(b, ",\"labels\":{\"half\":\"%u\"}},\"data\":{\"a\":\"%u\",\"b\":\"%u\",\"pad\":\"",
		   number % 2, number, op->carried);
	add_pad(b, number);
	buf_str(b, "\"}}");
}

static void pod_body(struct buf *b, const struct op *op, uint32_t number)
{
	buf_printf(
	    b,
	    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"o%u\",\"labels\":{\"half\":\"%"
	    "u\"},"
	    "\"annotations\":{\"a\":\"%u\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}",
	    op->object, number % 2, number);
}

static void merge_body(struct buf *b, const struct op *op, uint32_t number)
{
	buf_str(b, "{\"metadata\":{\"labels\":{");
	if (op->slot == 0)
		buf_printf(b, "\"half\":\"%u\"", number % 2);
	buf_char(b, '}');
	add_precondition(b, op);
	if (is_pod(op->object)) {
		buf_printf(b, ",\"annotations\":{\"a\":\"%u\"}}}", number);
	} else if (op->slot == 1) {
		buf_printf(b, "},\"data\":{\"b\":\"%u\"}}", number);
	} else {
		buf_printf(b, "},\"data\":{\"a\":\"%u\",\"pad\":\"", number);
		add_pad(b, number);
		buf_str(b, "\"}}");
	}
}

static void tested_body(struct buf *b, const struct op *op, uint32_t number)
{
	const char *slot = is_pod(op->object) ? "/metadata/annotations/a" : "/data/a";

	buf_printf(b, "[{\"op\":\"test\",\"path\":\"%s\",\"value\":\"%u\"},", slot, op->expect);
	buf_printf(b, "{\"op\":\"replace\",\"path\":\"%s\",\"value\":\"%u\"},", slot, number);
	if (!is_pod(op->object)) {
		buf_str(b, "{\"op\":\"replace\",\"path\":\"/data/pad\",\"value\":\"");
		add_pad(b, number);
		buf_str(b, "\"},");
	}
	buf_printf(b, "{\"op\":\"replace\",\"path\":\"/metadata/labels/half\",\"value\":\"%u\"}]",
		   number % 2);
}

static void binding_body(struct buf *b, const struct op *op, uint32_t number)
{
	buf_printf(b,
		   "{\"apiVersion\":\"v1\",\"kind\":\"Binding\",\"metadata\":{\"name\":\"o%u\"},"
		   "\"target\":{\"kind\":\"Node\",\"name\":\"n%u\"}}",
		   op->object, number);
}

static void delete_body(struct buf *b, const struct op *op, const char *uid)
{
	buf_str(b, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"gracePeriodSeconds\":0");
	if (op->if_revision)
		buf_printf(b, ",\"preconditions\":{\"resourceVersion\":\"%llu\"}",
			   (unsigned long long)op->if_revision);
	else if (op->if_uid)
		buf_printf(b, ",\"preconditions\":{\"uid\":\"%s\"}", uid);
	buf_char(b, '}');
}

void objects_request(struct objects_request *ret, const struct op *op, uint32_t number, const char *uid)
{
	const struct history_object *about = &objects_all()[op->object];
	void (*body)(struct buf * b, const struct op *op, uint32_t number) =
	    is_pod(op->object) ? pod_body : config_map_body;

	*ret = (struct objects_request){ .content_type = "application/json" };
	if (op->kind == OP_CREATE)
		objects_collection_path(&ret->path, about->resource, (int)about->namespace_);
	else
		objects_path(&ret->path, op->object);
	switch (op->kind) {
	case OP_CREATE:
		ret->method = "POST";
		body(&ret->body, op, number);
		break;
	case OP_UPDATE:
		ret->method = "PUT";
		body(&ret->body, op, number);
		break;
	case OP_PATCH:
		ret->method = "PATCH";
		ret->content_type = "application/merge-patch+json";
		merge_body(&ret->body, op, number);
		break;
	case OP_TEST:
		ret->method = "PATCH";
		ret->content_type = "application/json-patch+json";
		tested_body(&ret->body, op, number);
		break;
	case OP_BIND:
		ret->method = "POST";
		buf_str(&ret->path, "/binding");
		binding_body(&ret->body, op, number);
		break;
	case OP_DELETE:
		ret->method = "DELETE";
		delete_body(&ret->body, op, uid);
		break;
	case OP_GET:
	case OP_KINDS:
		ret->method = "GET";
		ret->content_type = NULL;
		break;
	}
}

void objects_request_close(struct objects_request *request)
{
	buf_close(&request->path);
	buf_close(&request->body);
}

/* --- reading --- */

static uint32_t number_in(const char *text)
{
	return text ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

static bool parse_config_map(const struct json_object *obj, struct state *ret)
{
	const struct json_object *data = json_get(obj, "data");
	const char *pad = json_str_or_empty(data, "pad");

	ret->slots[0] = number_in(json_str(data, "a"));
	ret->slots[1] = number_in(json_str(data, "b"));
	return strlen(pad) == pad_length(ret->slots[0]) && strspn(pad, "x") == strlen(pad);
}

static bool parse_pod(const struct json_object *obj, struct state *ret)
{
	const char *node = json_str_or_empty(json_get(obj, "spec"), "nodeName");

	ret->slots[0] = number_in(json_str(json_path(obj, "metadata", "annotations", NULL), "a"));
	ret->slots[1] = *node ? number_in(node + 1) : 0;
	return true;
}

bool objects_parse(const struct json_object *obj, unsigned *ret_object, struct state *ret,
		   const char **ret_uid)
{
	const struct json_object *meta = json_get(obj, "metadata");
	const char *name = json_str_or_empty(meta, "name");
	const char *uid = json_str_or_empty(meta, "uid");
	unsigned long object = *name == 'o' ? strtoul(name + 1, NULL, 10) : OBJECTS;
	struct state state = { 0 };
	bool whole;

	if (object >= OBJECTS || !*uid ||
	    strcmp(json_str_or_empty(meta, "namespace"), namespaces[objects_all()[object].namespace_]) != 0)
		return false;
	whole = is_pod((unsigned)object) ? parse_pod(obj, &state) : parse_config_map(obj, &state);
	state.torn = !whole || number_in(json_str(json_get(meta, "labels"), "half")) != state.slots[0] % 2;
	state.revision = strtoull(json_str_or_empty(meta, "resourceVersion"), NULL, 10);
	state.uid = objects_uid_hash(uid);
	*ret_object = (unsigned)object;
	*ret = state;
	*ret_uid = uid;
	return true;
}
