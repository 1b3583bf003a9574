#include "lib/json_value.h"

#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/map.h"
#include "lib/mem.h"

/* Up to so many members are found by looking at each. */
#define SCANNED_MEMBERS 16
#define ARRAY_ROOM      4

struct json_object {
	uint32_t refs;
	uint8_t type;
	bool is_unsigned; /* of an integer: beyond INT64_MAX */
};

struct scalar {
	struct json_object head;
	union {
		int64_t integer; /* of a boolean as well */
		uint64_t natural;
		double real;
	};
	char *text; /* how a double is written; what json_object_get_string gave */
};

struct string {
	struct json_object head;
	uint32_t len;
	char text[];
};

struct object {
	struct json_object head;
	uint32_t n;
	struct json_member *first, **end;
	struct map *index; /* of the members, when there are many */
	char *text;
};

struct array {
	struct json_object head;
	uint32_t n, room;
	struct json_object **items;
	char *text;
};

/* Getters take pointers to const and give what is in them to be changed, as json-c's did. */
#define AS(type_, obj) ((struct type_ *)(uintptr_t)(obj))

static void *new_value(enum json_type type, size_t size)
{
	struct json_object *obj = mem_alloc(size);

	*obj = (struct json_object){ .refs = 1, .type = (uint8_t)type };
	return obj;
}

struct json_object *json_object_get(struct json_object *obj)
{
	if (obj)
		obj->refs++;
	return obj;
}

enum json_type json_object_get_type(const struct json_object *obj)
{
	return obj ? (enum json_type)obj->type : json_type_null;
}

bool json_object_is_type(const struct json_object *obj, enum json_type type)
{
	return json_object_get_type(obj) == type;
}

/* --- dropping --- */

static void free_index(struct object *object)
{
	if (object->index)
		map_close(object->index);
	free(object->index);
	object->index = NULL;
}

static void free_object(struct object *object)
{
	for (struct json_member *next, *member = object->first; member; member = next) {
		next = member->next;
		json_object_put(member->value);
		free(member);
	}
	free_index(object);
	free(object->text);
}

static void free_array(struct array *array)
{
	for (uint32_t i = 0; i < array->n; i++)
		json_object_put(array->items[i]);
	free(array->items);
	free(array->text);
}

void json_object_put(struct json_object *obj)
{
	if (!obj || --obj->refs)
		return;
	switch ((enum json_type)obj->type) {
	case json_type_object:
		free_object(AS(object, obj));
		break;
	case json_type_array:
		free_array(AS(array, obj));
		break;
	case json_type_string:
	case json_type_null:
		break;
	default:
		free(AS(scalar, obj)->text);
		break;
	}
	free(obj);
}

/* --- scalars --- */

static struct scalar *new_scalar(enum json_type type)
{
	struct scalar *scalar = new_value(type, sizeof(*scalar));

	scalar->text = NULL;
	return scalar;
}

struct json_object *json_object_new_boolean(bool b)
{
	struct scalar *scalar = new_scalar(json_type_boolean);

	scalar->integer = b;
	return &scalar->head;
}

struct json_object *json_object_new_int64(int64_t i)
{
	struct scalar *scalar = new_scalar(json_type_int);

	scalar->integer = i;
	return &scalar->head;
}

struct json_object *json_object_new_int(int32_t i)
{
	return json_object_new_int64(i);
}

struct json_object *json_object_new_uint64(uint64_t i)
{
	struct scalar *scalar = new_scalar(json_type_int);

	scalar->natural = i;
	scalar->head.is_unsigned = i > INT64_MAX;
	return &scalar->head;
}

struct json_object *json_object_new_double(double d)
{
	struct scalar *scalar = new_scalar(json_type_double);

	scalar->real = d;
	return &scalar->head;
}

struct json_object *json_object_new_double_s(double d, const char *text)
{
	struct json_object *obj = json_object_new_double(d);

	AS(scalar, obj)->text = mem_dup(text);
	return obj;
}

struct json_object *json_object_new_string_len(const char *s, int len)
{
	struct string *string = new_value(json_type_string, sizeof(*string) + (size_t)len + 1);

	string->len = (uint32_t)len;
	memcpy(string->text, s, (size_t)len);
	string->text[len] = '\0';
	return &string->head;
}

struct json_object *json_object_new_string(const char *s)
{
	return json_object_new_string_len(s, (int)strlen(s));
}

static const char *written(char **text, const struct json_object *obj)
{
	struct buf b = BUF_INIT;

	json_write(&b, obj);
	free(*text);
	*text = b.data;
	return *text;
}

const char *json_object_get_string(struct json_object *obj)
{
	switch (json_object_get_type(obj)) {
	case json_type_string:
		return AS(string, obj)->text;
	case json_type_object:
		return written(&AS(object, obj)->text, obj);
	case json_type_array:
		return written(&AS(array, obj)->text, obj);
	case json_type_null:
		return NULL;
	default:
		return AS(scalar, obj)->text ? AS(scalar, obj)->text : written(&AS(scalar, obj)->text, obj);
	}
}

