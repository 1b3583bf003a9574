/* Kinds as a whole: what a new object becomes, what is wrong with one, and how one prints. The cases are
 * data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/decode.h"
#include "api/patch.h"
#include "api/validate.h"
#include "lib/timefmt.h"
#include "tests/support/cases.h"

#define CASES "tests/unit/api/cases/"

static const struct resource *resource_of(const struct json_object *obj)
{
	const struct resource *resource =
	    resource_find_kind(json_str(obj, "apiVersion"), json_str(obj, "kind"));

	assert_non_null(resource);
	return resource;
}

/* What the server makes of OBJ before it validates: decoded, defaulted, prepared. STATUS: only the status is
 * written. The caller's. */
static struct json_object *prepare(const struct json_object *obj, const struct json_object *old, bool status)
{
	const struct resource *resource = resource_of(obj);
	CLEANUP(buf_close) struct buf text = BUF_INIT, warnings = BUF_INIT;
	struct json_object *decoded = NULL, *metadata;
	struct err err = ERR_INIT;

	json_write(&text, obj);
	if (decode_object(resource, text.data, text.len, false, FIELD_VALIDATION_STRICT, &warnings, &decoded,
			  &err) != 0)
		fail_msg("%s: %s", text.data, err.msg);
	metadata = json_ensure_object(decoded, "metadata");
	if (resource->namespaced && !json_get(metadata, "namespace"))
		json_set_str(metadata, "namespace", "web");
	if (resource->kind->set_defaults)
		resource->kind->set_defaults(decoded);
	if (!old && resource->kind->prepare_create)
		resource->kind->prepare_create(decoded);
	if (status)
		return decoded;
	if (old && resource->kind->has_status && json_get(old, "status"))
		json_set(decoded, "status", json_clone(json_get(old, "status")));
	if (old && resource->kind->prepare_update)
		resource->kind->prepare_update(decoded, old);
	return decoded;
}

static void check_defaults(const char *name, struct json_object *test_case, void *arg)
{
	CLEANUP(json_putp) struct json_object *obj = prepare(json_get(test_case, "object"), NULL, false);
	CLEANUP(buf_close) struct buf got = BUF_INIT, expected = BUF_INIT, again = BUF_INIT;

	(void)arg;
	json_write_sorted(&got, obj);
	json_write_sorted(&expected, json_get(test_case, "result"));
	if (strcmp(got.data, expected.data) != 0)
		fail_msg("%s:\n got      %s\n expected %s", name, got.data, expected.data);
	/* Defaults run on every write. */
	if (resource_of(obj)->kind->set_defaults)
		resource_of(obj)->kind->set_defaults(obj);
	json_write_sorted(&again, obj);
	assert_string_equal(again.data, got.data);
}

static void test_defaults(void **state)
{
	(void)state;
	cases_each(CASES "defaults.jsonl", check_defaults, NULL);
	cases_each(CASES "defaults_more.jsonl", check_defaults, NULL);
}

static void validate(struct json_object *obj, struct json_object *old, const char *subresource,
		     struct buf *ret_message)
{
	struct field_errors errors = FIELD_ERRORS_INIT;

	validate_object(resource_of(obj), obj, old, subresource, &errors);
	if (errors.n > 0)
		field_errors_write(ret_message, &errors);
	field_errors_close(&errors);
}

/* Object in, or PATCH of OLD, as the server stored it; the message out. */
static int n_wrong;

static void check_validation(const char *name, struct json_object *test_case, void *arg)
{
	const struct json_object *before = json_get(test_case, "old"), *patch = json_get(test_case, "patch");
	CLEANUP(json_putp) struct json_object *old = before ? prepare(before, NULL, false) : NULL;
	const char *subresource = json_str(test_case, "subresource");
	CLEANUP(json_putp) struct json_object *patched = NULL;
	CLEANUP(json_putp) struct json_object *obj = NULL;
	CLEANUP(buf_close) struct buf message = BUF_INIT;

	(void)arg;
	if (patch)
		assert_int_equal(patch_strategic(resource_of(old)->def, old, patch, &patched, NULL), 0);
	obj = prepare(patch ? patched : json_get(test_case, "object"), old, subresource != NULL);

	validate(obj, old, subresource, &message);
	if (strcmp(message.data ? message.data : "", json_str(test_case, "message")) == 0)
		return;
	print_error("%s:\n got      %s\n expected %s\n", name, message.data ? message.data : "",
		    json_str(test_case, "message"));
	n_wrong++;
}

