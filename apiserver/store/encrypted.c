#include "apiserver/store/encrypted.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

/* Rows rewritten in one transaction. */
#define REWRITE_ROWS 512

/* A row that is not in the form it should have: what is to be stored instead. */
struct stale {
	struct store_change change; /* its strings are ours */
	struct buf sealed;
};

struct encrypted_store {
	struct store base;
	struct store *inner;
	pthread_mutex_t lock; /* over encryption, which the main thread may replace */
	struct encryption *encryption;
	struct stale *stale;
	size_t n_stale;
};

static struct encrypted_store *encrypted_of(struct store *base)
{
	return CONTAINER_OF(base, struct encrypted_store, base);
}

/* --- loading --- */

struct unseal {
	struct encrypted_store *store;
	const struct store_loader *loader;
	struct buf plain; /* of one row */
};

static int pass_horizon(const struct store_horizon *horizon, void *arg, struct err *err)
{
	struct unseal *unseal = arg;
	return unseal->loader->horizon(horizon, unseal->loader->arg, err);
}

/* PLAIN is what the row says. */
static int note_stale(struct encrypted_store *store, const struct store_change *plain, struct err *err)
{
	struct stale stale = { .change = *plain };
	if (encryption_seal(store->encryption, plain, &stale.sealed, err) < 0)
		return -1;
	if (!stale.sealed.len)
		buf_add(&stale.sealed, plain->value, plain->value_len);
	stale.change.group = mem_dup(plain->group);
	stale.change.plural = mem_dup(plain->plural);
	stale.change.key = mem_dup(plain->key);
	stale.change.value = stale.sealed.data;
	stale.change.value_len = stale.sealed.len;
	store->stale = mem_realloc_array(store->stale, store->n_stale + 1, sizeof(stale));
	store->stale[store->n_stale++] = stale;
	return 0;
}

static int pass_change(const struct store_change *change, void *arg, struct err *err)
{
	struct unseal *unseal = arg;
	struct store_change plain = *change;
	bool stale;
	buf_reset(&unseal->plain);
	if (encryption_open(unseal->store->encryption, change, &unseal->plain, &stale, err) < 0)
		return -1;
	if (unseal->plain.len) {
		plain.value = unseal->plain.data;
		plain.value_len = unseal->plain.len;
	}
	if (stale && note_stale(unseal->store, &plain, err) < 0)
		return -1;
	return unseal->loader->change(&plain, unseal->loader->arg, err);
}

static void forget_stale(struct encrypted_store *store)
{
	for (size_t i = 0; i < store->n_stale; i++) {
		free((char *)(uintptr_t)store->stale[i].change.group);
		free((char *)(uintptr_t)store->stale[i].change.plural);
		free((char *)(uintptr_t)store->stale[i].change.key);
		buf_close(&store->stale[i].sealed);
	}
	free(TAKE(store->stale));
	store->n_stale = 0;
}

static int rewrite_stale(struct encrypted_store *store, struct err *err)
{
	CLEANUP(mem_freep) struct store_change *rows = mem_zalloc(REWRITE_ROWS * sizeof(struct store_change));
	for (size_t done = 0; done < store->n_stale;) {
		struct store_batch batch = { .rewrites = rows };
		while (done < store->n_stale && batch.n_rewrites < REWRITE_ROWS)
			rows[batch.n_rewrites++] = store->stale[done++].change;
		if (store->inner->ops->commit(store->inner, &batch, err) < 0)
			return err_wrap(err, "encrypt what is stored");
	}
	/* What was there lies in the log until that begins anew. */
	while (store->n_stale && store->inner->ops->maintain(store->inner, true)) {
	}
	if (store->n_stale)
		log_info("stored rows brought into the form of the encryption configuration", "rows",
			 log_num((int64_t)store->n_stale), NULL);
	return 0;
}

