#include "api/decode_walk.h"

#include <stdlib.h>
#include <string.h>

#include "api/decode_scalar.h"

enum { MAX_ISSUES = 100 };

/* Where the walk is: a chain on the C stack, made into text only when there is something to say. */
struct place {
	const struct place *up;
	enum { PLACE_FIELD, PLACE_KEY, PLACE_INDEX } kind;
	const char *name; /* of fields and keys */
	size_t index;
};

/* "spec.containers[0].ports": as unknown fields are named. */
static void write_path(struct buf *b, const struct place *place)
{
	if (place == NULL)
		return;
	write_path(b, place->up);
	if (place->kind == PLACE_INDEX) {
		buf_printf(b, "[%zu]", place->index);
		return;
	}
	if (b->len > 0)
		buf_char(b, '.');
	buf_str(b, place->name);
}

/* "spec.containers.ports": the struct fields on the way alone, as type errors name it. */
static void write_field_names(struct buf *b, const struct place *place)
{
	if (place == NULL)
		return;
	write_field_names(b, place->up);
	if (place->kind == PLACE_FIELD) {
		buf_char(b, '.');
		buf_str(b, place->name);
	}
}

void decode_walk_close(struct decode_walk *walk)
{
	for (size_t i = 0; i < walk->n_issues; i++)
		free(walk->issues[i]);
	free(walk->issues);
	buf_close(&walk->error);
}

void decode_walk_issue(struct decode_walk *walk, const char *kind, const char *path)
{
	struct buf text = BUF_INIT;

	if (walk->validation == FIELD_VALIDATION_IGNORE || walk->n_issues == MAX_ISSUES)
		return;
	if (walk->issues == NULL)
		walk->issues = mem_realloc_array(NULL, MAX_ISSUES, sizeof(*walk->issues));
	buf_str(&text, kind);
	buf_char(&text, ' ');
	buf_json_string(&text, path);
	walk->issues[walk->n_issues++] = buf_take(&text);
}

static void note_unknown(struct decode_walk *walk, const struct place *place)
{
	struct buf path CLEANUP(buf_close) = BUF_INIT;

	write_path(&path, place);
	decode_walk_issue(walk, "unknown field", path.data);
}

static const char *scalar_go_name(enum schema_type type)
{
	static const char *const names[] = {
		[SCHEMA_STRING] = "string",
		[SCHEMA_BYTES] = "[]uint8",
		[SCHEMA_BOOLEAN] = "bool",
		[SCHEMA_INT32] = "int32",
		[SCHEMA_INT64] = "int64",
		[SCHEMA_DOUBLE] = "float64",
		[SCHEMA_TIME] = "v1.Time",
		[SCHEMA_MICRO_TIME] = "v1.MicroTime",
		[SCHEMA_QUANTITY] = "resource.Quantity",
		[SCHEMA_INT_OR_STRING] = "intstr.IntOrString",
		[SCHEMA_OBJECT] = "struct",
		[SCHEMA_ANY] = "interface {}",
	};

	return names[type];
}

static const char *element_go_name(const struct schema_field *field)
{
	if (field->type == SCHEMA_OBJECT)
		return schema_def_go_name(field->def);
	return schema_texts(field)->go_type != NULL ? schema_texts(field)->go_type
						    : scalar_go_name(field->type);
}

/* The Go type of FIELD's value: what a message says it should have been. Maps of quantities in the core API
 * have a name of their own. */
static void write_go_type(struct buf *b, const struct schema_field *field, enum schema_container container,
			  const struct schema_def *owner)
{
	if (container == SCHEMA_MAP && field->type == SCHEMA_QUANTITY &&
	    strncmp(owner->name, "core.", 5) == 0) {
		buf_str(b, "v1.ResourceList");
		return;
	}
	if (container == SCHEMA_ARRAY)
		buf_str(b, "[]");
	else if (container == SCHEMA_MAP)
		buf_str(b, "map[string]");
	else if (container == SCHEMA_MAP_OF_ARRAY)
		buf_str(b, "map[string][]");
	buf_str(b, element_go_name(field));
}

/* "string", or, for numbers that do not fit an integer, "number 1.5". */
static void write_found(struct buf *b, struct json_object *value, bool with_number)
{
	const char *name = decode_type_name(value);

	buf_str(b, name);
	if (with_number && strcmp(name, "number") == 0) {
		buf_char(b, ' ');
		buf_str(b, json_object_get_string(value));
	}
}

static void begin_type_error(struct decode_walk *walk, struct json_object *value, bool with_number,
			     const struct place *place)
{
	struct buf *b = &walk->error;

	buf_reset(b);
	buf_str(b, "json: cannot unmarshal ");
	write_found(b, value, with_number);
	if (place == NULL) {
		buf_str(b, " into Go value of type ");
		return;
	}
	buf_str(b, " into Go struct field ");
	buf_str(b, schema_def_short_name(walk->innermost));
	write_field_names(b, place);
	buf_str(b, " of type ");
}

