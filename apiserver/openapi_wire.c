#include "apiserver/openapi_wire.h"

#include <string.h>

#include "apiserver/openapi_message.h"
#include "lib/mem.h"

static const struct wire_message schema_message;

static const struct wire_field schema_fields[] = {
	{ "$ref", 1, WIRE_STRING, 0, 0, NULL },
	{ "format", 2, WIRE_STRING, 0, 0, NULL },
	{ "description", 4, WIRE_STRING, 0, 0, NULL },
	{ "default", 5, WIRE_ANY, 0, 0, NULL },
	{ "uniqueItems", 16, WIRE_BOOL, 0, 0, NULL },
	{ "required", 19, WIRE_STRING, 0, 0, NULL },
	{ "enum", 20, WIRE_EACH, 0, 0, NULL },
	{ "additionalProperties", 21, WIRE_MESSAGE, 1, 0, &schema_message },
	{ "type", 22, WIRE_STRING, 1, 0, NULL },
	{ "items", 23, WIRE_MESSAGE, 1, 0, &schema_message },
	{ "properties", 25, WIRE_MAP, 1, 0, &schema_message },
	{ NULL, 0, 0, 0, 0, NULL },
};
static const struct wire_message schema_message = { 31, schema_fields };

static const struct wire_field response_fields[] = {
	{ "description", 1, WIRE_STRING, 0, 0, NULL },
	{ "schema", 2, WIRE_MESSAGE, 1, 0, &schema_message },
	{ NULL, 0, 0, 0, 0, NULL },
};
static const struct wire_message response_message = { 5, response_fields };

static const struct wire_field operation_fields[] = {
	{ "tags", 1, WIRE_STRING, 0, 0, NULL },
	{ "description", 3, WIRE_STRING, 0, 0, NULL },
	{ "operationId", 5, WIRE_STRING, 0, 0, NULL },
	{ "produces", 6, WIRE_STRING, 0, 0, NULL },
	{ "consumes", 7, WIRE_STRING, 0, 0, NULL },
	{ "parameters", 8, WIRE_PARAMETERS, 0, 0, NULL },
	{ "responses", 9, WIRE_MAP, 1, 1, &response_message },
	{ "schemes", 10, WIRE_STRING, 0, 0, NULL },
	{ NULL, 0, 0, 0, 0, NULL },
};
static const struct wire_message operation_message = { 13, operation_fields };

static const struct wire_field item_fields[] = {
	{ "get", 2, WIRE_MESSAGE, 0, 0, &operation_message },
	{ "put", 3, WIRE_MESSAGE, 0, 0, &operation_message },
	{ "post", 4, WIRE_MESSAGE, 0, 0, &operation_message },
	{ "delete", 5, WIRE_MESSAGE, 0, 0, &operation_message },
	{ "patch", 8, WIRE_MESSAGE, 0, 0, &operation_message },
	{ "parameters", 9, WIRE_PARAMETERS, 0, 0, NULL },
	{ NULL, 0, 0, 0, 0, NULL },
};
static const struct wire_message item_message = { 10, item_fields };

static const struct wire_field info_fields[] = {
	{ "title", 1, WIRE_STRING, 0, 0, NULL },
	{ "version", 2, WIRE_STRING, 0, 0, NULL },
	{ NULL, 0, 0, 0, 0, NULL },
};
static const struct wire_message info_message = { 7, info_fields };

static const struct wire_field document_fields[] = {
	{ "swagger", 1, WIRE_STRING, 0, 0, NULL },
	{ "info", 2, WIRE_MESSAGE, 0, 0, &info_message },
	{ NULL, 0, 0, 0, 0, NULL },
};
static const struct wire_message document_message = { 16, document_fields };
enum { DOCUMENT_PATHS = 8, DOCUMENT_DEFINITIONS = 9, PATHS_PATH = 2, DEFINITIONS_SCHEMA = 1 };

static const struct wire_field body_parameter_fields[] = {
	{ "description", 1, WIRE_STRING, 0, 0, NULL },
	{ "name", 2, WIRE_STRING, 0, 0, NULL },
	{ "in", 3, WIRE_STRING, 0, 0, NULL },
	{ "required", 4, WIRE_BOOL, 0, 0, NULL },
	{ "schema", 5, WIRE_MESSAGE, 0, 0, &schema_message },
	{ NULL, 0, 0, 0, 0, NULL },
};
static const struct wire_message body_parameter_message = { 6, body_parameter_fields };
static const struct wire_field query_parameter_fields[] = {
	{ "required", 1, WIRE_BOOL, 0, 0, NULL },
	{ "in", 2, WIRE_STRING, 0, 0, NULL },
	{ "description", 3, WIRE_STRING, 0, 0, NULL },
	{ "name", 4, WIRE_STRING, 0, 0, NULL },
	{ "type", 6, WIRE_STRING, 0, 0, NULL },
	{ "uniqueItems", 20, WIRE_BOOL, 0, 0, NULL },
	{ NULL, 0, 0, 0, 0, NULL },
};
static const struct wire_message query_parameter_message = { 23, query_parameter_fields };
static const struct wire_field path_parameter_fields[] = {
	{ "required", 1, WIRE_BOOL, 0, 0, NULL },
	{ "in", 2, WIRE_STRING, 0, 0, NULL },
	{ "description", 3, WIRE_STRING, 0, 0, NULL },
	{ "name", 4, WIRE_STRING, 0, 0, NULL },
	{ "type", 5, WIRE_STRING, 0, 0, NULL },
	{ "uniqueItems", 19, WIRE_BOOL, 0, 0, NULL },
	{ NULL, 0, 0, 0, 0, NULL },
};
static const struct wire_message path_parameter_message = { 22, path_parameter_fields };

const struct wire_parameter openapi_message_parameters[] = {
	{ "body", { 1, 1, 0 }, &body_parameter_message },
	{ "query", { 1, 2, 3 }, &query_parameter_message },
	{ "path", { 1, 2, 4 }, &path_parameter_message },
	{ NULL, { 0 }, NULL },
};

void openapi_wire_path(struct buf *paths, const char *path, const struct buf *json)
{
	CLEANUP(buf_close) struct buf bytes = BUF_INIT;
	openapi_message_put_json(&bytes, &item_message, json->data, json->len);
	openapi_message_put_named(paths, PATHS_PATH, path, 0, &bytes);
}

void openapi_wire_definition(struct buf *definitions, const char *name, const struct buf *json)
{
	CLEANUP(buf_close) struct buf bytes = BUF_INIT;
	openapi_message_put_json(&bytes, &schema_message, json->data, json->len);
	openapi_message_put_named(definitions, DEFINITIONS_SCHEMA, name, 0, &bytes);
}

void openapi_wire_document(struct buf *b, const char *head, const struct buf *paths,
			   const struct buf *definitions)
{
	openapi_message_put_json(b, &document_message, head, strlen(head));
	openapi_message_put_bytes(b, DOCUMENT_PATHS, paths->data, paths->len);
	openapi_message_put_bytes(b, DOCUMENT_DEFINITIONS, definitions->data, definitions->len);
}
