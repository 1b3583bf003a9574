/* Stories of managers who apply and update one object of a small schema that has every shape there is. */
#include "api/apply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct schema_field item_fields[] = {
	{ .name = "image", .type = SCHEMA_STRING },
	{ .name = "name", .type = SCHEMA_STRING },
	{ .name = "port", .type = SCHEMA_INT32 },
	{ .name = "protocol",
	  .type = SCHEMA_STRING,
	  .texts = &(const struct schema_texts){ .default_value = "\"TCP\"" } },
};
static const struct schema_def item = { .name = "t.v1.Item", .own_fields = item_fields, .n_fields = 4 };

static const struct schema_field selector_fields[] = {
	{ .name = "a", .type = SCHEMA_STRING },
	{ .name = "b", .type = SCHEMA_STRING },
};
static const struct schema_def selector = {
	.name = "t.v1.Selector", .own_fields = selector_fields, .n_fields = 2, .atomic = true
};

static const struct schema_field spec_fields[] = {
	{ .name = "any", .type = SCHEMA_ANY },
	{ .name = "args", .type = SCHEMA_STRING, .container = SCHEMA_ARRAY, .list = SCHEMA_LIST_ATOMIC },
	{ .name = "items",
	  .type = SCHEMA_OBJECT,
	  .container = SCHEMA_ARRAY,
	  .list = SCHEMA_LIST_MAP,
	  .texts = &(const struct schema_texts){ .list_map_keys = "name" },
	  .def = &item },
	{ .name = "map", .type = SCHEMA_STRING, .container = SCHEMA_MAP },
	{ .name = "ports",
	  .type = SCHEMA_OBJECT,
	  .container = SCHEMA_ARRAY,
	  .list = SCHEMA_LIST_MAP,
	  .texts = &(const struct schema_texts){ .list_map_keys = "port,protocol" },
	  .def = &item },
	{ .name = "replicas", .type = SCHEMA_INT32 },
	{ .name = "selector", .type = SCHEMA_OBJECT, .def = &selector },
	{ .name = "set", .type = SCHEMA_STRING, .container = SCHEMA_ARRAY, .list = SCHEMA_LIST_SET },
	{ .name = "whole", .type = SCHEMA_STRING, .container = SCHEMA_MAP, .map_atomic = true },
};
static const struct schema_def spec = { .name = "t.v1.Spec", .own_fields = spec_fields, .n_fields = 9 };

static const struct schema_field root_fields[] = {
	{ .name = "apiVersion", .type = SCHEMA_STRING },
	{ .name = "spec", .type = SCHEMA_OBJECT, .def = &spec, .zero = true },
};
static const struct schema_def root = { .name = "t.v1.Root", .own_fields = root_fields, .n_fields = 2 };

enum what { END, UPDATE, APPLY, FORCE };

struct step {
	enum what what;
	const char *manager, *text;
	const char *object;  /* what it is then; NULL: unchanged */
	const char *owners;  /* "MANAGER FIELDS\n" each, appliers first */
	const char *failure; /* or NULL */
};

struct object {
	struct json_object *value; /* NULL: none yet */
	struct buf managed;
};

static struct json_object *parse(const char *text)
{
	struct json_object *obj = NULL;
	struct err err = ERR_INIT;