/* Of type errors the first is reported, and Kubernetes reads on to the end. */
static void type_error(struct decode_walk *walk, struct json_object *value, const struct schema_field *field,
		       enum schema_container container, const struct place *place)
{
	bool integer =
	    container == SCHEMA_SINGLE && (field->type == SCHEMA_INT32 || field->type == SCHEMA_INT64);

	if (walk->error.len > 0)
		return;
	begin_type_error(walk, value, integer, place);
	write_go_type(&walk->error, field, container, walk->innermost);
}

/* Types that read themselves (times, quantities, int-or-string) end the reading at once, and what they say is
 * reported even after an error of the other sort. */
static void own_type_error(struct decode_walk *walk, struct json_object *value, const char *type,
			   bool with_number, const struct place *place)
{
	begin_type_error(walk, value, with_number, place);
	buf_str(&walk->error, type);
	walk->stopped = true;
}

static void own_error(struct decode_walk *walk, const struct buf *message)
{
	buf_reset(&walk->error);
	buf_add(&walk->error, message->data, message->len);
	walk->stopped = true;
}

static bool fits_int64(struct json_object *value)
{
	return json_object_is_type(value, json_type_int) &&
	       (json_object_get_int64(value) != INT64_MAX || json_object_get_uint64(value) == INT64_MAX);
}

static bool fits_int32(struct json_object *value)
{
	return fits_int64(value) && json_object_get_int64(value) >= INT32_MIN &&
	       json_object_get_int64(value) <= INT32_MAX;
}

static struct json_object *canonical_string(const struct buf *canonical)
{
	if (canonical->len == 0)
		return NULL;
	return json_object_new_string_len(canonical->data, (int)canonical->len);
}

/* The walk_ functions return the value to put in the place of VALUE, or NULL to leave it. */

static struct json_object *walk_quantity(struct decode_walk *walk, struct json_object *value)
{
	struct buf canonical CLEANUP(buf_close) = BUF_INIT;
	struct buf message CLEANUP(buf_close) = BUF_INIT;

	if (!decode_quantity(json_object_get_string(value), &canonical, &message)) {
		own_error(walk, &message);
		return NULL;
	}
	if (!json_object_is_type(value, json_type_string) && canonical.len == 0)
		buf_str(&canonical, json_object_get_string(value));
	return canonical_string(&canonical);
}

static struct json_object *walk_time(struct decode_walk *walk, struct json_object *value, bool micro,
				     const struct place *place)
{
	struct buf canonical CLEANUP(buf_close) = BUF_INIT;
	struct buf message CLEANUP(buf_close) = BUF_INIT;

	if (!json_object_is_type(value, json_type_string))
		own_type_error(walk, value, "string", false, place);
	else if (!decode_time(json_object_get_string(value), micro, &canonical, &message))
		own_error(walk, &message);
	return canonical_string(&canonical);
}

static struct json_object *walk_bytes(struct decode_walk *walk, struct json_object *value)
{
	struct buf canonical CLEANUP(buf_close) = BUF_INIT;
	struct buf message CLEANUP(buf_close) = BUF_INIT;

	if (!decode_base64(json_object_get_string(value), (size_t)json_object_get_string_len(value),
			   &canonical, &message) &&
	    walk->error.len == 0)
		buf_add(&walk->error, message.data, message.len);
	return canonical_string(&canonical);
}

static void walk_struct(struct decode_walk *walk, const struct schema_def *def,
			const struct json_object *known, struct json_object *obj, const struct place *up);

static bool has_type(const struct schema_field *field, struct json_object *value)
{
	switch (field->type) {
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
		return json_object_is_type(value, json_type_string);
	case SCHEMA_BOOLEAN:
		return json_object_is_type(value, json_type_boolean);
	case SCHEMA_INT32:
		return fits_int32(value);
	case SCHEMA_INT64:
		return fits_int64(value);
	case SCHEMA_DOUBLE:
		return json_object_is_type(value, json_type_int) ||
		       json_object_is_type(value, json_type_double);
	case SCHEMA_OBJECT:
		return json_object_is_type(value, json_type_object) ||
		       (field->or_boolean && json_object_is_type(value, json_type_boolean));
	default:
		return true; /* checks itself */
	}
}

static struct json_object *walk_element(struct decode_walk *walk, const struct schema_field *field,
					const struct json_object *known, struct json_object *value,
					const struct place *place)
{
	if (!has_type(field, value)) {
		type_error(walk, value, field, SCHEMA_SINGLE, place);
		return NULL;
	}
	switch (field->type) {
	case SCHEMA_OBJECT:
		if (json_object_is_type(value, json_type_object))
			walk_struct(walk, field->def, known, value, place);
		return NULL;
	case SCHEMA_QUANTITY:
		return walk_quantity(walk, value);
	case SCHEMA_TIME:
	case SCHEMA_MICRO_TIME:
		return walk_time(walk, value, field->type == SCHEMA_MICRO_TIME, place);
	case SCHEMA_BYTES:
		return walk_bytes(walk, value);
	case SCHEMA_INT_OR_STRING:
		if (!json_object_is_type(value, json_type_string) && !fits_int32(value))
			own_type_error(walk, value, "int32", true, place);
		return NULL;
	default:
		return NULL;
	}
}

