#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kubectl-lite/key_values.h"
#include "lib/buf.h"

static char folder[] = "/tmp/knarr-key-values-XXXXXX";

static void put(const char *name, const char *content, size_t len)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", folder, name);

	assert_int_equal(buf_write_file_atomic(path, content, len, 0600, NULL), 0);
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chdir(folder) < 0 || mkdir("some", 0700) < 0 || mkdir("some/below", 0700) < 0)
		return -1;
	put("some/a.txt", "text\n", 5);
	put("some/b.bin", "\xff\xfe", 2);
	put("env", "A=1\r\n# no\n\n  B=x=y\nKEY_VALUES_TEST\nNOT_SET_ANYWHERE\n", 51);
	put("env.bad", "1A=x\n", 5);
	return 0;
}

static int remove_folder(void **state)
{
	static const char *const names[] = { "some/a.txt", "some/b.bin", "env", "env.bad" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlink(names[i]);
	rmdir("some/below");
	rmdir("some");
	return chdir("/") < 0 || rmdir(folder) < 0 ? -1 : 0;
}

static struct json_object *new_object(const char *kind)
{
	struct json_object *obj = json_object_new_object();

	json_set_str(obj, "kind", kind);
	json_set_str(json_ensure_object(obj, "metadata"), "name", "c");
	return obj;
}

enum source { SOURCE_FILE, SOURCE_LITERAL, SOURCE_ENV_FILE };

static int add(struct json_object *obj, enum source source, const char *word, struct err *err)
{
	const char *items[] = { word };
	struct string_list list = { items, 1 };
	struct key_values_flags flags = { 0 };

	if (source == SOURCE_FILE)
		flags.files = list;
	else if (source == SOURCE_LITERAL)
		flags.literals = list;
	else
		flags.env_files = list;
	return key_values_add(obj, &flags, err);
}

/* What is left of OBJ without kind and metadata. */
static void assert_content(struct json_object *obj_taken, const char *want)
{
	struct buf text = BUF_INIT;

	json_object_object_del(obj_taken, "kind");
	json_object_object_del(obj_taken, "metadata");
	json_write(&text, obj_taken);
	assert_string_equal(text.data, want);
	buf_close(&text);
	json_object_put(obj_taken);
}

static void test_sources(void **state)
{
	struct json_object *map = new_object("ConfigMap"), *secret = new_object("Secret");

	(void)state;
	setenv("KEY_VALUES_TEST", "here", 1);
	assert_int_equal(add(map, SOURCE_FILE, "some", NULL), 0);
	assert_int_equal(add(map, SOURCE_FILE, "k=some/a.txt", NULL), 0);
	assert_int_equal(add(map, SOURCE_LITERAL, "l=a=b,c", NULL), 0);
	assert_content(map, "{\"data\":{\"a.txt\":\"text\\n\",\"k\":\"text\\n\",\"l\":\"a=b,c\"},"
			    "\"binaryData\":{\"b.bin\":\"//4=\"}}");
	assert_int_equal(add(secret, SOURCE_FILE, "some/b.bin", NULL), 0);
	assert_int_equal(add(secret, SOURCE_LITERAL, "l=text", NULL), 0);
	assert_content(secret, "{\"data\":{\"b.bin\":\"//4=\",\"l\":\"dGV4dA==\"}}");
	map = new_object("ConfigMap");
	assert_int_equal(add(map, SOURCE_ENV_FILE, "env", NULL), 0);
	assert_content(map, "{\"data\":{\"A\":\"1\",\"B\":\"x=y\",\"KEY_VALUES_TEST\":\"here\","
			    "\"NOT_SET_ANYWHERE\":\"\"}}");
}

static void check_refused(const char *kind, enum source source, const char *word, const char *why)
{
	struct json_object *obj = new_object(kind);
	struct err err = ERR_INIT;

	assert_int_equal(add(obj, SOURCE_LITERAL, "there=1", NULL), 0);
	assert_int_equal(add(obj, source, word, &err), -1);
	assert_non_null(strstr(err.msg, why));
	json_object_put(obj);
}

static void test_refused(void **state)
{
	(void)state;
	check_refused(
	    "ConfigMap", SOURCE_LITERAL, "there=2",
	    "cannot add key \"there\", another key by that name already exists in Data for ConfigMap \"c\"");
	check_refused("Secret", SOURCE_LITERAL, "there=2",
		      "cannot add key there, another key by that name already exists");
	check_refused("ConfigMap", SOURCE_LITERAL, "a", "invalid literal source a, expected key=value");
	check_refused("ConfigMap", SOURCE_LITERAL, "=a", "invalid literal source =a");
	check_refused("ConfigMap", SOURCE_LITERAL, "a b=c",
		      "\"a b\" is not a valid key name for a ConfigMap: ");
	check_refused("ConfigMap", SOURCE_FILE, "nothing",
		      "error reading nothing: no such file or directory");
	check_refused("ConfigMap", SOURCE_FILE, "k=some", "cannot give a key name for a directory path");
	check_refused("ConfigMap", SOURCE_FILE, "a=b=c", "key names or file paths cannot contain '='");
	check_refused("ConfigMap", SOURCE_FILE, "=a", "key name for file path a missing");
	check_refused("ConfigMap", SOURCE_FILE, "a=", "file path for key name a missing");
	check_refused("Secret", SOURCE_ENV_FILE, "some", "env secret file cannot be a directory");
	check_refused("Secret", SOURCE_ENV_FILE, "env.bad", "\"1A\" is not a valid key name: ");
}

/* The names are those that kubectl gives. */
static void test_hash(void **state)
{
	struct json_object *map = new_object("ConfigMap"), *secret = new_object("Secret");

	(void)state;
	key_values_append_hash(map);
	assert_string_equal(json_str(json_get(map, "metadata"), "name"), "c-94b26g54cg");
	json_object_put(map);
	map = new_object("ConfigMap");
	assert_int_equal(add(map, SOURCE_LITERAL, "a=1", NULL), 0);
	key_values_append_hash(map);
	assert_string_equal(json_str(json_get(map, "metadata"), "name"), "c-9dtcmmmm5t");
	json_object_put(map);
	json_set_str(json_get(secret, "metadata"), "name", "s");
	assert_int_equal(add(secret, SOURCE_LITERAL, "a=b", NULL), 0);
	key_values_append_hash(secret);
	assert_string_equal(json_str(json_get(secret, "metadata"), "name"), "s-7fd2tm89d8");
	json_object_put(secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
