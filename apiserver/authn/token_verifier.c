#include "apiserver/authn/token_verifier.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/map.h"
#include "lib/timefmt.h"

/* Tokens remembered: one for each slot that their hashes choose. At about 1.2 KiB a token. */
#define SLOTS 4096
/* Clocks differ; an object that is being deleted is believed for as long. */
#define LEEWAY_S 60
/* A label of Secrets whose token is not to be taken for now. */
#define INVALID_SINCE "kubernetes.io/legacy-token-invalid-since"

struct slot {
	char *token;
	uint64_t generation; /* of the keys */
	struct token_claims *claims;
};

struct token_verifier {
	struct token_verifier_opts opts;
	const struct resource *accounts, *pods, *nodes, *secrets;
	pthread_mutex_t lock; /* over the slots */
	struct slot slots[SLOTS];
};

struct token_verifier *token_verifier_new(const struct token_verifier_opts *opts)
{
	struct token_verifier *verifier = mem_zalloc(sizeof(*verifier));
	verifier->opts = *opts;
	verifier->accounts = resource_find("", "v1", "serviceaccounts");
	verifier->pods = resource_find("", "v1", "pods");
	verifier->nodes = resource_find("", "v1", "nodes");
	verifier->secrets = resource_find("", "v1", "secrets");
	pthread_mutex_init(&verifier->lock, NULL);
	return verifier;
}

static void slot_clear(struct slot *slot)
{
	free(TAKE(slot->token));
	token_claims_unref(TAKE(slot->claims));
}

void token_verifier_free(struct token_verifier *verifier)
{
	if (!verifier)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		slot_clear(&verifier->slots[i]);
	pthread_mutex_destroy(&verifier->lock);
	free(verifier);
}

/* --- what was seen before --- */

static struct slot *slot_of(struct token_verifier *verifier, const char *token, size_t len)
{
	return &verifier->slots[map_hash(token, len) % SLOTS];
}

static struct token_claims *recall(struct token_verifier *verifier, const char *token, size_t len,
				   uint64_t generation)
{
	struct token_claims *claims = NULL;
	pthread_mutex_lock(&verifier->lock);
	struct slot *slot = slot_of(verifier, token, len);
	if (slot->token && slot->generation == generation && strcmp(slot->token, token) == 0)
		claims = token_claims_ref(slot->claims);
	pthread_mutex_unlock(&verifier->lock);
	return claims;
}

static void remember(struct token_verifier *verifier, const char *token, size_t len, uint64_t generation,
		     struct token_claims *claims)
{
	pthread_mutex_lock(&verifier->lock);
	struct slot *slot = slot_of(verifier, token, len);
	slot_clear(slot);
	*slot = (struct slot){ mem_dupn(token, len), generation, token_claims_ref(claims) };
	pthread_mutex_unlock(&verifier->lock);
}

/* --- the token itself --- */

static bool our_issuer(const struct token_verifier *verifier, const char *issuer)
{
	for (size_t i = 0; i < verifier->opts.n_issuers; i++)
		if (strcmp(verifier->opts.issuers[i], issuer) == 0)
			return true;
	return strcmp(issuer, TOKEN_SECRET_ISSUER) == 0;
}

/* NULL and ERR_NONE: not ours. */
static struct token_claims *read_token(struct token_verifier *verifier, const char *token, size_t len,
				       uint64_t generation, struct err *err)
{
	CLEANUP(jwt_close) struct jwt jwt = { 0 };
	struct token_claims *claims = NULL;
	if (jwt_parse(token, len, &jwt, NULL) < 0 ||
	    !our_issuer(verifier, json_str_or_empty(jwt.claims, "iss")))
		return NULL;
	if (token_keys_verify(verifier->opts.keys, &jwt, err) < 0)
		return NULL;
	if (token_claims_read(jwt.claims, &claims, err) < 0) {
		err->kind = ERR_UNAUTHORIZED;
		return NULL;
	}
	remember(verifier, token, len, generation, claims);
	return claims;
}

