#include "apiserver/authn/token_claims.h"

#include <stdlib.h>
#include <string.h>

#define PRIVATE "kubernetes.io"
/* Of tokens in Secrets. */
#define SECRET_NAMESPACE   "kubernetes.io/serviceaccount/namespace"
#define SECRET_NAME        "kubernetes.io/serviceaccount/secret.name"
#define SECRET_ACCOUNT     "kubernetes.io/serviceaccount/service-account.name"
#define SECRET_ACCOUNT_UID "kubernetes.io/serviceaccount/service-account.uid"

static void object_close(struct token_object *object)
{
	free(object->name);
	free(object->uid);
}

struct token_claims *token_claims_ref(struct token_claims *claims)
{
	claims->refs++;
	return claims;
}

void token_claims_unref(struct token_claims *claims)
{
	if (!claims || --claims->refs)
		return;
	identity_unref(claims->identity);
	free(claims->namespace_);
	object_close(&claims->account);
	object_close(&claims->pod);
	object_close(&claims->node);
	object_close(&claims->secret);
	json_object_put(claims->audiences);
	free(claims);
}

void token_claims_unrefp(struct token_claims **claims)
{
	token_claims_unref(*claims);
}

/* --- reading --- */

static struct token_object read_object(const struct json_object *private, const char *key)
{
	const struct json_object *object = json_get(private, key);
	const char *name = json_str(object, "name");
	if (!name)
		return (struct token_object){ 0 };
	return (struct token_object){ mem_dup(name), mem_dup(json_str_or_empty(object, "uid")) };
}

static bool add_audience(struct json_object *list, const struct json_object *audience)
{
	if (!json_object_is_type(audience, json_type_string))
		return false;
	/* A copy: json-c counts references without regard for threads, and claims are shared. */
	json_object_array_add(
	    list, json_object_new_string(json_object_get_string((struct json_object *)(uintptr_t)audience)));
	return true;
}

/* "aud" is one string or a list of them (RFC 7519 4.1.3). */
static int read_audiences(const struct json_object *claims, struct json_object **ret, struct err *err)
{
	const struct json_object *given = json_get(claims, "aud");
	if (!given)
		return 0;
	CLEANUP(json_putp) struct json_object *list = json_object_new_array();
	bool good = json_len(given) > 0 || add_audience(list, given);
	for (size_t i = 0; i < json_len(given); i++)
		good &= add_audience(list, json_at(given, i));
	if (!good)
		return err_set(err, ERR_PARSE, "claims: aud is neither a string nor a list of strings");
	*ret = TAKE(list);
	return 0;
}

/* A NumericDate; fractions of a second are dropped. */
static int read_time(const struct json_object *claims, const char *key, int64_t *ret, struct err *err)
{
	struct json_object *value = json_get(claims, key);
	if (value && !json_object_is_type(value, json_type_int) &&
	    !json_object_is_type(value, json_type_double))
		return err_set(err, ERR_PARSE, "claims: %s is no number", key);
	*ret = value ? json_object_get_int64(value) : 0;
	return 0;
}

static void set_identity(struct token_claims *claims, const char *id)
{
	CLEANUP(mem_freep)
	char *user = mem_printf("system:serviceaccount:%s:%s", claims->namespace_, claims->account.name);
	CLEANUP(mem_freep) char *group = mem_printf("system:serviceaccounts:%s", claims->namespace_);
	CLEANUP(mem_freep) char *credential = mem_printf("JTI=%s", id);
	const struct {
		const char *key, *value;
	} extra[] = {
		{ EXTRA_CREDENTIAL_ID, *id ? credential : NULL },
		{ "authentication.kubernetes.io/pod-name", claims->pod.name },
		{ "authentication.kubernetes.io/pod-uid", claims->pod.uid },
		{ "authentication.kubernetes.io/node-name", claims->node.name },
		{ "authentication.kubernetes.io/node-uid", claims->node.uid },
	};
	struct identity *identity = identity_new(user, claims->account.uid);
	identity_add_group(identity, "system:serviceaccounts", strlen("system:serviceaccounts"));
	identity_add_group(identity, group, strlen(group));
	identity_add_group(identity, GROUP_AUTHENTICATED, strlen(GROUP_AUTHENTICATED));
	for (size_t i = 0; i < ARRAY_SIZE(extra); i++)
		if (extra[i].value && *extra[i].value)
			identity_add_extra(identity, extra[i].key, extra[i].value);
	claims->identity = identity;
}

