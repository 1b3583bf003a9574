#include "apiserver/encryption_file.h"
#include "apiserver/store/encrypted.h"
#include "tests/support/test_server.h"
#include "tests/unit/apiserver/core_fixture.h"

#define KEY_A "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=" /* 32 times A */
#define KEY_B "QkJCQkJCQkJCQkJCQkJCQg=="                     /* 16 times B */
#define RULE(providers)                                                                                      \
	"kind: EncryptionConfiguration\napiVersion: apiserver.config.k8s.io/v1\nresources:\n- resources: "   \
	"[secrets]\n"                                                                                        \
	"  providers:\n" providers
#define AESGCM(keys)  "  - aesgcm: {keys: [" keys "]}\n"
#define IDENTITY      "  - identity: {}\n"
#define NAMED(n, key) "{name: " n ", secret: " key "}"
#define SECRET        "{\"data\":{\"password\":\"c2Vhc2ljaw==\"}}"

struct fixture {
	char *dir, *config;
	struct buf text; /* what was loaded */
};

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));
	f->dir = make_folder();
	f->config = mem_printf("%s/encryption.yaml", f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	remove_folder(f->dir);
	free(f->config);
	buf_close(&f->text);
	free(f);
	return 0;
}

static int load_horizon(const struct store_horizon *horizon, void *arg, struct err *err)
{
	(void)horizon;
	(void)arg;
	(void)err;
	return 0;
}

static int load_change(const struct store_change *change, void *arg, struct err *err)
{
	struct buf *text = arg;
	(void)err;
	buf_printf(text, "%s %s %.*s;", change->plural, change->key, (int)change->value_len, change->value);
	return 0;
}

/* CONFIG NULL: none. f->text has what is there. */
static struct store *open_store(struct fixture *f, const char *config, struct err *err)
{
	struct store *inner = NULL;
	struct encryption *encryption = NULL;
	struct store_loader loader = { load_horizon, load_change, &f->text };
	uint64_t revision;
	*err = ERR_INIT;
	if (config)
		assert_int_equal(buf_write_file_atomic(f->config, config, strlen(config), 0600, err), 0);
	if (encryption_new(config ? f->config : NULL, &encryption, err) < 0)
		return NULL;
	assert_int_equal(store_sqlite_open(f->dir, &inner, err), 0);
	struct store *store = store_encrypted(inner, encryption);
	buf_reset(&f->text);
	buf_str(&f->text, "");
	if (store->ops->load(store, &loader, &revision, err) == 0)
		return store;
	store->ops->close(store);
	return NULL;
}

static void must_open(struct fixture *f, const char *config, const char *content)
{
	struct err err;
	struct store *store = open_store(f, config, &err);
	if (!store) {
		fail_msg("%s", err.msg);
		return;
	}
	assert_string_equal(f->text.data, content);
	store->ops->close(store);
}

static void must_not_open(struct fixture *f, const char *config, const char *why)
{
	struct err err;
	assert_null(open_store(f, config, &err));
	if (!strstr(err.msg, why))
		fail_msg("\"%s\" does not say: %s", err.msg, why);
}

static void write_rows(struct fixture *f, const char *config)
{
	struct err err;
	struct store *store = open_store(f, config, &err);
	if (!store) {
		fail_msg("%s", err.msg);
		return;
	}
	struct store_change rows[] = {
		{ .group = "",
		  .plural = "secrets",
		  .key = "d/s",
		  .revision = 2,
		  .value = SECRET,
		  .value_len = strlen(SECRET) },
		{ .group = "",
		  .plural = "configmaps",
		  .key = "d/c",
		  .revision = 3,
		  .value = "{\"plain\":1}",
		  .value_len = 11 },
	};
	struct store_batch batch = { .changes = rows, .n_changes = 2 };
	assert_int_equal(store->ops->commit(store, &batch, &err), 0);
	store->ops->close(store);
}

#define ALL "secrets d/s " SECRET ";configmaps d/c {\"plain\":1};"

/* TEXT is somewhere in the files of the store. */
static bool on_disk(struct fixture *f, const char *text)
{
	static const char *const names[] = { "store.db", "store.db-wal" };
	bool found = false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(mem_freep) char *path = mem_printf("%s/%s", f->dir, names[i]);
		CLEANUP(buf_close) struct buf b = BUF_INIT;
		if (buf_read_file(&b, path, 64 << 20, NULL) == 0)
			found |= memmem(b.data ? b.data : "", b.len, text, strlen(text)) != NULL;
	}
	return found;
}

static void secrets_are_not_on_the_disk(void **state)
{
	struct fixture *f = *state;
	write_rows(f, RULE(AESGCM(NAMED("key1", KEY_A)) IDENTITY));
	assert_false(on_disk(f, "c2Vhc2ljaw"));
	assert_true(on_disk(f, "plain"));
	assert_true(on_disk(f, "knarr:enc:aesgcm:v1:key1:"));
	must_open(f, RULE(AESGCM(NAMED("key1", KEY_A))), ALL);
}