int json_object_get_string_len(const struct json_object *obj)
{
	return json_object_is_type(obj, json_type_string) ? (int)AS(string, obj)->len : 0;
}

const char *json_object_get_double_text(const struct json_object *obj)
{
	return json_object_is_type(obj, json_type_double) ? AS(scalar, obj)->text : NULL;
}

int64_t json_object_get_int64(const struct json_object *obj)
{
	const struct scalar *scalar = AS(scalar, obj);

	switch (json_object_get_type(obj)) {
	case json_type_boolean:
		return scalar->integer;
	case json_type_int:
		return obj->is_unsigned ? INT64_MAX : scalar->integer;
	case json_type_double:
		if (scalar->real >= (double)INT64_MAX)
			return INT64_MAX;
		return scalar->real > (double)INT64_MIN ? (int64_t)scalar->real : INT64_MIN;
	case json_type_string:
		return strtoll(AS(string, obj)->text, NULL, 10);
	default:
		return 0;
	}
}

uint64_t json_object_get_uint64(const struct json_object *obj)
{
	if (json_object_is_type(obj, json_type_int) && obj->is_unsigned)
		return AS(scalar, obj)->natural;
	int64_t value = json_object_get_int64(obj);
	return value < 0 ? 0 : (uint64_t)value;
}

double json_object_get_double(const struct json_object *obj)
{
	const struct scalar *scalar = AS(scalar, obj);

	switch (json_object_get_type(obj)) {
	case json_type_boolean:
	case json_type_int:
		return obj->is_unsigned ? (double)scalar->natural : (double)scalar->integer;
	case json_type_double:
		return scalar->real;
	case json_type_string:
		return strtod(AS(string, obj)->text, NULL);
	default:
		return 0;
	}
}

bool json_object_get_boolean(const struct json_object *obj)
{
	const struct scalar *scalar = AS(scalar, obj);

	switch (json_object_get_type(obj)) {
	case json_type_boolean:
	case json_type_int:
		return scalar->integer != 0;
	case json_type_double:
		return scalar->real < 0 || scalar->real > 0;
	case json_type_string:
		return AS(string, obj)->len > 0;
	default:
		return false;
	}
}

/* --- objects --- */

struct json_object *json_object_new_object(void)
{
	struct object *object = new_value(json_type_object, sizeof(*object));

	object->n = 0;
	object->first = NULL;
	object->end = &object->first;
	object->index = NULL;
	object->text = NULL;
	return &object->head;
}

int json_object_object_length(const struct json_object *obj)
{
	return json_object_is_type(obj, json_type_object) ? (int)AS(object, obj)->n : 0;
}

/* What is to be changed: anything else than an object there is a mistake of ours. */
static struct object *object_of(struct json_object *obj)
{
	if (!json_object_is_type(obj, json_type_object))
		abort();
	return AS(object, obj);
}

struct json_member *json_object_first_member(const struct json_object *obj)
{
	return json_object_is_type(obj, json_type_object) ? AS(object, obj)->first : NULL;
}

/* Most objects are small and most look-ups are for what is absent: comparing first characters is cheaper than
 * hashing the key. */
struct json_member *json_object_find_member(const struct json_object *obj, const char *key)
{
	if (!json_object_is_type(obj, json_type_object))
		return NULL;
	if (AS(object, obj)->index)
		return map_get(AS(object, obj)->index, key);
	for (struct json_member *m = AS(object, obj)->first; m; m = m->next)
		if (m->key[0] == key[0] && strcmp(m->key, key) == 0)
			return m;
	return NULL;
}

bool json_object_object_get_ex(const struct json_object *obj, const char *key, struct json_object **ret_value)
{
	const struct json_member *member = json_object_find_member(obj, key);

	if (ret_value)
		*ret_value = member ? member->value : NULL;
	return member != NULL;
}

static void make_index(struct object *object)
{
	object->index = mem_alloc(sizeof(*object->index));
	*object->index = MAP_INIT;
	for (struct json_member *m = object->first; m; m = m->next)
		map_put(object->index, m->key, m);
}

static void append(struct object *object, const char *key, size_t len, struct json_object *value_taken)
{
	struct json_member *member = mem_alloc(sizeof(*member) + len + 1);

	member->next = NULL;
	member->value = value_taken;
	member->key_len = (uint32_t)len;
	memcpy(member->key, key, len);
	member->key[len] = '\0';
	*object->end = member;
	object->end = &member->next;
	object->n++;
	if (object->index)
		map_put(object->index, member->key, member);
	else if (object->n > SCANNED_MEMBERS)
		make_index(object);
}

void json_object_object_add(struct json_object *obj, const char *key, struct json_object *value_taken)
{
	struct json_member *member = json_object_find_member(obj, key);

	if (!member) {
		append(object_of(obj), key, strlen(key), value_taken);
		return;
	}
	json_object_put(member->value);
	member->value = value_taken;
}

