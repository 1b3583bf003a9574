#include "controller/garbage.h"
#include "tests/unit/controller/controller_fixture.h"

#define MAPS "/api/v1/namespaces/ns/configmaps/"
#define MAP(name, uid, rv, more) \
	"{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"ns\",\"uid\":\"" uid "\",\"resourceVersion\":\"" rv "\"" more "}}"
#define OWNED(name, uid) \
	",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"" name "\",\"uid\":\"" uid "\",\"blockOwnerDeletion\":true}]"

static const struct fixture_list lists[] = {
	{ "/api/v1/configmaps", MAP("parent", "u-parent", "1", "") "," MAP("child", "u-child", "2", OWNED("parent", "u-parent")) ","
				MAP("orphan", "u-orphan", "3", OWNED("lost", "u-lost")) ","
				MAP("young", "u-young", "4", OWNED("new", "u-new")) ","
				MAP("elsewhere", "u-elsewhere", "5", ",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"name\":\"parent\",\"uid\":\"u-parent\"}]") ","
				MAP("odd", "u-odd", "6", ",\"ownerReferences\":[{\"apiVersion\":\"x/v1\",\"kind\":\"Odd\",\"name\":\"o\",\"uid\":\"u-o\"}]") },
	{ NULL, NULL },
};

static int answer(const char *method, const char *path, const char **ret_body)
{
	if (strcmp(method, "GET") == 0 && strcmp(path, MAPS "new") == 0) {
		*ret_body = "{\"metadata\":{\"name\":\"new\",\"uid\":\"u-new\"}}";
		return 200;
	}
	return strcmp(method, "GET") == 0 ? 404 : 200;
}

#define DELETED(name, uid, rv) \
	"DELETE " MAPS name " {\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"propagationPolicy\":\"Background\"," \
	"\"preconditions\":{\"resourceVersion\":\"" rv "\",\"uid\":\"" uid "\"}}"

static void test_background(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, lists, answer);
	struct garbage *garbage = garbage_new(f.server.loop, f.client, f.cache);
	fixture_wait_synced(&f);
	garbage_synced(garbage);
	/* Its owner is not there: the server says so. */
	LOOP_UNTIL(f.server.loop, fixture_has(&f, DELETED("orphan", "u-orphan", "3")));
	assert_true(fixture_has(&f, "GET " MAPS "lost"));
	/* A reference whose uid belongs to something else points nowhere. */
	LOOP_UNTIL(f.server.loop, fixture_has(&f, DELETED("elsewhere", "u-elsewhere", "5")));
	/* The owner goes while we watch: nobody has to be asked. */
	assert_false(fixture_has(&f, "DELETE " MAPS "child"));
	fixture_event(&f, "/api/v1/configmaps", "{\"type\":\"DELETED\",\"object\":" MAP("parent", "u-parent", "11", "") "}");
	LOOP_UNTIL(f.server.loop, fixture_has(&f, DELETED("child", "u-child", "2")));
	assert_false(fixture_has(&f, "GET " MAPS "parent"));
	/* An owner that the server has, and one of a kind that nobody knows, protect. */
	LOOP_UNTIL(f.server.loop, fixture_has(&f, "GET " MAPS "new"));
	assert_false(fixture_has(&f, "DELETE " MAPS "young"));
	assert_false(fixture_has(&f, "DELETE " MAPS "odd"));
	fixture_settle(&f);
	garbage_free(garbage);
	fixture_stop(&f);
}

#define DELETING(finalizer) ",\"deletionTimestamp\":\"2023-11-14T22:13:20Z\",\"finalizers\":[\"" finalizer "\"]"
#define CHANGED(type, object) "{\"type\":\"" type "\",\"object\":" object "}"

static void test_foreground(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, lists, answer);
	struct garbage *garbage = garbage_new(f.server.loop, f.client, f.cache);
	fixture_wait_synced(&f);
	garbage_synced(garbage);
	fixture_event(&f, "/api/v1/configmaps", CHANGED("MODIFIED", MAP("parent", "u-parent", "11", DELETING("foregroundDeletion"))));
	LOOP_UNTIL(f.server.loop, fixture_has(&f, DELETED("child", "u-child", "2")));
	assert_false(fixture_has(&f, "PATCH " MAPS "parent"));
	fixture_event(&f, "/api/v1/configmaps", CHANGED("DELETED", MAP("child", "u-child", "12", OWNED("parent", "u-parent"))));
	LOOP_UNTIL(f.server.loop, fixture_has(&f, "PATCH " MAPS "parent {\"metadata\":{\"uid\":\"u-parent\","
						  "\"$deleteFromPrimitiveList/finalizers\":[\"foregroundDeletion\"]}}"));
	fixture_settle(&f);
	garbage_free(garbage);
	fixture_stop(&f);
}

static void test_orphan(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, lists, answer);
	struct garbage *garbage = garbage_new(f.server.loop, f.client, f.cache);
	fixture_wait_synced(&f);
	garbage_synced(garbage);
	fixture_event(&f, "/api/v1/configmaps", CHANGED("MODIFIED", MAP("parent", "u-parent", "11", DELETING("orphan"))));
	LOOP_UNTIL(f.server.loop, fixture_has(&f, "PATCH " MAPS "child {\"metadata\":{\"uid\":\"u-child\",\"ownerReferences\":"
						  "[{\"$patch\":\"delete\",\"uid\":\"u-parent\"}]}}"));
	assert_false(fixture_has(&f, "PATCH " MAPS "parent"));
	fixture_event(&f, "/api/v1/configmaps", CHANGED("DELETED", MAP("elsewhere", "u-elsewhere", "12", "")));
	fixture_event(&f, "/api/v1/configmaps", CHANGED("MODIFIED", MAP("child", "u-child", "13", "")));
	LOOP_UNTIL(f.server.loop, fixture_has(&f, "PATCH " MAPS "parent {\"metadata\":{\"uid\":\"u-parent\","
						  "\"$deleteFromPrimitiveList/finalizers\":[\"orphan\"]}}"));
	assert_false(fixture_has(&f, "DELETE " MAPS "child"));
	fixture_settle(&f);
	garbage_free(garbage);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_background),
		cmocka_unit_test(test_foreground),
		cmocka_unit_test(test_orphan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
