#include "tests/unit/apiserver/core_fixture.h"

static void assert_bytes(const struct object *object, const char *expected)
{
	size_t len;
	const char *bytes = object_bytes(object, &len);

	assert_int_equal(len, strlen(expected));
	assert_memory_equal(bytes, expected, len);
}

static void test_layout(void **state)
{
	(void)state;
	CLEANUP(object_unrefp)
	struct object *o =
	    make(config_maps(),
		 "\"name\":\"a\",\"resourceVersion\":\"7\",\"namespace\":\"d\"},\"data\":{\"k\":\"v\"}");
	CLEANUP(buf_close) struct buf stored = BUF_INIT;
	size_t len;

	assert_bytes(
	    o,
	    "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"namespace\":\"d\"},"
	    "\"data\":{\"k\":\"v\"}}");
	object_set_revision(o, 42);
	assert_bytes(o, "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":"
			"\"42\",\"name\":\"a\","
			"\"namespace\":\"d\"},\"data\":{\"k\":\"v\"}}");
	object_set_revision(o, UINT64_MAX);
	assert_bytes(o,
		     "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":"
		     "\"18446744073709551615\",\"name\":\"a\",\"namespace\":\"d\"},\"data\":{\"k\":\"v\"}}");
	object_set_revision(o, 5);
	const char *item = object_item_bytes(o, &len);
	static const char expected[] =
	    "\"metadata\":{\"resourceVersion\":\"5\",\"name\":\"a\",\"namespace\":\"d\"},"
	    "\"data\":{\"k\":\"v\"}}";

	assert_int_equal(len, strlen(expected));
	assert_memory_equal(item, expected, len);
	object_write_stored(&stored, o);
	assert_string_equal(stored.data,
			    "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\","
			    "\"namespace\":\"d\"},\"data\":{\"k\":\"v\"}}");
}

static void test_empty_metadata(void **state)
{
	(void)state;
	CLEANUP(json_putp) struct json_object *obj = parse("{\"metadata\":{\"resourceVersion\":\"9\"}}");
	CLEANUP(object_unrefp) struct object *o = object_new(config_maps(), obj, NULL, 0);

	assert_bytes(o, "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{}}");
	object_set_revision(o, 3);
	assert_bytes(
	    o, "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"3\"}}");
}

#define MANAGED "[{\"manager\":\"m\",\"fieldsV1\":{\"f:data\":{}}}]"

static void assert_managed(const struct object *o, const char *expected)
{
	size_t len;
	const char *managed = object_managed(o, &len);

	assert_int_equal(len, strlen(expected));
	assert_memory_equal(managed, expected, len);
}

/* managedFields are text beside the value: last of metadata in the bytes, and not in what is parsed of them.
 */
static void test_managed(void **state)
{
	(void)state;
	CLEANUP(json_putp)
	struct json_object *obj = parse("{\"metadata\":{\"name\":\"a\",\"managedFields\":[{\"manager\":\"not "
					"this\"}]},\"data\":{\"k\":\"v\"}}");
	CLEANUP(object_unrefp)
	struct object *o = object_new(config_maps(), obj, MANAGED, strlen(MANAGED)), *loaded = NULL,
		      *without = object_new(config_maps(), obj, "", 0);
	CLEANUP(buf_close) struct buf stored = BUF_INIT, text = BUF_INIT;
	struct err err = ERR_INIT;

	assert_managed(o, MANAGED);
	assert_managed(without, "");
	object_set_revision(o, 12);
	assert_bytes(o, "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":"
			"\"12\",\"name\":\"a\","
			"\"managedFields\":" MANAGED "},\"data\":{\"k\":\"v\"}}");
	CLEANUP(json_putp) struct json_object *value = object_json(o);
	json_write(&text, value);
	assert_string_equal(
	    text.data,
	    "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"12\","
	    "\"name\":\"a\"},\"data\":{\"k\":\"v\"}}");
	object_write_stored(&stored, o);
	assert_int_equal(object_load(config_maps(), stored.data, stored.len, 12, &loaded, &err), 0);
	assert_managed(loaded, MANAGED);
	CLEANUP(object_unrefp) struct object *copy = object_copy_at(loaded, 13);
	assert_managed(copy, MANAGED);
}

