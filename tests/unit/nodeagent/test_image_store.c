#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nodeagent/image_store.h"
#include "tests/support/image_fixture.h"
#include "tests/support/node_fixture.h"

static struct node_fixture f;
static struct image_store *store;
static char *images, *archive;

static void on_changed(void *arg)
{
	(void)arg;
	f.done = true;
}

static int set_up(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	node_fixture_open(&f);
	images = mem_printf("%s/images", f.dir);
	archive = mem_printf("%s/archive.tar", f.dir);
	store = image_store_open(f.loop, images, on_changed, NULL, &err);
	if (!store)
		fail_msg("%s", err.msg);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	image_store_close(store);
	free(images);
	free(archive);
	node_fixture_close(&f);
	return 0;
}

static const struct {
	const char *reference, *normalised; /* NULL: refused */
} references[] = {
	{ "market-data:v1", "docker.io/library/market-data:v1" },
	{ "busybox", "docker.io/library/busybox:latest" },
	{ "user/app", "docker.io/user/app:latest" },
	{ "docker.io/nginx", "docker.io/library/nginx:latest" },
	{ "index.docker.io/nginx", "docker.io/library/nginx:latest" },
	{ "registry.local/web:1", "registry.local/web:1" },
	{ "localhost/web", "localhost/web:latest" },
	{ "host:5000/a/b_c/d--e:T.1-x", "host:5000/a/b_c/d--e:T.1-x" },
	{ "web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	  "docker.io/library/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" },
	{ "", NULL },
	{ ":tag", NULL },
	{ "web:", NULL },
	{ "web:-tag", NULL },
	{ "a//b", NULL },
	{ "/a", NULL },
	{ "a/", NULL },
	{ "a..b", NULL },
	{ "a___b", NULL },
	{ "web@sha256:12", NULL },
	{ "web@md5:0123456789abcdef0123456789abcdef", NULL },
	{ "-host.x/a", NULL },
	{ "host:5x/a", NULL },
	{ "web app", NULL },
	{ "../../etc", NULL },
};

static void test_references(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(references); i++) {
		CLEANUP(mem_freep) char *normalised = NULL;
		struct err err = ERR_INIT;
		int rc = image_reference_normalise(references[i].reference, &normalised, &err);
		if (!references[i].normalised) {
			assert_int_equal(rc, -1);
			CLEANUP(mem_freep) char *message =
				mem_printf("couldn't parse image name \"%s\": invalid reference format", references[i].reference);
			assert_string_equal(err.msg, message);
		} else {
			assert_int_equal(rc, 0);
			assert_string_equal(normalised, references[i].normalised);
		}
	}
	struct err err = ERR_INIT;
	char *none = NULL;
	assert_int_equal(image_reference_normalise("Web:v1", &none, &err), -1);
	assert_string_equal(err.msg, "couldn't parse image name \"Web:v1\": invalid reference format: repository name (Web) must be lowercase");
}

static void make_archive(const char *name, const char *content, bool gzip)
{
	struct buf layers[2] = { BUF_INIT, BUF_INIT };
	const struct fixture_entry base[] = { { .path = "base", .type = S_IFREG, .mode = 0644, .content = "base" } };
	const struct fixture_entry top[] = { { .path = "top", .type = S_IFREG, .mode = 0644, .content = content } };
	image_fixture_layer(base, 1, gzip, &layers[0]);
	image_fixture_layer(top, 1, gzip, &layers[1]);
	image_fixture_archive(archive, name, "{\"Cmd\":[\"x\"],\"User\":\"web\"}", layers, gzip, 2);
	buf_close(&layers[0]);
	buf_close(&layers[1]);
}

