#include "apiserver/authn/bootstrap_token.h"

#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "lib/timefmt.h"

#define ID_LEN      6
#define SECRET_LEN  16
#define TYPE        "bootstrap.kubernetes.io/token"
#define GROUP       "system:bootstrappers"
#define LOWER_DIGIT "abcdefghijklmnopqrstuvwxyz0123456789"

static bool well_formed(const char *token)
{
	return strspn(token, LOWER_DIGIT) == ID_LEN && token[ID_LEN] == '.' &&
	       strspn(token + ID_LEN + 1, LOWER_DIGIT) == SECRET_LEN && !token[ID_LEN + 1 + SECRET_LEN];
}

/* The decoded value of a key of the Secret, "" when there is none; the caller frees. */
static char *value_of(const struct json_object *secret, const char *key)
{
	const char *text = json_str_or_empty(json_get(secret, "data"), key);
	CLEANUP(buf_close) struct buf plain = BUF_INIT;
	if (buf_base64_decode(text, strlen(text), &plain, NULL) < 0)
		buf_reset(&plain);
	return buf_take(&plain);
}

/* In a time that does not tell how much of it is right. */
static bool equals_secretly(const char *value, const char *given, size_t len)
{
	return strlen(value) == len && gnutls_memcmp(value, given, len) == 0;
}

static bool expired(const struct json_object *secret)
{
	CLEANUP(mem_freep) char *text = value_of(secret, "expiration");
	int64_t until_us;
	return *text && (!time_parse(text, &until_us) || until_us <= time_now_us());
}

/* system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9] */
static bool good_group(const char *group)
{
	static const char prefix[] = GROUP ":";
	size_t len = strlen(group), skip = sizeof(prefix) - 1;
	return len > skip && len <= skip + 256 && strncmp(group, prefix, skip) == 0 &&
	       !group[strspn(group, LOWER_DIGIT ":-")] && strchr(LOWER_DIGIT, group[len - 1]);
}

static bool add_groups(struct identity *identity, const struct json_object *secret)
{
	CLEANUP(mem_freep) char *list = value_of(secret, "auth-extra-groups");
	char *rest = list;
	identity_add_group(identity, GROUP, strlen(GROUP));
	for (char *group; *list && (group = strsep(&rest, ","));) {
		if (!good_group(group))
			return false;
		identity_add_group(identity, group, strlen(group));
	}
	identity_add_group(identity, GROUP_AUTHENTICATED, strlen(GROUP_AUTHENTICATED));
	return true;
}

static bool holds(const struct json_object *secret, const char *id, const char *token)
{
	CLEANUP(mem_freep)
	char *kept_id = value_of(secret, "token-id"), *kept = value_of(secret, "token-secret"),
	     *usage = value_of(secret, "usage-bootstrap-authentication");
	return strcmp(json_str_or_empty(secret, "type"), TYPE) == 0 && strcmp(kept_id, id) == 0 &&
	       equals_secretly(kept, token + ID_LEN + 1, SECRET_LEN) && strcmp(usage, "true") == 0 &&
	       !expired(secret);
}

struct identity *bootstrap_token_identity(struct core *core, const char *token)
{
	if (!well_formed(token))
		return NULL;
	CLEANUP(mem_freep)
	char *id = mem_dupn(token, ID_LEN), *name = mem_printf("bootstrap-token-%s", id),
	     *user = mem_printf("system:bootstrap:%s", id);
	CLEANUP(object_unrefp) struct object *object = NULL;
	if (core_get(core, resource_find("", "v1", "secrets"), "kube-system", name, &object, NULL) < 0 ||
	    object_deleting(object))
		return NULL;
	CLEANUP(json_putp) struct json_object *secret = object_json(object);
	if (!holds(secret, id, token))
		return NULL;
	CLEANUP(identity_unrefp) struct identity *identity = identity_new(user, "");
	return add_groups(identity, secret) ? TAKE(identity) : NULL;
}
