#include "nodeagent/pod_env.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/quantity.h"
#include "nodeagent/expand.h"

struct place {
	size_t at;
	char name[];
};

void pod_env_close(struct pod_env *env)
{
	void *place;

	for (size_t i = 0; map_next(&env->places, &i, NULL, &place);)
		free(place);
	map_close(&env->places);
	for (size_t i = 0; i < env->n; i++)
		free(env->vars[i]);
	free(env->vars);
	*env = (struct pod_env){ 0 };
}

static char **find(const struct pod_env *env, const char *name)
{
	const struct place *place = map_get(&env->places, name);

	return place ? &env->vars[place->at] : NULL;
}

const char *pod_env_get(const struct pod_env *env, const char *name)
{
	char **var = find(env, name);

	return var ? *var + strlen(name) + 1 : NULL;
}

static void set(struct pod_env *env, const char *name, const char *value)
{
	char **var = find(env, name);
	char *text = mem_printf("%s=%s", name, value);

	if (var) {
		free(*var);
		*var = text;
		return;
	}
	size_t size = strlen(name) + 1;
	struct place *place = mem_zalloc(sizeof(*place) + size);
	place->at = env->n;
	memcpy(place->name, name, size);
	map_put(&env->places, place->name, place);
	env->vars = mem_realloc_array(env->vars, env->n + 2, sizeof(*env->vars));
	env->vars[env->n++] = text;
	env->vars[env->n] = NULL;
}

static const char *lookup_var(const char *name, void *arg)
{
	return pod_env_get(arg, name);
}

char *pod_env_expand(const struct pod_env *env, const char *s)
{
	return expand_references(s, lookup_var, (void *)(uintptr_t)env);
}

/* All of a map of strings as KEY="VALUE" lines, sorted by key. */
static char *map_lines(const struct json_object *map)
{
	CLEANUP(buf_close) struct buf sorted = BUF_INIT;
	CLEANUP(buf_close) struct buf out = BUF_INIT;
	CLEANUP(json_putp) struct json_object *copy = NULL;

	if (!map)
		return mem_dup("");
	json_write_sorted(&sorted, map);
	if (json_parse(sorted.data, sorted.len, &copy, NULL, NULL) < 0)
		return mem_dup("");
	json_object_object_foreach(copy, key, value)
	{
		buf_printf(&out, "%s%s=", out.len ? "\n" : "", key);
		buf_json_string(&out, json_object_get_string(value));
	}
	return buf_take(&out);
}

/* "metadata.labels['KEY']": the value of KEY, which an empty string stands for when absent. */
static char *subscript(const struct json_object *map, const char *path)
{
	const char *start = strchr(path, '[') + 2;
	size_t len = strlen(start);

	if (len < 2)
		return NULL;
	CLEANUP(mem_freep) char *key = mem_dupn(start, len - 2);
	return mem_dup(json_str_or_empty(map, key));
}

int pod_env_field(const struct pod_env_opts *opts, const char *path, char **ret, struct err *err)
{
	const struct json_object *meta = json_get(opts->pod, "metadata"), *spec = json_get(opts->pod, "spec");
	const struct {
		const char *path, *value;
	} plain[] = {
		{ "metadata.name", json_str(meta, "name") },
		{ "metadata.namespace", json_str(meta, "namespace") },
		{ "metadata.uid", json_str(meta, "uid") },
		{ "spec.nodeName", opts->node_name },
		{ "spec.serviceAccountName", json_str(spec, "serviceAccountName") },
		{ "status.hostIP", opts->host_ip },
		{ "status.hostIPs", opts->host_ip },
		{ "status.podIP", opts->pod_ip },
		{ "status.podIPs", opts->pod_ip },
	};

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (strcmp(path, plain[i].path) == 0) {
			*ret = mem_dup(plain[i].value ? plain[i].value : "");
			return 0;
		}
	if (strcmp(path, "metadata.labels") == 0 || strcmp(path, "metadata.annotations") == 0)
		*ret = map_lines(json_get(meta, path + strlen("metadata.")));
	else if (strncmp(path, "metadata.labels['", 17) == 0)
		*ret = subscript(json_get(meta, "labels"), path);
	else if (strncmp(path, "metadata.annotations['", 22) == 0)
		*ret = subscript(json_get(meta, "annotations"), path);
	else
		return err_set(err, ERR_INVALID, "unsupported fieldPath: %s", path);
	return *ret ? 0 : err_set(err, ERR_INVALID, "unsupported fieldPath: %s", path);
}

