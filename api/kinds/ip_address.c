/* IPAddress (networking.k8s.io/v1): an address that is taken; its name is the address. */
#include <string.h>

#include "api/fault.h"
#include "api/ip.h"
#include "api/kinds/cells.h"
#include "api/kinds/kinds.h"

static void name_check_address(const char *name, bool is_prefix, struct name_faults *faults)
{
	(void)is_prefix;
	if (!ip_valid(name, NULL))
		faults->text[faults->n++] = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
	else if (!ip_canonical(name))
		faults->text[faults->n++] = "must be in canonical form";
}

static void set_defaults(struct json_object *obj)
{
	json_ensure_object(obj, "spec");
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *ref = json_path(obj, "spec", "parentRef", NULL);
	struct field_path path;

	field_path_init(&path, "spec");
	if (!ref) {
		fault_required(errors, &path, "parentRef", "");
		return;
	}
	field_push(&path, "parentRef");
	fault_name(ref, "group", false, name_check_dns_subdomain, &path, errors);
	fault_name(ref, "resource", true, name_check_path_segment, &path, errors);
	fault_name(ref, "name", true, name_check_path_segment, &path, errors);
	fault_name(ref, "namespace", false, name_check_path_segment, &path, errors);
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	struct field_path path;

	field_path_init(&path, "spec");
	validate_immutable(json_get(obj, "spec"), json_get(old, "spec"), "parentRef", &path, errors);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "ParentRef", "string", "", "The object that has taken it.", 0 },
};

/* "services/default/web", "gateways.gateway.networking.k8s.io/prod/front" */
static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *ref = json_path(obj, "spec", "parentRef", NULL);
	const char *group = json_str_or_empty(ref, "group"), *namespace = json_str_or_empty(ref, "namespace");
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	(void)now_us;
	if (ref)
		buf_printf(&b, "%s%s%s/%s%s%s", json_str_or_empty(ref, "resource"), *group ? "." : "", group,
			   namespace, *namespace ? "/" : "", json_str_or_empty(ref, "name"));
	cell_name(ret, obj);
	cell_str_or(ret, b.data, "<none>");
}

static const char *const selectable_fields[] = { "spec.parentRef.group", "spec.parentRef.resource",
						 "spec.parentRef.namespace", "spec.parentRef.name", NULL };

const struct kind kind_ip_address = {
	.api_version = "networking.k8s.io/v1",
	.kind = "IPAddress",
	.definition = "networking.v1.IPAddress",
	.name_check = name_check_address,
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.validate = validate,
	.validate_update = validate_update,
	.selectable_fields = selectable_fields,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
