#include "api/kinds/taint.h"

#include "api/fault.h"

void taint_validate_effect(const struct json_object *obj, bool may_be_empty, struct field_path *path,
			   struct field_errors *errors)
{
	static const char *const effects[] = { "NoSchedule", "PreferNoSchedule", "NoExecute", NULL };

	validate_enum(obj, "effect", effects, !may_be_empty, path, errors);
}

void taint_validate(const struct json_object *taint, struct field_path *path, struct field_errors *errors)
{
	const char *key = json_str_or_empty(taint, "key"), *value = json_str_or_empty(taint, "value");
	struct name_faults key_faults = { .n = 0 }, value_faults = { .n = 0 };

	name_check_qualified(key, &key_faults);
	fault_names(errors, path, "key", key, &key_faults);
	name_check_label_value(value, &value_faults);
	fault_names(errors, path, "value", value, &value_faults);
	taint_validate_effect(taint, false, path, errors);
}
