#include "api/kinds/custom_resource_definition.h"

#include <ctype.h>
#include <string.h>

#include "api/fault.h"
#include "api/structural.h"
#include "lib/mem.h"

#define WARNING_MAX 256

/* --- names --- */

/* PREFIX stands before what is wrong with the label. */
static void check_label(const char *text, const char *shown, struct field_path *path, const char *prefix,
			struct field_errors *errors)
{
	struct name_faults faults = { .n = 0 };
	CLEANUP(buf_close) struct buf all = BUF_INIT;

	name_check_dns1035_label(text, false, &faults);
	for (size_t i = 0; i < faults.n; i++) {
		buf_str(&all, i ? "," : "");
		buf_str(&all, faults.text[i]);
	}
	if (faults.n)
		field_error_invalid_str(errors, path, shown, "%s%s", prefix, all.data);
}

static void check_name(const struct json_object *names, const char *key, bool mixed_case,
		       struct field_path *path, struct field_errors *errors)
{
	const char *text = json_str_or_empty(names, key);
	CLEANUP(mem_freep) char *lower = mem_dup(text);
	size_t mark = field_push(path, key);

	for (char *s = lower; mixed_case && *s; s++)
		*s = (char)tolower((unsigned char)*s);
	if (!*text)
		field_error_required(errors, path, "");
	else
		check_label(lower, text, path,
			    mixed_case ? "may have mixed case, but should otherwise match: " : "", errors);
	field_pop(path, mark);
}

static void check_name_list(const struct json_object *names, const char *key, struct field_path *path,
			    struct field_errors *errors)
{
	const struct json_object *list = json_get(names, key);
	size_t mark = field_push(path, key);

	for (size_t i = 0; i < json_len(list); i++) {
		const char *text = json_object_get_string(json_at(list, i));
		size_t inner = field_push_index(path, i);

		check_label(text, text, path, "", errors);
		field_pop(path, inner);
	}
	field_pop(path, mark);
}

static void check_names(const struct json_object *names, struct field_path *path, struct field_errors *errors)
{
	const char *kind = json_str_or_empty(names, "kind");

	check_name(names, "plural", false, path, errors);
	check_name(names, "singular", false, path, errors);
	check_name(names, "kind", true, path, errors);
	check_name(names, "listKind", true, path, errors);
	check_name_list(names, "shortNames", path, errors);
	if (*kind && !strcmp(kind, json_str_or_empty(names, "listKind")))
		fault_str(errors, path, "listKind", kind, "kind and listKind may not be the same");
	check_name_list(names, "categories", path, errors);
}

/* --- versions --- */

static bool is_simple_path(const char *text, const char *key, struct field_path *path,
			   struct field_errors *errors)
{
	if (!*text)
		fault_str(errors, path, key, text, "must not be empty");
	else if (*text != '.')
		fault_str(errors, path, key, text, "must be a simple json path starting with .");
	return *text == '.';
}

