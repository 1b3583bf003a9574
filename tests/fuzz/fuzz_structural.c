/* Structural schemas: a schema and a value, each a line of JSON. A schema without faults can be compiled;
 * what it prunes and defaults stays as it is when that is done again; and a value that did not change is not
 * refused. */
#include <stdlib.h>
#include <string.h>

#include "api/custom_rules.h"
#include "api/decode.h"
#include "api/structural.h"
#include "api/structural_def.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void note(const char *path, void *arg)
{
	(void)path;
	++*(size_t *)arg;
}

static void check_value(const struct structural *schema, const struct custom_rules *rules,
			struct json_object *value)
{
	struct json_object *again CLEANUP(json_putp) = NULL;
	struct field_errors errors = FIELD_ERRORS_INIT;
	struct field_path path;
	size_t unknown = 0;

	structural_prune(schema, value, true, NULL, NULL);
	structural_prune(schema, value, true, note, &unknown);
	if (unknown)
		abort();
	structural_default(schema, value);
	again = json_clone(value);
	structural_prune(schema, again, true, note, &unknown);
	structural_default(schema, again);
	if (unknown || !json_equal(again, value))
		abort();
	field_path_init(&path, "");
	structural_validate(schema, value, NULL, &path, &errors);
	structural_validate_embedded(schema, value, &path, &errors);
	structural_validate_lists(schema, value, &path, &errors);
	if (rules)
		custom_rules_validate(rules, value, again, &path, &errors);
	if (path.len)
		abort();
	field_errors_close(&errors);
	structural_validate(schema, value, again, &path, &errors);
	if (errors.n)
		abort();
}

static void check_schema(struct json_object *schema, struct json_object *value)
{
	struct field_errors errors = FIELD_ERRORS_INIT;
	struct structural *compiled = NULL;
	struct custom_rules *rules;
	struct field_path path;

	field_path_init(&path, "s");
	structural_check(schema, false, &path, &errors);
	if (strcmp(path.text, "s") != 0)
		abort();
	if (!errors.n) {
		if (structural_new(schema, &compiled, NULL) < 0)
			abort();
		structural_def_free(structural_def_of_object(compiled, "s"));
		rules = custom_rules_new(schema, compiled, true);
		if (json_object_is_type(value, json_type_object))
			check_value(compiled, rules, value);
		custom_rules_free(rules);
		structural_free(compiled);
	}
	field_errors_close(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *end = memchr(text, '\n', size);
	struct json_object *schema CLEANUP(json_putp) = NULL;
	struct json_object *value CLEANUP(json_putp) = NULL;
	size_t len = end ? (size_t)(end - text) : 0;

	if (!end || json_parse(text, len, &schema, NULL, NULL) < 0 ||
	    json_parse(end + 1, size - len - 1, &value, NULL, NULL) < 0 ||
	    !json_object_is_type(schema, json_type_object))
		return 0;
	if (decode_value(schema_def_find("apiextensions.v1.JSONSchemaProps"), NULL, "v1", schema,
			 FIELD_VALIDATION_IGNORE, NULL, NULL) == 0)
		check_schema(schema, value);
	return 0;
}
