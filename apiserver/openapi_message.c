#include "apiserver/openapi_message.h"

#include <string.h>

#include "lib/json.h"
#include "lib/mem.h"

/* Of what is either a message or a reference. */
enum { EITHER_ITSELF = 1, EITHER_REFERENCE = 2 };

/* --- protobuf: tags, lengths, values --- */

static void put_varint(struct buf *b, uint64_t value)
{
	while (value >= 0x80) {
		buf_char(b, (char)(value | 0x80));
		value >>= 7;
	}
	buf_char(b, (char)value);
}

void openapi_message_put_bytes(struct buf *b, unsigned number, const void *data, size_t len)
{
	put_varint(b, number << 3 | 2);
	put_varint(b, len);
	buf_add(b, data, len);
}

static void put_string(struct buf *b, unsigned number, const char *text)
{
	openapi_message_put_bytes(b, number, text, strlen(text));
}

static const char *text_of(const struct json_object *value)
{
	return json_object_get_string((struct json_object *)(uintptr_t)value);
}

/* --- JSON to messages --- */

static void put_object(struct buf *b, const struct wire_message *message, const struct json_object *value);

/* Any { yaml = 2 }: JSON is YAML. */
static void put_any(struct buf *b, unsigned number, const struct json_object *value)
{
	CLEANUP(buf_close) struct buf any = BUF_INIT;
	CLEANUP(buf_close) struct buf yaml = BUF_INIT;
	json_write(&yaml, value);
	buf_char(&yaml, '\n');
	openapi_message_put_bytes(&any, 2, yaml.data, yaml.len);
	openapi_message_put_bytes(b, number, any.data, any.len);
}

void openapi_message_put_wrapped(struct buf *b, unsigned number, unsigned inner, const struct buf *bytes)
{
	CLEANUP(buf_close) struct buf wrapped = BUF_INIT;
	if (inner)
		openapi_message_put_bytes(&wrapped, inner, bytes->data, bytes->len);
	const struct buf *content = inner ? &wrapped : bytes;
	openapi_message_put_bytes(b, number, content->data, content->len);
}

void openapi_message_put_named(struct buf *b, unsigned number, const char *name, unsigned inner,
			       const struct buf *bytes)
{
	CLEANUP(buf_close) struct buf named = BUF_INIT;
	put_string(&named, 1, name);
	openapi_message_put_wrapped(&named, 2, inner, bytes);
	openapi_message_put_bytes(b, number, named.data, named.len);
}

static void put_bool(struct buf *b, unsigned number, const struct json_object *value)
{
	put_varint(b, number << 3);
	put_varint(b, (uint64_t)json_object_get_boolean((struct json_object *)(uintptr_t)value));
}

static void put_double(struct buf *b, unsigned number, const struct json_object *value)
{
	double real = json_object_get_double((struct json_object *)(uintptr_t)value);
	uint64_t bits;
	memcpy(&bits, &real, sizeof(bits));
	put_varint(b, number << 3 | 1);
	for (int i = 0; i < 8; i++)
		buf_char(b, (char)(bits >> 8 * i));
}

/* "additionalProperties": true is a field of its own there. */
static void put_either(struct buf *b, const struct wire_message *message, const struct json_object *value)
{
	CLEANUP(buf_close) struct buf bytes = BUF_INIT;
	const char *ref = json_str(value, "$ref");
	if (ref)
		put_string(&bytes, 1, ref);
	else
		put_object(&bytes, message, value);
	openapi_message_put_bytes(b, ref ? EITHER_REFERENCE : EITHER_ITSELF, bytes.data, bytes.len);
}

/* Objects and lists have no place in it. */
static void put_default(struct buf *b, unsigned number, const struct json_object *value)
{
	CLEANUP(buf_close) struct buf bytes = BUF_INIT;
	if (json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double))
		put_double(&bytes, 1, value);
	else if (json_object_is_type(value, json_type_boolean))
		put_bool(&bytes, 2, value);
	else if (json_object_is_type(value, json_type_string))
		put_string(&bytes, 3, text_of(value));
	else
		return;
	openapi_message_put_bytes(b, number, bytes.data, bytes.len);
}

