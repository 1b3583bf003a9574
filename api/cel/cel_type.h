/* Types as the checker sees them. Objects are what their schema is; all others are alike when their parts
 * are.
 */
#pragma once

#include "api/cel/cel_arena.h"
#include "api/structural.h"
#include "lib/buf.h"

enum cel_type_kind {
	CEL_TYPE_DYN,
	CEL_TYPE_UNKNOWN, /* a fault has been told: fits everywhere */
	CEL_TYPE_NULL,
	CEL_TYPE_BOOL,
	CEL_TYPE_INT,
	CEL_TYPE_UINT,
	CEL_TYPE_DOUBLE,
	CEL_TYPE_STRING,
	CEL_TYPE_BYTES,
	CEL_TYPE_DURATION,
	CEL_TYPE_TIMESTAMP,
	CEL_TYPE_QUANTITY,
	CEL_TYPE_URL,
	CEL_TYPE_IP,
	CEL_TYPE_CIDR,
	CEL_TYPE_SEMVER,
	CEL_TYPE_FORMAT,
	CEL_TYPE_TYPE,     /* a */
	CEL_TYPE_LIST,     /* of a */
	CEL_TYPE_MAP,      /* a to b */
	CEL_TYPE_OPTIONAL, /* a */
	CEL_TYPE_OBJECT,   /* schema */
	CEL_TYPE_PARAM,    /* of an overload: see cel_overload.h */
};

struct cel_type {
	enum cel_type_kind kind;
	const struct cel_type *a, *b;
	const struct structural *schema;
	bool root;        /* OBJECT: with apiVersion, kind and metadata */
	const char *name; /* OBJECT: for messages */
};

/* Those without parts. */
const struct cel_type *cel_type(enum cel_type_kind kind);
const struct cel_type *cel_type_of(struct cel_arena *arena, enum cel_type_kind kind, const struct cel_type *a,
				   const struct cel_type *b);
/* What values of SCHEMA are; NULL: nothing that expressions can see. ROOT: a whole object. NAME is for
 * objects' messages. */
const struct cel_type *cel_type_of_schema(struct cel_arena *arena, const struct structural *schema, bool root,
					  const char *name);
/* The type of the field that expressions call NAME and JSON calls KEY; NULL: there is none. */
const struct cel_type *cel_type_field(struct cel_arena *arena, const struct cel_type *object,
				      const char *name, const char *key);
/* True of what is known only when it is evaluated, and of what a fault has been told about. */
bool cel_type_is_dyn(const struct cel_type *type);
bool cel_type_same(const struct cel_type *a, const struct cel_type *b);
/* True where a value of FROM may stand for one of TO. */
bool cel_type_fits(const struct cel_type *to, const struct cel_type *from);
/* The more general one of two that fit. */
const struct cel_type *cel_type_join(const struct cel_type *a, const struct cel_type *b);
/* Appends "map(string, list(int))". */
void cel_type_write(struct buf *b, const struct cel_type *type);

/* The schema of the property that JSON calls KEY, as expressions see it; NULL: they do not. */
const struct structural *cel_property(const struct structural *schema, bool root, const char *key);
