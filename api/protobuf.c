#include "api/protobuf.h"

#include <stdio.h>
#include <string.h>

#include "api/schema.h"
#include "lib/json.h"
#include "lib/timefmt.h"

/* https://protobuf.dev/programming-guides/encoding/ */
enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

#define MAX_SECONDS 253402300799 /* the end of year 9999 */

struct reader {
	const uint8_t *p, *end;
};

struct value {
	unsigned field;
	enum wire_type type;
	uint64_t number;     /* of varint and fixed */
	struct reader bytes; /* of bytes */
};

/* A JSON object being written. A repeated field comes element by element: its list stays open until another
 * field comes. */
struct object {
	struct buf *out;
	const struct schema_field *open;
	bool any;
};

static int malformed(struct err *err, const char *why)
{
	return err_set(err, ERR_BAD_REQUEST, "the body is no protobuf of the API: %s", why);
}

static size_t reader_left(const struct reader *r)
{
	return (size_t)(r->end - r->p);
}

static int read_varint(struct reader *r, uint64_t *ret, struct err *err)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (r->p == r->end)
			return malformed(err, "unexpected end");
		uint8_t byte = *r->p++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return 0;
		}
	}
	return malformed(err, "number too long");
}

static int read_fixed(struct reader *r, size_t size, uint64_t *ret, struct err *err)
{
	uint64_t value = 0;
	if (reader_left(r) < size)
		return malformed(err, "unexpected end");
	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)r->p[i] << (8 * i);
	r->p += size;
	*ret = value;
	return 0;
}

static int read_bytes(struct reader *r, struct reader *ret, struct err *err)
{
	uint64_t len;
	if (read_varint(r, &len, err) < 0)
		return -1;
	if (len > reader_left(r))
		return malformed(err, "unexpected end");
	*ret = (struct reader){ r->p, r->p + len };
	r->p += len;
	return 0;
}

static int read_value(struct reader *r, struct value *ret, struct err *err)
{
	uint64_t tag;
	if (read_varint(r, &tag, err) < 0)
		return -1;
	/* A number beyond what we know is one we do not know. */
	*ret = (struct value){ .field = tag >> 3 > 0xffff ? 0xffff : (unsigned)(tag >> 3),
			       .type = (enum wire_type)(tag & 7) };
	switch (ret->type) {
	case WIRE_VARINT:
		return read_varint(r, &ret->number, err);
	case WIRE_FIXED64:
		return read_fixed(r, 8, &ret->number, err);
	case WIRE_FIXED32:
		return read_fixed(r, 4, &ret->number, err);
	case WIRE_BYTES:
		return read_bytes(r, &ret->bytes, err);
	}
	return malformed(err, "illegal wire type");
}

static enum wire_type wire_type_of(const struct schema_field *field)
{
	if (field->container == SCHEMA_MAP)
		return WIRE_BYTES;
	switch (field->type) {
	case SCHEMA_BOOLEAN:
	case SCHEMA_INT32:
	case SCHEMA_INT64:
		return WIRE_VARINT;
	case SCHEMA_DOUBLE:
		return WIRE_FIXED64;
	default:
		return WIRE_BYTES;
	}
}

/* What Go's zero value of an unset field is sent as. */
static bool is_absent(const struct schema_field *field, const struct value *value)
{
	switch (field->type) {
	case SCHEMA_BOOLEAN:
	case SCHEMA_INT32:
	case SCHEMA_INT64:
	case SCHEMA_DOUBLE:
		return value->number == 0 && !field->wire_zero;
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
	case SCHEMA_TIME:
	case SCHEMA_MICRO_TIME:
	case SCHEMA_ANY:
		return reader_left(&value->bytes) == 0;
	default:
		return false;
	}
}

static void write_string(struct buf *out, const struct reader *bytes)
{
	buf_json_stringn(out, (const char *)bytes->p, reader_left(bytes));
}

