/* CSIDriver (storage.k8s.io/v1): what a storage driver can do, and wants. */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"
#include "api/kinds/storage.h"
#include "api/kinds/workload.h"

static void set_defaults(struct json_object *obj)
{
	struct json_object *spec = json_ensure_object(obj, "spec");

	default_bool(spec, "attachRequired", true);
	default_bool(spec, "podInfoOnMount", false);
	default_bool(spec, "storageCapacity", false);
	default_str(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
	if (json_len(json_get(spec, "volumeLifecycleModes")) == 0)
		json_object_array_add(json_ensure_array(spec, "volumeLifecycleModes"),
				      json_object_new_string("Persistent"));
	default_bool(spec, "requiresRepublish", false);
	default_bool(spec, "seLinuxMount", false);
}

/* Only these may change at will, and count. */
static const char *const counted[] = { "tokenRequests", "requiresRepublish", "seLinuxMount" };

static void prepare_update(struct json_object *obj, const struct json_object *old)
{
	for (size_t i = 0; i < ARRAY_SIZE(counted); i++) {
		const struct json_object *spec = json_get(obj, "spec"), *old_spec = json_get(old, "spec");

		if (json_equal(json_get(spec, counted[i]), json_get(old_spec, counted[i])))
			continue;
		workload_count_generation(obj, old);
		return;
	}
}

static void validate_token(const struct json_object *token, struct field_path *path,
			   struct field_errors *errors)
{
	int64_t seconds = json_int(token, "expirationSeconds", 3600);

	if (seconds < 600)
		fault_int(errors, path, "expirationSeconds", seconds,
			  "may not specify a duration less than 10 minutes");
	else if (seconds > INT64_C(1) << 32)
		fault_int(errors, path, "expirationSeconds", seconds,
			  "may not specify a duration larger than 2^32 seconds");
}

static void validate_tokens(const struct json_object *spec, struct field_path *path,
			    struct field_errors *errors)
{
	const struct json_object *tokens = json_get(spec, "tokenRequests");
	size_t mark = field_push(path, "tokenRequests");

	for (size_t i = 0; fault_list_fits(errors, path, tokens) && i < json_len(tokens); i++) {
		const char *audience = json_str_or_empty(json_at(tokens, i), "audience");
		size_t item = field_push_index(path, i), k = 0;

		while (k < i && strcmp(json_str_or_empty(json_at(tokens, k), "audience"), audience) != 0)
			k++;
		if (k < i)
			fault_duplicate(errors, path, "audience", audience);
		validate_token(json_at(tokens, i), path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate_modes(const struct json_object *modes, struct field_path *path,
			   struct field_errors *errors)
{
	static const char *const known[] = { "Ephemeral", "Persistent", NULL };

	for (size_t i = 0; i < json_len(modes); i++) {
		const char *mode = json_object_get_string(json_at(modes, i));

		if (strcmp(mode, known[0]) != 0 && strcmp(mode, known[1]) != 0)
			fault_not_supported(errors, path, "volumeLifecycleModes", mode, known);
	}
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	static const char *const policies[] = { "File", "None", "ReadWriteOnceWithFSType", NULL };
	const struct json_object *spec = json_get(obj, "spec");
	struct field_path path;

	field_path_init(&path, "");
	storage_validate_driver(json_get(obj, "metadata"), "name", &path, errors);
	field_path_init(&path, "spec");
	validate_enum(spec, "fsGroupPolicy", policies, true, &path, errors);
	validate_tokens(spec, &path, errors);
	validate_modes(json_get(spec, "volumeLifecycleModes"), &path, errors);
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	static const char *const fixed[] = { "attachRequired", "volumeLifecycleModes" };
	struct field_path path;

	field_path_init(&path, "spec");
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		validate_immutable(json_get(obj, "spec"), json_get(old, "spec"), fixed[i], &path, errors);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "AttachRequired", "boolean", "", "True when volumes are attached to nodes first.", 0 },
	{ "PodInfoOnMount", "boolean", "", "True when it is told which pod a mount is for.", 0 },
	{ "StorageCapacity", "boolean", "", "True when it says how much room there is.", 0 },
	{ "TokenRequests", "string", "", "Audiences of the tokens that it wants.", 0 },
	{ "RequiresRepublish", "boolean", "", "True when it wants to renew mounts.", 0 },
	{ "Modes", "string", "", "Lives of volumes that it can do.", 0 },
	CELL_COLUMN_AGE,
};

/* Strings, or members of objects, with commas between. */
static void cell_list(struct json_object *cells, const struct json_object *list, const char *member,
		      const char *if_empty)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	for (size_t i = 0; i < json_len(list); i++)
		buf_printf(&b, "%s%s", i > 0 ? "," : "",
			   member ? json_str_or_empty(json_at(list, i), member)
				  : json_object_get_string(json_at(list, i)));
	cell_str_or(cells, b.data, if_empty);
}

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *spec = json_get(obj, "spec");

	cell_name(ret, obj);
	cell_bool(ret, json_boolean(spec, "attachRequired", true));
	cell_bool(ret, json_boolean(spec, "podInfoOnMount", false));
	cell_bool(ret, json_boolean(spec, "storageCapacity", false));
	cell_list(ret, json_get(spec, "tokenRequests"), "audience", "<unset>");
	cell_bool(ret, json_boolean(spec, "requiresRepublish", false));
	cell_list(ret, json_get(spec, "volumeLifecycleModes"), NULL, "<none>");
	cell_age(ret, obj, now_us);
}

const struct kind kind_csi_driver = {
	.api_version = "storage.k8s.io/v1",
	.kind = "CSIDriver",
	.definition = "storage.v1.CSIDriver",
	.set_defaults = set_defaults,
	.prepare_update = prepare_update,
	.validate = validate,
	.validate_update = validate_update,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
