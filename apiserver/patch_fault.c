#include "apiserver/patch_fault.h"

#include <string.h>

#include "api/patch_shape.h"
#include "apiserver/admit.h"
#include "apiserver/patch_step.h"

/* --- the text --- */

struct text_issues {
	struct buf *lines;
	const char *prefix;
};

static void note(const struct text_issues *issues, const char *what, const char *path)
{
	/* A client chooses how much is wrong. */
	enum { MAX = 64 * 1024 };

	if (issues->lines->len < MAX)
		buf_printf(issues->lines, "%s%s field \"%s\"\n", issues->prefix, what, path);
}

static void note_duplicate(const char *path, void *arg)
{
	note(arg, "duplicate", path);
}

static void find_unknown(const struct json_object *patch, const struct text_issues *issues)
{
	static const char *const known[] = { "op", "path", "from", "value" };

	for (size_t i = 0; i < json_len(patch); i++) {
		if (!json_object_is_type(json_at(patch, i), json_type_object))
			continue;
		json_object_object_foreach(json_at(patch, i), name, value)
		{
			bool found = false;

			(void)value;
			for (size_t k = 0; k < ARRAY_SIZE(known); k++)
				found = found || strcmp(name, known[k]) == 0;
			if (found)
				continue;
			CLEANUP(mem_freep) char *path = mem_printf("[%zu].%s", i, name);
			note(issues, "unknown", path);
		}
	}
}

void patch_fault_text(const struct request *r, const struct json_object *patch, size_t duplicates,
		      struct buf *issues)
{
	bool operations = r->media == MEDIA_JSON_PATCH;
	struct text_issues found = { issues, operations ? "json patch " : "" };

	if (r->validation == FIELD_VALIDATION_IGNORE)
		return;
	if (duplicates > 0)
		json_find_duplicates(r->body.data, r->body.len, note_duplicate, &found);
	if (operations)
		find_unknown(patch, &found);
}

/* --- the result --- */

/* Go's kind of a value that a message calls FOUND: "number 1.5". */
static const char *go_kind(const char *found, size_t len)
{
	const size_t number = strlen("number");

	if (len >= number && memcmp(found, "number", number) == 0)
		return memchr(found + number, '.', len - number) || memchr(found + number, 'e', len - number)
			   ? "float64"
			   : "int64";
	return strncmp(found, "object", len) == 0  ? "map"
	       : strncmp(found, "array", len) == 0 ? "slice"
	       : strncmp(found, "bool", len) == 0  ? "bool"
						   : "string";
}

/* A strategic patch's result never is JSON in Kubernetes, but goes from maps to structs directly: WHY, of the
 * decoder, in the words of that. (k8s.io/apimachinery runtime/converter.go) */
static void write_converter_fault(struct buf *b, const char *why)
{
	static const char head[] = "json: cannot unmarshal ", field[] = " into Go struct field ",
			  of_type[] = " of type ";
	const char *found = why + sizeof(head) - 1, *into = strstr(why, field);
	const char *type = into ? strstr(into, of_type) : NULL;

	if (strncmp(why, "illegal base64", strlen("illegal base64")) == 0) {
		buf_printf(b, "error decoding from json: %s", why);
		return;
	}
	if (strncmp(why, head, sizeof(head) - 1) != 0 || !type) {
		buf_str(b, why);
		return;
	}
	type += sizeof(of_type) - 1;
	const char *kind = go_kind(found, (size_t)(into - found));
	bool number = strcmp(kind, "int64") == 0 || strcmp(kind, "float64") == 0;

	if (strncmp(type, "[]", 2) == 0)
		buf_printf(b, "cannot restore slice from %s", kind);
	else if (strncmp(type, "map[", 4) == 0 || strcmp(type, "v1.ResourceList") == 0)
		buf_printf(b, "cannot restore map from %s", kind);
	else if (number && (strcmp(type, "string") == 0 || strncmp(type, "int", 3) == 0) &&
		 (strcmp(type, "string") != 0 || strcmp(kind, "int64") == 0))
		buf_printf(b, "cannot convert %s to %s", kind, type);
	else if (strchr(type, '.') && strcmp(kind, "map") != 0)
		buf_printf(b, "cannot restore struct from: %s", kind);
	else
		buf_printf(b, "unrecognized type: %s", strchr(type, '.') ? "string" : type);
}

/* The patch as Go prints a map, or the object as patched in JSON. Made again: only who fails shows it. */
static int write_shown(struct request *r, const struct schema_def *def, const struct json_object *doc,
		       struct buf *shown)
{
	CLEANUP(json_putp) struct json_object *value = NULL;

	if (r->media == MEDIA_STRATEGIC_PATCH) {
		if (json_parse(r->body.data, r->body.len, &value, NULL, &r->err) < 0)
			return -1;
		patch_shape_print(shown, value);
		return 0;
	}
	if (patch_apply(r, def, doc, NULL, &value) == STEP_FAIL)
		return -1;
	json_write(shown, value);
	return 0;
}

static enum step_result fail(struct request *r, const struct schema_def *def, const struct json_object *doc,
			     const char *why)
{
	CLEANUP(buf_close) struct buf shown = BUF_INIT;
	struct field_path path;

	if (write_shown(r, def, doc, &shown) < 0)
		return STEP_FAIL;
	field_path_init(&path, "patch");
	field_error_invalid_str(&r->errors, &path, shown.data, "%s", why);
	err_set(&r->err, ERR_INVALID, " \"\" is invalid: patch: %s", r->errors.items[0].message);
	return request_fail_as(r, DETAILS_CAUSES);
}

enum step_result patch_fault_issues(struct request *r, const struct schema_def *def,
				    const struct json_object *doc, const struct buf *issues)
{
	CLEANUP(buf_close) struct buf why = BUF_INIT;

	if (issues->len == 0)
		return STEP_NEXT;
	if (r->validation != FIELD_VALIDATION_STRICT) {
		admit_warn(r, issues->data);
		return STEP_NEXT;
	}
	buf_str(&why, "strict decoding error: ");
	for (size_t i = 0; i + 1 < issues->len; i++)
		buf_add(&why, issues->data[i] == '\n' ? ", " : &issues->data[i],
			issues->data[i] == '\n' ? 2 : 1);
	return fail(r, def, doc, why.data);
}

enum step_result patch_fault_result(struct request *r, const struct schema_def *def,
				    const struct json_object *doc)
{
	CLEANUP(buf_close) struct buf why = BUF_INIT;

	if (r->media == MEDIA_STRATEGIC_PATCH)
		write_converter_fault(&why, r->err.msg);
	else
		buf_str(&why, r->err.msg);
	return fail(r, def, doc, why.data);
}
