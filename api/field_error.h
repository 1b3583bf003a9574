/* Validation errors in Kubernetes' words: a list of (type, field path, bad value, detail), and the path under
 * construction. (k8s.io/apimachinery util/validation/field.)
 *
 *     struct field_path path = FIELD_PATH("spec");
 *     size_t mark = field_push(&path, "containers"); field_push_index(&path, i); ... field_pop(&path, mark);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"
#include "lib/json.h"

struct field_path {
	char text[512]; /* longer paths are cut with "..." at the end, never overrun */
	size_t len;
};
void field_path_init(struct field_path *path, const char *root); /* "" or NULL: empty */
/* Append ".name" ("name" at the root), "[i]", "[key]". Give back the length before, for field_pop. */
size_t field_push(struct field_path *path, const char *name);
size_t field_push_index(struct field_path *path, size_t i);
size_t field_push_key(struct field_path *path, const char *key);
void field_pop(struct field_path *path, size_t mark);

enum field_error_type {
	FIELD_REQUIRED,         /* "Required value" */
	FIELD_INVALID,          /* "Invalid value: ..." */
	FIELD_DUPLICATE,        /* "Duplicate value: ..." */
	FIELD_NOT_SUPPORTED,    /* "Unsupported value: ...: supported values: ..." */
	FIELD_FORBIDDEN,        /* "Forbidden: ..." */
	FIELD_TOO_LONG,         /* "Too long: may not be more than N bytes" */
	FIELD_TOO_MANY,         /* "Too many: N: must have at most M items" */
	FIELD_NOT_FOUND,        /* "Not found: ..." */
	FIELD_INTERNAL,         /* "Internal error: ..." */
	FIELD_INVALID_BARE,     /* "Invalid value: ..." of a whole, not shown */
	FIELD_DUPLICATE_BARE,   /* "Duplicate value" of what is too large to be shown */
	FIELD_TYPE_INVALID,     /* "Invalid value: ..." with its own cause reason */
	FIELD_MANAGER_CONFLICT, /* "conflict with \"kubectl\" using apps/v1": of server-side apply */
};

struct field_error {
	enum field_error_type type;
	char *field;
	char *message; /* without the field: "Invalid value: 70000: must be between 1 and 65535, inclusive" */
};

struct field_errors {
	struct field_error *items;
	size_t n;                      /* at most 100 are kept */
	struct field_errors *warnings; /* what is not refused is told here, or nowhere */
};
#define FIELD_ERRORS_INIT ((struct field_errors){ 0 })
void field_errors_close(struct field_errors *errors);
/* Appends what is in FROM, which is empty afterwards. */
void field_errors_move(struct field_errors *errors, struct field_errors *from);

/* VALUE is what the message shows: strings quoted, numbers and booleans bare, objects as JSON; NULL: null. */
void field_error_add(struct field_errors *errors, enum field_error_type type, const struct field_path *path,
		     const struct json_object *value, const char *detail_format, ...) PRINTF_LIKE(5, 6);
/* The usual ones. */
void field_error_required(struct field_errors *errors, const struct field_path *path, const char *detail);
void field_error_invalid_str(struct field_errors *errors, const struct field_path *path, const char *value,
			     const char *detail_format, ...) PRINTF_LIKE(4, 5);
void field_error_invalid_int(struct field_errors *errors, const struct field_path *path, long long value,
			     const char *detail_format, ...) PRINTF_LIKE(4, 5);
void field_error_forbidden(struct field_errors *errors, const struct field_path *path, const char *detail);
void field_error_duplicate(struct field_errors *errors, const struct field_path *path, const char *value);
/* SUPPORTED is NULL-terminated, printed in its order. */
void field_error_not_supported(struct field_errors *errors, const struct field_path *path, const char *value,
			       const char *const *supported);
/* PATH (".spec.replicas") has another OWNER ("\"kubectl\" using apps/v1"). */
void field_error_add_conflict(struct field_errors *errors, const char *path, const char *owner);
/* Conflicts, those of an owner one after the other: "Apply failed with 1 conflict: ..." */
void field_errors_write_conflicts(struct buf *b, const struct field_errors *errors);
/* One error: "field: message"; several: "[field: message, field: message]". */
void field_errors_write(struct buf *b, const struct field_errors *errors);
/* "FieldValueRequired"... for Status details. */
const char *field_error_cause_reason(enum field_error_type type);