static int encrypted_load(struct store *base, const struct store_loader *loader, uint64_t *ret_revision,
			  struct err *err)
{
	struct encrypted_store *store = encrypted_of(base);
	struct unseal unseal = { .store = store, .loader = loader };
	struct store_loader inner = { pass_horizon, pass_change, &unseal };
	if (encryption_on(store->encryption))
		store->inner->ops->shred(store->inner);
	int result = store->inner->ops->load(store->inner, &inner, ret_revision, err);
	buf_close(&unseal.plain);
	if (result == 0)
		result = rewrite_stale(store, err);
	base->in_doubt = store->inner->in_doubt;
	forget_stale(store);
	return result;
}

/* --- committing --- */

static bool is_on(struct encrypted_store *store)
{
	pthread_mutex_lock(&store->lock);
	bool on = encryption_on(store->encryption);
	pthread_mutex_unlock(&store->lock);
	return on;
}

static int encrypted_commit(struct store *base, const struct store_batch *batch, struct err *err)
{
	struct encrypted_store *store = encrypted_of(base);
	if (!is_on(store)) {
		int result = store->inner->ops->commit(store->inner, batch, err);
		base->in_doubt = store->inner->in_doubt;
		return result;
	}
	struct store_batch sealed = *batch;
	CLEANUP(mem_freep)
	struct store_change *changes = mem_alloc((batch->n_changes + 1) * sizeof(struct store_change));
	struct buf *values = mem_zalloc((batch->n_changes + 1) * sizeof(struct buf));
	int result = 0;
	pthread_mutex_lock(&store->lock);
	for (size_t i = 0; i < batch->n_changes && result == 0; i++) {
		changes[i] = batch->changes[i];
		result = encryption_seal(store->encryption, &changes[i], &values[i], err);
		if (values[i].len) {
			changes[i].value = values[i].data;
			changes[i].value_len = values[i].len;
		}
	}
	pthread_mutex_unlock(&store->lock);
	sealed.changes = changes;
	if (result == 0)
		result = store->inner->ops->commit(store->inner, &sealed, err);
	base->in_doubt = store->inner->in_doubt;
	for (size_t i = 0; i < batch->n_changes; i++)
		buf_close(&values[i]);
	free(values);
	return result;
}

/* --- the rest is the inner store's --- */

static bool encrypted_maintain(struct store *base, bool idle)
{
	struct store *inner = encrypted_of(base)->inner;
	return inner->ops->maintain(inner, idle);
}

static uint64_t encrypted_size(struct store *base)
{
	struct store *inner = encrypted_of(base)->inner;
	return inner->ops->size(inner);
}

static void encrypted_shred(struct store *base)
{
	struct store *inner = encrypted_of(base)->inner;
	inner->ops->shred(inner);
}

static void encrypted_close(struct store *base)
{
	struct encrypted_store *store = encrypted_of(base);
	forget_stale(store);
	store->inner->ops->close(store->inner);
	encryption_free(store->encryption);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

static const struct store_ops encrypted_ops = {
	.name = "encrypted",
	.load = encrypted_load,
	.commit = encrypted_commit,
	.maintain = encrypted_maintain,
	.size = encrypted_size,
	.shred = encrypted_shred,
	.close = encrypted_close,
};

struct store *store_encrypted(struct store *inner, struct encryption *encryption)
{
	struct encrypted_store *store = mem_zalloc(sizeof(*store));
	store->base.ops = &encrypted_ops;
	store->inner = inner;
	store->encryption = encryption;
	pthread_mutex_init(&store->lock, NULL);
	return &store->base;
}

int store_encrypted_reload(struct store *base, struct encryption *encryption, struct err *err)
{
	struct encrypted_store *store = encrypted_of(base);
	struct encryption *unused = encryption;
	pthread_mutex_lock(&store->lock);
	int result = encryption_succeed(encryption, store->encryption, err);
	if (result == 0) {
		unused = store->encryption;
		store->encryption = encryption;
	}
	pthread_mutex_unlock(&store->lock);
	encryption_free(unused);
	return result;
}
