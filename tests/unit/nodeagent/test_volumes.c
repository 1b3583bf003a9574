#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "nodeagent/tree.h"
#include "nodeagent/volumes.h"
#include "tests/support/node_fixture.h"

static struct json_object *parse(const char *text)
{
	struct json_object *obj = NULL;
	struct err err = ERR_INIT;

	if (json_parse(text, strlen(text), &obj, NULL, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return obj;
}

struct fixture {
	struct node_fixture node;
	struct json_object *pod, *map, *secret;
	struct pod_env_opts env;
	struct volumes_opts opts;
};

static enum config_presence lookup(enum config_kind kind, const char *name, const struct json_object **ret, void *arg)
{
	struct fixture *f = arg;

	if (strcmp(name, "x") != 0)
		return CONFIG_MISSING;
	*ret = kind == CONFIG_MAP ? f->map : f->secret;
	return CONFIG_PRESENT;
}

static void open_fixture(struct fixture *f, const char *spec)
{
	*f = (struct fixture){ 0 };
	node_fixture_open(&f->node);
	f->pod = parse("{\"metadata\":{\"name\":\"p\",\"namespace\":\"ns\",\"labels\":{\"app\":\"web\"}}}");
	json_set(f->pod, "spec", parse(spec));
	f->map = parse("{\"data\":{\"a\":\"1\",\"b\":\"2\"},\"binaryData\":{\"bin\":\"AAEC\"}}");
	f->secret = parse("{\"data\":{\"key\":\"c2VjcmV0\"}}");
	f->env = (struct pod_env_opts){ .pod = f->pod, .lookup = { lookup, f } };
	f->opts = (struct volumes_opts){ .pod_dir = f->node.dir, .env = &f->env };
}

static void close_fixture(struct fixture *f)
{
	volumes_teardown(f->node.dir, NULL);
	json_object_put(f->pod);
	json_object_put(f->map);
	json_object_put(f->secret);
	node_fixture_close(&f->node);
}

static void expect_file(struct fixture *f, const char *name, const char *content)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/volumes/%s", f->node.dir, name);
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	if (!content) {
		assert_int_equal(access(path, F_OK), -1);
		return;
	}
	if (buf_read_file(&b, path, 4096, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(b.data ? b.data : "", content);
}

static void test_config_map(void **state)
{
	struct fixture f;
	struct stat st;

	(void)state;
	open_fixture(&f, "{\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":\"x\",\"defaultMode\":256}}]}");
	assert_int_equal(volumes_setup(&f.opts, NULL), 0);
	expect_file(&f, "v/a", "1");
	expect_file(&f, "v/b", "2");
	CLEANUP(mem_freep) char *path = mem_printf("%s/volumes/v/bin", f.node.dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 3);
	assert_int_equal(st.st_mode & 0777, 0400);
	close_fixture(&f);
}

/* All files change with one rename, and names that are gone go. */
static void test_update(void **state)
{
	struct fixture f;
	char before[256] = "", after[256] = "";

	(void)state;
	open_fixture(&f, "{\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":\"x\"}}]}");
	assert_int_equal(volumes_setup(&f.opts, NULL), 0);
	CLEANUP(mem_freep) char *data = mem_printf("%s/volumes/v/..data", f.node.dir);
	assert_true(readlink(data, before, sizeof(before) - 1) > 0);
	assert_int_equal(volumes_setup(&f.opts, NULL), 0);
	assert_true(readlink(data, after, sizeof(after) - 1) > 0);
	assert_string_equal(before, after);
	json_object_put(f.map);
	f.map = parse("{\"data\":{\"a\":\"changed\",\"c\":\"3\"}}");
	assert_int_equal(volumes_setup(&f.opts, NULL), 0);
	expect_file(&f, "v/a", "changed");
	expect_file(&f, "v/c", "3");
	expect_file(&f, "v/b", NULL);
	CLEANUP(mem_freep) char *old = mem_printf("v/%s/a", before);
	expect_file(&f, old, NULL);
	close_fixture(&f);
}

static void test_items_and_downward_api(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, "{\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":\"x\",\"items\":[{\"key\":\"a\",\"path\":\"dir/sub/one\"}]}},"
			 "{\"name\":\"d\",\"downwardAPI\":{\"items\":[{\"path\":\"labels\",\"fieldRef\":{\"fieldPath\":\"metadata.labels\"}}]}},"
			 "{\"name\":\"o\",\"configMap\":{\"name\":\"absent\",\"optional\":true}}]}");
	assert_int_equal(volumes_setup(&f.opts, NULL), 0);
	expect_file(&f, "v/dir/sub/one", "1");
	expect_file(&f, "v/a", NULL);
	expect_file(&f, "d/labels", "app=\"web\"");
	close_fixture(&f);
}

static void test_faults(void **state)
{
	static const struct { const char *volume, *message; } cases[] = {
		{ "\"secret\":{\"secretName\":\"no\"}", "secret \"no\" not found" },
		{ "\"configMap\":{\"name\":\"no\"}", "configmap \"no\" not found" },
		{ "\"configMap\":{\"name\":\"x\",\"items\":[{\"key\":\"k\",\"path\":\"p\"}]}",
		  "configmap references non-existent config key: k" },
		{ "\"secret\":{\"secretName\":\"x\",\"items\":[{\"key\":\"k\",\"path\":\"p\"}]}",
		  "references non-existent secret key: k" },
		{ "\"configMap\":{\"name\":\"x\",\"items\":[{\"key\":\"a\",\"path\":\"../../etc/passwd\"}]}",
		  "path \"../../etc/passwd\" does not stay inside the volume" },
		{ "\"configMap\":{\"name\":\"x\",\"items\":[{\"key\":\"a\",\"path\":\"a/../../b\"}]}",
		  "path \"a/../../b\" does not stay inside the volume" },
		{ "\"hostPath\":{\"path\":\"/etc/passwd\",\"type\":\"Directory\"}",
		  "hostPath type check failed: /etc/passwd is not a directory" },
		{ "\"hostPath\":{\"path\":\"/nonexistent\",\"type\":\"File\"}",
		  "hostPath type check failed: /nonexistent is not a file" },
		{ "\"nfs\":{\"server\":\"x\",\"path\":\"/\"}", "volumes of type nfs are not supported by this version of knarr" },
		{ "\"projected\":{\"sources\":[{\"serviceAccountToken\":{\"path\":\"token\"}}]}",
		  "failed to fetch token: not answered yet" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		struct err err = ERR_INIT;
		CLEANUP(mem_freep) char *spec = mem_printf("{\"volumes\":[{\"name\":\"v\",%s}]}", cases[i].volume);
		CLEANUP(mem_freep) char *message = mem_printf("MountVolume.SetUp failed for volume \"v\" : %s", cases[i].message);
		open_fixture(&f, spec);
		assert_int_equal(volumes_setup(&f.opts, &err), -1);
		assert_string_equal(err.msg, message);
		close_fixture(&f);
	}
}

static void test_memory_and_secret_are_mounts(void **state)
{
	struct fixture f;

	(void)state;
	if (!node_fixture_root())
		skip();
	open_fixture(&f, "{\"volumes\":[{\"name\":\"m\",\"emptyDir\":{\"medium\":\"Memory\",\"sizeLimit\":\"1Mi\"}},"
			 "{\"name\":\"s\",\"secret\":{\"secretName\":\"x\"}}]}");
	assert_int_equal(volumes_setup(&f.opts, NULL), 0);
	assert_int_equal(volumes_setup(&f.opts, NULL), 0);
	CLEANUP(mem_freep) char *memory = mem_printf("%s/volumes/m", f.node.dir);
	CLEANUP(mem_freep) char *secret = mem_printf("%s/volumes/s", f.node.dir);
	assert_true(tree_is_mount(memory));
	assert_true(tree_is_mount(secret));
	expect_file(&f, "s/key", "secret");
	assert_int_equal(volumes_teardown(f.node.dir, NULL), 0);
	assert_false(tree_is_mount(memory));
	assert_false(tree_is_mount(secret));
	close_fixture(&f);
}

static void test_mounts(void **state)
{
	struct fixture f;
	struct volume_mounts mounts = { 0 };
	struct pod_env env = { 0 };
	struct err err = ERR_INIT;
	CLEANUP(json_putp) struct json_object *container =
		parse("{\"name\":\"c\",\"volumeMounts\":[{\"name\":\"e\",\"mountPath\":\"/e\",\"readOnly\":true},"
		      "{\"name\":\"h\",\"mountPath\":\"/h\",\"mountPropagation\":\"HostToContainer\"},"
		      "{\"name\":\"v\",\"mountPath\":\"/v\"}]}");
	CLEANUP(json_putp) struct json_object *wrong = parse("{\"name\":\"c\",\"volumeMounts\":[{\"name\":\"no\",\"mountPath\":\"/e\"}]}");

	(void)state;
	open_fixture(&f, "{\"volumes\":[{\"name\":\"e\",\"emptyDir\":{}},{\"name\":\"h\",\"hostPath\":{\"path\":\"/srv\"}},"
			 "{\"name\":\"v\",\"configMap\":{\"name\":\"x\"}}]}");
	assert_int_equal(volumes_setup(&f.opts, NULL), 0);
	assert_int_equal(volumes_mounts(&f.opts, container, &env, &mounts, NULL), 0);
	assert_int_equal(mounts.n, 3);
	assert_true(mounts.mounts[0].read_only);
	assert_string_equal(mounts.mounts[1].source, "/srv");
	assert_string_equal(mounts.mounts[1].options, "rslave");
	assert_false(mounts.mounts[1].read_only);
	assert_true(mounts.mounts[2].read_only);
	volumes_mounts_close(&mounts);
	assert_int_equal(volumes_mounts(&f.opts, wrong, &env, &mounts, &err), -1);
	close_fixture(&f);
}

static void count(enum config_kind kind, const char *name, void *arg)
{
	int *n = arg;

	n[kind]++;
	assert_true(strlen(name) == 1);
}

static void test_references(void **state)
{
	int n[2] = { 0, 0 };
	CLEANUP(json_putp) struct json_object *spec = parse(
		"{\"volumes\":[{\"configMap\":{\"name\":\"a\"}},{\"secret\":{\"secretName\":\"b\"}},"
		"{\"projected\":{\"sources\":[{\"configMap\":{\"name\":\"c\"}},{\"secret\":{\"name\":\"d\"}}]}}],"
		"\"initContainers\":[{\"envFrom\":[{\"configMapRef\":{\"name\":\"e\"}}]}],"
		"\"containers\":[{\"envFrom\":[{\"secretRef\":{\"name\":\"f\"}}],\"env\":[{\"valueFrom\":{\"secretKeyRef\":{\"name\":\"g\"}}},"
		"{\"valueFrom\":{\"configMapKeyRef\":{\"name\":\"h\"}}}]}]}");

	(void)state;
	volumes_each_reference(spec, count, n);
	assert_int_equal(n[CONFIG_MAP], 4);
	assert_int_equal(n[CONFIG_SECRET], 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config_map),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_items_and_downward_api),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_memory_and_secret_are_mounts),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
