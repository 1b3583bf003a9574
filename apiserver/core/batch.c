#include "apiserver/core/batch.h"

#include <stdlib.h>
#include <string.h>

#include "api/status.h"
#include "lib/log.h"

#define MAX_WRITES    512
#define MAX_BYTES     (4U << 20) /* half of what closes a slow watcher: one commit alone never does */
#define COMPACT_WORTH 256        /* superseded changes that are dropped along with writes */
#define COMPACT_MAX   1024
#define KEEP_BYTES    (1U << 20) /* of the value buffer between batches */

struct batch_write {
	struct core_command *command; /* NULL: an expiry */
	struct table *table;
	struct object *object;      /* the new state, of a removal the final one; NULL: nothing changes */
	struct object *old;         /* what it replaced; the reference the index had; once published */
	uint64_t previous;          /* revision of what it replaces, 0: nothing */
	size_t value_at, value_len; /* in batch.values */
	unsigned bucket, older;     /* in batch.newest; the write there before it */
	bool deleted;
};

void batch_init(struct batch *batch, struct state *state, struct store *store, struct watch_hub *hub)
{
	*batch = (struct batch){ .state = state, .store = store, .hub = hub };
}

void batch_close(struct batch *batch)
{
	free(batch->writes);
	free(batch->changes);
	buf_close(&batch->values);
}

bool batch_full(const struct batch *batch)
{
	return batch->n >= MAX_WRITES || batch->values.len >= MAX_BYTES;
}

static struct batch_write *new_write(struct batch *batch, struct core_command *command, struct table *table)
{
	if (batch->n == batch->cap) {
		batch->cap = batch->cap ? batch->cap * 2 : 16;
		batch->writes = mem_realloc_array(batch->writes, batch->cap, sizeof(*batch->writes));
	}
	if (!batch->n)
		batch->revision = batch->state->revision;
	batch->writes[batch->n] = (struct batch_write){ .command = command, .table = table };
	return &batch->writes[batch->n++];
}

/* --- the tentative view --- */

static unsigned bucket_of(const struct table *table, const char *key)
{
	return (unsigned)(map_hash(key, strlen(key)) + table->resource->index) % BATCH_BUCKETS;
}

/* The object of KEY as the writes so far leave it, or NULL. Borrowed. */
static struct object *look_up(const struct batch *batch, const struct table *table, const char *key)
{
	for (unsigned i = batch->newest[bucket_of(table, key)]; i; i = batch->writes[i - 1].older) {
		const struct batch_write *write = &batch->writes[i - 1];

		if (write->table == table && !strcmp(object_key(write->object), key))
			return write->deleted ? NULL : write->object;
	}
	return index_get(&table->objects, key);
}

/* --- checks --- */

int core_check_namespace(const struct object *namespace_, const struct resource *resource,
			 const char *namespace_name, const char *name, struct err *err)
{
	if (!namespace_)
		return err_set(err, ERR_NOT_FOUND, "namespaces \"%s\" not found", namespace_name);
	if (object_deleting(namespace_))
		return err_set(err, ERR_FORBIDDEN,
			       "%s \"%s\" is forbidden: unable to create new content in namespace %s because "
			       "it is being terminated",
			       resource->qualified, name, namespace_name);
	return 0;
}

static int check_namespace(const struct batch *batch, struct core_command *command)
{
	const char *name = object_namespace(command->object);
	const struct object *namespace_;

	if (!command->check_namespace || !*name)
		return 0;
	namespace_ = batch->state->namespaces ? look_up(batch, batch->state->namespaces, name) : NULL;
	return core_check_namespace(namespace_, command->resource, name, object_name(command->object),
				    &command->err);
}

/* The same words as Kubernetes': its update finds the mismatch in storage, its delete before that. */
static int check_uid(struct core_command *command, const struct object *old)
{
	const char *uid = object_uid(old);
	CLEANUP(mem_freep) char *detail = NULL;

	if (!command->uid || !strcmp(command->uid, uid))
		return 0;
	if (command->op == CORE_UPDATE)
		detail = mem_printf(
		    "StorageError: invalid object, Code: 4, Key: /registry/%s/%s, ResourceVersion: 0, "
		    "AdditionalErrorMsg: Precondition failed: UID in precondition: %s, UID in object meta: "
		    "%s",
		    command->resource->plural, object_key(old), command->uid, uid);
	else
		detail = mem_printf(
		    "the UID in the precondition (%s) does not match the UID in record (%s). The object "
		    "might have been deleted and then recreated",
		    command->uid, uid);
	return status_conflict(&command->err, command->resource, object_name(old), detail);
}

