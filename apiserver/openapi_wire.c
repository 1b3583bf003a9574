#include "apiserver/openapi_wire.h"

#include <string.h>

#include "lib/json.h"
#include "lib/mem.h"

/* --- protobuf: tags, lengths, values --- */

static void put_varint(struct buf *b, uint64_t value)
{
	while (value >= 0x80) {
		buf_char(b, (char)(value | 0x80));
		value >>= 7;
	}
	buf_char(b, (char)value);
}

static void put_bytes(struct buf *b, unsigned number, const void *data, size_t len)
{
	put_varint(b, number << 3 | 2);
	put_varint(b, len);
	buf_add(b, data, len);
}

static void put_string(struct buf *b, unsigned number, const char *text)
{
	put_bytes(b, number, text, strlen(text));
}

static const char *text_of(const struct json_object *value)
{
	return json_object_get_string((struct json_object *)(uintptr_t)value);
}

/* --- messages --- */

enum wire_type {
	WIRE_STRING, /* or an array of them */
	WIRE_BOOL,
	WIRE_MESSAGE, /* or an array of them */
	WIRE_MAP,     /* of messages: repeated { name = 1; value = 2; } */
	WIRE_ANY,     /* any value, as YAML */
	WIRE_EACH,    /* an array of any values */
	WIRE_PARAMETERS,
};

struct wire_message;

/* A member of a JSON object. What lies in messages of one field is wrapped: INNER is that field, VALUE_INNER
 * the one of each value of a map; 0: not wrapped. */
struct wire_field {
	const char *key;
	uint8_t number;
	uint8_t type; /* enum wire_type */
	uint8_t inner, value_inner;
	const struct wire_message *message;
};

struct wire_message {
	uint8_t extensions;              /* number of what begins with "x-" */
	const struct wire_field *fields; /* ends with a key of NULL */
};

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

static const struct wire_message response_message = { 5, (const struct wire_field[]){
							     { "description", 1, WIRE_STRING, 0, 0, NULL },
							     { "schema", 2, WIRE_MESSAGE, 1, 0,
							       &schema_message },
							     { NULL, 0, 0, 0, 0, NULL },
							 } };

static const struct wire_message operation_message = { 13,
						       (const struct wire_field[]){
							   { "tags", 1, WIRE_STRING, 0, 0, NULL },
							   { "description", 3, WIRE_STRING, 0, 0, NULL },
							   { "operationId", 5, WIRE_STRING, 0, 0, NULL },
							   { "produces", 6, WIRE_STRING, 0, 0, NULL },
							   { "consumes", 7, WIRE_STRING, 0, 0, NULL },
							   { "parameters", 8, WIRE_PARAMETERS, 0, 0, NULL },
							   { "responses", 9, WIRE_MAP, 1, 1,
							     &response_message },
							   { "schemes", 10, WIRE_STRING, 0, 0, NULL },
							   { NULL, 0, 0, 0, 0, NULL },
						       } };

static const struct wire_message item_message = { 10,
						  (const struct wire_field[]){
						      { "get", 2, WIRE_MESSAGE, 0, 0, &operation_message },
						      { "put", 3, WIRE_MESSAGE, 0, 0, &operation_message },
						      { "post", 4, WIRE_MESSAGE, 0, 0, &operation_message },
						      { "delete", 5, WIRE_MESSAGE, 0, 0, &operation_message },
						      { "patch", 8, WIRE_MESSAGE, 0, 0, &operation_message },
						      { "parameters", 9, WIRE_PARAMETERS, 0, 0, NULL },
						      { NULL, 0, 0, 0, 0, NULL },
						  } };

static const struct wire_message info_message = { 7, (const struct wire_field[]){
							 { "title", 1, WIRE_STRING, 0, 0, NULL },
							 { "version", 2, WIRE_STRING, 0, 0, NULL },
							 { NULL, 0, 0, 0, 0, NULL },
						     } };

static const struct wire_message document_message = { 16,
						      (const struct wire_field[]){
							  { "swagger", 1, WIRE_STRING, 0, 0, NULL },
							  { "info", 2, WIRE_MESSAGE, 0, 0, &info_message },
							  { NULL, 0, 0, 0, 0, NULL },
						      } };