/* --- what its claims are worth now --- */

static int check_times(const struct token_claims *claims, int64_t now_s, struct err *err)
{
	if (claims->expires_s && now_s - LEEWAY_S > claims->expires_s)
		return err_set(err, ERR_UNAUTHORIZED, "service account token has expired");
	if (claims->not_before_s && now_s + LEEWAY_S < claims->not_before_s)
		return err_set(err, ERR_UNAUTHORIZED, "service account token is not valid yet");
	return 0;
}

static bool deleted_before(const struct object *object, int64_t time_s)
{
	if (!object_deleting(object))
		return false;
	CLEANUP(json_putp) struct json_object *obj = object_json(object);
	int64_t deletion_us;
	return time_parse(json_str_or_empty(json_get(obj, "metadata"), "deletionTimestamp"), &deletion_us) &&
	       deletion_us / 1000000 < time_s;
}

static int check_account(const struct token_verifier *verifier, struct core *core,
			 const struct token_claims *claims, int64_t now_s, struct err *err)
{
	CLEANUP(object_unrefp) struct object *account = NULL;
	const char *name = claims->account.name;
	if (core_get(core, verifier->accounts, claims->namespace_, name, &account, NULL) < 0)
		return err_set(err, ERR_UNAUTHORIZED, "serviceaccounts \"%s\" not found", name);
	if (strcmp(object_uid(account), claims->account.uid) != 0)
		return err_set(err, ERR_UNAUTHORIZED, "service account UID (%s) does not match claim (%s)",
			       object_uid(account), claims->account.uid);
	if (deleted_before(account, now_s - LEEWAY_S))
		return err_set(err, ERR_UNAUTHORIZED, "service account %s/%s has been deleted",
			       claims->namespace_, name);
	return 0;
}

/* NAMESPACE "" for nodes. */
static int check_bound(struct core *core, const struct resource *resource, const char *namespace_,
		       const struct token_object *bound, int64_t now_s, struct err *err)
{
	CLEANUP(object_unrefp) struct object *object = NULL;
	if (!bound->name)
		return 0;
	if (core_get(core, resource, namespace_, bound->name, &object, NULL) < 0 ||
	    deleted_before(object, now_s - LEEWAY_S))
		return err_set(err, ERR_UNAUTHORIZED, "service account token has been invalidated");
	if (strcmp(object_uid(object), bound->uid) != 0)
		return err_set(err, ERR_UNAUTHORIZED,
			       "%s UID (%s) does not match service account %s ref claim (%s)",
			       resource->singular, object_uid(object), resource->singular, bound->uid);
	return 0;
}

/* SECRET holds TOKEN. */
static bool holds(const struct object *secret, const char *token)
{
	CLEANUP(json_putp) struct json_object *obj = object_json(secret);
	CLEANUP(buf_close) struct buf held = BUF_INIT;
	const char *text = json_str_or_empty(json_get(obj, "data"), "token");
	return buf_base64_decode(text, strlen(text), &held, NULL) == 0 && held.len == strlen(token) &&
	       memcmp(held.data, token, held.len) == 0;
}

/* Tokens in Secrets never end: they are called back by taking them out of their Secret. (serviceaccount
 * legacyValidator.) */