static int check_revision(struct core_command *command, const struct object *old)
{
	CLEANUP(mem_freep) char *detail = NULL;

	if (!command->revision || command->revision == object_revision(old))
		return 0;
	if (command->op == CORE_DELETE)
		detail = mem_printf(
		    "the ResourceVersion in the precondition (%llu) does not match the ResourceVersion in "
		    "record (%llu). The object might have been modified",
		    (unsigned long long)command->revision, (unsigned long long)object_revision(old));
	return status_conflict(&command->err, command->resource, object_name(old), detail);
}

/* The object an UPDATE or DELETE is about, or NULL with the command's error. */
static struct object *find(const struct batch *batch, const struct table *table, struct core_command *command)
{
	char buf[STATE_KEY_SIZE];
	const char *key = state_key(command->namespace_, command->name, buf, sizeof(buf));
	struct object *old = key ? look_up(batch, table, key) : NULL;

	if (!old) {
		status_not_found(&command->err, command->resource, command->name);
		return NULL;
	}
	return check_uid(command, old) < 0 || check_revision(command, old) < 0 ? NULL : old;
}

/* --- adding --- */

/* Gives WRITE's object (reference taken), which replaces OLD, its revision and shows it to the writes after
 * it. The object is a copy made on this thread: the edge's own lies between what its request frees, and the
 * holes around objects that stay would be half as large again as they are. */
static void apply(struct batch *batch, struct batch_write *write, struct object *object,
		  const struct object *old)
{
	unsigned bucket = bucket_of(write->table, object_key(object));

	object_set_revision(object, ++batch->revision);
	object_set_written(object, state_now_s(batch->state));
	write->object = object;
	write->previous = old ? object_revision(old) : 0;
	write->bucket = bucket;
	write->older = batch->newest[bucket];
	batch->newest[bucket] = (unsigned)(write - batch->writes) + 1;
	write->value_at = batch->values.len;
	object_write_stored(&batch->values, object);
	write->value_len = batch->values.len - write->value_at;
	batch->n_changes++;
}

static void add_create(struct batch *batch, struct batch_write *write, struct object *object)
{
	struct core_command *command = write->command;

	if (check_namespace(batch, command) < 0)
		return;
	if (look_up(batch, write->table, object_key(object)))
		status_already_exists(&command->err, command->resource, object_name(object));
	else if (command->dry_run)
		command->ret_object = object_ref(object);
	else
		apply(batch, write, object_copy_at(object, 0), NULL);
}

static void add_update(struct batch *batch, struct batch_write *write, struct object *object)
{
	struct core_command *command = write->command;
	struct object *old = find(batch, write->table, command);

	if (!old)
		return;
	if (strcmp(object_key(object), object_key(old)) != 0) {
		err_set(&command->err, ERR_BAD_REQUEST, "the object is %s, not %s", object_key(object),
			object_key(old));
	} else if (object_same(object, old)) {
		command->ret_object = object_ref(old);
		command->ret_revision = object_revision(old);
	} else if (command->dry_run) {
		object_set_revision(object, object_revision(old));
		command->ret_object = object_ref(object);
	} else {
		apply(batch, write, object_copy_at(object, 0), old);
	}
}

static void add_delete(struct batch *batch, struct batch_write *write, struct object *final)
{
	struct core_command *command = write->command;
	struct object *old = find(batch, write->table, command);

	if (!old)
		return;
	if (final && strcmp(object_key(final), object_key(old)) != 0) {
		err_set(&command->err, ERR_BAD_REQUEST, "the object is %s, not %s", object_key(final),
			object_key(old));
	} else if (command->dry_run) {
		command->ret_object = object_ref(old);
	} else {
		write->deleted = true;
		apply(batch, write, object_copy_at(final ? final : old, 0), old);
	}
}

/* A deletion of what is gone, or has become something else, is as good as done. */
static const struct object *find_companion(const struct batch *batch, const struct table *table,
					   struct core_command *with)
{
	char buf[STATE_KEY_SIZE];
	const char *key;
	const struct object *old;

	if (with->op == CORE_UPDATE)
		return find(batch, table, with);
	key = with->op == CORE_CREATE ? object_key(with->object)
				      : state_key(with->namespace_, with->name, buf, sizeof(buf));
	old = key ? look_up(batch, table, key) : NULL;
	return with->op == CORE_DELETE && old && with->uid && strcmp(with->uid, object_uid(old)) != 0 ? NULL
												      : old;
}

/* All that is to be made along with COMMAND can be. */
static bool companions_hold(const struct batch *batch, struct core_command *command)
{
	for (struct core_command *with = command->with; with; with = with->next) {
		const struct table *table = state_table(batch->state, with->resource);
		const struct object *old = find_companion(batch, table, with);

		if (with->op == CORE_CREATE && old)
			status_conflict(&with->err, with->resource, object_name(with->object), NULL);
		if (with->err.kind != ERR_NONE) {
			command->err = with->err;
			command->with_failed = true;
			return false;
		}
	}
	return true;
}