enum { DOCUMENT_PATHS = 8, DOCUMENT_DEFINITIONS = 9, PATHS_PATH = 2, DEFINITIONS_SCHEMA = 1 };

static const struct wire_message body_parameter_message = { 6,
							    (const struct wire_field[]){
								{ "description", 1, WIRE_STRING, 0, 0, NULL },
								{ "name", 2, WIRE_STRING, 0, 0, NULL },
								{ "in", 3, WIRE_STRING, 0, 0, NULL },
								{ "required", 4, WIRE_BOOL, 0, 0, NULL },
								{ "schema", 5, WIRE_MESSAGE, 0, 0,
								  &schema_message },
								{ NULL, 0, 0, 0, 0, NULL },
							    } };
static const struct wire_message query_parameter_message = { 23,
							     (const struct wire_field[]){
								 { "required", 1, WIRE_BOOL, 0, 0, NULL },
								 { "in", 2, WIRE_STRING, 0, 0, NULL },
								 { "description", 3, WIRE_STRING, 0, 0,
								   NULL },
								 { "name", 4, WIRE_STRING, 0, 0, NULL },
								 { "type", 6, WIRE_STRING, 0, 0, NULL },
								 { "uniqueItems", 20, WIRE_BOOL, 0, 0, NULL },
								 { NULL, 0, 0, 0, 0, NULL },
							     } };
static const struct wire_message path_parameter_message = { 22,
							    (const struct wire_field[]){
								{ "required", 1, WIRE_BOOL, 0, 0, NULL },
								{ "in", 2, WIRE_STRING, 0, 0, NULL },
								{ "description", 3, WIRE_STRING, 0, 0, NULL },
								{ "name", 4, WIRE_STRING, 0, 0, NULL },
								{ "type", 5, WIRE_STRING, 0, 0, NULL },
								{ "uniqueItems", 19, WIRE_BOOL, 0, 0, NULL },
								{ NULL, 0, 0, 0, 0, NULL },
							    } };

/* Where each sort of parameter lies: numbers of the messages around it, outermost first. */
static const struct {
	const char *in;
	uint8_t around[3]; /* 0: no further one */
	const struct wire_message *message;
} parameters[] = {
	{ "body", { 1, 1, 0 }, &body_parameter_message },
	{ "query", { 1, 2, 3 }, &query_parameter_message },
	{ "path", { 1, 2, 4 }, &path_parameter_message },
};

/* --- JSON to messages --- */

static void put_object(struct buf *b, const struct wire_message *message, const struct json_object *value);

/* Any { yaml = 2 }: JSON is YAML. */
static void put_any(struct buf *b, unsigned number, const struct json_object *value)
{
	CLEANUP(buf_close) struct buf any = BUF_INIT;
	CLEANUP(buf_close) struct buf yaml = BUF_INIT;
	json_write(&yaml, value);
	buf_char(&yaml, '\n');
	put_bytes(&any, 2, yaml.data, yaml.len);
	put_bytes(b, number, any.data, any.len);
}

static void put_wrapped(struct buf *b, unsigned number, unsigned inner, const struct buf *bytes)
{
	CLEANUP(buf_close) struct buf wrapped = BUF_INIT;
	if (inner)
		put_bytes(&wrapped, inner, bytes->data, bytes->len);
	const struct buf *content = inner ? &wrapped : bytes;
	put_bytes(b, number, content->data, content->len);
}

static void put_named(struct buf *b, unsigned number, const char *name, unsigned inner,
		      const struct buf *bytes)
{
	CLEANUP(buf_close) struct buf named = BUF_INIT;
	put_string(&named, 1, name);
	put_wrapped(&named, 2, inner, bytes);
	put_bytes(b, number, named.data, named.len);
}

static void put_map(struct buf *b, const struct wire_field *field, const struct json_object *value)
{
	CLEANUP(buf_close) struct buf map = BUF_INIT;
	json_object_object_foreach((struct json_object *)(uintptr_t)value, name, member)
	{
		CLEANUP(buf_close) struct buf bytes = BUF_INIT;
		put_object(&bytes, field->message, member);
		put_named(&map, field->inner, name, field->value_inner, &bytes);
	}
	put_bytes(b, field->number, map.data, map.len);
}

