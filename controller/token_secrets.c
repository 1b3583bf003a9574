#include "controller/token_secrets.h"

#include <stdlib.h>
#include <string.h>

#include "controller/key_run.h"
#include "lib/map.h"
#include "lib/mem.h"

#define UID "kubernetes.io/service-account.uid"
enum { MAX_RUNNING = 8 };

/* Keys are those of Secrets. A run:
 *
 *     account in the cache? ─no▶ GET it ─▶ there? ─no▶ DELETE the Secret
 *               └─yes────────────────────────┴─yes▶ something missing? ▶ GET the Secret ▶ PUT
 */
struct token_secrets {
	struct api_client *client;
	struct cache *cache;
	const struct resource *resource, *account_resource;
	struct work_queue *queue;
	struct map keys; /* of all Secrets of the type; the values say nothing */
	char *ca;        /* in base64, or NULL */
	bool begun;
};

static const struct cached_secret *find(const struct token_secrets *tokens, const char *key)
{
	const struct cached_secret *secret = cache_get(tokens->cache, tokens->resource, key);

	return secret && secret->account && !secret->meta.deleting ? secret : NULL;
}

static bool is_of(const struct cached_secret *secret, const char *uid)
{
	return !*secret->account_uid || strcmp(secret->account_uid, uid) == 0;
}

static bool complete(const struct token_secrets *tokens, const struct cached_secret *secret)
{
	return *secret->account_uid && secret->has_token && secret->has_namespace &&
	       (!tokens->ca || strcmp(secret->ca, tokens->ca) == 0);
}

static void secret_path(const struct token_secrets *tokens, const struct cached_secret *secret,
			struct buf *ret)
{
	meta_path(ret, tokens->resource, secret->meta.namespace_, secret->meta.name, NULL);
}

/* --- what is missing --- */

/* The Secret as it is, and the uid that its account was found with. */
struct filling {
	struct token_secrets *tokens;
	char *account_uid;
};

static void put_in(const struct filling *filling, struct json_object *obj)
{
	struct json_object *metadata = json_ensure_object(obj, "metadata");
	struct json_object *data = json_ensure_object(obj, "data");
	const char *namespace_ = json_str_or_empty(metadata, "namespace");
	CLEANUP(buf_close) struct buf encoded = BUF_INIT;

	json_set_str(json_ensure_object(metadata, "annotations"), UID, filling->account_uid);
	if (filling->tokens->ca)
		json_set_str(data, "ca.crt", filling->tokens->ca);
	if (!*json_str_or_empty(data, "namespace")) {
		buf_base64(&encoded, namespace_, strlen(namespace_));
		json_set_str(data, "namespace", encoded.data);
	}
}

static void got_secret(struct key_run *run, const struct api_response *response, void *arg)
{
	struct filling *filling = arg;
	struct token_secrets *tokens = filling->tokens;
	const struct cached_secret *secret = find(tokens, run->key);
	CLEANUP(json_putp) struct json_object *obj = NULL;
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	/* By its version the write is one of the Secret that was decided on, or none. */
	if (key_run_check(run, response) && secret &&
	    json_parse(response->data, response->len, &obj, NULL, NULL) == 0) {
		put_in(filling, obj);
		secret_path(tokens, secret, &path);
		json_write(&body, obj);
		key_run_call(run, "PUT", &path, NULL, &body, NULL, NULL);
	}
	free(filling->account_uid);
	free(filling);
}

static void fill(struct key_run *run, struct token_secrets *tokens, const struct cached_secret *secret,
		 const char *account_uid)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	if (complete(tokens, secret))
		return;
	struct filling *filling = mem_zalloc(sizeof(*filling));
	*filling = (struct filling){ tokens, mem_dup(account_uid) };
	secret_path(tokens, secret, &path);
	key_run_call(run, "GET", &path, NULL, NULL, got_secret, filling);
}

/* --- whose account is not there --- */

