#include <string.h>

#include "apiserver/openapi_message.h"
#include "apiserver/openapi_wire.h"
#include "lib/mem.h"

static const struct wire_message schema_v3_message;

static const struct wire_field schema_v3_fields[] = {
	{ "nullable", 1, WIRE_BOOL, 0, 0, NULL },
	{ "title", 9, WIRE_STRING, 0, 0, NULL },
	{ "multipleOf", 10, WIRE_DOUBLE, 0, 0, NULL },
	{ "maximum", 11, WIRE_DOUBLE, 0, 0, NULL },
	{ "exclusiveMaximum", 12, WIRE_BOOL, 0, 0, NULL },
	{ "minimum", 13, WIRE_DOUBLE, 0, 0, NULL },
	{ "exclusiveMinimum", 14, WIRE_BOOL, 0, 0, NULL },
	{ "maxLength", 15, WIRE_INT, 0, 0, NULL },
	{ "minLength", 16, WIRE_INT, 0, 0, NULL },
	{ "pattern", 17, WIRE_STRING, 0, 0, NULL },
	{ "maxItems", 18, WIRE_INT, 0, 0, NULL },
	{ "minItems", 19, WIRE_INT, 0, 0, NULL },
	{ "uniqueItems", 20, WIRE_BOOL, 0, 0, NULL },
	{ "maxProperties", 21, WIRE_INT, 0, 0, NULL },
	{ "minProperties", 22, WIRE_INT, 0, 0, NULL },
	{ "required", 23, WIRE_STRING, 0, 0, NULL },
	{ "enum", 24, WIRE_EACH, 0, 0, NULL },
	{ "type", 25, WIRE_STRING, 0, 0, NULL },
	{ "allOf", 26, WIRE_EITHER, 0, 0, &schema_v3_message },
	{ "oneOf", 27, WIRE_EITHER, 0, 0, &schema_v3_message },
	{ "anyOf", 28, WIRE_EITHER, 0, 0, &schema_v3_message },
	{ "not", 29, WIRE_MESSAGE, 0, 0, &schema_v3_message },
	{ "items", 30, WIRE_EITHER, 1, 0, &schema_v3_message },
	{ "properties", 31, WIRE_EITHERS, 1, 0, &schema_v3_message },
	{ "additionalProperties", 32, WIRE_EITHER, 1, 0, &schema_v3_message },
	{ "default", 33, WIRE_DEFAULT, 0, 0, NULL },
	{ "description", 34, WIRE_STRING, 0, 0, NULL },
	{ "format", 35, WIRE_STRING, 0, 0, NULL },
	{ NULL, 0, 0, 0, 0, NULL },
};
static const struct wire_message schema_v3_message = { 36, schema_v3_fields };

static const struct wire_field media_type_fields[] = {
	{ "schema", 1, WIRE_EITHER, 0, 0, &schema_v3_message },
	{ NULL, 0, 0, 0, 0, NULL },
};
static const struct wire_message media_type_message = { 5, media_type_fields };

static const struct wire_field parameter_v3_fields[] = {
	{ "name", 1, WIRE_STRING, 0, 0, NULL },
	{ "in", 2, WIRE_STRING, 0, 0, NULL },
	{ "description", 3, WIRE_STRING, 0, 0, NULL },
	{ "required", 4, WIRE_BOOL, 0, 0, NULL },
	{ "schema", 10, WIRE_EITHER, 0, 0, &schema_v3_message },
	{ NULL, 0, 0, 0, 0, NULL },
};
static const struct wire_message parameter_v3_message = { 14, parameter_v3_fields };

static const struct wire_field request_body_fields[] = {
	{ "description", 1, WIRE_STRING, 0, 0, NULL },
	{ "content", 2, WIRE_MAP, 1, 0, &media_type_message },
	{ "required", 3, WIRE_BOOL, 0, 0, NULL },
	{ NULL, 0, 0, 0, 0, NULL },
};
static const struct wire_message request_body_message = { 4, request_body_fields };