static void test_validation(void **state)
{
	(void)state;
	n_wrong = 0;
	cases_each(CASES "validation.jsonl", check_validation, NULL);
	cases_each(CASES "validation_more.jsonl", check_validation, NULL);
	cases_each(CASES "validation_rbac.jsonl", check_validation, NULL);
	cases_each(CASES "validation_kinds.jsonl", check_validation, NULL);
	assert_int_equal(n_wrong, 0);
}

static void check_cells(const char *name, struct json_object *test_case, void *arg)
{
	const struct json_object *obj = json_get(test_case, "object");
	const struct kind *kind = resource_of(obj)->kind;
	CLEANUP(json_putp) struct json_object *cells = json_object_new_array();
	CLEANUP(buf_close) struct buf got = BUF_INIT, expected = BUF_INIT;
	int64_t now_us;

	(void)arg;
	assert_true(time_parse("2026-01-01T01:00:00Z", &now_us));
	kind->cells(obj, now_us, cells);
	assert_int_equal(json_len(cells), kind->n_columns);
	json_write(&got, cells);
	json_write(&expected, json_get(test_case, "cells"));
	if (strcmp(got.data, expected.data) != 0)
		fail_msg("%s:\n got      %s\n expected %s", name, got.data, expected.data);
}

static void test_cells(void **state)
{
	(void)state;
	cases_each(CASES "cells.jsonl", check_cells, NULL);
	cases_each(CASES "cells_kinds.jsonl", check_cells, NULL);
}

/* Replaces the *COUNTDOWN-th value of a tree by a copy of VALUE; true when there were that many. */
static bool replace_nth(struct json_object *obj, size_t *countdown, const struct json_object *value)
{
	if (json_object_is_type(obj, json_type_array)) {
		for (size_t i = 0; i < json_len(obj); i++) {
			if ((*countdown)-- == 0) {
				json_object_array_put_idx(obj, i, json_clone(value));
				return true;
			}
			if (replace_nth(json_at(obj, i), countdown, value))
				return true;
		}
	} else if (json_object_is_type(obj, json_type_object)) {
		json_object_object_foreach(obj, key, member)
		{
			if ((*countdown)-- == 0) {
				json_object_object_add(obj, key, json_clone(value));
				return true;
			}
			if (replace_nth(member, countdown, value))
				return true;
		}
	}
	return false;
}

/* Everything that a server does with OBJ, on behalf of nothing but the sanitizers. */
static void run_all(const struct json_object *obj)
{
	const struct resource *resource = resource_of(obj);
	CLEANUP(buf_close) struct buf text = BUF_INIT, warnings = BUF_INIT, message = BUF_INIT;
	CLEANUP(json_putp) struct json_object *decoded = NULL, *old = NULL, *cells = json_object_new_array();

	json_write(&text, obj);
	if (decode_object(resource, text.data, text.len, false, FIELD_VALIDATION_IGNORE, &warnings, &decoded,
			  NULL) != 0)
		return;
	if (resource->kind->set_defaults)
		resource->kind->set_defaults(decoded);
	old = json_clone(decoded);
	if (resource->kind->prepare_create)
		resource->kind->prepare_create(decoded);
	validate(decoded, NULL, NULL, &message);
	if (resource->kind->prepare_update)
		resource->kind->prepare_update(decoded, old);
	validate(decoded, old, NULL, &message);
	validate(decoded, old, "status", &message);
	if (resource->kind->cells)
		resource->kind->cells(old, 0, cells);
	assert_int_equal(json_len(cells), resource->kind->n_columns);
}