static void test_parts(void **state)
{
	(void)state;
	CLEANUP(object_unrefp)
	struct object *o = make(
	    pods(),
	    "\"name\":\"web\",\"namespace\":\"shop\",\"uid\":\"u-1\",\"labels\":{\"tier\":\"front\",\"app\":"
	    "\"\","
	    "\"b\":\"2\"},\"ownerReferences\":[{\"uid\":\"r-1\"},{\"uid\":\"r-2\"}],\"deletionTimestamp\":"
	    "\"2026-01-01T00:00:00Z\",\"finalizers\":[\"x\"]},\"spec\":{\"nodeName\":\"n1\"},\"status\":{"
	    "\"phase\":\"Running\"}");
	size_t n;

	assert_string_equal(object_key(o), "shop/web");
	assert_string_equal(object_name(o), "web");
	assert_string_equal(object_namespace(o), "shop");
	assert_string_equal(object_uid(o), "u-1");
	assert_string_equal(object_label(o, "tier"), "front");
	assert_string_equal(object_label(o, "app"), "");
	assert_string_equal(object_label(o, "b"), "2");
	assert_null(object_label(o, "aa"));
	assert_null(object_label(o, "zz"));
	assert_string_equal(object_field(o, "spec.nodeName"), "n1");
	assert_string_equal(object_field(o, "status.phase"), "Running");
	assert_string_equal(object_field(o, "metadata.name"), "web");
	assert_string_equal(object_field(o, "metadata.namespace"), "shop");
	assert_null(object_field(o, "spec.nope"));
	const char *const *owners = object_owner_uids(o, &n);

	assert_int_equal(n, 2);
	assert_string_equal(owners[0], "r-1");
	assert_string_equal(owners[1], "r-2");
	assert_true(object_deleting(o));
	assert_true(object_has_finalizers(o));

	CLEANUP(object_unrefp) struct object *copy = object_copy_at(o, 88);

	owners = object_owner_uids(copy, &n);
	assert_string_equal(owners[1], "r-2");
	assert_true((const char *)owners[0] > (const char *)copy &&
		    owners[0] < (const char *)copy + object_size(copy));
	assert_int_equal(object_revision(copy), 88);
	assert_true(object_same(o, copy));
}

static void test_absent_fields(void **state)
{
	(void)state;
	CLEANUP(object_unrefp) struct object *pod = make(pods(), "\"name\":\"p\",\"namespace\":\"d\"}");
	CLEANUP(object_unrefp)
	struct object *node = make(resource_find("", "v1", "nodes"), "\"name\":\"n\"}");
	CLEANUP(object_unrefp)
	struct object *off =
	    make(resource_find("", "v1", "nodes"), "\"name\":\"n\"},\"spec\":{\"unschedulable\":true}");

	assert_string_equal(object_field(pod, "spec.nodeName"), "");
	assert_string_equal(object_field(node, "spec.unschedulable"), "false");
	assert_string_equal(object_field(off, "spec.unschedulable"), "true");
	assert_string_equal(object_key(node), "n");
	assert_string_equal(object_namespace(node), "");
	assert_false(object_deleting(pod));
	assert_false(object_has_finalizers(pod));
}

static void test_namespace_finalizers(void **state)
{
	(void)state;
	const struct resource *namespaces = resource_find("", "v1", "namespaces");
	CLEANUP(object_unrefp)
	struct object *with = make(namespaces, "\"name\":\"n\"},\"spec\":{\"finalizers\":[\"kubernetes\"]}");
	CLEANUP(object_unrefp)
	struct object *without = make(namespaces, "\"name\":\"n\"},\"spec\":{\"finalizers\":[]}");

	assert_true(object_has_finalizers(with));
	assert_false(object_has_finalizers(without));
}

static void test_store_and_load(void **state)
{
	(void)state;
	CLEANUP(object_unrefp)
	struct object *o = make(pods(), "\"name\":\"p\",\"namespace\":\"d\",\"labels\":{\"a\":\"1\"}},"
					"\"spec\":{\"x\":[1,2.50,true,\"\\u0001\\\"\"]}");
	CLEANUP(object_unrefp) struct object *loaded = NULL;
	CLEANUP(buf_close) struct buf stored = BUF_INIT;
	struct err err = ERR_INIT;

	object_set_revision(o, 12);
	object_write_stored(&stored, o);
	assert_int_equal(object_load(pods(), stored.data, stored.len, 12, &loaded, &err), 0);
	assert_true(object_same(o, loaded));
	assert_int_equal(object_size(o), object_size(loaded));
	assert_string_equal(object_label(loaded, "a"), "1");

	CLEANUP(json_putp) struct json_object *obj = object_json(loaded);

	assert_string_equal(json_str(json_get(obj, "metadata"), "resourceVersion"), "12");
	object_unrefp(&loaded);
	assert_int_equal(object_load(pods(), stored.data, stored.len - 2, 12, &loaded, &err), -1);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_int_equal(object_load(pods(), "{\"metadata\":{}}", 15, 12, &loaded, &err), -1);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_null(loaded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),         cmocka_unit_test(test_empty_metadata),
		cmocka_unit_test(test_managed),        cmocka_unit_test(test_parts),
		cmocka_unit_test(test_absent_fields),  cmocka_unit_test(test_namespace_finalizers),
		cmocka_unit_test(test_store_and_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