static void apply_companions(struct batch *batch, struct core_command *command)
{
	for (struct core_command *with = command->with; with; with = with->next) {
		struct table *table = state_table(batch->state, with->resource);
		const struct object *old = find_companion(batch, table, with), *state = with->object;

		if (with->op == CORE_DELETE && !old)
			continue;
		struct batch_write *write = new_write(batch, NULL, table);
		write->deleted = with->op == CORE_DELETE;
		apply(batch, write, object_copy_at(state ? state : old, 0), old);
	}
}

static void drop_companions(struct core_command *command)
{
	for (struct core_command *with = command->with; with; with = with->next)
		object_unrefp(&with->object);
}

static void add(struct batch *batch, struct batch_write *write, struct object *object)
{
	struct core_command *command = write->command;

	if (write->table->retired)
		status_not_found(&command->err, command->resource, command->name);
	else if (command->op == CORE_CREATE)
		add_create(batch, write, object);
	else if (command->op == CORE_UPDATE)
		add_update(batch, write, object);
	else
		add_delete(batch, write, object);
}

void batch_add(struct batch *batch, struct core_command *command)
{
	struct batch_write *write = new_write(batch, command, state_table(batch->state, command->resource));
	size_t changes = batch->n_changes;
	CLEANUP(object_unrefp) struct object *object = TAKE(command->object);

	command->object = object; /* for the checks; not the command's any more after them */
	if (companions_hold(batch, command))
		add(batch, write, object);
	if (batch->n_changes != changes)
		apply_companions(batch, command);
	drop_companions(command);
	command->object = NULL;
}

bool batch_try(struct state *state, struct core_command *command)
{
	struct batch trial;
	bool known;

	if (command->with)
		return false;
	batch_init(&trial, state, NULL, NULL);
	pthread_rwlock_rdlock(&state->lock);
	known = state_table_at(state, command->resource->stored->index) != NULL;
	if (known)
		batch_add(&trial, command);
	pthread_rwlock_unlock(&state->lock);
	batch_close(&trial);
	return known;
}

void batch_remove(struct batch *batch, struct table *table, struct object *object)
{
	struct batch_write *write = new_write(batch, NULL, table);

	write->deleted = true;
	apply(batch, write, object_copy_at(object, 0), object);
}

/* --- committing --- */

static void fill_changes(struct batch *batch)
{
	struct store_change *change;

	if (batch->n > batch->cap_changes) {
		batch->cap_changes = batch->cap;
		batch->changes =
		    mem_realloc_array(batch->changes, batch->cap_changes, sizeof(*batch->changes));
	}
	change = batch->changes;
	for (size_t i = 0; i < batch->n; i++) {
		const struct batch_write *write = &batch->writes[i];

		if (!write->object)
			continue;
		*change++ = (struct store_change){
			.kind = write->deleted ? STORE_DELETE : STORE_PUT,
			.group = write->table->resource->group,
			.plural = write->table->resource->plural,
			.key = object_key(write->object),
			.revision = object_revision(write->object),
			.previous = write->previous,
			.time_s = object_written(write->object),
			.value = batch->values.data + write->value_at,
			.value_len = write->value_len,
		};
	}
}

/* A retired table whose name has another one by now: that one's horizon is above all that was in it. */
static bool superseded_by_another(const struct state *state, const struct table *table)
{
	for (size_t i = 0; table->retired && i < state->n_tables; i++) {
		const struct table *other = state_table_at(state, i);

		if (other && other != table && !other->retired &&
		    !strcmp(other->resource->plural, table->resource->plural) &&
		    !strcmp(other->resource->group, table->resource->group))
			return true;
	}
	return false;
}

/* The horizons of all resources that lost changes, in an array of the caller's. */
static struct store_horizon *horizons_of(const struct state *state, size_t *ret_n)
{
	struct store_horizon *horizons = mem_realloc_array(NULL, state->n_tables + 1, sizeof(*horizons));

	*ret_n = 0;
	for (size_t i = 0; i < state->n_tables; i++) {
		const struct table *table = state_table_at(state, i);

		if (table && table->horizon_moved && !superseded_by_another(state, table))
			horizons[(*ret_n)++] =
			    (struct store_horizon){ table->resource->group, table->resource->plural,
						    table->history.horizon };
	}
	return horizons;
}

/* How many superseded changes to drop now, from the list's start. The row of the newest revision stays, even
 * when it is a deletion that nobody can ask for: it tells the next start which numbers were given out. */
