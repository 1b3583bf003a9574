#include "apiserver/options.h"

#include <ctype.h>
#include <string.h>

#include "api/managed_fields.h"

enum step_result options_invalid(struct request *r, const char *options_kind)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	field_errors_write(&text, &r->errors);
	r->options_kind = options_kind;
	return request_fail(r, DETAILS_OPTIONS, ERR_INVALID, "%s.meta.k8s.io \"\" is invalid: %s",
			    options_kind, text.data);
}

static void read_field_validation(struct request *r)
{
	static const char *const names[] = { "Strict", "Warn", "Ignore" };
	static const char *const supported[] = { "", "Ignore", "Strict", "Warn", NULL };
	const char *given = r->query.field_validation;
	r->validation = FIELD_VALIDATION_WARN;
	if (!given || !*given)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(given, names[i]) != 0)
			continue;
		r->validation = (enum field_validation)i;
		return;
	}
	struct field_path path;
	field_path_init(&path, "fieldValidation");
	field_error_not_supported(&r->errors, &path, given, supported);
}

void options_read_dry_run(struct request *r, const char *given)
{
	r->dry_run = given && *given;
	if (!r->dry_run || strcmp(given, "All") == 0)
		return;
	struct field_path path;
	field_path_init(&path, "dryRun");
	/* The option is a list, and is shown as one. */
	CLEANUP(json_putp) struct json_object *list = json_object_new_array();
	json_object_array_add(list, json_object_new_string(given));
	field_error_add(&r->errors, FIELD_NOT_SUPPORTED, &path, list, "supported values: \"All\"");
}

/* Who applies must say who he is: he can only give up what is known to be his. */
static void read_apply(struct request *r)
{
	struct field_path path;
	if (r->media != MEDIA_APPLY_PATCH && r->query.has_force) {
		field_path_init(&path, "force");
		field_error_forbidden(&r->errors, &path, "may not be specified for non-apply patch");
	}
	if (r->media == MEDIA_APPLY_PATCH && !(r->query.field_manager && *r->query.field_manager)) {
		field_path_init(&path, "fieldManager");
		field_error_required(&r->errors, &path, "is required for apply patch");
	}
}

static void read_field_manager(struct request *r)
{
	const char *given = r->query.field_manager ? r->query.field_manager : "";
	struct field_path path;
	field_path_init(&path, "fieldManager");
	if (strlen(given) > MANAGED_NAME_MAX)
		field_error_add(&r->errors, FIELD_TOO_LONG, &path, NULL, "may not be more than %d bytes",
				MANAGED_NAME_MAX);
	for (const char *p = given; *p; p++) {
		if (!iscntrl((unsigned char)*p))
			continue;
		field_error_invalid_str(&r->errors, &path, given,
					"invalid character U+%04X (at position %td)", (unsigned char)*p,
					p - given);
		return;
	}
}

enum step_result options_write(struct request *r)
{
	_Static_assert(FIELD_VALIDATION_STRICT == 0 && FIELD_VALIDATION_WARN == 1 &&
			   FIELD_VALIDATION_IGNORE == 2,
		       "names[] is in this order");
	if (r->route.verb == VERB_PATCH)
		read_apply(r);
	read_field_manager(r);
	options_read_dry_run(r, r->query.dry_run);
	read_field_validation(r);
	if (!r->errors.n)
		return STEP_NEXT;
	return options_invalid(r, r->route.verb == VERB_CREATE   ? "CreateOptions"
				  : r->route.verb == VERB_UPDATE ? "UpdateOptions"
								 : "PatchOptions");
}