static void another_key_is_named(void **state)
{
	struct fixture *f = *state;
	write_rows(f, RULE(AESGCM(NAMED("key1", KEY_A))));
	must_not_open(f, RULE(AESGCM(NAMED("key1", KEY_B))),
		      "secrets d/s: it does not open with key \"key1\"");
	must_not_open(f, RULE(AESGCM(NAMED("key2", KEY_A))),
		      "secrets d/s: it is encrypted with key \"key1\", which");
	must_not_open(f, NULL, "secrets d/s: it is encrypted with key \"key1\", which");
	must_open(f, RULE(AESGCM(NAMED("key1", KEY_A))), ALL);
}

static void keys_rotate(void **state)
{
	struct fixture *f = *state;
	write_rows(f, RULE(AESGCM(NAMED("key1", KEY_A))));
	must_open(f, RULE(AESGCM(NAMED("key2", KEY_B) "," NAMED("key1", KEY_A))), ALL);
	assert_true(on_disk(f, "aesgcm:v1:key2:"));
	assert_false(on_disk(f, "aesgcm:v1:key1:"));
	must_open(f, RULE(AESGCM(NAMED("key2", KEY_B))), ALL);
}

static void what_was_plain_is_encrypted_and_back(void **state)
{
	struct fixture *f = *state;
	write_rows(f, NULL);
	assert_true(on_disk(f, "c2Vhc2ljaw"));
	must_open(f, RULE(AESGCM(NAMED("key1", KEY_A))), ALL);
	assert_false(on_disk(f, "c2Vhc2ljaw"));
	must_open(f, RULE(IDENTITY AESGCM(NAMED("key1", KEY_A))), ALL);
	assert_true(on_disk(f, "c2Vhc2ljaw"));
	must_open(f, NULL, ALL);
}

static void no_nonce_comes_twice_and_no_row_moves(void **state)
{
	struct fixture *f = *state;
	struct encryption *encryption = NULL;
	struct err err = ERR_INIT;
	struct buf first = BUF_INIT, second = BUF_INIT, plain = BUF_INIT;
	bool stale;
	const char *config = RULE(AESGCM(NAMED("key1", KEY_A)));
	assert_int_equal(buf_write_file_atomic(f->config, config, strlen(config), 0600, &err), 0);
	assert_int_equal(encryption_new(f->config, &encryption, &err), 0);
	struct store_change change = { .group = "",
				       .plural = "secrets",
				       .key = "d/s",
				       .revision = 7,
				       .value = SECRET,
				       .value_len = strlen(SECRET) };
	assert_int_equal(encryption_seal(encryption, &change, &first, &err), 0);
	assert_int_equal(encryption_seal(encryption, &change, &second, &err), 0);
	assert_int_equal(first.len, second.len);
	assert_memory_not_equal(first.data, second.data, first.len);
	struct store_change stored = change;
	stored.value = first.data;
	stored.value_len = first.len;
	assert_int_equal(encryption_open(encryption, &stored, &plain, &stale, &err), 0);
	assert_false(stale);
	assert_string_equal(plain.data, SECRET);
	stored.key = "d/t";
	assert_int_equal(encryption_open(encryption, &stored, &plain, &stale, &err), -1);
	stored.key = "d/s";
	stored.revision = 8;
	assert_int_equal(encryption_open(encryption, &stored, &plain, &stale, &err), -1);
	stored.revision = 7;
	for (size_t i = 0; i < first.len; i++) {
		first.data[i] ^= 1;
		buf_reset(&plain);
		int opened = encryption_open(encryption, &stored, &plain, &stale, NULL);
		/* Without its prefix it is no sealed value, and no JSON either. */
		assert_true(opened < 0 || (plain.len == 0 && i < strlen("knarr:enc:aesgcm:v1:")));
		first.data[i] ^= 1;
	}
	buf_close(&first);
	buf_close(&second);
	buf_close(&plain);
	encryption_free(encryption);
}

/* Never NULL. */
static struct store *must_open_store(struct fixture *f, const char *config)
{
	struct err err;
	struct store *store = open_store(f, config, &err);
	if (!store) {
		fail_msg("%s", err.msg);
		abort();
	}
	return store;
}

static void write_row(struct store *store, const char *key, uint64_t revision)
{
	struct err err = ERR_INIT;
	struct store_change row = { .group = "",
				    .plural = "secrets",
				    .key = key,
				    .revision = revision,
				    .value = SECRET,
				    .value_len = strlen(SECRET) };
	struct store_batch batch = { .changes = &row, .n_changes = 1 };
	assert_int_equal(store->ops->commit(store, &batch, &err), 0);
}