static void put_parameters(struct buf *b, unsigned number, const struct json_object *value)
{
	for (size_t i = 0; i < json_len(value); i++) {
		const struct json_object *parameter = json_at(value, i);
		size_t k = 0;
		while (strcmp(json_str_or_empty(parameter, "in"), parameters[k].in) != 0)
			k++;
		CLEANUP(buf_close) struct buf bytes = BUF_INIT;
		put_object(&bytes, parameters[k].message, parameter);
		for (size_t depth = 3; depth-- > 0;) {
			struct buf outer = BUF_INIT;
			if (!parameters[k].around[depth])
				continue;
			put_bytes(&outer, parameters[k].around[depth], bytes.data, bytes.len);
			buf_close(&bytes);
			bytes = outer;
		}
		put_bytes(b, number, bytes.data, bytes.len);
	}
}

static void put_value(struct buf *b, const struct wire_field *field, const struct json_object *value)
{
	CLEANUP(buf_close) struct buf bytes = BUF_INIT;
	switch ((enum wire_type)field->type) {
	case WIRE_STRING:
		if (field->inner) {
			put_string(&bytes, field->inner, text_of(value));
			put_bytes(b, field->number, bytes.data, bytes.len);
		} else {
			put_string(b, field->number, text_of(value));
		}
		break;
	case WIRE_BOOL:
		put_varint(b, (unsigned)field->number << 3);
		put_varint(b, (uint64_t)json_object_get_boolean((struct json_object *)(uintptr_t)value));
		break;
	case WIRE_MESSAGE:
		put_object(&bytes, field->message, value);
		put_wrapped(b, field->number, field->inner, &bytes);
		break;
	case WIRE_MAP:
		put_map(b, field, value);
		break;
	case WIRE_ANY:
	case WIRE_EACH:
		put_any(b, field->number, value);
		break;
	case WIRE_PARAMETERS:
		put_parameters(b, field->number, value);
		break;
	}
}

static void put_member(struct buf *b, const struct wire_field *field, const struct json_object *value)
{
	bool repeated = field->type != WIRE_PARAMETERS && field->type != WIRE_ANY &&
			json_object_is_type(value, json_type_array);
	if (!repeated)
		put_value(b, field, value);
	for (size_t i = 0; repeated && i < json_len(value); i++)
		put_value(b, field, json_at(value, i));
}

/* What is no object ("additionalProperties": true) is an empty message. */
static void put_object(struct buf *b, const struct wire_message *message, const struct json_object *value)
{
	if (!json_object_is_type(value, json_type_object))
		return;
	json_object_object_foreach((struct json_object *)(uintptr_t)value, key, member)
	{
		const struct wire_field *field = message->fields;
		while (field->key && strcmp(field->key, key) != 0)
			field++;
		if (field->key) {
			put_member(b, field, member);
		} else if (strncmp(key, "x-", 2) == 0) {
			CLEANUP(buf_close) struct buf named = BUF_INIT;
			put_string(&named, 1, key);
			put_any(&named, 2, member);
			put_bytes(b, message->extensions, named.data, named.len);
		}
	}
}

static void put_json(struct buf *b, const struct wire_message *message, const char *json, size_t len)
{
	CLEANUP(json_putp) struct json_object *value = NULL;
	if (json_parse(json, len, &value, NULL, NULL) == 0)
		put_object(b, message, value);
}

void openapi_wire_path(struct buf *paths, const char *path, const struct buf *json)
{
	CLEANUP(buf_close) struct buf bytes = BUF_INIT;
	put_json(&bytes, &item_message, json->data, json->len);
	put_named(paths, PATHS_PATH, path, 0, &bytes);
}

void openapi_wire_definition(struct buf *definitions, const char *name, const struct buf *json)
{
	CLEANUP(buf_close) struct buf bytes = BUF_INIT;
	put_json(&bytes, &schema_message, json->data, json->len);
	put_named(definitions, DEFINITIONS_SCHEMA, name, 0, &bytes);
}

void openapi_wire_document(struct buf *b, const char *head, const struct buf *paths,
			   const struct buf *definitions)
{
	put_json(b, &document_message, head, strlen(head));
	put_bytes(b, DOCUMENT_PATHS, paths->data, paths->len);
	put_bytes(b, DOCUMENT_DEFINITIONS, definitions->data, definitions->len);
}
