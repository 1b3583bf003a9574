#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "nodeagent/pod_store.h"
#include "nodeagent/tree.h"

static struct json_object *record_of(const char *note)
{
	struct json_object *record = json_object_new_object();

	json_set_str(json_ensure_object(json_ensure_object(record, "pod"), "metadata"), "uid", "u-1");
	json_set_str(json_ensure_object(record, "worker"), "note", note);
	return record;
}

static void save(const char *dir, const char *note, int64_t sequence)
{
	CLEANUP(json_putp) struct json_object *record = record_of(note);

	assert_int_equal(pod_store_save(dir, record, sequence, NULL), 0);
}

static void expect(const char *dir, const char *note, int64_t sequence)
{
	CLEANUP(json_putp) struct json_object *record = NULL;
	struct err err = ERR_INIT;
	int64_t found;

	if (pod_store_load(dir, &record, &found, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(json_str(json_get(record, "worker"), "note"), note);
	assert_int_equal(found, sequence);
}

static char *make_dir(char *template)
{
	assert_non_null(mkdtemp(template));
	return template;
}

static void test_the_last_one_counts(void **state)
{
	char dir[] = "/tmp/knarr-store-XXXXXX";
	CLEANUP(json_putp) struct json_object *none = NULL;
	struct err err = ERR_INIT;
	int64_t sequence;

	(void)state;
	make_dir(dir);
	assert_int_equal(pod_store_load(dir, &none, &sequence, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	save(dir, "one", 1);
	expect(dir, "one", 1);
	save(dir, "a longer second note", 2);
	expect(dir, "a longer second note", 2);
	save(dir, "3", 3);
	expect(dir, "3", 3);
	save(dir, "4", 4);
	expect(dir, "4", 4);
	tree_remove(dir, NULL);
}

/* A write that ends at any byte: the new record is read whole or the one before it. */
static void test_torn_writes(void **state)
{
	char dir[] = "/tmp/knarr-store-XXXXXX";
	CLEANUP(buf_close) struct buf whole = BUF_INIT;
	CLEANUP(buf_close) struct buf old = BUF_INIT;

	(void)state;
	make_dir(dir);
	CLEANUP(mem_freep) char *path = mem_printf("%s/pod.0.json", dir);
	save(dir, "before before before", 2);
	assert_int_equal(buf_read_file(&old, path, 4096, NULL), 0);
	save(dir, "last", 3);
	save(dir, "new", 4);
	assert_int_equal(buf_read_file(&whole, path, 4096, NULL), 0);
	for (size_t cut = 0; cut < whole.len; cut++) {
		/* The first bytes of the new over the old one. */
		int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
		assert_int_equal(pwrite(fd, old.data, old.len, 0), (ssize_t)old.len);
		assert_int_equal(pwrite(fd, whole.data, cut, 0), (ssize_t)cut);
		close(fd);
		expect(dir, "last", 3);
	}
	tree_remove(dir, NULL);
}

static void test_damage(void **state)
{
	char dir[] = "/tmp/knarr-store-XXXXXX";
	CLEANUP(json_putp) struct json_object *none = NULL;
	struct err err = ERR_INIT;
	int64_t sequence;

	(void)state;
	make_dir(dir);
	CLEANUP(mem_freep) char *path = mem_printf("%s/pod.1.json", dir);
	assert_int_equal(buf_write_file_atomic(path, "{}", 2, 0600, NULL), 0);
	assert_int_equal(pod_store_load(dir, &none, &sequence, &err), -1);
	assert_int_equal(err.kind, ERR_CORRUPT);
	tree_remove(dir, NULL);
}

static void test_unsafe_uids(void **state)
{
	static const char *const unsafe[] = { "", ".", "..", "a/b", "../x", "a b", "a\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unsafe); i++)
		assert_null(pod_store_dir("/data", unsafe[i]));
	CLEANUP(mem_freep) char *dir = pod_store_dir("/data", "6f1e-2");
	assert_string_equal(dir, "/data/pods/6f1e-2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_last_one_counts),
		cmocka_unit_test(test_torn_writes),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_unsafe_uids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
