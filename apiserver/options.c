#include "apiserver/options.h"

#include <string.h>

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

static void read_dry_run(struct request *r)
{
	const char *given = r->query.dry_run;
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

enum step_result options_write(struct request *r)
{
	_Static_assert(FIELD_VALIDATION_STRICT == 0 && FIELD_VALIDATION_WARN == 1 &&
			   FIELD_VALIDATION_IGNORE == 2,
		       "names[] is in this order");
	read_field_validation(r);
	read_dry_run(r);
	if (!r->errors.n)
		return STEP_NEXT;
	return options_invalid(r, r->route.verb == VERB_CREATE   ? "CreateOptions"
				  : r->route.verb == VERB_UPDATE ? "UpdateOptions"
								 : "PatchOptions");
}
