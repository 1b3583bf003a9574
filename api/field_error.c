#include "api/field_error.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ERRORS = 100 };

static const struct {
	const char *text;
	const char *cause_reason;
	bool shows_value;
} types[] = {
	[FIELD_REQUIRED] = { "Required value", "FieldValueRequired", false },
	[FIELD_INVALID] = { "Invalid value", "FieldValueInvalid", true },
	[FIELD_DUPLICATE] = { "Duplicate value", "FieldValueDuplicate", true },
	[FIELD_NOT_SUPPORTED] = { "Unsupported value", "FieldValueNotSupported", true },
	[FIELD_FORBIDDEN] = { "Forbidden", "FieldValueForbidden", false },
	[FIELD_TOO_LONG] = { "Too long", "FieldValueTooLong", false },
	[FIELD_TOO_MANY] = { "Too many", "FieldValueTooMany", true },
	[FIELD_NOT_FOUND] = { "Not found", "FieldValueNotFound", true },
	[FIELD_INTERNAL] = { "Internal error", "InternalError", false },
	[FIELD_INVALID_BARE] = { "Invalid value", "FieldValueInvalid", false },
	[FIELD_DUPLICATE_BARE] = { "Duplicate value", "FieldValueDuplicate", false },
	[FIELD_TYPE_INVALID] = { "Invalid value", "FieldValueTypeInvalid", true },
	[FIELD_MANAGER_CONFLICT] = { "conflict with", "FieldManagerConflict", false },
};

const char *field_error_cause_reason(enum field_error_type type)
{
	return types[type].cause_reason;
}

/* A path that does not fit ends in "..."; the length stays at the end of the text, so that marks taken before
 * stay true. */
static void path_append(struct field_path *path, const char *text)
{
	size_t room = sizeof(path->text) - path->len, len = strlen(text);

	if (len < room) {
		memcpy(path->text + path->len, text, len + 1);
		path->len += len;
		return;
	}
	memcpy(path->text + path->len, text, room - 1);
	memcpy(path->text + sizeof(path->text) - 4, "...", 4);
	path->len = sizeof(path->text) - 1;
}

void field_path_init(struct field_path *path, const char *root)
{
	path->len = 0;
	path->text[0] = '\0';
	if (root != NULL)
		path_append(path, root);
}

size_t field_push(struct field_path *path, const char *name)
{
	size_t mark = path->len;

	if (mark > 0)
		path_append(path, ".");
	path_append(path, name);
	return mark;
}

size_t field_push_index(struct field_path *path, size_t i)
{
	char text[24];
	size_t at = sizeof(text), mark = path->len;

	text[--at] = '\0';
	text[--at] = ']';
	do
		text[--at] = (char)('0' + i % 10);
	while (i /= 10);
	text[--at] = '[';
	path_append(path, text + at);
	return mark;
}

size_t field_push_key(struct field_path *path, const char *key)
{
	size_t mark = path->len;

	path_append(path, "[");
	path_append(path, key);
	path_append(path, "]");
	return mark;
}

void field_pop(struct field_path *path, size_t mark)
{
	path->len = mark;
	path->text[mark] = '\0';
}

void field_errors_close(struct field_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++) {
		free(errors->items[i].field);
		free(errors->items[i].message);
	}
	free(errors->items);
	*errors = FIELD_ERRORS_INIT;
}

static void add(struct field_errors *errors, enum field_error_type type, const struct field_path *path,
		struct buf *message)
{
	if (errors->n == MAX_ERRORS) {
		buf_close(message);
		return;
	}
	if (errors->items == NULL)
		errors->items = mem_realloc_array(NULL, MAX_ERRORS, sizeof(*errors->items));
	errors->items[errors->n++] = (struct field_error){
		.type = type,
		.field = mem_dup(path->text),
		.message = buf_take(message),
	};
}

void field_errors_move(struct field_errors *errors, struct field_errors *from)
{
	for (size_t i = 0; i < from->n && errors->n < MAX_ERRORS; i++) {
		if (errors->items == NULL)
			errors->items = mem_realloc_array(NULL, MAX_ERRORS, sizeof(*errors->items));
		errors->items[errors->n++] = from->items[i];
		from->items[i] = (struct field_error){ 0 };
	}
	field_errors_close(from);
}

/* Values in messages are cut: a message goes into a Status and into logs. */
#define MAX_VALUE_BYTES 4096

/* As Go's %q prints it, near enough: JSON's escapes. */
static void write_string(struct buf *b, const char *s)
{
	buf_json_stringn(b, s, strnlen(s, MAX_VALUE_BYTES));
}