/* What null means as an element of a list or map: the type's zero value. NULL: null itself. */
static struct json_object *zero_value(const struct schema_field *field)
{
	switch (field->type) {
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
		return json_object_new_string("");
	case SCHEMA_QUANTITY:
		return json_object_new_string("0");
	case SCHEMA_BOOLEAN:
		return json_object_new_boolean(false);
	case SCHEMA_INT32:
	case SCHEMA_INT64:
	case SCHEMA_DOUBLE:
	case SCHEMA_INT_OR_STRING:
		return json_object_new_int(0);
	case SCHEMA_OBJECT:
		return json_object_new_object();
	default:
		return NULL;
	}
}

static void walk_array(struct decode_walk *walk, const struct schema_field *field,
		       const struct json_object *known, struct json_object *array, const struct place *up)
{
	struct place place = { .up = up, .kind = PLACE_INDEX };
	size_t n = json_object_array_length(array);

	for (size_t i = 0; i < n && !walk->stopped; i++) {
		struct json_object *value = json_object_array_get_idx(array, i);
		const struct json_object *same = json_at(known, i);
		if (value != NULL && same == value)
			continue;
		place.index = i;
		struct json_object *other =
		    value == NULL ? zero_value(field) : walk_element(walk, field, same, value, &place);
		if (other != NULL)
			json_object_array_put_idx(array, i, other);
	}
}

static void walk_map(struct decode_walk *walk, const struct schema_field *field, struct json_object *map,
		     const struct place *up)
{
	struct place place = { .up = up, .kind = PLACE_KEY };

	json_object_object_foreach(map, key, value)
	{
		struct json_object *other = NULL;
		if (walk->stopped)
			return;
		place.name = key;
		if (field->container == SCHEMA_MAP_OF_ARRAY) {
			if (value == NULL)
				other = json_object_new_array();
			else if (json_object_is_type(value, json_type_array))
				walk_array(walk, field, NULL, value, &place);
			else
				type_error(walk, value, field, SCHEMA_ARRAY, &place);
		} else {
			other = value == NULL ? zero_value(field)
					      : walk_element(walk, field, NULL, value, &place);
		}
		/* Replaces the value in its entry: the iteration goes on undisturbed. */
		if (other != NULL)
			json_object_object_add(map, key, other);
	}
}

/* False when the value says nothing: Kubernetes does not keep empty lists and maps. */
static bool walk_container(struct decode_walk *walk, const struct schema_field *field,
			   const struct json_object *known, struct json_object *value,
			   const struct place *place)
{
	if (field->container == SCHEMA_ARRAY) {
		if (!json_object_is_type(value, json_type_array)) {
			type_error(walk, value, field, SCHEMA_ARRAY, place);
			return true;
		}
		walk_array(walk, field, known, value, place);
		return json_object_array_length(value) > 0;
	}
	if (!json_object_is_type(value, json_type_object)) {
		type_error(walk, value, field, field->container, place);
		return true;
	}
	walk_map(walk, field, value, place);
	return json_object_object_length(value) > 0;
}

static void walk_struct(struct decode_walk *walk, const struct schema_def *def,
			const struct json_object *known, struct json_object *obj, const struct place *up)
{
	struct place place = { .up = up, .kind = PLACE_FIELD };
	const struct schema_def *outer = walk->innermost;

	/* Deleting the current member is allowed within this loop. */
	json_object_object_foreach(obj, key, value)
	{
		if (walk->stopped)
			break;
		const struct json_object *same = known != NULL ? json_get(known, key) : NULL;
		if (value != NULL && same == value)
			continue;
		place.name = key;
		walk->innermost = def;
		const struct schema_field *field = schema_field_find(def, key, strlen(key));
		if (field == NULL) {
			note_unknown(walk, &place);
			json_object_object_del(obj, key);
		} else if (value == NULL) {
			json_object_object_del(obj, key);
		} else if (field->container == SCHEMA_SINGLE) {
			struct json_object *other = walk_element(walk, field, same, value, &place);
			if (other != NULL)
				json_object_object_add(obj, key, other);
		} else if (!walk_container(walk, field, same, value, &place)) {
			json_object_object_del(obj, key);
		}
	}
	walk->innermost = outer;
}

void decode_walk(struct decode_walk *walk, const struct schema_def *def, const struct json_object *known,
		 struct json_object *obj)
{
	walk_struct(walk, def, known, obj, NULL);
}