static struct json_member *find_sized(const struct object *object, const char *key, size_t len)
{
	if (object->index) {
		CLEANUP(mem_freep) char *copy = mem_dupn(key, len);
		return map_get(object->index, copy);
	}
	for (struct json_member *m = object->first; m; m = m->next)
		if (m->key_len == len && memcmp(m->key, key, len) == 0)
			return m;
	return NULL;
}

bool json_object_object_addn(struct json_object *obj, const char *key, size_t len,
			     struct json_object *value_taken)
{
	struct object *object = object_of(obj);
	struct json_member *member = find_sized(object, key, len);

	if (!member) {
		append(object, key, len, value_taken);
		return true;
	}
	json_object_put(member->value);
	member->value = value_taken;
	return false;
}

void json_object_object_del(struct json_object *obj, const char *key)
{
	struct json_member *member = json_object_find_member(obj, key), **at;
	struct object *object = AS(object, obj);

	if (!member)
		return;
	for (at = &object->first; *at != member; at = &(*at)->next)
		;
	*at = member->next;
	if (!*at)
		object->end = at;
	object->n--;
	if (object->index)
		map_remove(object->index, member->key);
	json_object_put(member->value);
	free(member);
}

/* --- arrays --- */

struct json_object *json_object_new_array_ext(size_t room)
{
	struct array *array = new_value(json_type_array, sizeof(*array));

	array->n = 0;
	array->room = (uint32_t)room;
	array->items = room ? mem_realloc_array(NULL, room, sizeof(struct json_object *)) : NULL;
	array->text = NULL;
	return &array->head;
}

struct json_object *json_object_new_array(void)
{
	return json_object_new_array_ext(0);
}

size_t json_object_array_length(const struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? AS(array, array)->n : 0;
}

struct json_object *json_object_array_get_idx(const struct json_object *array, size_t i)
{
	return i < json_object_array_length(array) ? AS(array, array)->items[i] : NULL;
}

static struct array *array_of(struct json_object *obj)
{
	if (!json_object_is_type(obj, json_type_array))
		abort();
	return AS(array, obj);
}

static void make_room(struct array *array, size_t n)
{
	size_t room = array->room ? (size_t)array->room * 2 : ARRAY_ROOM;

	if (n <= array->room)
		return;
	if (room < n)
		room = n;
	if (room > UINT32_MAX)
		mem_checked(NULL);
	array->items = mem_realloc_array(array->items, room, sizeof(struct json_object *));
	array->room = (uint32_t)room;
}

void json_object_array_add(struct json_object *array, struct json_object *value_taken)
{
	struct array *to = array_of(array);

	make_room(to, (size_t)to->n + 1);
	to->items[to->n++] = value_taken;
}

void json_object_array_put_idx(struct json_object *array, size_t i, struct json_object *value_taken)
{
	struct array *to = array_of(array);

	make_room(to, i + 1);
	while (to->n <= i)
		to->items[to->n++] = NULL;
	json_object_put(to->items[i]);
	to->items[i] = value_taken;
}

void json_object_array_del_idx(struct json_object *array, size_t i, size_t count)
{
	struct array *from = array_of(array);

	if (i >= from->n || count > from->n - i)
		return;
	for (size_t k = i; k < i + count; k++)
		json_object_put(from->items[k]);
	memmove(from->items + i, from->items + i + count,
		(from->n - i - count) * sizeof(struct json_object *));
	from->n -= (uint32_t)count;
}

void json_object_array_sort(struct json_object *array, int (*compare)(const void *a, const void *b))
{
	struct array *sorted = array_of(array);

	if (sorted->n)
		qsort(sorted->items, sorted->n, sizeof(struct json_object *), compare);
}

/* --- copying --- */

struct json_object *json_object_deep_copy(const struct json_object *obj)
{
	struct json_object *copy;

	switch (json_object_get_type(obj)) {
	case json_type_object:
		copy = json_object_new_object();
		for (const struct json_member *m = AS(object, obj)->first; m; m = m->next)
			append(AS(object, copy), m->key, m->key_len, json_object_deep_copy(m->value));
		return copy;
	case json_type_array:
		copy = json_object_new_array_ext(AS(array, obj)->n);
		for (uint32_t i = 0; i < AS(array, obj)->n; i++)
			json_object_array_add(copy, json_object_deep_copy(AS(array, obj)->items[i]));
		return copy;
	case json_type_string:
		return json_object_new_string_len(AS(string, obj)->text, (int)AS(string, obj)->len);
	case json_type_null:
		return NULL;
	default:
		copy = json_object_new_uint64(AS(scalar, obj)->natural);
		copy->type = obj->type;
		copy->is_unsigned = obj->is_unsigned;
		AS(scalar, copy)->text = mem_dup(AS(scalar, obj)->text);
		return copy;
	}
}