static void write_value(struct buf *b, const struct json_object *value)
{
	if (value == NULL)
		buf_str(b, "null");
	else if (json_object_is_type(value, json_type_string))
		write_string(b, json_object_get_string((struct json_object *)value));
	else
		json_write(b, value);
}

static PRINTF_LIKE(2, 0) void write_detail(struct buf *b, const char *format, va_list ap)
{
	size_t mark = b->len;

	buf_str(b, ": ");
	size_t start = b->len;
	buf_vprintf(b, format, ap);
	if (!b->failed && b->len == start) {
		b->len = mark;
		b->data[mark] = '\0';
	}
}

void field_error_add(struct field_errors *errors, enum field_error_type type, const struct field_path *path,
		     const struct json_object *value, const char *detail_format, ...)
{
	struct buf message = BUF_INIT;
	va_list ap;

	buf_str(&message, types[type].text);
	if (types[type].shows_value) {
		buf_str(&message, ": ");
		write_value(&message, value);
	}
	va_start(ap, detail_format);
	write_detail(&message, detail_format, ap);
	va_end(ap);
	add(errors, type, path, &message);
}

void field_error_required(struct field_errors *errors, const struct field_path *path, const char *detail)
{
	field_error_add(errors, FIELD_REQUIRED, path, NULL, "%s", detail == NULL ? "" : detail);
}

void field_error_forbidden(struct field_errors *errors, const struct field_path *path, const char *detail)
{
	field_error_add(errors, FIELD_FORBIDDEN, path, NULL, "%s", detail);
}

void field_error_invalid_str(struct field_errors *errors, const struct field_path *path, const char *value,
			     const char *detail_format, ...)
{
	struct buf message = BUF_INIT;
	va_list ap;

	buf_str(&message, "Invalid value: ");
	write_string(&message, value);
	va_start(ap, detail_format);
	write_detail(&message, detail_format, ap);
	va_end(ap);
	add(errors, FIELD_INVALID, path, &message);
}

void field_error_invalid_int(struct field_errors *errors, const struct field_path *path, long long value,
			     const char *detail_format, ...)
{
	struct buf message = BUF_INIT;
	va_list ap;

	buf_printf(&message, "Invalid value: %lld", value);
	va_start(ap, detail_format);
	write_detail(&message, detail_format, ap);
	va_end(ap);
	add(errors, FIELD_INVALID, path, &message);
}

void field_error_duplicate(struct field_errors *errors, const struct field_path *path, const char *value)
{
	struct buf message = BUF_INIT;

	buf_str(&message, "Duplicate value: ");
	write_string(&message, value);
	add(errors, FIELD_DUPLICATE, path, &message);
}

void field_error_not_supported(struct field_errors *errors, const struct field_path *path, const char *value,
			       const char *const *supported)
{
	struct buf message = BUF_INIT;

	buf_str(&message, "Unsupported value: ");
	write_string(&message, value);
	for (size_t i = 0; supported[i] != NULL; i++) {
		buf_str(&message, i == 0 ? ": supported values: " : ", ");
		write_string(&message, supported[i]);
	}
	add(errors, FIELD_NOT_SUPPORTED, path, &message);
}

void field_errors_write(struct buf *b, const struct field_errors *errors)
{
	if (errors->n > 1)
		buf_char(b, '[');
	for (size_t i = 0; i < errors->n; i++) {
		if (i > 0)
			buf_str(b, ", ");
		buf_str(b, errors->items[i].field);
		buf_str(b, ": ");
		buf_str(b, errors->items[i].message);
	}
	if (errors->n > 1)
		buf_char(b, ']');
}

void field_error_add_conflict(struct field_errors *errors, const char *path, const char *owner)
{
	struct field_path field;
	struct buf message = BUF_INIT;

	field_path_init(&field, path);
	buf_printf(&message, "%s %s", types[FIELD_MANAGER_CONFLICT].text, owner);
	add(errors, FIELD_MANAGER_CONFLICT, &field, &message);
}

void field_errors_write_conflicts(struct buf *b, const struct field_errors *errors)
{
	const char *owner = "";

	buf_printf(b, "Apply failed with %zu conflict%s: ", errors->n, errors->n == 1 ? "" : "s");
	if (errors->n == 1) {
		buf_printf(b, "%s: %s", errors->items[0].message, errors->items[0].field);
		return;
	}
	for (size_t i = 0; i < errors->n; i++) {
		const char *message = errors->items[i].message;
		if (strcmp(message, owner) != 0)
			buf_printf(b, "%sconflicts%s:", i ? "\n" : "", message + strlen("conflict"));
		buf_printf(b, "\n- %s", errors->items[i].field);
		owner = message;
	}
}
