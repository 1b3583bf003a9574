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

static void write_strings(struct buf *b, char *const *strings, size_t n)
{
	buf_char(b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_char(b, ',');
		buf_json_string(b, strings[i]);
	}
	buf_char(b, ']');
}

void identity_write(struct buf *b, const struct identity *identity)
{
	buf_str(b, "{\"username\":");
	buf_json_string(b, identity->user);
	if (*identity->uid) {
		buf_str(b, ",\"uid\":");
		buf_json_string(b, identity->uid);
	}
	if (identity->n_groups) {
		buf_str(b, ",\"groups\":");
		write_strings(b, identity->groups, identity->n_groups);
	}
	for (size_t i = 0; i < identity->n_extra; i++) {
		buf_str(b, i ? "," : ",\"extra\":{");
		buf_json_string(b, identity->extra[i].key);
		buf_char(b, ':');
		write_strings(b, identity->extra[i].values, identity->extra[i].n_values);
	}
	buf_str(b, identity->n_extra ? "}}" : "}");
}

struct json_object *identity_user_info(const struct identity *identity)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct json_object *info = NULL;
	identity_write(&text, identity);
	json_parse(text.data, text.len, &info, NULL, NULL);
	return info;
}
