#include "kubectl-lite/env_list.h"

#include <stdio.h>
#include <string.h>

#include "kubectl-lite/session.h"

/* "configmap cfg, key a" */
static void write_reference(struct buf *b, const struct json_object *from)
{
	const struct json_object *map = json_get(from, "configMapKeyRef"),
				 *secret = json_get(from, "secretKeyRef"),
				 *field = json_get(from, "fieldRef"),
				 *resource = json_get(from, "resourceFieldRef"), *named = map ? map : secret;
	const char *container = json_str(resource, "containerName");

	if (named)
		buf_printf(b, "%s %s, key %s", map ? "configmap" : "secret", json_str_or_empty(named, "name"),
			   json_str_or_empty(named, "key"));
	else if (field)
		buf_printf(b, "field path %s", json_str_or_empty(field, "fieldPath"));
	else if (resource)
		buf_printf(b, "resource field %s%s%s", container ? container : "", container ? "/" : "",
			   json_str_or_empty(resource, "resource"));
	else
		buf_str(b, "invalid valueFrom");
}

static int look_up_key(const char *plural, const struct json_object *ref, const struct object *object,
		       struct buf *ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *holder = NULL;
	const char *name = json_str_or_empty(ref, "name"), *key = json_str_or_empty(ref, "key"), *value;

	if (object_get(resource_find("", "v1", plural), object->namespace_, name, &holder, err) < 0)
		return -1;
	value = json_str(json_get(holder, "data"), key);
	if (!value)
		return err_set(err, ERR_PARSE, "key %s not found in %.*s %s", key, (int)strlen(plural) - 1,
			       plural, name);
	if (strcmp(plural, "secrets") == 0)
		return buf_base64_decode(value, strlen(value), ret, err);
	buf_str(ret, value);
	return 0;
}

static int look_up(const struct json_object *from, const struct object *object, struct buf *ret,
		   struct err *err)
{
	const char *field = json_str_or_empty(json_get(from, "fieldRef"), "fieldPath");

	if (json_get(from, "configMapKeyRef"))
		return look_up_key("configmaps", json_get(from, "configMapKeyRef"), object, ret, err);
	if (json_get(from, "secretKeyRef"))
		return look_up_key("secrets", json_get(from, "secretKeyRef"), object, ret, err);
	if (strcmp(field, "metadata.name") == 0 || strcmp(field, "metadata.namespace") == 0 ||
	    strcmp(field, "metadata.uid") == 0) {
		buf_str(ret, object_meta(object->value, field + strlen("metadata.")));
		return 0;
	}
	return err_set(err, ERR_PARSE, "it is known to the running pod alone");
}

void env_list_print(const struct json_object *env, const struct object *object, bool resolve)
{
	CLEANUP(buf_close) struct buf faults = BUF_INIT;

	for (size_t i = 0; i < json_len(env); i++) {
		const struct json_object *variable = json_at(env, i), *from = json_get(variable, "valueFrom");
		const char *name = json_str_or_empty(variable, "name");
		CLEANUP(buf_close) struct buf value = BUF_INIT, reference = BUF_INIT;
		struct err err = ERR_INIT;
		if (!from || (resolve && look_up(from, object, &value, &err) == 0)) {
			printf("%s=%s\n", name,
			       !from        ? json_str_or_empty(variable, "value")
			       : value.data ? value.data
					    : "");
			continue;
		}
		write_reference(&reference, from);
		printf("# %s from %s\n", name, reference.data);
		if (resolve)
			buf_printf(&faults, "error retrieving reference for %s: %s\n", name, err.msg);
	}
	if (faults.len)
		fputs(faults.data, stderr);
}