static int reload(struct fixture *f, struct store *store, const char *config, struct err *err)
{
	struct encryption *encryption = NULL;
	*err = ERR_INIT;
	assert_int_equal(buf_write_file_atomic(f->config, config, strlen(config), 0600, err), 0);
	assert_int_equal(encryption_new(f->config, &encryption, err), 0);
	return store_encrypted_reload(store, encryption, err);
}

static void a_new_configuration_while_it_runs(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct store *store = must_open_store(f, RULE(AESGCM(NAMED("one", KEY_A)) IDENTITY));
	write_row(store, "d/a", 2);
	/* What lacks a key that is in use, or has another one of its name, is not taken. */
	assert_int_equal(reload(f, store, RULE(AESGCM(NAMED("two", KEY_B)) IDENTITY), &err), -1);
	assert_string_equal(err.msg,
			    "secrets are stored encrypted with key \"one\", which it does not have for "
			    "them: keep it behind the new one until the server has started again");
	assert_int_equal(reload(f, store, RULE(AESGCM(NAMED("one", KEY_B))), &err), -1);
	write_row(store, "d/b", 3);
	assert_false(on_disk(f, "aesgcm:v1:two:"));
	assert_int_equal(reload(f, store, RULE(AESGCM(NAMED("two", KEY_B) "," NAMED("one", KEY_A))), &err),
			 0);
	write_row(store, "d/c", 4);
	assert_true(on_disk(f, "aesgcm:v1:two:"));
	/* Both are in use now. */
	assert_int_equal(reload(f, store, RULE(AESGCM(NAMED("two", KEY_B))), &err), -1);
	assert_int_equal(reload(f, store, RULE(AESGCM(NAMED("one", KEY_A))), &err), -1);
	store->ops->close(store);
	/* A start brings all to the first one: it alone is. */
	store = must_open_store(f, RULE(AESGCM(NAMED("two", KEY_B) "," NAMED("one", KEY_A))));
	assert_int_equal(reload(f, store, RULE(AESGCM(NAMED("two", KEY_B))), &err), 0);
	write_row(store, "d/d", 5);
	store->ops->close(store);
	must_open(f, RULE(AESGCM(NAMED("two", KEY_B))),
		  "secrets d/a " SECRET ";secrets d/b " SECRET ";secrets d/c " SECRET ";secrets d/d " SECRET
		  ";");
}

/* Rows written until the disk shows one of the new key: the file was taken anew. */
static bool writes_with(struct fixture *f, struct store *store, const char *key, uint64_t *revision)
{
	write_row(store, "d/a", ++*revision);
	return on_disk(f, key);
}

static void the_file_is_taken_anew(void **state)
{
	struct fixture *f = *state;
	static const char text[] = RULE(AESGCM(NAMED("two", KEY_B) "," NAMED("one", KEY_A))),
			  bad[] = "kind: {";
	struct loop *loop = loop_new(NULL);
	struct encryption_file file;
	struct err err;
	uint64_t revision = 1;
	struct store *store = must_open_store(f, RULE(AESGCM(NAMED("one", KEY_A))));
	encryption_file_init(&file, f->config);
	file.store = store;
	assert_int_equal(encryption_file_watch(&file, loop, &err), 0);
	assert_int_equal(buf_write_file_atomic(f->config, bad, strlen(bad), 0600, &err), 0);
	loop_turn(loop, 300);
	loop_turn(loop, 300);
	assert_int_equal(buf_write_file_atomic(f->config, text, strlen(text), 0600, &err), 0);
	LOOP_UNTIL(loop, writes_with(f, store, "aesgcm:v1:two:", &revision));
	encryption_file_close(&file);
	store->ops->close(store);
	loop_free(loop);
}

static void what_is_wrong_is_said(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *config, *why;
	} rows[] = {
		{ "kind: Policy\n", "not one document of kind EncryptionConfiguration" },
		{ RULE("  - aescbc: {keys: []}\n"), "neither aesgcm nor identity" },
		{ RULE(AESGCM("")), "aesgcm has no keys" },
		{ RULE(AESGCM(NAMED("k", "c2hvcnQ="))), "key \"k\" is not the base64 of 16, 24 or 32 bytes" },
		{ RULE(AESGCM(NAMED("k", KEY_A) "," NAMED("k", KEY_B))), "two keys are called \"k\"" },
		{ RULE(AESGCM(NAMED("'a:b'", KEY_A))), "name without a colon" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		must_not_open(f, rows[i].config, rows[i].why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(secrets_are_not_on_the_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(another_key_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_rotate, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_plain_is_encrypted_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(no_nonce_comes_twice_and_no_row_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(a_new_configuration_while_it_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(the_file_is_taken_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_said, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