static size_t compactable(const struct batch *batch, bool all)
{
	struct state *state = batch->state;
	size_t n = state->n_superseded;

	for (size_t i = 0; i < n && !batch->n_changes; i++) {
		if (state->superseded[i] == state->revision) {
			state->superseded[i] = state->superseded[--n];
			state->superseded[n] = state->revision;
		}
	}
	if (!all && n < COMPACT_WORTH)
		return 0;
	return n < COMPACT_MAX ? n : COMPACT_MAX;
}

bool batch_has_backlog(const struct batch *batch)
{
	return compactable(batch, true) > 0;
}

static void forget_compacted(struct state *state, size_t n)
{
	state->n_superseded -= n;
	memmove(state->superseded, state->superseded + n, state->n_superseded * sizeof(*state->superseded));
	if (state->n_superseded)
		return;
	for (size_t i = 0; i < state->n_tables; i++)
		if (state_table_at(state, i))
			state->tables[i]->horizon_moved = false;
	state_drop_retired(state);
}

static int store_all(struct batch *batch, bool all, struct err *err)
{
	CLEANUP(mem_freep) struct store_horizon *horizons = NULL;
	struct store_batch rows = {
		.changes = batch->changes,
		.n_changes = batch->n_changes,
		.compact = batch->state->superseded,
		.n_compact = compactable(batch, all),
	};

	if (!rows.n_changes && !rows.n_compact)
		return 0;
	if (rows.n_compact) {
		horizons = horizons_of(batch->state, &rows.n_horizons);
		rows.horizons = horizons;
	}
	if (batch->store->ops->commit(batch->store, &rows, err) < 0)
		return -1;
	if (rows.n_compact)
		forget_compacted(batch->state, rows.n_compact);
	return 0;
}

/* --- after it --- */

/* What edges read: all of the batch at once. */
static void publish_objects(struct batch *batch)
{
	struct state *state = batch->state;

	pthread_rwlock_wrlock(&state->lock);
	for (size_t i = 0; i < batch->n; i++) {
		struct batch_write *write = &batch->writes[i];

		if (!write->object)
			continue;
		write->old = state_replace(write->table, write->object, write->deleted);
		state->revision = object_revision(write->object);
	}
	pthread_rwlock_unlock(&state->lock);
}

static void publish(struct batch *batch, struct batch_write *write)
{
	struct table *table = write->table;
	struct core_command *command = write->command;

	if (write->object) {
		struct watch_change change = { write->object, write->old, write->deleted };

		history_add(&table->history, write->object, write->old, write->deleted,
			    object_written(write->object));
		state_trim(batch->state, table, object_written(write->object));
		owners_change(&batch->state->owners, write->old, write->deleted ? NULL : write->object);
		watch_hub_publish(batch->hub, table->resource, &change);
		atomic_store_explicit(&table->count, table->objects.count, memory_order_relaxed);
		if (command) {
			command->ret_object = object_ref(write->object);
			command->ret_revision = object_revision(write->object);
		}
		object_unref(write->old);
		object_unref(write->object);
	}
}

static void answer_failed(struct batch *batch, const struct err *err)
{
	for (size_t i = 0; i < batch->n; i++) {
		struct core_command *command = batch->writes[i].command;

		object_unref(batch->writes[i].object);
		if (!command)
			continue;
		object_unrefp(&command->ret_object);
		command->err = *err;
		command->reply(command);
	}
}

static void reset(struct batch *batch)
{
	for (size_t i = 0; i < batch->n; i++)
		batch->newest[batch->writes[i].bucket] = 0;
	batch->n = batch->n_changes = 0;
	if (batch->values.cap > KEEP_BYTES)
		buf_close(&batch->values);
	else
		buf_reset(&batch->values);
}

void batch_commit(struct batch *batch, bool all, _Atomic uint64_t *revision)
{
	struct err err = ERR_INIT;

	fill_changes(batch);
	if (store_all(batch, all, &err) < 0) {
		if (!batch->failed)
			log_error(batch->store->in_doubt ? "a commit is in doubt; everything is refused"
							 : "a commit failed; its writes were refused",
				  "error", err.msg, NULL);
		batch->failed = true;
		if (batch->store->in_doubt) {
			batch->doubt = err;
			atomic_store(&batch->in_doubt, true);
		}
		answer_failed(batch, &err);
		reset(batch);
		return;
	}
	if (batch->n_changes && batch->failed) {
		log_info("commits work again", NULL);
		batch->failed = false;
	}
	publish_objects(batch);
	atomic_store(revision, batch->state->revision);
	for (size_t i = 0; i < batch->n; i++)
		publish(batch, &batch->writes[i]);
	/* Before the answers: whoever has one finds its change in what followers keep (follow.h). */
	watch_hub_flush(batch->hub);
	for (size_t i = 0; i < batch->n; i++) {
		struct core_command *command = batch->writes[i].command;

		if (command)
			command->reply(command);
	}
	reset(batch);
}