static int read_secret_form(struct token_claims *claims, const struct json_object *json, struct err *err)
{
	const struct {
		const char *key, *name;
		char **to;
	} rows[] = {
		{ "sub", "sub", NULL },
		{ SECRET_NAMESPACE, "namespace", &claims->namespace_ },
		{ SECRET_NAME, "secretName", &claims->secret.name },
		{ SECRET_ACCOUNT, "serviceAccountName", &claims->account.name },
		{ SECRET_ACCOUNT_UID, "serviceAccountUID", &claims->account.uid },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *value = json_str_or_empty(json, rows[i].key);
		if (!*value)
			return err_set(err, ERR_PARSE, "%s claim is missing", rows[i].name);
		if (rows[i].to)
			*rows[i].to = mem_dup(value);
	}
	claims->of_secret = true;
	return 0;
}

static int read_form(struct token_claims *claims, const struct json_object *json, struct err *err)
{
	const struct json_object *private = json_get(json, PRIVATE);
	claims->namespace_ = mem_dup(json_str_or_empty(private, "namespace"));
	claims->account = read_object(private, "serviceaccount");
	claims->pod = read_object(private, "pod");
	claims->node = read_object(private, "node");
	claims->secret = read_object(private, "secret");
	if (!*claims->namespace_ || !claims->account.name || !*claims->account.uid)
		return err_set(err, ERR_PARSE, "claims: no service account in " PRIVATE);
	return 0;
}

int token_claims_read(const struct json_object *json, struct token_claims **ret, struct err *err)
{
	CLEANUP(token_claims_unrefp) struct token_claims *claims = mem_zalloc(sizeof(*claims));
	bool of_secret = strcmp(json_str_or_empty(json, "iss"), TOKEN_SECRET_ISSUER) == 0;
	claims->refs = 1;
	if ((of_secret ? read_secret_form : read_form)(claims, json, err) < 0 ||
	    read_time(json, "exp", &claims->expires_s, err) < 0 ||
	    read_time(json, "nbf", &claims->not_before_s, err) < 0 ||
	    read_audiences(json, &claims->audiences, err) < 0)
		return -1;
	set_identity(claims, json_str_or_empty(json, "jti"));
	if (strcmp(json_str_or_empty(json, "sub"), claims->identity->user) != 0)
		return of_secret
			   ? err_set(err, ERR_PARSE, "sub claim is invalid")
			   : err_set(err, ERR_PARSE, "claims: sub is not the service account of " PRIVATE);
	*ret = TAKE(claims);
	return 0;
}

/* --- writing --- */

static void write_object(struct json_object *private, const char *key, const char *name, const char *uid)
{
	if (!name)
		return;
	struct json_object *object = json_ensure_object(private, key);
	json_set_str(object, "name", name);
	if (uid && *uid)
		json_set_str(object, "uid", uid);
}

struct json_object *token_claims_write(const struct token_grant *grant)
{
	struct json_object *claims = json_object_new_object();
	CLEANUP(mem_freep)
	char *user = mem_printf("system:serviceaccount:%s:%s", grant->namespace_, grant->account.name);
	json_set(claims, "aud", json_object_get(grant->audiences));
	json_set_int(claims, "exp", grant->expires_s);
	json_set_int(claims, "iat", grant->issued_s);
	json_set_str(claims, "iss", grant->issuer);
	json_set_str(claims, "jti", grant->id);
	struct json_object *private = json_ensure_object(claims, PRIVATE);
	json_set_str(private, "namespace", grant->namespace_);
	write_object(private, "node", grant->node.name, grant->node.uid);
	write_object(private, "pod", grant->pod.name, grant->pod.uid);
	write_object(private, "secret", grant->secret.name, grant->secret.uid);
	write_object(private, "serviceaccount", grant->account.name, grant->account.uid);
	if (grant->warn_after_s)
		json_set_int(private, "warnafter", grant->warn_after_s);
	json_set_int(claims, "nbf", grant->issued_s);
	json_set_str(claims, "sub", user);
	return claims;
}

struct json_object *token_claims_write_secret(const char *namespace_, const char *secret, const char *account,
					      const char *account_uid)
{
	struct json_object *claims = json_object_new_object();
	CLEANUP(mem_freep) char *user = mem_printf("system:serviceaccount:%s:%s", namespace_, account);
	json_set_str(claims, "iss", TOKEN_SECRET_ISSUER);
	json_set_str(claims, SECRET_NAMESPACE, namespace_);
	json_set_str(claims, SECRET_NAME, secret);
	json_set_str(claims, SECRET_ACCOUNT, account);
	json_set_str(claims, SECRET_ACCOUNT_UID, account_uid);
	json_set_str(claims, "sub", user);
	return claims;
}