static void check_scale(const struct json_object *scale, struct field_path *path, struct field_errors *errors)
{
	static const struct {
		const char *key, *under[2], *detail;
		bool required;
	} rows[] = {
		{ "specReplicasPath", { ".spec.", ".spec." }, "should be a json path under .spec", true },
		{ "statusReplicasPath",
		  { ".status.", ".status." },
		  "should be a json path under .status",
		  true },
		{ "labelSelectorPath",
		  { ".spec.", ".status." },
		  "should be a json path under either .spec or .status",
		  false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *text = json_str_or_empty(scale, rows[i].key);

		if (!*text) {
			if (rows[i].required)
				fault_required(errors, path, rows[i].key, "");
		} else if (is_simple_path(text, rows[i].key, path, errors) &&
			   strncmp(text, rows[i].under[0], strlen(rows[i].under[0])) != 0 &&
			   strncmp(text, rows[i].under[1], strlen(rows[i].under[1])) != 0) {
			fault_str(errors, path, rows[i].key, text, rows[i].detail);
		}
	}
}

static bool is_one_of(const char *text, const char *const *values)
{
	for (; *values; values++)
		if (strcmp(*values, text) == 0)
			return true;
	return false;
}

static void check_column(const struct json_object *column, struct field_path *path,
			 struct field_errors *errors)
{
	static const char *const types[] = { "boolean", "date", "integer", "number", "string", NULL };
	static const char *const formats[] = { "byte",  "date",  "date-time", "double", "float",
					       "int32", "int64", "password",  NULL };
	const char *type = json_str_or_empty(column, "type"), *format = json_str_or_empty(column, "format");
	const char *json_path = json_str_or_empty(column, "jsonPath");

	if (!*json_str_or_empty(column, "name"))
		fault_required(errors, path, "name", "");
	if (!*type)
		fault_required(errors, path, "type", "must be one of boolean,date,integer,number,string");
	else if (!is_one_of(type, types))
		fault_str(errors, path, "type", type, "must be one of boolean,date,integer,number,string");
	if (*format && !is_one_of(format, formats))
		fault_str(errors, path, "format", format,
			  "must be one of byte,date,date-time,double,float,int32,int64,password");
	if (!*json_path)
		fault_required(errors, path, "jsonPath", "");
	else
		is_simple_path(json_path, "jsonPath", path, errors);
}

/* What a field selector may ask for is a string, number or truth in the schema. */
static void check_selectable(const struct json_object *field, const struct structural *schema,
			     struct field_path *path, struct field_errors *errors)
{
	const char *json_path = json_str_or_empty(field, "jsonPath");
	const struct structural *at;

	if (!*json_path) {
		fault_required(errors, path, "jsonPath", "");
		return;
	}
	if (!is_simple_path(json_path, "jsonPath", path, errors))
		return;
	if (!strncmp(json_path, ".metadata", 9)) {
		fault_str(errors, path, "jsonPath", json_path, "must not point to fields in metadata");
		return;
	}
	at = schema ? structural_at(schema, json_path) : NULL;
	if (!at)
		fault_str(errors, path, "jsonPath", json_path, "does not refer to a valid field");
	else if (at->type != STRUCTURAL_STRING && at->type != STRUCTURAL_BOOLEAN &&
		 at->type != STRUCTURAL_INTEGER)
		fault_str(errors, path, "jsonPath", json_path,
			  "must point to a field of type string, boolean or integer. Enum string fields and "
			  "strings with formats are allowed.");
}

static void check_selectables(const struct json_object *version, struct field_path *path,
			      struct field_errors *errors)
{
	static const int max = 8;
	const struct json_object *fields = json_get(version, "selectableFields");
	size_t mark = field_push(path, "selectableFields");
	struct structural *schema = NULL;

	if (json_len(fields))
		structural_new(json_path(version, "schema", "openAPIV3Schema", NULL), &schema, NULL);
	if (json_len(fields) > (size_t)max) {
		CLEANUP(json_putp) struct json_object *n = json_object_new_int64((int64_t)json_len(fields));
		field_error_add(errors, FIELD_TOO_MANY, path, n, "must have at most %d items", max);
	}
	for (size_t i = 0; i < json_len(fields); i++) {
		const char *text = json_str_or_empty(json_at(fields, i), "jsonPath");
		size_t inner = field_push_index(path, i);

		check_selectable(json_at(fields, i), schema, path, errors);
		for (size_t k = 0; k < i && k < (size_t)max; k++)
			if (!strcmp(json_str_or_empty(json_at(fields, k), "jsonPath"), text))
				fault_duplicate(errors, path, "jsonPath", text);
		field_pop(path, inner);
	}
	structural_free(schema);
	field_pop(path, mark);
}

static void check_warning(const struct json_object *version, struct field_path *path,
			  struct field_errors *errors)
{
	const char *warning = json_str(version, "deprecationWarning");
	const char *detail = NULL;

	if (!warning)
		return;
	if (!json_boolean(version, "deprecated", false))
		detail = "can only be set for deprecated versions";
	else if (strlen(warning) > WARNING_MAX)
		detail = "must be <= 256 characters long";
	else if (!*warning)
		detail = "must not be an empty string";
	for (const char *s = warning; *s && !detail; s++)
		if (iscntrl((unsigned char)*s))
			detail =
			    "must only contain printable UTF-8 characters; non-printable character found";
	if (detail)
		fault_str(errors, path, "deprecationWarning", warning, detail);
}

static void check_schema(const struct json_object *version, bool status, struct field_path *path,
			 struct field_errors *errors)
{
	const struct json_object *schema = json_path(version, "schema", "openAPIV3Schema", NULL);
	size_t mark = field_push(path, "schema");

	field_push(path, "openAPIV3Schema");
	if (schema)
		structural_check(schema, status, path, errors);
	else
		field_error_required(errors, path, "schemas are required");
	field_pop(path, mark);
}

void crd_validate_version(const struct json_object *version, struct field_path *path,
			  struct field_errors *errors)
{
	const struct json_object *columns = json_get(version, "additionalPrinterColumns");
	const struct json_object *subresources = json_get(version, "subresources");
	size_t mark = path->len;

	check_warning(version, path, errors);
	check_schema(version, json_get(subresources, "status") != NULL, path, errors);
	if (json_get(subresources, "scale")) {
		field_push(path, "subresources");
		field_push(path, "scale");
		check_scale(json_get(subresources, "scale"), path, errors);
		field_pop(path, mark);
	}
	field_push(path, "additionalPrinterColumns");
	for (size_t i = 0; i < json_len(columns); i++) {
		size_t inner = field_push_index(path, i);
		check_column(json_at(columns, i), path, errors);
		field_pop(path, inner);
	}
	field_pop(path, mark);
	check_selectables(version, path, errors);
}

/* --- the whole --- */

static void check_group(const struct json_object *spec, struct field_path *path, struct field_errors *errors)
{
	const char *group = json_str_or_empty(spec, "group");
	struct name_faults faults = { .n = 0 };

	if (!*group) {
		fault_required(errors, path, "group", "");
		return;
	}
	name_check_dns_subdomain(group, false, &faults);
	if (!faults.n && !strchr(group, '.'))
		fault_str(errors, path, "group", group, "should be a domain with at least one dot");
	fault_names(errors, path, "group", group, &faults);
}

static void check_version_names(const struct json_object *versions, struct field_path *path,
				struct field_errors *errors)
{
	size_t storage = 0;
	bool unique = true;

	if (!fault_list_fits(errors, path, versions))
		return;
	for (size_t i = 0; i < json_len(versions); i++) {
		const char *name = json_str_or_empty(json_at(versions, i), "name");
		size_t mark = field_push_index(path, i), inner = field_push(path, "name");

		check_label(name, name, path, "", errors);
		field_pop(path, inner);
		crd_validate_version(json_at(versions, i), path, errors);
		field_pop(path, mark);
		storage += json_boolean(json_at(versions, i), "storage", false);
		for (size_t k = 0; k < i; k++)
			unique &= strcmp(json_str_or_empty(json_at(versions, k), "name"), name) != 0;
	}
	if (!unique)
		field_error_add(errors, FIELD_INVALID, path, versions, "must contain unique version names");
	if (storage != 1)
		field_error_add(errors, FIELD_INVALID, path, versions,
				"must have exactly one version marked as storage version");
}

/* A webhook is never called while there is one version only. */
static void check_conversion(const struct json_object *spec, struct field_path *path,
			     struct field_errors *errors)
{
	static const char *const strategies[] = { "None", "Webhook", NULL };
	const char *strategy = json_str_or_empty(json_get(spec, "conversion"), "strategy");
	size_t mark = field_push(path, "conversion");

	validate_enum(json_get(spec, "conversion"), "strategy", strategies, true, path, errors);
	if (!strcmp(strategy, "Webhook") && json_len(json_get(spec, "versions")) > 1)
		fault_str(
		    errors, path, "strategy", strategy,
		    "conversion webhooks are not called by this server: set None, or define one version "
		    "only");
	field_pop(path, mark);
}

void crd_validate_spec(const struct json_object *spec, struct field_path *path, struct field_errors *errors)
{
	static const char *const scopes[] = { "Cluster", "Namespaced", NULL };
	size_t mark = path->len;

	check_group(spec, path, errors);
	validate_enum(spec, "scope", scopes, true, path, errors);
	field_push(path, "versions");
	check_version_names(json_get(spec, "versions"), path, errors);
	field_pop(path, mark);
	field_push(path, "names");
	check_names(json_get(spec, "names"), path, errors);
	field_pop(path, mark);
	check_conversion(spec, path, errors);
	if (json_boolean(spec, "preserveUnknownFields", false))
		fault_json(errors, path, "preserveUnknownFields", json_get(spec, "preserveUnknownFields"),
			   "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
			   "spec.versions[*].schema instead");
}
