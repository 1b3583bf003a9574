/* JSON of OpenAPI documents as protobuf, by tables that say which field each member is: what openapi_wire.c
 * and openapi_wire_v3.c share.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

enum wire_type {
	WIRE_STRING, /* or an array of them */
	WIRE_BOOL,
	WIRE_INT,
	WIRE_DOUBLE,
	WIRE_MESSAGE, /* or an array of them */
	WIRE_MAP,     /* of messages: repeated { name = 1; value = 2; } */
	WIRE_ANY,     /* any value, as YAML */
	WIRE_EACH,    /* an array of any values */
	WIRE_PARAMETERS,
	/* Of version 3, where a reference is a message of its own: { MESSAGE = 1 } or { Reference = 2 }. */
	WIRE_EITHER,  /* or an array of them */
	WIRE_EITHERS, /* a map of them */
	WIRE_DEFAULT, /* a number, a truth or a text */
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

/* Where each sort of parameter lies: numbers of the messages around it, outermost first. */
struct wire_parameter {
	const char *in;
	uint8_t around[3]; /* 0: no further one */
	const struct wire_message *message;
};
/* Those of version 2, for WIRE_PARAMETERS; in is NULL in the last one. */
extern const struct wire_parameter openapi_message_parameters[];

/* Appends field NUMBER with these bytes. */
void openapi_message_put_bytes(struct buf *b, unsigned number, const void *data, size_t len);
/* The same wrapped into a message whose only field is INNER; 0: not wrapped. */
void openapi_message_put_wrapped(struct buf *b, unsigned number, unsigned inner, const struct buf *bytes);
/* Field NUMBER is { name = 1; value = 2 }, the value wrapped by INNER. */
void openapi_message_put_named(struct buf *b, unsigned number, const char *name, unsigned inner,
			       const struct buf *bytes);
/* Appends the fields of MESSAGE that the object in JSON has. */
void openapi_message_put_json(struct buf *b, const struct wire_message *message, const char *json,
			      size_t len);
