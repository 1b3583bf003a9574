/* Values of expressions. What comes from an object is borrowed: lists, maps and strings point into its JSON
 * tree, and the schema says what they are. What an evaluation makes lies in its arena.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/structural.h"

enum cel_kind {
	CEL_ERROR, /* text says why */
	CEL_NULL,
	CEL_BOOL,
	CEL_INT,
	CEL_UINT,
	CEL_DOUBLE,
	CEL_STRING,
	CEL_BYTES,
	CEL_DURATION,  /* i: nanoseconds */
	CEL_TIMESTAMP, /* i: seconds since 1970; len: nanoseconds */
	CEL_TYPE,      /* i: the kind */
	CEL_LIST,
	CEL_MAP,
	CEL_OBJECT,   /* a map with the fields of its schema; from JSON only */
	CEL_OPTIONAL, /* inner, or NULL */
	CEL_QUANTITY,
	CEL_URL,
	CEL_IP,
	CEL_CIDR,
	CEL_SEMVER,
	CEL_FORMAT,
	CEL_OPAQUE, /* what a schema preserves without knowing: can be compared only */
};

struct cel_list;
struct cel_map;

struct cel_value {
	uint8_t kind;
	bool borrowed; /* LIST, MAP: of JSON; OBJECT always */
	bool root;     /* OBJECT: has apiVersion, kind and metadata beside what its schema says */
	uint32_t len;  /* STRING, BYTES: bytes */
	union {
		bool b;
		int64_t i;
		uint64_t u;
		double d;
		const char *text; /* not NUL-terminated, but for ERROR */
		const struct cel_list *list;
		const struct cel_map *map;
		const struct cel_value *inner;
		const void *data; /* QUANTITY and the other kinds of libraries */
		struct {
			const struct json_object *json;
			const struct structural *schema;
		};
	};
};

struct cel_list {
	size_t n;
	struct cel_value *items;
	const struct structural *schema; /* of a list that was made of one that is a set or map, or NULL */
};

struct cel_map {
	size_t n;
	struct cel_value *keys, *values;
};

static inline struct cel_value cel_bool(bool b)
{
	return (struct cel_value){ .kind = CEL_BOOL, .b = b };
}

static inline struct cel_value cel_int(int64_t i)
{
	return (struct cel_value){ .kind = CEL_INT, .i = i };
}

static inline struct cel_value cel_uint(uint64_t u)
{
	return (struct cel_value){ .kind = CEL_UINT, .u = u };
}

static inline struct cel_value cel_double(double d)
{
	return (struct cel_value){ .kind = CEL_DOUBLE, .d = d };
}

static inline struct cel_value cel_duration(int64_t ns)
{
	return (struct cel_value){ .kind = CEL_DURATION, .i = ns };
}

static inline struct cel_value cel_text(const char *text, size_t len)
{
	return (struct cel_value){ .kind = CEL_STRING, .len = (uint32_t)len, .text = text };
}

/* MESSAGE lives as long as the value. */
static inline struct cel_value cel_error(const char *message)
{
	return (struct cel_value){ .kind = CEL_ERROR, .text = message };
}

static inline bool cel_is_true(struct cel_value v)
{
	return v.kind == CEL_BOOL && v.b;
}

static inline bool cel_is_false(struct cel_value v)
{
	return v.kind == CEL_BOOL && !v.b;
}

/* "int", "google.protobuf.Duration" */
const char *cel_kind_name(enum cel_kind kind);

#define CEL_NO_OVERLOAD "no such overload"
