/* The API's types as tables: definitions and their fields, generated at build time from facts/fields.tsv
 * (gen_schema.c). A type is found by its definition name ("core.v1.PodSpec") once, at start, by pointer
 * afterwards.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum schema_type {
	SCHEMA_STRING,
	SCHEMA_BYTES, /* base64 in a string */
	SCHEMA_BOOLEAN,
	SCHEMA_INT32,
	SCHEMA_INT64,
	SCHEMA_DOUBLE,
	SCHEMA_TIME, /* meta.v1.Time */
	SCHEMA_MICRO_TIME,
	SCHEMA_QUANTITY,
	SCHEMA_INT_OR_STRING,
	SCHEMA_OBJECT, /* of the field's definition */
	SCHEMA_ANY,    /* any JSON: FieldsV1, RawExtension, JSON, any */
};

enum schema_container { SCHEMA_SINGLE, SCHEMA_ARRAY, SCHEMA_MAP, SCHEMA_MAP_OF_ARRAY };

enum schema_list { SCHEMA_LIST_DEFAULT, SCHEMA_LIST_ATOMIC, SCHEMA_LIST_SET, SCHEMA_LIST_MAP };

struct schema_def;

/* What few fields have; each may be NULL. */
struct schema_texts {
	const char *merge_key;     /* strategic merge key of a list of objects */
	const char *list_map_keys; /* "containerPort,protocol" */
	const char *default_value; /* JSON text */
	const char *go_type; /* name of the element's string type in error messages ("v1.RestartPolicy") */
};

struct schema_field {
	const char *name;
	const struct schema_def *def;     /* of SCHEMA_OBJECT */
	const struct schema_texts *texts; /* or NULL: schema_texts() */
	uint8_t type;                     /* enum schema_type, of the element in containers */
	uint8_t container;                /* enum schema_container */
	uint8_t list;                     /* enum schema_list: server-side apply's view */
	bool required;
	bool patch_merge;   /* strategic merge patch merges this list (structs always merge)... */
	bool patch_replace; /* ...replaces this struct whole */
	bool retain_keys;   /* ...or clients send $retainKeys with it: unions */
	bool or_boolean;    /* of an object: true and false may stand for it */
	bool map_atomic;    /* map or struct is replaced whole by server-side apply */
	bool map_granular;  /* ...and this struct is not, though its definition says so */
	bool zero;          /* Go shows it in an empty object: {}, null, "", 0 or false */
	uint8_t wire;       /* number in protobuf; 0: not known */
	uint8_t wire_outer; /* number of the embedded message it lies in there, or 0 */
	bool wire_zero;     /* 0 and false on the wire are values; else they stand for an absent field */
};

struct schema_def {
	const char *name;                      /* "core.v1.PodSpec" */
	const struct schema_field *own_fields; /* of one that is not built in; schema_fields() for all */
	uint32_t first;                        /* of built-in ones: where theirs begin among all */
	uint32_t n_fields;
	bool keeps_unknown; /* of custom resources: other fields may be there, and are any value */
	bool atomic;        /* server-side apply replaces it whole */
};

/* A row of facts/resources.tsv; subresources follow their resource as "pods/status". */
struct schema_resource {
	const char *group_version; /* "apps/v1" */
	const char *name;          /* "deployments", "deployments/scale" */
	const char *kind;
	bool namespaced;
	const char *short_names; /* comma-separated, or "" */
	const char *singular;
	const char *categories; /* comma-separated, or "" */
	unsigned verbs;         /* enum verb (resource.h) */
};

/* The tables, from gen_schema.c. Definitions are sorted by name; resources stand in discovery's order. */
extern const struct schema_def schema_defs[];
extern const size_t schema_n_defs;
extern const struct schema_resource schema_resources[];
extern const size_t schema_n_resources;

/* None when FIELD has none. */
extern const struct schema_texts schema_no_texts;
static inline const struct schema_texts *schema_texts(const struct schema_field *field)
{
	return field->texts ? field->texts : &schema_no_texts;
}

/* N_FIELDS of them, sorted by name. Thread-safe; those of built-in definitions are made when it is first
 * called (schema_seed.h). */
const struct schema_field *schema_fields(const struct schema_def *def);
/* The definition, or NULL. Binary search. */
const struct schema_def *schema_def_find(const char *name);
/* The field of DEF whose JSON name is NAME of LEN bytes, or NULL. */
const struct schema_field *schema_field_find(const struct schema_def *def, const char *name, size_t len);
/* The names of all fields become known to the JSON parser (lib/json_key.h): of a program that parses objects
 * all the time, before it has threads. */
void schema_learn_names(void);
/* "PodSpec" of "core.v1.PodSpec", and "v1.PodSpec", as Kubernetes' decoder names the type. Pointers into the
 * name. */
const char *schema_def_short_name(const struct schema_def *def);
const char *schema_def_go_name(const struct schema_def *def);
const char *schema_def_versioned_name(const struct schema_def *def);
/* The Go type as Kubernetes' decoder names it in messages: "[]v1.Container", "int64", "map[string]string". */
const char *schema_go_type(const struct schema_field *field, char *buf, size_t size);
/* Type as `kubectl explain` names it: "<[]Container>", "<string>", "<map[string]string>", "<integer>". */
const char *schema_explain_type(const struct schema_field *field, char *buf, size_t size);
