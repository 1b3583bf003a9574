#include "apiserver/authn/identity.h"

#include <stdlib.h>
#include <string.h>

struct identity *identity_new(const char *user, const char *uid)
{
	struct identity *identity = mem_zalloc(sizeof(*identity));
	identity->refs = 1;
	identity->user = mem_dup(user);
	identity->uid = mem_dup(uid);
	return identity;
}

struct identity *identity_ref(struct identity *identity)
{
	identity->refs++;
	return identity;
}

static void free_strings(char **strings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(strings[i]);
	free(strings);
}

void identity_unref(struct identity *identity)
{
	if (!identity || --identity->refs)
		return;
	free_strings(identity->groups, identity->n_groups);
	for (size_t i = 0; i < identity->n_extra; i++) {
		free(identity->extra[i].key);
		free_strings(identity->extra[i].values, identity->extra[i].n_values);
	}
	free(identity->extra);
	free(identity->user);
	free(identity->uid);
	free(identity);
}

void identity_unrefp(struct identity **identity)
{
	identity_unref(*identity);
}

void identity_add_group(struct identity *identity, const char *group, size_t len)
{
	if (len == 0 || identity->n_groups == IDENTITY_GROUPS_MAX)
		return;
	identity->groups = mem_realloc_array(identity->groups, identity->n_groups + 1, sizeof(char *));
	identity->groups[identity->n_groups++] = mem_dupn(group, len);
}

/* They stand in the order of their keys, as Kubernetes prints them. */
static struct identity_extra *extra_of(struct identity *identity, const char *key)
{
	size_t at = 0;
	int order = -1;
	while (at < identity->n_extra && (order = strcmp(identity->extra[at].key, key)) < 0)
		at++;
	if (at < identity->n_extra && order == 0)
		return &identity->extra[at];
	identity->extra =
	    mem_realloc_array(identity->extra, identity->n_extra + 1, sizeof(struct identity_extra));
	struct identity_extra *extra = &identity->extra[at];
	memmove(extra + 1, extra, (identity->n_extra++ - at) * sizeof(*extra));
	*extra = (struct identity_extra){ .key = mem_dup(key) };
	return extra;
}

void identity_add_extra(struct identity *identity, const char *key, const char *value)
{
	struct identity_extra *extra = extra_of(identity, key);
	extra->values = mem_realloc_array(extra->values, extra->n_values + 1, sizeof(char *));
	extra->values[extra->n_values++] = mem_dup(value);
}

bool identity_in_group(const struct identity *identity, const char *group)
{
	for (size_t i = 0; i < identity->n_groups; i++)
		if (strcmp(identity->groups[i], group) == 0)
			return true;
	return false;
}

static struct json_object *strings_json(char *const *strings, size_t n)
{
	struct json_object *array = json_object_new_array();
	for (size_t i = 0; i < n; i++)
		json_object_array_add(array, json_object_new_string(strings[i]));
	return array;
}

struct json_object *identity_user_info(const struct identity *identity)
{
	struct json_object *info = json_object_new_object();
	json_set_str(info, "username", identity->user);
	if (*identity->uid)
		json_set_str(info, "uid", identity->uid);
	if (identity->n_groups)
		json_set(info, "groups", strings_json(identity->groups, identity->n_groups));
	for (size_t i = 0; i < identity->n_extra; i++)
		json_set(json_ensure_object(info, "extra"), identity->extra[i].key,
			 strings_json(identity->extra[i].values, identity->extra[i].n_values));
	return info;
}