static int check_of_secret(const struct token_verifier *verifier, struct core *core, const char *token,
			   struct token_claims *claims, struct err *err)
{
	CLEANUP(object_unrefp) struct object *secret = NULL, *account = NULL;
	const char *namespace_ = claims->namespace_, *name = claims->account.name;
	if (core_get(core, verifier->secrets, namespace_, claims->secret.name, &secret, NULL) < 0 ||
	    object_deleting(secret))
		return err_set(err, ERR_UNAUTHORIZED, "Token has been invalidated");
	if (claims->found_at != object_revision(secret) && !holds(secret, token))
		return err_set(err, ERR_UNAUTHORIZED, "Token does not match server's copy");
	claims->found_at = object_revision(secret);
	if (core_get(core, verifier->accounts, namespace_, name, &account, NULL) < 0)
		return err_set(err, ERR_UNAUTHORIZED, "serviceaccounts \"%s\" not found", name);
	if (object_deleting(account))
		return err_set(err, ERR_UNAUTHORIZED, "ServiceAccount %s/%s has been deleted", namespace_,
			       name);
	if (strcmp(object_uid(account), claims->account.uid) != 0)
		return err_set(err, ERR_UNAUTHORIZED, "ServiceAccount UID (%s) does not match claim (%s)",
			       object_uid(account), claims->account.uid);
	if (!object_label(secret, INVALID_SINCE))
		return 0;
	return err_set(err, ERR_UNAUTHORIZED,
		       "the token in secret %s/%s for service account %s/%s has been marked invalid. Use "
		       "tokens from the TokenRequest API or manually created secret-based tokens, or remove "
		       "the '" INVALID_SINCE "' label from the secret to temporarily allow use of this token",
		       namespace_, claims->secret.name, namespace_, name);
}

static int check_objects(const struct token_verifier *verifier, struct core *core, const char *token,
			 struct token_claims *claims, int64_t now_s, struct err *err)
{
	if (claims->of_secret)
		return check_of_secret(verifier, core, token, claims, err);
	if (check_account(verifier, core, claims, now_s, err) < 0 ||
	    check_bound(core, verifier->secrets, claims->namespace_, &claims->secret, now_s, err) < 0 ||
	    check_bound(core, verifier->pods, claims->namespace_, &claims->pod, now_s, err) < 0)
		return -1;
	/* Of a pod's token the node is information: the pod may outlive it. */
	return claims->pod.name ? 0 : check_bound(core, verifier->nodes, "", &claims->node, now_s, err);
}

static bool has_string(const struct json_object *array, const char *text)
{
	for (size_t i = 0; i < json_len(array); i++)
		if (strcmp(json_object_get_string(json_at(array, i)), text) == 0)
			return true;
	return false;
}

static int check_audiences(const struct token_claims *claims, const struct json_object *wanted,
			   const struct json_object *implicit, struct json_object **ret, struct err *err)
{
	const struct json_object *given = claims->audiences ? claims->audiences : implicit;
	struct json_object *both = json_object_new_array();
	for (size_t i = 0; i < json_len(given); i++)
		if (has_string(wanted, json_object_get_string(json_at(given, i))))
			json_object_array_add(
			    both, json_object_new_string(json_object_get_string(json_at(given, i))));
	bool any = json_len(both) > 0;
	if (any && ret)
		*ret = TAKE(both);
	json_object_put(both);
	if (any)
		return 0;
	CLEANUP(buf_close) struct buf a = BUF_INIT_MAX(400), b = BUF_INIT_MAX(400);
	json_write(&a, given);
	json_write(&b, wanted);
	return err_set(err, ERR_UNAUTHORIZED, "token audiences %s is invalid for the target audiences %s",
		       a.data ? a.data : "[]", b.data ? b.data : "[]");
}

struct identity *token_verifier_verify(struct token_verifier *verifier, struct core *core, const char *token,
				       const struct json_object *audiences,
				       const struct json_object *implicit, struct json_object **ret_audiences,
				       struct err *err)
{
	size_t len = strlen(token);
	uint64_t generation = token_keys_generation(verifier->opts.keys);
	int64_t now_s = time_now_us() / 1000000;
	CLEANUP(token_claims_unrefp) struct token_claims *claims = recall(verifier, token, len, generation);
	if (!claims)
		claims = read_token(verifier, token, len, generation, err);
	if (!claims || check_audiences(claims, audiences, implicit, NULL, err) < 0 ||
	    check_times(claims, now_s, err) < 0 ||
	    check_objects(verifier, core, token, claims, now_s, err) < 0)
		return NULL;
	if (ret_audiences)
		check_audiences(claims, audiences, implicit, ret_audiences, err);
	return identity_ref(claims->identity);
}