static void check_mutations(const char *name, struct json_object *test_case, void *arg)
{
	static const char *const texts[] = { "null",   "\"\"",         "0",   "-1", "[]", "{}",
					     "[null]", "{\"a\":null}", "[{}]" };
	struct json_object *obj = json_get(test_case, "object");

	(void)arg;
	(void)name;
	for (size_t t = 0; obj && t < ARRAY_SIZE(texts); t++) {
		CLEANUP(json_putp) struct json_object *value = NULL;
		bool found = true;

		assert_int_equal(json_parse(texts[t], strlen(texts[t]), &value, NULL, NULL), 0);
		for (size_t n = 0; found; n++) {
			CLEANUP(json_putp) struct json_object *mutated = json_clone(obj);
			size_t countdown = n;

			found = replace_nth(mutated, &countdown, value);
			if (found && json_str(mutated, "kind") && json_str(mutated, "apiVersion") &&
			    resource_find_kind(json_str(mutated, "apiVersion"), json_str(mutated, "kind")))
				run_all(mutated);
		}
	}
}

/* Whatever decoding lets through, the kinds can bear. */
static void test_mutations(void **state)
{
	(void)state;
	cases_each(CASES "defaults.jsonl", check_mutations, NULL);
	cases_each(CASES "defaults_more.jsonl", check_mutations, NULL);
	cases_each(CASES "validation.jsonl", check_mutations, NULL);
	cases_each(CASES "validation_more.jsonl", check_mutations, NULL);
	cases_each(CASES "cells.jsonl", check_mutations, NULL);
	cases_each(CASES "cells_kinds.jsonl", check_mutations, NULL);
	cases_each(CASES "validation_kinds.jsonl", check_mutations, NULL);
}

/* N copies of ITEM, each with its number in member KEY. */
static struct json_object *many(size_t n, const char *item, const char *key)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < n; i++) {
		CLEANUP(mem_freep) char *name = mem_printf("n%zu", i);
		struct json_object *copy = NULL;

		assert_int_equal(json_parse(item, strlen(item), &copy, NULL, NULL), 0);
		json_set_str(copy, key, name);
		json_object_array_add(list, copy);
	}
	return list;
}

/* The longest lists that fit into a request: work must grow with their length, not with its square. */
static void test_large(void **state)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;
	CLEANUP(buf_close) struct buf message = BUF_INIT;
	struct json_object *spec, *container;
	const char *minimal =
	    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"x\"},\"spec\":{}}";

	(void)state;
	assert_int_equal(json_parse(minimal, strlen(minimal), &obj, NULL, NULL), 0);
	spec = json_get(obj, "spec");
	json_set(spec, "containers", many(40000, "{\"image\":\"i\"}", "name"));
	container = json_at(json_get(spec, "containers"), 0);
	json_set(spec, "volumes", many(40000, "{}", "name"));
	json_set(spec, "tolerations", many(40000, "{\"operator\":\"Exists\"}", "key"));
	json_set(container, "volumeMounts", many(40000, "{\"name\":\"n39999\"}", "mountPath"));
	json_set(container, "ports", many(40000, "{\"containerPort\":1}", "name"));
	json_set(container, "env", many(40000, "{}", "name"));
	run_all(obj);
	resource_of(obj)->kind->set_defaults(obj);
	validate(obj, obj, NULL, &message);
	assert_true(message.data &&
		    strstr(message.data, "spec.tolerations: Too many: 40000: must have at most 1000 items"));
}

/* Every kind prints an empty object too: what a node agent or a client leaves out must not hurt. */
static void test_rows(void **state)
{
	size_t n;

	(void)state;
	for (n = 0; kind_rows[n]; n++) {
		const struct kind *kind = kind_rows[n];
		CLEANUP(json_putp) struct json_object *cells = json_object_new_array();
		CLEANUP(json_putp) struct json_object *obj = json_object_new_object();
		struct field_errors errors = FIELD_ERRORS_INIT;

		assert_non_null(resource_find_kind(kind->api_version, kind->kind));
		assert_non_null(schema_def_find(kind->definition));
		if (kind->cells)
			kind->cells(obj, 0, cells);
		assert_int_equal(json_len(cells), kind->n_columns);
		validate_object(resource_find_kind(kind->api_version, kind->kind), obj, NULL, NULL, &errors);
		assert_true(errors.n > 0);
		field_errors_close(&errors);
	}
	assert_true(n >= 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),       cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_validation), cmocka_unit_test(test_cells),
		cmocka_unit_test(test_mutations),  cmocka_unit_test(test_large),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