static void import_as(const char *reference)
{
	struct err err = ERR_INIT;
	CLEANUP(json_putp) struct json_object *names = NULL;
	if (image_store_import(store, archive, reference, NULL, NULL, &names, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(json_len(names), 1);
}

#define NEED_ROOT()                   \
	if (!node_fixture_root()) {   \
		skip();               \
		return;               \
	}

static void test_import_and_find(void **state)
{
	(void)state;
	NEED_ROOT();
	struct err err = ERR_INIT;
	struct image image;
	make_archive("market-data:v1", "one", true);
	import_as(NULL);
	node_fixture_wait(&f); /* the running agent is told */
	if (image_store_find(store, "docker.io/library/market-data:v1", &image, &err))
		fail_msg("%s", err.msg);
	assert_string_equal(image.reference, "docker.io/library/market-data:v1");
	assert_int_equal(image.n_layers, 2);
	assert_string_equal(json_str(json_get(image.config, "config"), "User"), "web");
	CLEANUP(mem_freep) char *base = mem_printf("%s/base", image.layers[0]), *top = mem_printf("%s/top", image.layers[1]);
	assert_int_equal(access(base, F_OK), 0);
	assert_int_equal(access(top, F_OK), 0);
	/* By digest as well, and no other. */
	CLEANUP(mem_freep) char *pinned = mem_printf("market-data@%s", image.digest), *other = mem_printf("other@%s", image.digest);
	image_close(&image);
	assert_int_equal(image_store_find(store, pinned, &image, &err), 0);
	image_close(&image);
	assert_int_equal(image_store_find(store, other, &image, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_int_equal(image_store_find(store, "market-data:v2", &image, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
}

static size_t count_entries(const char *folder)
{
	CLEANUP(mem_freep) char *command = mem_printf("ls %s/%s | wc -l", images, folder);
	FILE *p = popen(command, "r");
	size_t n = 0;
	if (!p || fscanf(p, "%zu", &n) != 1)
		fail_msg("%s", command);
	pclose(p);
	return n;
}

static void test_remove_keeps_what_is_shared(void **state)
{
	(void)state;
	NEED_ROOT();
	struct err err = ERR_INIT;
	struct image image;
	CLEANUP(json_putp) struct json_object *list = NULL;
	make_archive("web:1", "one", false);
	import_as(NULL);
	make_archive("web:2", "two", false);
	import_as(NULL);
	assert_int_equal(count_entries("layers"), 3);
	assert_int_equal(count_entries("blobs/sha256"), 7);
	assert_int_equal(image_store_list(store, &list, &err), 0);
	assert_int_equal(json_len(list), 2);
	assert_string_equal(json_str(json_at(list, 1), "reference"), "docker.io/library/web:2");

	/* A shim holds its layers like this. */
	assert_int_equal(image_store_find(store, "web:1", &image, &err), 0);
	int fd = open(image.layers[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_SH), 0);
	assert_int_equal(image_store_remove(store, "web:1", &err), -1);
	assert_int_equal(err.kind, ERR_CONFLICT);
	close(fd);
	image_close(&image);

	assert_int_equal(image_store_remove(store, "web:1", &err), 0);
	assert_int_equal(count_entries("layers"), 2);
	assert_int_equal(count_entries("blobs/sha256"), 4);
	assert_int_equal(image_store_find(store, "web:2", &image, &err), 0);
	image_close(&image);
	assert_int_equal(image_store_remove(store, "web:1", &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_int_equal(image_store_remove(store, "web:2", &err), 0);
	assert_int_equal(count_entries("layers") + count_entries("blobs/sha256") + count_entries("tmp"), 0);
}

/* Changes one byte of the archive at each of many places: it is refused, or it was a byte that means nothing, and never
 * is there an image that cannot be used. */
static void test_damaged_archives(void **state)
{
	(void)state;
	NEED_ROOT();
	CLEANUP(buf_close) struct buf whole = BUF_INIT;
	struct err err = ERR_INIT;
	make_archive("web:1", "one", false);
	assert_int_equal(buf_read_file(&whole, archive, 1 << 20, &err), 0);
	size_t refused = 0;
	for (size_t at = 0; at < whole.len; at += 97) {
		CLEANUP(json_putp) struct json_object *names = NULL;
		char byte = whole.data[at];
		whole.data[at] = (char)(byte ^ 0x21);
		int fd = open(archive, O_WRONLY | O_TRUNC | O_CLOEXEC);
		assert_int_equal(write(fd, whole.data, whole.len), whole.len);
		close(fd);
		whole.data[at] = byte;
		struct image image;
		refused += image_store_import(store, archive, NULL, NULL, NULL, &names, &err) != 0;
		if (names) {
			if (image_store_find(store, json_object_get_string(json_at(names, 0)), &image, &err))
				fail_msg("byte %zu: %s", at, err.msg);
			image_close(&image);
			if (image_store_remove(store, json_object_get_string(json_at(names, 0)), &err))
				fail_msg("byte %zu: %s", at, err.msg);
		}
		assert_int_equal(count_entries("refs"), 0);
	}
	assert_true(refused > 10);
	assert_int_equal(count_entries("tmp"), 0);
}

static void test_names(void **state)
{
	(void)state;
	NEED_ROOT();
	struct err err = ERR_INIT;
	CLEANUP(json_putp) struct json_object *names = NULL;
	make_archive("v1", "one", false);
	assert_int_equal(image_store_import(store, archive, NULL, NULL, NULL, &names, &err), -1);
	assert_int_equal(err.kind, ERR_BAD_REQUEST);
	assert_non_null(strstr(err.msg, "has no name but the tag \"v1\"; give it one with --name"));
	import_as("registry.local/web:9");
	struct image image;
	assert_int_equal(image_store_find(store, "registry.local/web:9", &image, &err), 0);
	image_close(&image);
}

static void test_damaged_store(void **state)
{
	(void)state;
	NEED_ROOT();
	struct err err = ERR_INIT;
	struct image image;
	make_archive("web:1", "one", false);
	import_as(NULL);
	assert_int_equal(image_store_find(store, "web:1", &image, &err), 0);
	CLEANUP(mem_freep) char *gone = mem_printf("%s.gone", image.layers[0]);
	assert_int_equal(rename(image.layers[0], gone), 0);
	image_close(&image);
	assert_int_equal(image_store_find(store, "web:1", &image, &err), -1);
	assert_int_equal(err.kind, ERR_CORRUPT);
	/* Importing again repairs it. */
	import_as(NULL);
	assert_int_equal(image_store_find(store, "web:1", &image, &err), 0);
	image_close(&image);
}

static void test_foreign_files(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	CLEANUP(json_putp) struct json_object *names = NULL;
	assert_int_equal(image_store_import(store, "/nonexistent.tar", NULL, NULL, NULL, &names, &err), -1);
	assert_string_equal(err.msg, "open /nonexistent.tar: No such file or directory");
	assert_int_equal(image_store_import(store, "/etc/passwd", NULL, NULL, NULL, &names, &err), -1);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_int_equal(image_store_import(store, "/etc", NULL, NULL, NULL, &names, &err), -1);
	assert_string_equal(err.msg, "/etc: neither an OCI layout nor a docker archive: it has no index.json and no manifest.json");
}

static void test_docker_archive(void **state)
{
	(void)state;
	NEED_ROOT();
	struct err err = ERR_INIT;
	struct image image;
	CLEANUP(buf_close) struct buf layer = BUF_INIT;
	CLEANUP(buf_close) struct buf tar = BUF_INIT;
	const struct fixture_entry content[] = { { .path = "hello", .type = S_IFREG, .mode = 0644, .content = "hi" } };
	image_fixture_layer(content, 1, false, &layer);
	/* Its config's diff ID is learned from an OCI archive of the same layer. */
	image_fixture_archive(archive, "oci:1", "{}", &layer, false, 1);
	import_as(NULL);
	assert_int_equal(image_store_find(store, "oci:1", &image, &err), 0);
	CLEANUP(buf_close) struct buf config = BUF_INIT;
	json_write(&config, image.config);
	image_close(&image);
	assert_int_equal(image_store_remove(store, "oci:1", &err), 0);
	const struct fixture_entry entries[] = {
		{ .path = "manifest.json", .type = S_IFREG, .mode = 0644,
		  .content = "[{\"Config\":\"c.json\",\"RepoTags\":[\"old:1\",\"old:2\"],\"Layers\":[\"l/layer.tar\"]}]" },
		{ .path = "c.json", .type = S_IFREG, .mode = 0644, .content = config.data },
		{ .path = "real/layer.tar", .type = S_IFREG, .mode = 0644, .content = layer.data, .len = layer.len },
		{ .path = "l/layer.tar", .type = S_IFLNK, .mode = 0777, .content = "../real/layer.tar" },
	};
	image_fixture_layer(entries, ARRAY_SIZE(entries), true, &tar);
	int fd = open(archive, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(write(fd, tar.data, tar.len), tar.len);
	close(fd);
	CLEANUP(json_putp) struct json_object *names = NULL;
	if (image_store_import(store, archive, NULL, NULL, NULL, &names, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(json_len(names), 2);
	assert_int_equal(image_store_find(store, "old:2", &image, &err), 0);
	CLEANUP(mem_freep) char *hello = mem_printf("%s/hello", image.layers[0]);
	assert_int_equal(access(hello, F_OK), 0);
	image_close(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references),
		cmocka_unit_test_setup_teardown(test_import_and_find, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_remove_keeps_what_is_shared, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged_archives, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged_store, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_foreign_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_docker_archive, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
