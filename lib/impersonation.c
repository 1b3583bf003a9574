#include "lib/impersonation.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

static int write_line(struct buf *b, const char *name, const char *value, struct err *err)
{
	if (strpbrk(value, "\r\n"))
		return err_set(err, ERR_BAD_REQUEST, "%s has more than one line", name);
	buf_str(b, name);
	buf_str(b, ": ");
	buf_str(b, value);
	buf_str(b, "\r\n");
	return 0;
}

/* A line for each of VALUES, which stand in the file under WHAT. */
static int write_lines(struct buf *b, const char *name, const struct json_object *values, const char *what,
		       struct err *err)
{
	if (values && !json_object_is_type(values, json_type_array))
		return err_set(err, ERR_BAD_REQUEST, "%s: expected a list of strings", what);
	for (size_t i = 0; i < json_len(values); i++) {
		struct json_object *value = json_at(values, i);

		if (!json_object_is_type(value, json_type_string))
			return err_set(err, ERR_BAD_REQUEST, "%s: expected a list of strings", what);
		if (write_line(b, name, json_object_get_string(value), err) < 0)
			return -1;
	}
	return 0;
}

/* What may not stand in a header's name, and the percent sign, are escaped. (client-go
 * transport/round_trippers.go) */
static void write_key(struct buf *b, const char *key)
{
	for (; *key; key++) {
		if (isalnum((unsigned char)*key) || strchr("!#$&'*+-.^_`|~", *key))
			buf_char(b, *key);
		else
			buf_printf(b, "%%%02X", (unsigned char)*key);
	}
}

static int write_extra(struct buf *b, const struct json_object *extra, struct err *err)
{
	if (!extra)
		return 0;
	if (!json_object_is_type(extra, json_type_object))
		return err_set(err, ERR_BAD_REQUEST, "as-user-extra: expected an object");
	json_object_object_foreach((struct json_object *)(uintptr_t)extra, key, values)
	{
		CLEANUP(buf_close) struct buf name = BUF_INIT;

		buf_str(&name, "Impersonate-Extra-");
		write_key(&name, key);
		if (write_lines(b, name.data, values, "as-user-extra", err) < 0)
			return -1;
	}
	return 0;
}

int impersonation_write(const struct json_object *user, const char *name,
			const struct kubeconfig_overrides *overrides, struct buf *b, struct err *err)
{
	const char *as = overrides->as ? overrides->as : json_str_or_empty(user, "as");
	const char *uid = overrides->as_uid ? overrides->as_uid : json_str_or_empty(user, "as-uid");
	const struct json_object *groups = overrides->n_as_groups ? NULL : json_get(user, "as-groups");
	const struct json_object *extra = json_get(user, "as-user-extra");

	if (!*as) {
		if (!*uid && !overrides->n_as_groups && !groups && !extra)
			return 0;
		return err_set(err, ERR_BAD_REQUEST,
			       "requesting uid, groups or user-extra for %s without impersonating a user",
			       name ? name : "");
	}
	if (write_line(b, "Impersonate-User", as, err) < 0 ||
	    (*uid && write_line(b, "Impersonate-Uid", uid, err) < 0) ||
	    write_lines(b, "Impersonate-Group", groups, "as-groups", err) < 0)
		return -1;
	for (size_t i = 0; i < overrides->n_as_groups; i++)
		if (write_line(b, "Impersonate-Group", overrides->as_groups[i], err) < 0)
			return -1;
	return write_extra(b, extra, err);
}