static void put_map(struct buf *b, const struct wire_field *field, const struct json_object *value)
{
	CLEANUP(buf_close) struct buf map = BUF_INIT;
	json_object_object_foreach((struct json_object *)(uintptr_t)value, name, member)
	{
		CLEANUP(buf_close) struct buf bytes = BUF_INIT;
		if (field->type == WIRE_EITHERS)
			put_either(&bytes, field->message, member);
		else
			put_object(&bytes, field->message, member);
		openapi_message_put_named(&map, field->inner, name, field->value_inner, &bytes);
	}
	openapi_message_put_bytes(b, field->number, map.data, map.len);
}

static void put_parameters(struct buf *b, unsigned number, const struct json_object *value)
{
	for (size_t i = 0; i < json_len(value); i++) {
		const struct json_object *parameter = json_at(value, i);
		size_t k = 0;
		while (openapi_message_parameters[k].in &&
		       strcmp(json_str_or_empty(parameter, "in"), openapi_message_parameters[k].in) != 0)
			k++;
		if (!openapi_message_parameters[k].in)
			continue;
		CLEANUP(buf_close) struct buf bytes = BUF_INIT;
		put_object(&bytes, openapi_message_parameters[k].message, parameter);
		for (size_t depth = 3; depth-- > 0;) {
			struct buf outer = BUF_INIT;
			if (!openapi_message_parameters[k].around[depth])
				continue;
			openapi_message_put_bytes(&outer, openapi_message_parameters[k].around[depth],
						  bytes.data, bytes.len);
			buf_close(&bytes);
			bytes = outer;
		}
		openapi_message_put_bytes(b, number, bytes.data, bytes.len);
	}
}

static void put_value(struct buf *b, const struct wire_field *field, const struct json_object *value)
{
	CLEANUP(buf_close) struct buf bytes = BUF_INIT;
	switch ((enum wire_type)field->type) {
	case WIRE_STRING:
		if (field->inner) {
			put_string(&bytes, field->inner, text_of(value));
			openapi_message_put_bytes(b, field->number, bytes.data, bytes.len);
		} else {
			put_string(b, field->number, text_of(value));
		}
		break;
	case WIRE_BOOL:
		put_bool(b, field->number, value);
		break;
	case WIRE_INT:
		put_varint(b, (unsigned)field->number << 3);
		put_varint(b, (uint64_t)json_object_get_int64((struct json_object *)(uintptr_t)value));
		break;
	case WIRE_DOUBLE:
		put_double(b, field->number, value);
		break;
	case WIRE_EITHER:
		if (json_object_is_type(value, json_type_boolean)) {
			put_bool(&bytes, 2, value);
			openapi_message_put_bytes(b, field->number, bytes.data, bytes.len);
			break;
		}
		put_either(&bytes, field->message, value);
		openapi_message_put_wrapped(b, field->number, field->inner, &bytes);
		break;
	case WIRE_DEFAULT:
		put_default(b, field->number, value);
		break;
	case WIRE_MESSAGE:
		put_object(&bytes, field->message, value);
		openapi_message_put_wrapped(b, field->number, field->inner, &bytes);
		break;
	case WIRE_MAP:
	case WIRE_EITHERS:
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
			field->type != WIRE_DEFAULT && json_object_is_type(value, json_type_array);
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
			openapi_message_put_bytes(b, message->extensions, named.data, named.len);
		}
	}
}

void openapi_message_put_json(struct buf *b, const struct wire_message *message, const char *json, size_t len)
{
	CLEANUP(json_putp) struct json_object *value = NULL;
	if (json_parse(json, len, &value, NULL, NULL) == 0)
		put_object(b, message, value);
}
