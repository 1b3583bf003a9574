/* Secret (core/v1). Values of data are base64 in JSON. */
#include <stdint.h>
#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/config_data.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"

/* stringData is a convenience of writing: it is encoded into data, where it wins, and never stored. */
static void merge_string_data(struct json_object *obj)
{
	struct json_object *plain = json_get(obj, "stringData");

	if (plain && json_object_object_length(plain) > 0) {
		struct json_object *data = json_ensure_object(obj, "data");

		json_object_object_foreach(plain, key, value)
		{
			CLEANUP(buf_close) struct buf encoded = BUF_INIT;

			if (value)
				buf_base64(&encoded, json_object_get_string(value),
					   (size_t)json_object_get_string_len(value));
			json_set_str(data, key, encoded.data ? encoded.data : "");
		}
	}
	json_object_object_del(obj, "stringData");
}

static void set_defaults(struct json_object *obj)
{
	merge_string_data(obj);
	default_str(obj, "type", "Opaque");
}

static void require_key(const struct json_object *obj, const char *key, bool may_be_empty,
			struct field_errors *errors)
{
	const char *value = json_str(json_get(obj, "data"), key);
	struct field_path path;

	if (value && (may_be_empty || *value))
		return;
	field_path_init(&path, "data");
	field_push_key(&path, key);
	field_error_required(errors, &path, "");
}

static void require_json_key(const struct json_object *obj, const char *key, struct field_errors *errors)
{
	const char *value = json_str(json_get(obj, "data"), key);
	CLEANUP(buf_close) struct buf decoded = BUF_INIT;
	CLEANUP(json_putp) struct json_object *parsed = NULL;
	struct err err = ERR_INIT;
	struct field_path path;

	if (!value) {
		require_key(obj, key, true, errors);
		return;
	}
	if (buf_base64_decode(value, strlen(value), &decoded, &err) == 0 &&
	    json_parse(decoded.data ? decoded.data : "", decoded.len, &parsed, NULL, &err) == 0 &&
	    json_object_is_type(parsed, json_type_object))
		return;
	field_path_init(&path, "data");
	field_push_key(&path, key);
	field_error_invalid_str(errors, &path, "<secret contents redacted>", "%s",
				err.kind == ERR_NONE ? "must be a JSON object" : err.msg);
}

static void validate_service_account_token(const struct json_object *obj, struct field_errors *errors)
{
	struct field_path path;

	if (default_has_str(json_path(obj, "metadata", "annotations", NULL),
			    "kubernetes.io/service-account.name"))
		return;
	field_path_init(&path, "metadata.annotations");
	field_push_key(&path, "kubernetes.io/service-account.name");
	field_error_required(errors, &path, "");
}

/* Kubernetes' limit is on the decoded content. */
static size_t decoded_bytes(const struct json_object *data)
{
	size_t bytes = 0;

	if (!json_object_is_type(data, json_type_object))
		return 0;
	json_object_object_foreach((struct json_object *)(uintptr_t)data, key, value)
	{
		const char *text = value ? json_object_get_string(value) : "";
		size_t len = strlen(text);

		(void)key;
		while (len > 0 && text[len - 1] == '=')
			len--;
		bytes += len * 3 / 4;
	}
	return bytes;
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *data = json_get(obj, "data");
	const char *type = json_str_or_empty(obj, "type");
	struct field_path path;

	field_path_init(&path, "data");
	config_data_validate_keys(data, &path, errors);
	if (decoded_bytes(data) > CONFIG_DATA_MAX_BYTES)
		field_error_add(errors, FIELD_TOO_LONG, &path, NULL, "may not be more than %d bytes",
				CONFIG_DATA_MAX_BYTES);
	if (strcmp(type, "kubernetes.io/service-account-token") == 0) {
		validate_service_account_token(obj, errors);
	} else if (strcmp(type, "kubernetes.io/dockercfg") == 0) {
		require_json_key(obj, ".dockercfg", errors);
	} else if (strcmp(type, "kubernetes.io/dockerconfigjson") == 0) {
		require_json_key(obj, ".dockerconfigjson", errors);
	} else if (strcmp(type, "kubernetes.io/basic-auth") == 0) {
		/* One of the two is enough. */
		if (!json_get(data, "username") && !json_get(data, "password")) {
			require_key(obj, "username", true, errors);
			require_key(obj, "password", true, errors);
		}
	} else if (strcmp(type, "kubernetes.io/ssh-auth") == 0) {
		require_key(obj, "ssh-privatekey", false, errors);
	} else if (strcmp(type, "kubernetes.io/tls") == 0) {
		require_key(obj, "tls.crt", true, errors);
		require_key(obj, "tls.key", true, errors);
	}
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	static const char *const keys[] = { "data", NULL };
	struct field_path path;

	field_path_init(&path, "");
	validate_immutable(obj, old, "type", &path, errors);
	config_data_validate_update(obj, old, keys, errors);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Type", "string", "", "What kind of secret it is; says which keys it has.", 0 },
	{ "Data", "string", "", "How many keys it holds.", 0 },
	CELL_COLUMN_AGE,
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *data = json_get(obj, "data");

	cell_name(ret, obj);
	cell_str(ret, json_str(obj, "type"));
	cell_int(ret, data ? json_object_object_length(data) : 0);
	cell_age(ret, obj, now_us);
}

static const char *const selectable_fields[] = { "type", NULL };

const struct kind kind_secret = {
	.api_version = "v1",
	.kind = "Secret",
	.definition = "core.v1.Secret",
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.validate = validate,
	.validate_update = validate_update,
	.selectable_fields = selectable_fields,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
