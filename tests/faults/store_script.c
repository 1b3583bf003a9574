#include "tests/faults/store_script.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apiserver/store/sqlite.h"
#include "tests/faults/disk_image.h"

#define KEYS       12
#define VALUE_MAX  9000
#define CHANGES    4
#define KEEP       5 /* changes that are not compacted */
#define CHECKPOINT 3 /* every so many steps the checkpointer runs */
#define IDLE       5 /* and the idle housekeeping */

struct script_row {
	uint64_t revision, previous;
	unsigned resource, key, len;
	bool deleted, superseded;
};

static const char *const plurals[] = { "pods", "configmaps" };

static uint32_t choose(struct script *script, uint32_t n)
{
	return rng_below(&script->rng, n);
}

void script_init(struct script *script, const char *dir, uint64_t seed)
{
	*script = (struct script){ .dir = mem_dup(dir), .rng = rng_of(seed, 1), .revision = 1 };
}

void script_close(struct script *script)
{
	script_shut(script);
	free(script->dir);
	free(script->rows);
}

void script_shut(struct script *script)
{
	if (script->store)
		script->store->ops->close(TAKE(script->store));
}

/* --- the content as text --- */

static void write_value(struct buf *b, const struct script_row *row)
{
	buf_printf(b, "%llu:", (unsigned long long)row->revision);
	while (b->len < row->len)
		buf_char(b, (char)('a' + (row->revision + b->len) % 26));
}

static void write_horizon(struct buf *b, const char *plural, uint64_t revision)
{
	if (revision)
		buf_printf(b, "%s above %llu\n", plural, (unsigned long long)revision);
}

static void write_row(struct buf *b, const struct script_row *row)
{
	CLEANUP(buf_close) struct buf value = BUF_INIT;

	write_value(&value, row);
	buf_printf(b, "%llu<%llu %s%s k%u %s\n", (unsigned long long)row->revision,
		   (unsigned long long)row->previous, row->deleted ? "-" : "", plurals[row->resource],
		   row->key, value.data);
}

static void write_model(struct buf *b, const struct script *script)
{
	for (unsigned i = 0; i < ARRAY_SIZE(plurals); i++)
		write_horizon(b, plurals[i], script->horizons[i]);
	for (size_t i = 0; i < script->n_rows; i++)
		write_row(b, &script->rows[i]);
}

/* The resources come in the order in which they were first written. */
struct content {
	struct buf horizons[2], rows;
};

static int load_horizon(const struct store_horizon *horizon, void *arg, struct err *err)
{
	struct content *content = arg;

	(void)err;
	for (unsigned i = 0; i < ARRAY_SIZE(plurals); i++)
		if (!strcmp(plurals[i], horizon->plural))
			write_horizon(&content->horizons[i], horizon->plural, horizon->revision);
	return 0;
}

static int load_change(const struct store_change *change, void *arg, struct err *err)
{
	struct content *content = arg;

	(void)err;
	buf_printf(&content->rows, "%llu<%llu %s%s %s %.*s\n", (unsigned long long)change->revision,
		   (unsigned long long)change->previous, change->kind == STORE_DELETE ? "-" : "",
		   change->plural, change->key, (int)change->value_len, change->value);
	return 0;
}

static void show_difference(const char *expected, const char *found)
{
	size_t at = 0;

	while (expected[at] && expected[at] == found[at])
		at++;
	while (at > 0 && expected[at - 1] != '\n')
		at--;
	print_error("expected: %.60s\nfound: %.60s\n", expected + at, found + at);
}

/* --- opening --- */

struct pending {
	struct script_row changes[CHANGES];
	size_t n_changes;
	uint64_t compact[64];
	size_t n_compact;
	uint64_t horizons[2];
};

static struct pending in_doubt; /* the commit of the one script that runs */

static void add_row(struct script *script, const struct script_row *row)
{
	if (script->n_rows == script->cap_rows) {
		script->cap_rows = script->cap_rows ? script->cap_rows * 2 : 64;
		script->rows = mem_realloc_array(script->rows, script->cap_rows, sizeof(*script->rows));
	}
	script->rows[script->n_rows++] = *row;
}

