#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/crash/objects.h"

enum { CONFIG_MAP = 2, POD = OBJECTS_CONFIG_MAPS };

/* The body of a write as the server would show it. */
static struct json_object *body_of(const struct op *op, uint32_t number)
{
	struct objects_request request;
	struct json_object *obj = NULL;
	struct json_object *meta;

	objects_request(&request, op, number, "u");
	assert_int_equal(json_parse(request.body.data, request.body.len, &obj, NULL, NULL), 0);
	objects_request_close(&request);
	meta = json_ensure_object(obj, "metadata");
	json_set_str(meta, "namespace", "default");
	json_set_str(meta, "uid", "u");
	json_set_str(meta, "resourceVersion", "7");
	return obj;
}

static void expect_state(const struct json_object *obj, unsigned object, uint32_t slot0, uint32_t slot1,
			 bool torn)
{
	struct state state;
	unsigned shown;
	const char *uid;

	assert_true(objects_parse(obj, &shown, &state, &uid));
	assert_int_equal(shown, object);
	assert_int_equal(state.revision, 7);
	assert_int_equal(state.uid, objects_uid_hash("u"));
	assert_int_equal(state.slots[0], slot0);
	assert_int_equal(state.slots[1], slot1);
	assert_int_equal(state.torn, torn);
}

static void test_a_body_reads_back(void **state)
{
	struct op create = { .kind = OP_CREATE, .object = CONFIG_MAP };
	struct op update = { .kind = OP_UPDATE, .object = CONFIG_MAP, .carried = 12, .if_revision = 5 };
	struct op pod = { .kind = OP_CREATE, .object = POD };
	struct json_object *obj;

	(void)state;
	obj = body_of(&create, 1234);
	expect_state(obj, CONFIG_MAP, 1234, 0, false);
	json_object_put(obj);
	obj = body_of(&update, 1235);
	expect_state(obj, CONFIG_MAP, 1235, 12, false);
	json_object_put(obj);
	obj = body_of(&pod, 1236);
	expect_state(obj, POD, 1236, 0, false);
	json_set_str(json_get(obj, "spec"), "nodeName", "n99");
	expect_state(obj, POD, 1236, 99, false);
	json_object_put(obj);
}

static void test_parts_of_two_writes_are_torn(void **state)
{
	struct op create = { .kind = OP_CREATE, .object = CONFIG_MAP };
	struct json_object *obj = body_of(&create, 1234), *other = body_of(&create, 1236);
	const char *pad = json_str(json_get(other, "data"), "pad");

	(void)state;
	json_set_str(json_get(obj, "data"), "a", "1235");
	expect_state(obj, CONFIG_MAP, 1235, 0, true);
	json_set_str(json_get(obj, "data"), "a", "1234");
	json_set_str(json_get(obj, "data"), "pad", pad);
	expect_state(obj, CONFIG_MAP, 1234, 0, true);
	json_object_put(obj);
	json_object_put(other);
}

static void test_others_objects_are_none_of_ours(void **state)
{
	struct op create = { .kind = OP_CREATE, .object = CONFIG_MAP };
	struct json_object *obj = body_of(&create, 1);
	struct state shown;
	unsigned object;
	const char *uid;

	(void)state;
	json_set_str(json_get(obj, "metadata"), "namespace", "kube-public");
	assert_false(objects_parse(obj, &object, &shown, &uid));
	json_set_str(json_get(obj, "metadata"), "namespace", "default");
	json_set_str(json_get(obj, "metadata"), "name", "kube-root-ca.crt");
	assert_false(objects_parse(obj, &object, &shown, &uid));
	assert_false(objects_parse(NULL, &object, &shown, &uid));
	json_object_put(obj);
}

static void test_paths(void **state)
{
	struct selection selection = { HISTORY_POD, 1, -1, 0, true };
	struct buf path = BUF_INIT;

	(void)state;
	objects_path(&path, CONFIG_MAP);
	assert_string_equal(path.data, "/api/v1/namespaces/default/configmaps/o2");
	buf_reset(&path);
	objects_selection_path(&path, &selection);
	assert_string_equal(path.data, "/api/v1/namespaces/kube-public/pods?labelSelector=half%3D0&"
				       "fieldSelector=spec.nodeName%3D&");
	buf_close(&path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_body_reads_back),
		cmocka_unit_test(test_parts_of_two_writes_are_torn),
		cmocka_unit_test(test_others_objects_are_none_of_ours),
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