static void got_account(struct key_run *run, const struct api_response *response, void *arg)
{
	struct token_secrets *tokens = arg;
	const struct cached_secret *secret = find(tokens, run->key);
	CLEANUP(json_putp) struct json_object *account = NULL;
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	if (!secret)
		return;
	if (response->err.kind != ERR_NOT_FOUND) {
		if (!key_run_check(run, response) ||
		    json_parse(response->data, response->len, &account, NULL, NULL) < 0)
			return;
		const char *uid = json_str_or_empty(json_get(account, "metadata"), "uid");
		if (is_of(secret, uid)) {
			fill(run, tokens, secret, uid);
			return;
		}
	}
	secret_path(tokens, secret, &path);
	key_run_delete_options(&body, secret->meta.item.uid);
	key_run_call(run, "DELETE", &path, NULL, &body, NULL, NULL);
}

static void reconcile(struct work_queue *queue, const char *key, void *arg)
{
	struct token_secrets *tokens = arg;
	const struct cached_secret *secret = find(tokens, key);
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	if (!secret || !*secret->account) {
		work_queue_done(queue, key, WORK_OK);
		return;
	}
	CLEANUP(mem_freep) char *name = mem_printf("%s/%s", secret->meta.namespace_, secret->account);
	const struct meta *account = cache_get(tokens->cache, tokens->account_resource, name);
	struct key_run *run = key_run_begin(queue, key, tokens->client, "token Secret");
	if (account && is_of(secret, account->item.uid)) {
		fill(run, tokens, secret, account->item.uid);
	} else {
		/* The cache may lag behind: only the API server knows that there is none. */
		meta_path(&path, tokens->account_resource, secret->meta.namespace_, secret->account, NULL);
		key_run_call(run, "GET", &path, NULL, NULL, got_account, tokens);
	}
	key_run_end(run);
}

/* --- changes --- */

static void secret_changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct token_secrets *tokens = arg;
	const struct meta *meta = new_ ? new_ : old;

	(void)resource;
	if (!((const struct cached_secret *)meta)->account)
		return;
	if (!new_) {
		map_remove(&tokens->keys, meta->item.key);
		return;
	}
	map_put(&tokens->keys, meta->item.key, new_);
	if (tokens->begun)
		work_queue_add(tokens->queue, meta->item.key);
}

static void account_changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct token_secrets *tokens = arg;
	const struct meta *account = new_ ? new_ : old;
	const char *key;
	void *value;

	(void)resource;
	if (!tokens->begun || !account || (old && new_))
		return;
	for (size_t i = 0; map_next(&tokens->keys, &i, &key, &value);) {
		const struct cached_secret *secret = value;
		if (strcmp(secret->account, account->name) == 0 &&
		    strcmp(secret->meta.namespace_, account->namespace_) == 0)
			work_queue_add(tokens->queue, key);
	}
}

struct token_secrets *token_secrets_new(struct loop *loop, struct api_client *client, struct cache *cache,
					const char *root_ca)
{
	struct token_secrets *tokens = mem_zalloc(sizeof(*tokens));
	struct buf ca = BUF_INIT;

	tokens->client = client;
	tokens->cache = cache;
	tokens->resource = resource_find("", "v1", "secrets");
	tokens->account_resource = resource_find("", "v1", "serviceaccounts");
	if (root_ca) {
		buf_base64(&ca, root_ca, strlen(root_ca));
		tokens->ca = buf_take(&ca);
	}
	tokens->queue = work_queue_new(loop, MAX_RUNNING, reconcile, tokens);
	cache_watch(cache, tokens->resource, secret_changed, tokens);
	cache_watch(cache, tokens->account_resource, account_changed, tokens);
	return tokens;
}

void token_secrets_synced(struct token_secrets *tokens)
{
	const char *key;
	void *value;

	tokens->begun = true;
	for (size_t i = 0; map_next(&tokens->keys, &i, &key, &value);)
		work_queue_add(tokens->queue, key);
}

void token_secrets_free(struct token_secrets *tokens)
{
	if (!tokens)
		return;
	work_queue_free(tokens->queue);
	map_close(&tokens->keys);
	free(tokens->ca);
	free(tokens);
}