static void apply(struct script *script, const struct pending *pending)
{
	size_t kept = 0;

	for (size_t i = 0; i < pending->n_changes; i++) {
		add_row(script, &pending->changes[i]);
		script->revision = pending->changes[i].revision;
	}
	for (size_t i = 0; i < script->n_rows; i++) {
		bool dropped = false;

		for (size_t k = 0; k < pending->n_compact && !dropped; k++)
			dropped = pending->compact[k] == script->rows[i].revision;
		if (!dropped)
			script->rows[kept++] = script->rows[i];
	}
	script->n_rows = kept;
	for (unsigned i = 0; i < ARRAY_SIZE(plurals); i++)
		script->horizons[i] = pending->horizons[i];
}

/* Takes over what a load gave when it is one of the contents that may be there. */
static void compare(struct script *script, const char *found)
{
	CLEANUP(buf_close) struct buf expected = BUF_INIT;

	write_model(&expected, script);
	if (!strcmp(expected.data ? expected.data : "", found)) {
		script->in_doubt = false;
		return;
	}
	if (script->in_doubt) {
		apply(script, &in_doubt);
		buf_reset(&expected);
		write_model(&expected, script);
		if (!strcmp(expected.data, found)) {
			script->in_doubt = false;
			return;
		}
	}
	show_difference(expected.data ? expected.data : "", found);
	fail_msg("the store does not hold what was acknowledged");
}

int script_open(struct script *script, struct err *err)
{
	struct content content = { 0 };
	struct store_loader loader = { load_horizon, load_change, &content };
	CLEANUP(buf_close) struct buf found = BUF_INIT;
	uint64_t revision = 0;
	int result = store_sqlite_open(script->dir, &script->store, err);

	if (result == 0)
		result = script->store->ops->load(script->store, &loader, &revision, err);
	if (result < 0) {
		script_shut(script);
	} else {
		disk_image_names_synced(); /* opening does that, past SQLite */
		for (unsigned i = 0; i < ARRAY_SIZE(plurals); i++)
			buf_add(&found, content.horizons[i].data, content.horizons[i].len);
		buf_add(&found, content.rows.data, content.rows.len);
		compare(script, found.data);
		assert_int_equal(revision > 1 ? revision : 1, script->revision);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(plurals); i++)
		buf_close(&content.horizons[i]);
	buf_close(&content.rows);
	return result;
}

/* --- commits --- */

static struct script_row *newest(struct script *script, unsigned resource, unsigned key)
{
	struct script_row *found = NULL;

	for (size_t i = 0; i < script->n_rows; i++)
		if (script->rows[i].resource == resource && script->rows[i].key == key)
			found = &script->rows[i];
	return found;
}

/* Changes of different keys. */
static void make_changes(struct script *script, struct pending *pending)
{
	unsigned first = choose(script, KEYS), n = 1 + choose(script, CHANGES);

	for (unsigned i = 0; i < n; i++) {
		unsigned resource = choose(script, 2), key = (first + i) % KEYS;
		const struct script_row *old = newest(script, resource, key);
		bool there = old && !old->deleted;

		pending->changes[pending->n_changes++] = (struct script_row){
			.revision = script->revision + 1 + i,
			.previous = there ? old->revision : 0,
			.resource = resource,
			.key = key,
			.len = choose(script, choose(script, 4) ? 200 : VALUE_MAX),
			.deleted = there && choose(script, 4) == 0,
		};
	}
}

/* What is superseded, or deleted, and old. */
static void make_compaction(struct script *script, struct pending *pending)
{
	for (size_t i = 0; i + KEEP < script->n_rows && pending->n_compact < ARRAY_SIZE(pending->compact);
	     i++) {
		const struct script_row *row = &script->rows[i];

		if (newest(script, row->resource, row->key) == row && !row->deleted)
			continue;
		pending->compact[pending->n_compact++] = row->revision;
		pending->horizons[row->resource] = row->revision;
	}
}