/* Time and MicroTime: 1 seconds, 2 nanoseconds. */
static int write_time(struct buf *out, struct reader bytes, bool micro, struct err *err)
{
	int64_t parts[2] = { 0, 0 };
	while (bytes.p < bytes.end) {
		struct value value;
		if (read_value(&bytes, &value, err) < 0)
			return -1;
		if ((value.field == 1 || value.field == 2) && value.type == WIRE_VARINT)
			parts[value.field - 1] = (int64_t)value.number;
	}
	if (parts[0] < -MAX_SECONDS / 2 || parts[0] > MAX_SECONDS || parts[1] < 0 || parts[1] >= 1000000000)
		return malformed(err, "time out of range");
	int64_t us = parts[0] * 1000000 + parts[1] / 1000;
	char text[TIMEFMT_SIZE];
	buf_char(out, '"');
	buf_str(out, micro ? time_format_micro(us, text) : time_format(us, text));
	buf_char(out, '"');
	return 0;
}

/* Quantity: 1 its text. */
static int write_quantity(struct buf *out, struct reader bytes, struct err *err)
{
	struct reader text = { bytes.p, bytes.p };
	while (bytes.p < bytes.end) {
		struct value value;
		if (read_value(&bytes, &value, err) < 0)
			return -1;
		if (value.field == 1 && value.type == WIRE_BYTES)
			text = value.bytes;
	}
	write_string(out, &text);
	return 0;
}

/* IntOrString: 1 which (0: a number), 2 number, 3 text. */
static int write_int_or_string(struct buf *out, struct reader bytes, struct err *err)
{
	uint64_t which = 0, number = 0;
	struct reader text = { bytes.p, bytes.p };
	while (bytes.p < bytes.end) {
		struct value value;
		if (read_value(&bytes, &value, err) < 0)
			return -1;
		if (value.field == 1 && value.type == WIRE_VARINT)
			which = value.number;
		else if (value.field == 2 && value.type == WIRE_VARINT)
			number = value.number;
		else if (value.field == 3 && value.type == WIRE_BYTES)
			text = value.bytes;
	}
	if (which == 0)
		buf_int(out, (int32_t)number);
	else
		write_string(out, &text);
	return 0;
}

/* FieldsV1, RawExtension: 1 JSON. */
static int write_any(struct buf *out, struct reader bytes, struct err *err)
{
	CLEANUP(json_putp) struct json_object *any = NULL;
	struct reader text = { bytes.p, bytes.p };
	while (bytes.p < bytes.end) {
		struct value value;
		if (read_value(&bytes, &value, err) < 0)
			return -1;
		if (value.field == 1 && value.type == WIRE_BYTES)
			text = value.bytes;
	}
	if (reader_left(&text) && json_parse((const char *)text.p, reader_left(&text), &any, NULL, NULL) < 0)
		return malformed(err, "raw value that is no JSON");
	json_write(out, any);
	return 0;
}

static int write_message(struct buf *out, const struct schema_def *def, struct reader bytes, unsigned depth,
			 struct err *err);

/* One value, or one element of a list or map. */
static int write_value(struct buf *out, const struct schema_field *field, const struct value *value,
		       unsigned depth, struct err *err)
{
	double number;
	switch (field->type) {
	case SCHEMA_BOOLEAN:
		buf_str(out, value->number ? "true" : "false");
		return 0;
	case SCHEMA_INT32:
		buf_int(out, (int32_t)value->number);
		return 0;
	case SCHEMA_INT64:
		buf_int(out, (int64_t)value->number);
		return 0;
	case SCHEMA_DOUBLE:
		memcpy(&number, &value->number, sizeof(number));
		buf_printf(out, "%.17g", number); /* what is no number is no JSON, and refused as that */
		return 0;
	case SCHEMA_STRING:
		write_string(out, &value->bytes);
		return 0;
	case SCHEMA_BYTES:
		buf_char(out, '"');
		buf_base64(out, value->bytes.p, reader_left(&value->bytes));
		buf_char(out, '"');
		return 0;
	case SCHEMA_TIME:
	case SCHEMA_MICRO_TIME:
		return write_time(out, value->bytes, field->type == SCHEMA_MICRO_TIME, err);
	case SCHEMA_QUANTITY:
		return write_quantity(out, value->bytes, err);
	case SCHEMA_INT_OR_STRING:
		return write_int_or_string(out, value->bytes, err);
	case SCHEMA_ANY:
		return write_any(out, value->bytes, err);
	default: /* SCHEMA_OBJECT */
		return write_message(out, field->def, value->bytes, depth + 1, err);
	}
}