int pod_env_resource(const struct pod_env_opts *opts, const struct json_object *container,
		     const struct json_object *ref, char **ret, struct err *err)
{
	const char *resource = json_str_or_empty(ref, "resource"), *divisor = json_str(ref, "divisor");
	const char *dot = strchr(resource, '.');
	CLEANUP(mem_freep) char *list = dot ? mem_dupn(resource, (size_t)(dot - resource)) : NULL;
	struct quantity value, unit = quantity_of_value(1, QUANTITY_DECIMAL_SI);

	if (!dot || (strcmp(list, "limits") != 0 && strcmp(list, "requests") != 0))
		return err_set(err, ERR_INVALID, "unsupported container resource : %s", resource);
	const char *text = json_str(json_path(container, "resources", list, NULL), dot + 1);
	if (text) {
		if (!quantity_parse(text, &value))
			return err_set(err, ERR_INVALID, "resource %s: %s is no quantity", resource, text);
	} else if (strcmp(list, "requests") == 0) {
		value = quantity_of_value(0, QUANTITY_DECIMAL_SI);
	} else if (strcmp(dot + 1, "cpu") == 0) {
		value = quantity_of_milli(opts->node_millicpu);
	} else if (strcmp(dot + 1, "memory") == 0) {
		value = quantity_of_value(opts->node_memory_bytes, QUANTITY_BINARY_SI);
	} else {
		value = quantity_of_value(0, QUANTITY_DECIMAL_SI);
	}
	if (divisor && (!quantity_parse(divisor, &unit)))
		return err_set(err, ERR_INVALID, "divisor %s is no quantity", divisor);
	if (unit.nano <= 0)
		unit = quantity_of_value(1, QUANTITY_DECIMAL_SI);
	*ret = mem_printf("%" PRId64, (int64_t)((value.nano + unit.nano - 1) / unit.nano));
	return 0;
}

/* Value of a key of a ConfigMap or Secret; *ret NULL when it is absent and optional. */
static int key_ref(const struct pod_env_opts *opts, enum config_kind kind, const struct json_object *ref,
		   char **ret, struct err *err)
{
	const char *name = json_str_or_empty(ref, "name"), *key = json_str_or_empty(ref, "key");
	const struct json_object *object = NULL;
	const char *namespace_ = json_str_or_empty(json_get(opts->pod, "metadata"), "namespace");
	bool optional = json_boolean(ref, "optional", false);

	if (opts->lookup.get(kind, name, &object, opts->lookup.arg) != CONFIG_PRESENT) {
		if (optional)
			return 0;
		return err_set(err, ERR_NOT_FOUND, "%s \"%s\" not found",
			       kind == CONFIG_MAP ? "configmap" : "secret", name);
	}
	const char *text = json_str(json_get(object, "data"), key);
	if (!text) {
		if (optional)
			return 0;
		return err_set(err, ERR_NOT_FOUND, "couldn't find key %s in %s %s/%s", key,
			       kind == CONFIG_MAP ? "ConfigMap" : "Secret", namespace_, name);
	}
	if (kind == CONFIG_MAP) {
		*ret = mem_dup(text);
		return 0;
	}
	CLEANUP(buf_close) struct buf plain = BUF_INIT;
	if (buf_base64_decode(text, strlen(text), &plain, err) < 0)
		return err_wrap(err, "key %s in Secret %s/%s", key, namespace_, name);
	*ret = buf_take(&plain);
	return 0;
}

static bool name_usable(const char *name)
{
	return name[0] != '\0' && !strchr(name, '=');
}

static int add_from_object(const struct pod_env_opts *opts, struct pod_env *env, enum config_kind kind,
			   const struct json_object *ref, const char *prefix, struct err *err)
{
	const char *name = json_str_or_empty(ref, "name");
	const struct json_object *object = NULL;

	if (opts->lookup.get(kind, name, &object, opts->lookup.arg) != CONFIG_PRESENT) {
		if (json_boolean(ref, "optional", false))
			return 0;
		return err_set(err, ERR_NOT_FOUND, "%s \"%s\" not found",
			       kind == CONFIG_MAP ? "configmap" : "secret", name);
	}
	struct json_object *data = json_get(object, "data");
	if (!data)
		return 0;
	json_object_object_foreach(data, key, value)
	{
		CLEANUP(mem_freep) char *full = mem_printf("%s%s", prefix, key);
		CLEANUP(buf_close) struct buf plain = BUF_INIT;
		const char *text = json_object_get_string(value);
		if (!text || !name_usable(full))
			continue;
		if (kind == CONFIG_SECRET) {
			buf_reserve(&plain, 1);
			if (buf_base64_decode(text, strlen(text), &plain, err) < 0)
				return err_wrap(err, "key %s of secret \"%s\"", key, name);
			text = plain.data ? plain.data : "";
		}
		set(env, full, text);
	}
	return 0;
}

