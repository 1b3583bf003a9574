#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "kubectl-lite/manifest.h"

static char folder[] = "/tmp/knarr-manifest-XXXXXX";

static void write_file(const char *name, const char *text)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", folder, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* The namespace comes from a kubeconfig of our own. */
static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	CLEANUP(mem_freep) char *config = mem_printf("%s/config", folder);
	write_file("config", "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: k, cluster: {server: 'https://127.0.0.1:1'}}]\n"
			     "contexts: [{name: c, context: {cluster: k, user: u, namespace: mine}}]\nusers: [{name: u, user: {token: t}}]\n");
	write_file("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n---\n---\n"
			     "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: two, namespace: other}}\n"
			     "- {apiVersion: v1, kind: Namespace, metadata: {name: three}}\n");
	write_file("b.json", "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"generateName\":\"x-\"}}");
	write_file("bad.yml", "apiVersion: v1\nkind: Nope\nmetadata: {name: nope}\n---\nkind: Pod\n---\n- 1\n---\n"
			      "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n");
	write_file("broken.yaml", "a: [\n");
	write_file("notes.txt", "not a manifest");
	return setenv("KUBECONFIG", config, 1);
}

static int teardown(void **state)
{
	static const char *const names[] = { "config", "a.yaml", "b.json", "bad.yml", "broken.yaml", "notes.txt" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(mem_freep) char *path = mem_printf("%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static int load(const char *name, struct manifest **ret, size_t *ret_n, size_t *ret_bad, struct err *err)
{
	CLEANUP(mem_freep) char *path = *name ? mem_printf("%s/%s", folder, name) : mem_dup(folder);
	const char *items[] = { path };
	struct string_list files = { items, 1 };

	*err = ERR_INIT;
	return manifests_load(&files, false, ret, ret_n, ret_bad, err);
}

static void test_documents(void **state)
{
	struct manifest *m;
	struct err err;
	size_t n, bad;

	(void)state;
	assert_int_equal(load("a.yaml", &m, &n, &bad, &err), 0);
	assert_int_equal(n, 3);
	assert_int_equal(bad, 0);
	assert_string_equal(m[0].name, "one");
	assert_string_equal(m[0].namespace_, "mine");
	assert_string_equal(m[0].resource->plural, "configmaps");
	assert_string_equal(m[1].namespace_, "other");
	assert_null(m[2].namespace_);
	manifests_free(m, n);
	assert_int_equal(load("b.json", &m, &n, &bad, &err), 0);
	assert_int_equal(n, 1);
	assert_null(m[0].name);
	manifests_free(m, n);
}

/* What is wrong with some documents does not hide the others. */
static void test_bad_documents(void **state)
{
	struct manifest *m;
	struct err err;
	size_t n, bad;

	(void)state;
	assert_int_equal(load("bad.yml", &m, &n, &bad, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(bad, 3);
	manifests_free(m, n);
	assert_int_equal(load("", &m, &n, &bad, &err), 0);
	assert_int_equal(n, 5);
	assert_int_equal(bad, 4);
	manifests_free(m, n);
	assert_int_equal(load("nothing.yaml", &m, &n, &bad, &err), -1);
	assert_non_null(strstr(err.msg, "does not exist"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_bad_documents),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