/* An entry of a map: 1 key, 2 value. */
static int write_entry(struct buf *out, const struct schema_field *field, struct reader bytes, unsigned depth,
		       struct err *err)
{
	struct reader key = { bytes.p, bytes.p };
	struct value entry = { .bytes = key };
	while (bytes.p < bytes.end) {
		struct value value;
		if (read_value(&bytes, &value, err) < 0)
			return -1;
		if (value.field == 1 && value.type == WIRE_BYTES)
			key = value.bytes;
		else if (value.field == 2 && value.type == WIRE_BYTES)
			entry = value; /* maps of the API hold strings, bytes and messages */
	}
	write_string(out, &key);
	buf_char(out, ':');
	return write_value(out, field, &entry, depth, err);
}

static void close_list(struct object *object)
{
	if (object->open)
		buf_char(object->out, object->open->container == SCHEMA_ARRAY ? ']' : '}');
	object->open = NULL;
}

static void write_key(struct object *object, const char *name)
{
	close_list(object);
	if (object->any)
		buf_char(object->out, ',');
	object->any = true;
	buf_json_string(object->out, name);
	buf_char(object->out, ':');
}

static int write_field(struct object *object, const struct schema_field *field, const struct value *value,
		       unsigned depth, struct err *err)
{
	if (value->type != wire_type_of(field))
		return err_set(err, ERR_BAD_REQUEST,
			       "the body is no protobuf of the API: wrong wire type %d of field %s",
			       (int)value->type, field->name);
	if (field->container == SCHEMA_SINGLE) {
		if (is_absent(field, value))
			return 0;
		write_key(object, field->name);
		return write_value(object->out, field, value, depth, err);
	}
	if (object->open == field) {
		buf_char(object->out, ',');
	} else {
		write_key(object, field->name);
		buf_char(object->out, field->container == SCHEMA_ARRAY ? '[' : '{');
		object->open = field;
	}
	return field->container == SCHEMA_ARRAY ? write_value(object->out, field, value, depth, err)
						: write_entry(object->out, field, value->bytes, depth, err);
}

/* The field of DEF with that number in the embedded message OUTER (0: in DEF itself); *ret_embeds: the number
 * is that of an embedded message, whose fields are DEF's in JSON. */
static const struct schema_field *find_field(const struct schema_def *def, unsigned outer, unsigned number,
					     bool *ret_embeds)
{
	*ret_embeds = false;
	for (size_t i = 0; i < def->n_fields; i++) {
		const struct schema_field *field = &schema_fields(def)[i];
		if (field->wire == number && field->wire_outer == outer)
			return field;
		*ret_embeds |= outer == 0 && number && field->wire_outer == number;
	}
	return NULL;
}

static int write_fields(struct object *object, const struct schema_def *def, unsigned outer,
			struct reader bytes, unsigned depth, struct err *err)
{
	while (bytes.p < bytes.end) {
		struct value value;
		bool embeds;
		if (read_value(&bytes, &value, err) < 0)
			return -1;
		const struct schema_field *field = find_field(def, outer, value.field, &embeds);
		if (field) {
			if (write_field(object, field, &value, depth, err) < 0)
				return -1;
		} else if (embeds && value.type == WIRE_BYTES) {
			if (write_fields(object, def, value.field, value.bytes, depth, err) < 0)
				return -1;
		}
		if (object->out->failed)
			return err_set(err, ERR_TOO_LARGE, "Request entity too large: limit is %zu as JSON",
				       object->out->max);
	}
	return 0;
}