static int commit(struct script *script, const struct pending *pending, struct err *err)
{
	struct store_change changes[CHANGES];
	struct buf values[CHANGES] = { 0 };
	char keys[CHANGES][16];
	struct store_horizon horizons[2];
	struct store_batch batch = { .changes = changes,
				     .n_changes = pending->n_changes,
				     .compact = pending->compact,
				     .n_compact = pending->n_compact,
				     .horizons = horizons };
	int result;

	for (size_t i = 0; i < pending->n_changes; i++) {
		const struct script_row *row = &pending->changes[i];

		write_value(&values[i], row);
		snprintf(keys[i], sizeof(keys[i]), "k%u", row->key);
		changes[i] = (struct store_change){ .kind = row->deleted ? STORE_DELETE : STORE_PUT,
						    .group = "",
						    .plural = plurals[row->resource],
						    .key = keys[i],
						    .revision = row->revision,
						    .previous = row->previous,
						    .time_s = 1000,
						    .value = values[i].data,
						    .value_len = values[i].len };
	}
	for (unsigned i = 0; i < ARRAY_SIZE(plurals); i++)
		if (pending->horizons[i] != script->horizons[i])
			horizons[batch.n_horizons++] =
			    (struct store_horizon){ "", plurals[i], pending->horizons[i] };
	result = script->store->ops->commit(script->store, &batch, err);
	for (size_t i = 0; i < pending->n_changes; i++)
		buf_close(&values[i]);
	return result;
}

/* What a client will read. */
static void check_words(const struct script *script, const struct err *err)
{
	const char *words = script->store->in_doubt ? "is not known until the server was started again"
			    : err->errnum == ENOSPC ? "nothing was stored: free space there"
						    : "nothing was stored: ";
	enum err_kind kind = script->store->in_doubt ? ERR_SERVICE_UNAVAILABLE : ERR_SYSTEM;

	if (err->kind != kind || !strstr(err->msg, words) || !strstr(err->msg, script->dir))
		fail_msg("error %d of a failed commit: %s", (int)err->kind, err->msg);
}

static bool commit_some(struct script *script, struct err *err)
{
	struct pending pending = { .horizons = { script->horizons[0], script->horizons[1] } };

	make_changes(script, &pending);
	if (choose(script, 3) == 0)
		make_compaction(script, &pending);
	if (commit(script, &pending, err) == 0) {
		apply(script, &pending);
		script->commits++;
		return true;
	}
	check_words(script, err);
	if (script->store->in_doubt) {
		in_doubt = pending;
		script->in_doubt = true;
	}
	return false;
}

/* As under load, when the log has grown long. */
static void checkpoint(struct script *script)
{
	struct sqlite_store *sqlite = CONTAINER_OF(script->store, struct sqlite_store, base);

	checkpointer_ask(&sqlite->checkpointer, sqlite->path);
}

static void wait_for_checkpoint(struct script *script)
{
	struct sqlite_store *sqlite = CONTAINER_OF(script->store, struct sqlite_store, base);

	while (checkpointer_busy(&sqlite->checkpointer))
		sched_yield();
}

void script_run(struct script *script, unsigned steps)
{
	struct err err = ERR_INIT;

	for (unsigned i = 1; i <= steps && !script->in_doubt; i++) {
		/* Not beside the commits, so that the same seed makes the same calls. */
		if (i % CHECKPOINT == 0) {
			checkpoint(script);
			wait_for_checkpoint(script);
		}
		if (!commit_some(script, &err) && (script->in_doubt || script->stop_at_failure))
			return;
		script->store->ops->maintain(script->store, false);
		if (i % IDLE == 0)
			script->store->ops->maintain(script->store, true);
	}
}

void script_works(struct script *script)
{
	struct err err = ERR_INIT;

	if (!commit_some(script, &err))
		fail_msg("the disk works, the store does not: %s", err.msg);
}
