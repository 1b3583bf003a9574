/* ServiceCIDR (networking.k8s.io/v1): where Services get their addresses. */
#include <string.h>

#include "api/fault.h"
#include "api/ip.h"
#include "api/kinds/cells.h"
#include "api/kinds/kinds.h"

static void set_defaults(struct json_object *obj)
{
	json_ensure_object(obj, "spec");
	json_ensure_object(obj, "status");
}

static void prepare_create(struct json_object *obj)
{
	json_set(obj, "status", json_object_new_object());
}

static bool is_v6(const char *cidr)
{
	return strchr(cidr, ':') != NULL;
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *cidrs = json_path(obj, "spec", "cidrs", NULL);
	size_t n = json_len(cidrs);
	struct field_path path;

	field_path_init(&path, "spec");
	if (n == 0) {
		fault_required(errors, &path, "cidrs", "at least one CIDR required");
		return;
	}
	field_push(&path, "cidrs");
	if (n > 2) {
		field_error_add(errors, FIELD_INVALID, &path, cidrs, "may only hold up to 2 values");
		return;
	}
	if (n == 2 && is_v6(json_object_get_string(json_at(cidrs, 0))) ==
			  is_v6(json_object_get_string(json_at(cidrs, 1))))
		field_error_add(errors, FIELD_INVALID, &path, cidrs,
				"may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and "
				"2001:db8::/64");
	for (size_t i = 0; i < n; i++) {
		const char *cidr = json_object_get_string(json_at(cidrs, i));
		size_t mark = field_push_index(&path, i);

		if (!ip_cidr_valid(cidr))
			field_error_invalid_str(errors, &path, cidr, "%s", IP_CIDR_TEXT);
		field_pop(&path, mark);
	}
}

/* A second family may be added, nothing else. */
static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	const struct json_object *cidrs = json_path(obj, "spec", "cidrs", NULL),
				 *old_cidrs = json_path(old, "spec", "cidrs", NULL);
	struct field_path path;

	field_path_init(&path, "spec");
	for (size_t i = 0; i < json_len(old_cidrs); i++)
		if (!json_equal(json_at(cidrs, i), json_at(old_cidrs, i))) {
			fault_json(errors, &path, "cidrs", cidrs, "field is immutable");
			return;
		}
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "CIDRs", "string", "", "The networks.", 0 },
	CELL_COLUMN_AGE,
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *cidrs = json_path(obj, "spec", "cidrs", NULL);
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	for (size_t i = 0; i < json_len(cidrs); i++)
		buf_printf(&b, "%s%s", i > 0 ? "," : "", json_object_get_string(json_at(cidrs, i)));
	cell_name(ret, obj);
	cell_buf(ret, &b);
	cell_age(ret, obj, now_us);
}

const struct kind kind_service_cidr = {
	.api_version = "networking.k8s.io/v1",
	.kind = "ServiceCIDR",
	.definition = "networking.v1.ServiceCIDR",
	.has_status = true,
	.has_generation = true,
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_update = validate_update,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