static int write_message(struct buf *out, const struct schema_def *def, struct reader bytes, unsigned depth,
			 struct err *err)
{
	struct object object = { .out = out };
	if (depth > JSON_MAX_DEPTH)
		return malformed(err, "nested too deeply");
	buf_char(out, '{');
	if (write_fields(&object, def, 0, bytes, depth, err) < 0)
		return -1;
	close_list(&object);
	buf_char(out, '}');
	return 0;
}

/* The envelope: 1 the type (1 apiVersion, 2 kind), 2 the message. */
struct envelope {
	struct reader type[2], message;
};

static int read_envelope(struct reader bytes, struct envelope *ret, struct err *err)
{
	while (bytes.p < bytes.end) {
		struct value value, part;
		if (read_value(&bytes, &value, err) < 0)
			return -1;
		if (value.field == 2 && value.type == WIRE_BYTES)
			ret->message = value.bytes;
		if (value.field != 1 || value.type != WIRE_BYTES)
			continue;
		while (value.bytes.p < value.bytes.end) {
			if (read_value(&value.bytes, &part, err) < 0)
				return -1;
			if ((part.field == 1 || part.field == 2) && part.type == WIRE_BYTES)
				ret->type[part.field - 1] = part.bytes;
		}
	}
	return 0;
}

/* "apps/v1" and "Deployment" are "apps.v1.Deployment", "v1" and "Pod" "core.v1.Pod", or of meta.v1, which are
 * in every group. NULL when there is no such kind, or none whose numbers we have. */
static const struct schema_def *find_def(const struct envelope *envelope)
{
	const char *version = (const char *)envelope->type[0].p;
	int version_len = (int)reader_left(&envelope->type[0]),
	    kind_len = (int)reader_left(&envelope->type[1]);
	const char *kind = (const char *)envelope->type[1].p;
	char name[128];
	const char *slash = version_len > 0 ? memchr(version, '/', (size_t)version_len) : NULL;
	const struct schema_def *def = NULL;
	if (version_len > 0 && kind_len > 0 && version_len + kind_len < 100) {
		if (slash)
			snprintf(name, sizeof(name), "%.*s.%.*s.%.*s", (int)strcspn(version, "./"), version,
				 version_len - (int)(slash + 1 - version), slash + 1, kind_len, kind);
		else
			snprintf(name, sizeof(name), "core.%.*s.%.*s", version_len, version, kind_len, kind);
		def = schema_def_find(name);
		if (!def) {
			snprintf(name, sizeof(name), "meta.v1.%.*s", kind_len, kind);
			def = schema_def_find(name);
		}
	}
	for (size_t i = 0; def && i < def->n_fields; i++)
		if (schema_fields(def)[i].wire)
			return def;
	return NULL;
}

int protobuf_to_json(const char *data, size_t len, struct buf *ret, struct err *err)
{
	static const char magic[4] = { 'k', '8', 's', 0 };
	struct envelope envelope = { 0 };
	if (len < sizeof(magic) || memcmp(data, magic, sizeof(magic)) != 0)
		return malformed(err, "it does not begin with k8s");
	struct reader all = { (const uint8_t *)data + sizeof(magic), (const uint8_t *)data + len };
	if (read_envelope(all, &envelope, err) < 0)
		return -1;
	const struct schema_def *def = find_def(&envelope);
	if (!def)
		return err_set(
		    err, ERR_UNSUPPORTED_MEDIA_TYPE,
		    "the body of the request was in an unknown format - accepted media types include: "
		    "application/json, application/yaml");
	struct object object = { .out = ret };
	buf_char(ret, '{');
	write_key(&object, "apiVersion");
	write_string(ret, &envelope.type[0]);
	write_key(&object, "kind");
	write_string(ret, &envelope.type[1]);
	if (write_fields(&object, def, 0, envelope.message, 1, err) < 0)
		return -1;
	close_list(&object);
	buf_char(ret, '}');
	return ret->failed
		   ? err_set(err, ERR_TOO_LARGE, "Request entity too large: limit is %zu as JSON", ret->max)
		   : 0;
}