static const struct wire_field response_v3_fields[] = {
	{ "description", 1, WIRE_STRING, 0, 0, NULL },
	{ "content", 3, WIRE_MAP, 1, 0, &media_type_message },
	{ NULL, 0, 0, 0, 0, NULL },
};
static const struct wire_message response_v3_message = { 5, response_v3_fields };

static const struct wire_field operation_v3_fields[] = {
	{ "tags", 1, WIRE_STRING, 0, 0, NULL },
	{ "description", 3, WIRE_STRING, 0, 0, NULL },
	{ "operationId", 5, WIRE_STRING, 0, 0, NULL },
	{ "parameters", 6, WIRE_EITHER, 0, 0, &parameter_v3_message },
	{ "requestBody", 7, WIRE_EITHER, 0, 0, &request_body_message },
	{ "responses", 8, WIRE_EITHERS, 2, 0, &response_v3_message },
	{ NULL, 0, 0, 0, 0, NULL },
};
static const struct wire_message operation_v3_message = { 13, operation_v3_fields };

static const struct wire_field item_v3_fields[] = {
	{ "get", 4, WIRE_MESSAGE, 0, 0, &operation_v3_message },
	{ "put", 5, WIRE_MESSAGE, 0, 0, &operation_v3_message },
	{ "post", 6, WIRE_MESSAGE, 0, 0, &operation_v3_message },
	{ "delete", 7, WIRE_MESSAGE, 0, 0, &operation_v3_message },
	{ "patch", 10, WIRE_MESSAGE, 0, 0, &operation_v3_message },
	{ "parameters", 13, WIRE_EITHER, 0, 0, &parameter_v3_message },
	{ NULL, 0, 0, 0, 0, NULL },
};
static const struct wire_message item_v3_message = { 14, item_v3_fields };

static const struct wire_field info_v3_fields[] = {
	{ "title", 1, WIRE_STRING, 0, 0, NULL },
	{ "version", 6, WIRE_STRING, 0, 0, NULL },
	{ NULL, 0, 0, 0, 0, NULL },
};
static const struct wire_message info_v3_message = { 7, info_v3_fields };

static const struct wire_field document_v3_fields[] = {
	{ "openapi", 1, WIRE_STRING, 0, 0, NULL },
	{ "info", 2, WIRE_MESSAGE, 0, 0, &info_v3_message },
	{ NULL, 0, 0, 0, 0, NULL },
};
static const struct wire_message document_v3_message = { 9, document_v3_fields };
enum {
	EITHER_ITSELF = 1,
	DOCUMENT_V3_PATHS = 4,
	DOCUMENT_V3_COMPONENTS = 5,
	PATHS_V3_PATH = 1,
	COMPONENTS_SCHEMAS = 1,
	SCHEMAS_SCHEMA = 1,
};

void openapi_wire_v3_path(struct buf *paths, const char *path, const struct buf *json)
{
	CLEANUP(buf_close) struct buf bytes = BUF_INIT;
	openapi_message_put_json(&bytes, &item_v3_message, json->data, json->len);
	openapi_message_put_named(paths, PATHS_V3_PATH, path, 0, &bytes);
}

void openapi_wire_v3_schema(struct buf *schemas, const char *name, const struct buf *json)
{
	CLEANUP(buf_close) struct buf bytes = BUF_INIT;
	openapi_message_put_json(&bytes, &schema_v3_message, json->data, json->len);
	openapi_message_put_named(schemas, SCHEMAS_SCHEMA, name, EITHER_ITSELF, &bytes);
}

void openapi_wire_v3_document(struct buf *b, const char *head, const struct buf *paths,
			      const struct buf *schemas)
{
	openapi_message_put_json(b, &document_v3_message, head, strlen(head));
	openapi_message_put_bytes(b, DOCUMENT_V3_PATHS, paths->data, paths->len);
	openapi_message_put_wrapped(b, DOCUMENT_V3_COMPONENTS, COMPONENTS_SCHEMAS, schemas);
}
