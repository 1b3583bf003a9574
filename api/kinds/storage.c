#include "api/kinds/storage.h"

#include <ctype.h>
#include <string.h>

#include "api/fault.h"
#include "lib/mem.h"

#define DRIVER_MAX           63
#define PARAMETERS_MAX       512
#define PARAMETERS_MAX_BYTES (256 * 1024)

static char *lower_case(const char *s)
{
	char *lower = mem_dup(s);

	for (char *p = lower; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return lower;
}

void storage_validate_driver(const struct json_object *obj, const char *key, struct field_path *path,
			     struct field_errors *errors)
{
	const char *driver = json_str_or_empty(obj, key);
	CLEANUP(mem_freep) char *lower = lower_case(driver);
	struct name_faults faults = { .n = 0 };

	if (!*driver)
		fault_required(errors, path, key, "");
	if (strlen(driver) > DRIVER_MAX)
		fault_too_long(errors, path, key, DRIVER_MAX);
	name_check_dns_subdomain(lower, false, &faults);
	fault_names(errors, path, key, driver, &faults);
}

void storage_validate_provisioner(const struct json_object *obj, const char *key, struct field_path *path,
				  struct field_errors *errors)
{
	const char *provisioner = json_str_or_empty(obj, key);
	CLEANUP(mem_freep) char *lower = lower_case(provisioner);
	struct name_faults faults = { .n = 0 };

	if (!*provisioner) {
		fault_required(errors, path, key, "");
		return;
	}
	name_check_qualified(lower, &faults);
	fault_names(errors, path, key, provisioner, &faults);
}

void storage_validate_parameters(const struct json_object *obj, bool required, struct field_path *path,
				 struct field_errors *errors)
{
	struct json_object *parameters = json_get(obj, "parameters");
	int n = parameters ? json_object_object_length(parameters) : 0;
	size_t bytes = 0;

	if (required && n == 0)
		fault_required(errors, path, "parameters", "must contain at least one key/value pair");
	if (n > PARAMETERS_MAX)
		fault_too_long(errors, path, "parameters", PARAMETERS_MAX);
	if (!parameters)
		return;
	json_object_object_foreach(parameters, name, value)
	{
		if (!*name)
			fault_str(errors, path, "parameters", name, "field can not be empty.");
		bytes += strlen(name) + strlen(json_object_get_string(value));
	}
	if (bytes > PARAMETERS_MAX_BYTES)
		fault_too_long(errors, path, "parameters", PARAMETERS_MAX_BYTES);
}

void storage_validate_fixed(const struct json_object *obj, const struct json_object *old, const char *key,
			    struct field_errors *errors)
{
	CLEANUP(mem_freep) char *detail = mem_printf("updates to %s are forbidden.", key);
	struct field_path path;

	field_path_init(&path, "");
	if (!json_equal(json_get(obj, key), json_get(old, key)))
		fault_forbidden(errors, &path, key, detail);
}