	if (json_parse(text, strlen(text), &obj, NULL, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return obj;
}

static void expect_owners(const struct buf *managed, const char *expected)
{
	struct managed_fields fields;
	struct err err = ERR_INIT;
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	if (managed_fields_parse(managed->data ? managed->data : "", managed->len, &fields, &err) < 0)
		fail_msg("%s: %s", managed->data, err.msg);
	for (size_t i = 0; i < fields.n; i++) {
		buf_printf(&b, "%s ", fields.entries[i].manager);
		field_set_write(&b, fields.entries[i].set);
		buf_char(&b, '\n');
	}
	assert_string_equal(b.data ? b.data : "", expected);
	managed_fields_close(&fields);
}

static int play(struct object *object, const struct step *step, struct managed_writer writer, struct err *err)
{
	CLEANUP(json_putp) struct json_object *given = parse(step->text);
	CLEANUP(json_putp) struct json_object *after = NULL;
	CLEANUP(buf_close) struct buf managed = BUF_INIT;
	struct field_errors conflicts = FIELD_ERRORS_INIT;
	struct apply apply = { .def = &root,
			       .live = object->value,
			       .managed = object->managed.data,
			       .managed_len = object->managed.len,
			       .config = given,
			       .writer = writer,
			       .force = step->what == FORCE };
	int result = 0;

	if (step->what == UPDATE) {
		managed_fields_after_write(&root, object->value, object->managed.data, object->managed.len,
					   given, NULL, &writer, &managed);
		after = json_object_get(given);
	} else {
		result = apply_object(&apply, &after, &managed, &conflicts, err);
	}
	field_errors_close(&conflicts);
	if (result < 0)
		return -1;
	if (after) {
		json_object_put(object->value);
		object->value = TAKE(after);
	}
	buf_close(&object->managed);
	object->managed = managed;
	managed = BUF_INIT;
	return 0;
}

static void run(const struct step *steps)
{
	struct object object = { 0 };

	for (size_t i = 0; steps[i].what != END; i++) {
		const struct step *step = &steps[i];
		char now[48];
		struct err err = ERR_INIT;
		snprintf(now, sizeof(now), "2026-01-01T00:00:%02zuZ", i);
		struct managed_writer writer = { step->manager, "t/v1", "", now, NULL };
		int result = play(&object, step, writer, &err);
		if (step->failure) {
			assert_int_equal(result, -1);
			assert_string_equal(err.msg, step->failure);
			continue;
		}
		if (result < 0)
			fail_msg("step %zu: %s", i, err.msg);
		if (step->object) {
			CLEANUP(json_putp) struct json_object *expected = parse(step->object);
			CLEANUP(buf_close) struct buf text = BUF_INIT;
			json_write(&text, object.value);
			if (!json_equal(object.value, expected))
				fail_msg("step %zu: %s", i, text.data);
		}
		expect_owners(&object.managed, step->owners);
	}
	json_object_put(object.value);
	buf_close(&object.managed);
}

#define C "k:{\\\"name\\\":\\\"c\\\"}"
#define D "k:{\\\"name\\\":\\\"d\\\"}"

static void test_conflict_force_and_giving_up(void **state)
{
	static const struct step steps[] = {
		{ APPLY, "one", "{\"spec\":{\"replicas\":3,\"map\":{\"a\":\"1\"}}}",
		  "{\"spec\":{\"replicas\":3,\"map\":{\"a\":\"1\"}}}",
		  "one {\"f:spec\":{\"f:map\":{\"f:a\":{}},\"f:replicas\":{}}}\n", NULL },
		{ APPLY, "two", "{\"spec\":{\"replicas\":5}}", NULL, NULL,
		  "Apply failed with 1 conflict: conflict with \"one\": .spec.replicas" },
		{ APPLY, "two", "{\"spec\":{\"replicas\":5,\"map\":{\"a\":\"2\"}}}", NULL, NULL,
		  "Apply failed with 2 conflicts: conflicts with \"one\":\n- .spec.replicas\n- .spec.map.a" },
		{ APPLY, "two", "{\"spec\":{\"replicas\":3}}", NULL,
		  "two {\"f:spec\":{\"f:replicas\":{}}}\n"
		  "one {\"f:spec\":{\"f:map\":{\"f:a\":{}},\"f:replicas\":{}}}\n",
		  NULL },
		{ FORCE, "two", "{\"spec\":{\"replicas\":5}}",
		  "{\"spec\":{\"replicas\":5,\"map\":{\"a\":\"1\"}}}",
		  "one {\"f:spec\":{\"f:map\":{\"f:a\":{}}}}\ntwo {\"f:spec\":{\"f:replicas\":{}}}\n", NULL },
		{ APPLY, "two", "{\"spec\":{}}", "{\"spec\":{\"map\":{\"a\":\"1\"}}}",
		  "one {\"f:spec\":{\"f:map\":{\"f:a\":{}}}}\ntwo {\"f:spec\":{}}\n", NULL },
		{ APPLY, "two", "{}", NULL, "one {\"f:spec\":{\"f:map\":{\"f:a\":{}}}}\n", NULL },
		{ END, NULL, NULL, NULL, NULL, NULL },
	};
	(void)state;
	run(steps);
}

static void test_updates_take_what_they_change(void **state)
{
	static const struct step steps[] = {
		{ UPDATE, "boss", "{\"spec\":{\"replicas\":1,\"set\":[\"x\"],\"args\":[\"a\"]}}", NULL,
		  "boss "
		  "{\"f:spec\":{\"f:args\":{},\"f:replicas\":{},\"f:set\":{\".\":{},\"v:\\\"x\\\"\":{}}}}\n",
		  NULL },
		{ UPDATE, "other", "{\"spec\":{\"replicas\":1,\"set\":[\"x\",\"y\"],\"args\":[\"a\",\"b\"]}}",
		  NULL,
		  "boss {\"f:spec\":{\"f:replicas\":{},\"f:set\":{\".\":{},\"v:\\\"x\\\"\":{}}}}\n"
		  "other {\"f:spec\":{\"f:args\":{},\"f:set\":{\"v:\\\"y\\\"\":{}}}}\n",
		  NULL },
		{ UPDATE, "boss", "{\"spec\":{\"replicas\":1,\"set\":[\"y\"],\"args\":[\"a\",\"b\"]}}", NULL,
		  "boss {\"f:spec\":{\"f:replicas\":{},\"f:set\":{}}}\n"
		  "other {\"f:spec\":{\"f:args\":{},\"f:set\":{\"v:\\\"y\\\"\":{}}}}\n",
		  NULL },
		{ APPLY, "ci", "{\"spec\":{\"replicas\":2}}", NULL, NULL,
		  "Apply failed with 1 conflict: conflict with \"boss\" using t/v1: .spec.replicas" },
		{ END, NULL, NULL, NULL, NULL, NULL },
	};
	(void)state;
	run(steps);
}

/* Items by their keys; a default stands for a key that is left out; order is that of what is there, then as
 * applied. */
static void test_lists(void **state)
{
	static const struct step steps[] = {
		{ APPLY, "one",
		  "{\"spec\":{\"items\":[{\"name\":\"c\",\"image\":\"1\"}],\"ports\":[{\"port\":80}]}}", NULL,
		  "one {\"f:spec\":{\"f:items\":{\"" C "\":{\".\":{},\"f:image\":{},\"f:name\":{}}},"
		  "\"f:ports\":{\"k:{\\\"port\\\":80,\\\"protocol\\\":\\\"TCP\\\"}\":{\".\":{},\"f:port\":{}}"
		  "}}}\n",
		  NULL },
		{ APPLY, "two",
		  "{\"spec\":{\"items\":[{\"name\":\"d\",\"image\":\"2\"},{\"name\":\"c\"}],"
		  "\"ports\":[{\"port\":80,\"protocol\":\"TCP\",\"name\":\"web\"}]}}",
		  "{\"spec\":{\"items\":[{\"name\":\"d\",\"image\":\"2\"},{\"name\":\"c\",\"image\":\"1\"}],"
		  "\"ports\":[{\"port\":80,\"protocol\":\"TCP\",\"name\":\"web\"}]}}",
		  "one {\"f:spec\":{\"f:items\":{\"" C "\":{\".\":{},\"f:image\":{},\"f:name\":{}}},"
		  "\"f:ports\":{\"k:{\\\"port\\\":80,\\\"protocol\\\":\\\"TCP\\\"}\":{\".\":{},\"f:port\":{}}"
		  "}}}\n"
		  "two {\"f:spec\":{\"f:items\":{\"" C "\":{\".\":{},\"f:name\":{}},\"" D
		  "\":{\".\":{},\"f:image\":{},\"f:name\":{}}},"
		  "\"f:ports\":{\"k:{\\\"port\\\":80,\\\"protocol\\\":\\\"TCP\\\"}\":"
		  "{\".\":{},\"f:name\":{},\"f:port\":{},\"f:protocol\":{}}}}}\n",
		  NULL },
		/* What another has stays; the item only he had goes. */
		{ APPLY, "two", "{\"spec\":{}}",
		  "{\"spec\":{\"items\":[{\"name\":\"c\",\"image\":\"1\"}],\"ports\":[{\"port\":80}]}}",
		  "one {\"f:spec\":{\"f:items\":{\"" C "\":{\".\":{},\"f:image\":{},\"f:name\":{}}},"
		  "\"f:ports\":{\"k:{\\\"port\\\":80,\\\"protocol\\\":\\\"TCP\\\"}\":{\".\":{},\"f:port\":{}}"
		  "}}}\n"
		  "two {\"f:spec\":{}}\n",
		  NULL },
		{ APPLY, "two", "{\"spec\":{\"items\":[{\"name\":\"c\"},{\"name\":\"c\"}]}}", NULL, NULL,
		  ".spec.items: duplicate entries for key [name=\"c\"]" },
		{ APPLY, "two", "{\"spec\":{\"items\":[{\"image\":\"c\"}]}}", NULL, NULL,
		  ".spec.items: element 0: associative list with keys has an element that omits all key "
		  "fields "
		  "[\"name\"] (and doesn't have default values for any key fields)" },
		{ APPLY, "two", "{\"spec\":{\"nope\":1,\"replicas\":\"x\"}}", NULL, NULL,
		  "errors:\n  .spec.nope: field not declared in schema\n  .spec.replicas: expected numeric "
		  "(int or "
		  "float), got string" },
		{ APPLY, "two", "{\"spec\":[]}", NULL, NULL, ".spec: expected map, got []" },
		{ END, NULL, NULL, NULL, NULL, NULL },
	};
	(void)state;
	run(steps);
}

/* Atomic maps, structs and lists are one field each; any value is granular in its maps and atomic in its
 * lists. */
static void test_atomic_and_any(void **state)
{
	static const struct step steps[] = {
		{ APPLY, "one",
		  "{\"spec\":{\"selector\":{\"a\":\"1\"},\"whole\":{\"k\":\"v\"},\"any\":{\"m\":{\"x\":1},"
		  "\"l\":[1]}}}",
		  NULL,
		  "one "
		  "{\"f:spec\":{\"f:any\":{\"f:l\":{},\"f:m\":{\".\":{},\"f:x\":{}}},\"f:selector\":"
		  "{},\"f:whole\":{}}}\n",
		  NULL },
		{ APPLY, "two", "{\"spec\":{\"selector\":{\"b\":\"1\"},\"any\":{\"l\":[1,2]}}}", NULL, NULL,
		  "Apply failed with 2 conflicts: conflicts with \"one\":\n- .spec.selector\n- .spec.any.l" },
		{ FORCE, "two", "{\"spec\":{\"selector\":{\"b\":\"1\"},\"any\":{\"m\":3}}}",
		  "{\"spec\":{\"selector\":{\"b\":\"1\"},\"whole\":{\"k\":\"v\"},\"any\":{\"m\":3,\"l\":[1]}}"
		  "}",
		  "one {\"f:spec\":{\"f:any\":{\"f:l\":{}},\"f:whole\":{}}}\n"
		  "two {\"f:spec\":{\"f:any\":{\"f:m\":{}},\"f:selector\":{}}}\n",
		  NULL },
		{ END, NULL, NULL, NULL, NULL, NULL },
	};
	(void)state;
	run(steps);
}

/* An object that was never tracked belongs to nobody in particular. */
static void test_before_first_apply(void **state)
{
	struct object object = { .value = parse("{\"spec\":{\"replicas\":1,\"args\":[\"a\"]}}") };
	struct managed_writer writer = { "one", "t/v1", "", "2026-01-01T00:00:00Z", NULL };
	struct err err = ERR_INIT;
	const struct step update = { UPDATE, "one", "{\"spec\":{\"replicas\":2,\"args\":[\"a\"]}}",
				     NULL,   NULL,  NULL };
	const struct step take = { APPLY, "one", "{\"spec\":{\"replicas\":3}}", NULL, NULL, NULL };
	const struct step share = { APPLY, "one", "{\"spec\":{\"replicas\":2}}", NULL, NULL, NULL };
	(void)state;

	assert_int_equal(play(&object, &update, writer, &err), 0);
	expect_owners(&object.managed, "");
	assert_int_equal(play(&object, &take, writer, &err), -1);
	assert_string_equal(err.msg,
			    "Apply failed with 1 conflict: conflict with \"before-first-apply\" using "
			    "t/v1: .spec.replicas");
	assert_int_equal(play(&object, &share, writer, &err), 0);
	expect_owners(&object.managed, "one {\"f:spec\":{\"f:replicas\":{}}}\n"
				       "before-first-apply {\"f:spec\":{\"f:args\":{},\"f:replicas\":{}}}\n");
	json_object_put(object.value);
	buf_close(&object.managed);
}

/* More updaters than are kept: the oldest become one, and what they own is not lost. */
static void test_ancient_changes(void **state)
{
	struct object object = { 0 };
	struct err err = ERR_INIT;
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct managed_fields fields;
	(void)state;

	buf_str(&text, "{\"spec\":{\"map\":{\"first\":\"0\"");
	for (int i = 0; i < MANAGED_UPDATES_MAX + 4; i++) {
		char now[48], manager[16];
		snprintf(now, sizeof(now), "2026-01-01T00:00:%02dZ", i);
		snprintf(manager, sizeof(manager), "m%02d", i);
		buf_printf(&text, ",\"k%02d\":\"1\"", i);
		CLEANUP(mem_freep) char *object_text = mem_printf("%s}}}", text.data);
		struct step step = { UPDATE, manager, object_text, NULL, NULL, NULL };
		struct managed_writer writer = { manager, "t/v1", "", now, NULL };
		assert_int_equal(play(&object, &step, writer, &err), 0);
	}
	assert_int_equal(managed_fields_parse(object.managed.data, object.managed.len, &fields, &err), 0);
	assert_int_equal(fields.n, MANAGED_UPDATES_MAX);
	assert_string_equal(fields.entries[0].manager, "ancient-changes");
	assert_string_equal(fields.entries[0].time, "2026-01-01T00:00:04Z");
	CLEANUP(buf_close) struct buf set = BUF_INIT;
	field_set_write(&set, fields.entries[0].set);
	assert_string_equal(set.data,
			    "{\"f:spec\":{\"f:map\":{\".\":{},\"f:first\":{},\"f:k00\":{},\"f:k01\":{},"
			    "\"f:k02\":{},\"f:k03\":{},\"f:k04\":{}}}}");
	managed_fields_close(&fields);
	json_object_put(object.value);
	buf_close(&object.managed);
}

/* What kubectl had applied by itself, by its annotation, the server lets it go on with. */
static void test_kubectl_goes_on(void **state)
{
	static const struct schema_field annotations[] = {
		{ .name = "annotations", .type = SCHEMA_STRING, .container = SCHEMA_MAP },
	};
	static const struct schema_def metadata = { .name = "t.v1.Meta",
						    .own_fields = annotations,
						    .n_fields = 1 };
	static const struct schema_field fields[] = {
		{ .name = "apiVersion", .type = SCHEMA_STRING },
		{ .name = "metadata", .type = SCHEMA_OBJECT, .def = &metadata, .zero = true },
		{ .name = "spec", .type = SCHEMA_OBJECT, .def = &spec, .zero = true },
	};
	static const struct schema_def def = { .name = "t.v1.Root", .own_fields = fields, .n_fields = 3 };
	static const char key[] = "kubectl.kubernetes.io/last-applied-configuration";
	CLEANUP(json_putp)
	struct json_object *live =
	    parse("{\"apiVersion\":\"t/v1\",\"spec\":{\"replicas\":1,\"args\":[\"a\"]}}");
	CLEANUP(json_putp)
	struct json_object *config = parse("{\"apiVersion\":\"t/v1\",\"spec\":{\"replicas\":2}}");
	struct managed_writer client = { "kubectl-client-side-apply", "t/v1", "", "2026-01-01T00:00:00Z",
					 NULL };
	CLEANUP(buf_close) struct buf before = BUF_INIT, after = BUF_INIT;
	struct field_errors conflicts = FIELD_ERRORS_INIT;
	struct json_object *result = NULL;
	struct err err = ERR_INIT;
	(void)state;

	json_set_str(json_ensure_object(json_ensure_object(live, "metadata"), "annotations"), key,
		     "{\"apiVersion\":\"t/v1\",\"spec\":{\"replicas\":1}}");
	managed_fields_after_write(&def, NULL, "", 0, live, NULL, &client, &before);
	struct apply apply = { .def = &def,
			       .live = live,
			       .managed = before.data,
			       .managed_len = before.len,
			       .config = config,
			       .writer = { "ci", "t/v1", "", "2026-01-01T00:00:01Z", NULL } };
	assert_int_equal(apply_object(&apply, &result, &after, &conflicts, &err), -1);
	assert_int_equal(conflicts.n, 1);
	field_errors_close(&conflicts);

	apply.writer.manager = "kubectl";
	assert_int_equal(apply_object(&apply, &result, &after, &conflicts, &err), 0);
	assert_int_equal(json_int(json_get(result, "spec"), "replicas", 0), 2);
	assert_string_equal(
	    json_str(json_path(result, "metadata", "annotations", NULL), key),
	    "{\"apiVersion\":\"t/v1\",\"metadata\":{\"annotations\":{}},\"spec\":{\"replicas\":2}}\n");
	json_object_put(result);
	buf_reset(&after);

	/* Not of what it never said. */
	json_object_put(config);
	config = parse("{\"apiVersion\":\"t/v1\",\"spec\":{\"args\":[\"b\"]}}");
	apply.config = config;
	assert_int_equal(apply_object(&apply, &result, &after, &conflicts, &err), -1);
	assert_string_equal(err.msg, "Apply failed with 1 conflict: conflict with "
				     "\"kubectl-client-side-apply\" using t/v1: .spec.args");
	field_errors_close(&conflicts);
}

/* A view's field: who owns it, and who takes it. */
static void test_view(void **state)
{
	struct object object = { 0 };
	struct err err = ERR_INIT;
	struct field_errors conflicts = FIELD_ERRORS_INIT;
	CLEANUP(buf_close) struct buf managed = BUF_INIT;
	const struct step create = { UPDATE, "boss", "{\"spec\":{\"replicas\":1,\"args\":[\"a\"]}}",
				     NULL,   NULL,   NULL };
	struct managed_writer boss = { "boss", "t/v1", "", "2026-01-01T00:00:00Z", NULL };
	(void)state;

	assert_int_equal(play(&object, &create, boss, &err), 0);
	struct apply_view view = { .managed = object.managed.data,
				   .managed_len = object.managed.len,
				   .path = "spec.replicas",
				   .shown_path = ".spec.replicas",
				   .shown_version = "autoscaling/v1",
				   .says = true,
				   .changes = true,
				   .writer = { "hpa", "t/v1", "scale", "2026-01-01T00:00:01Z", NULL } };
	assert_int_equal(apply_view(&view, &managed, &conflicts, &err), -1);
	assert_string_equal(err.msg, "Apply failed with 1 conflict: conflict with \"boss\" using "
				     "autoscaling/v1: .spec.replicas");
	field_errors_close(&conflicts);
	view.force = true;
	assert_int_equal(apply_view(&view, &managed, &conflicts, &err), 0);
	expect_owners(&managed, "hpa {\"f:spec\":{\"f:replicas\":{}}}\nboss {\"f:spec\":{\"f:args\":{}}}\n");
	json_object_put(object.value);
	buf_close(&object.managed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conflict_force_and_giving_up),
		cmocka_unit_test(test_updates_take_what_they_change),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_atomic_and_any),
		cmocka_unit_test(test_before_first_apply),
		cmocka_unit_test(test_ancient_changes),
		cmocka_unit_test(test_kubectl_goes_on),
		cmocka_unit_test(test_view),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
