/* Config maps, secrets, namespaces and service accounts. */
#include <string.h>

#include "kubectl-lite/describe_text.h"

/* Bytes that base64 text stands for. */
static size_t decoded_size(const char *text)
{
	CLEANUP(buf_close) struct buf bytes = BUF_INIT;

	return buf_base64_decode(text, strlen(text), &bytes, NULL) == 0 ? bytes.len : 0;
}

static void add_text(const char *key, struct json_object *value, void *arg)
{
	buf_printf(arg, "%s:\n----\n%s\n\n", key, value ? json_object_get_string(value) : "");
}

static void add_size(const char *key, struct json_object *value, void *arg)
{
	buf_printf(arg, "%s: %zu bytes\n", key, value ? decoded_size(json_object_get_string(value)) : 0);
}

static void add_secret_size(const char *key, struct json_object *value, void *arg)
{
	buf_printf(arg, "%s:\t%zu bytes\n", key, value ? decoded_size(json_object_get_string(value)) : 0);
}

void describe_config_map(struct buf *b, const struct object *object)
{
	describe_head(b, object->value);
	buf_str(b, "\nData\n====\n");
	describe_sorted(json_get(object->value, "data"), add_text, b);
	buf_str(b, "\nBinaryData\n====\n");
	describe_sorted(json_get(object->value, "binaryData"), add_size, b);
	buf_char(b, '\n');
	describe_events(b, object);
}

void describe_secret(struct buf *b, const struct object *object)
{
	describe_head(b, object->value);
	buf_printf(b, "\nType:\t%s\n\nData\n====\n", json_str_or_empty(object->value, "type"));
	describe_sorted(json_get(object->value, "data"), add_secret_size, b);
}

void describe_namespace(struct buf *b, const struct object *object)
{
	describe_head(b, object->value);
	buf_printf(b, "Status:\t%s\n", json_str_or_empty(json_get(object->value, "status"), "phase"));
}

static void write_names(struct buf *b, const char *title, const struct json_object *list)
{
	buf_printf(b, "%s:\t%s", title, json_len(list) ? "" : "<none>\n");
	for (size_t i = 0; i < json_len(list); i++)
		buf_printf(b, "%s%s\n", i ? "\t" : "", json_str_or_empty(json_at(list, i), "name"));
}

void describe_service_account(struct buf *b, const struct object *object)
{
	describe_head(b, object->value);
	write_names(b, "Image pull secrets", json_get(object->value, "imagePullSecrets"));
	write_names(b, "Mountable secrets", json_get(object->value, "secrets"));
	buf_str(
	    b, "Tokens:\t<none>\n"); /* token secrets are made by hand only; tokens come from the token API */
	describe_events(b, object);
}