/* A variable from valueFrom; nothing is set when its optional source is absent. */
static int add_value_from(const struct pod_env_opts *opts, struct pod_env *env, const char *name,
			  const struct json_object *from, struct err *err)
{
	const struct json_object *ref;
	CLEANUP(mem_freep) char *value = NULL;
	int rc;

	if ((ref = json_get(from, "fieldRef"))) {
		rc = pod_env_field(opts, json_str_or_empty(ref, "fieldPath"), &value, err);
	} else if ((ref = json_get(from, "resourceFieldRef"))) {
		rc = pod_env_resource(opts, opts->container, ref, &value, err);
	} else if ((ref = json_get(from, "configMapKeyRef"))) {
		rc = key_ref(opts, CONFIG_MAP, ref, &value, err);
	} else if ((ref = json_get(from, "secretKeyRef"))) {
		rc = key_ref(opts, CONFIG_SECRET, ref, &value, err);
	} else {
		rc = err_set(err, ERR_INVALID, "environment variable %s: this source is not supported", name);
	}
	if (rc == 0 && value)
		set(env, name, value);
	return rc;
}

static int add_from(const struct pod_env_opts *opts, struct pod_env *env, struct err *err)
{
	const struct json_object *list = json_get(opts->container, "envFrom");

	for (size_t i = 0; i < json_len(list); i++) {
		const struct json_object *from = json_at(list, i), *ref;
		const char *prefix = json_str_or_empty(from, "prefix");
		if ((ref = json_get(from, "configMapRef")) &&
		    add_from_object(opts, env, CONFIG_MAP, ref, prefix, err) < 0)
			return -1;
		if ((ref = json_get(from, "secretRef")) &&
		    add_from_object(opts, env, CONFIG_SECRET, ref, prefix, err) < 0)
			return -1;
	}
	return 0;
}

static int add_env(const struct pod_env_opts *opts, struct pod_env *env, struct err *err)
{
	const struct json_object *list = json_get(opts->container, "env");

	for (size_t i = 0; i < json_len(list); i++) {
		const struct json_object *var = json_at(list, i);
		const char *name = json_str_or_empty(var, "name");
		if (json_get(var, "valueFrom")) {
			if (add_value_from(opts, env, name, json_get(var, "valueFrom"), err) < 0)
				return -1;
			continue;
		}
		/* Sees the variables before it, not those after it. */
		CLEANUP(mem_freep) char *value = pod_env_expand(env, json_str_or_empty(var, "value"));
		set(env, name, value);
	}
	return 0;
}

static void add_image(const struct pod_env_opts *opts, struct pod_env *env)
{
	const struct json_object *list = json_path(opts->image_config, "config", "Env", NULL);

	if (!list)
		list = json_get(opts->image_config, "Env");
	for (size_t i = 0; i < json_len(list); i++) {
		const char *text = json_object_get_string(json_at(list, i));
		const char *equals = text ? strchr(text, '=') : NULL;
		if (!equals)
			continue;
		CLEANUP(mem_freep) char *name = mem_dupn(text, (size_t)(equals - text));
		set(env, name, equals + 1);
	}
}

static void set_service_var(const char *name, const char *value, void *arg)
{
	set(arg, name, value);
}

int pod_env_build(const struct pod_env_opts *opts, struct pod_env *ret, struct err *err)
{
	CLEANUP(pod_env_close) struct pod_env env = { 0 };

	set(&env, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	set(&env, "HOSTNAME", opts->hostname);
	add_image(opts, &env);
	service_env_each(opts->services, opts->pod, set_service_var, &env);
	if (add_from(opts, &env, err) < 0 || add_env(opts, &env, err) < 0)
		return -1;
	*ret = env;
	env = (struct pod_env){ 0 };
	return 0;
}
