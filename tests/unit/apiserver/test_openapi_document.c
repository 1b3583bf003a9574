#include "apiserver/openapi_document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/json.h"
#include "lib/map.h"
#include "lib/mem.h"

static struct json_object *parse(const struct buf *text)
{
	struct json_object *value = NULL;
	struct err err = ERR_INIT;
	if (json_parse(text->data, text->len, &value, NULL, &err) < 0)
		fail_msg("%s", err.msg);
	return value;
}

/* Every reference in VALUE leads to one of SCHEMAS. */
static void check_references(const struct json_object *value, const struct json_object *schemas)
{
	for (size_t i = 0; i < json_len(value); i++)
		check_references(json_at(value, i), schemas);
	if (!json_object_is_type(value, json_type_object))
		return;
	json_object_object_foreach((struct json_object *)(uintptr_t)value, key, member)
	{
		/* A definition has a field of that name. */
		if (strcmp(key, "$ref") == 0 && json_object_is_type(member, json_type_string)) {
			const char *name = strrchr(json_object_get_string(member), '/');
			if (!name || !json_get(schemas, name + 1))
				fail_msg("dangling: %s", json_object_get_string(member));
		}
		check_references(member, schemas);
	}
}

static void check_operations(const struct json_object *paths, struct map *ids)
{
	json_object_object_foreach((struct json_object *)(uintptr_t)paths, path, item)
	{
		json_object_object_foreach(item, method, operation)
		{
			const char *id = json_str(operation, "operationId");
			if (strcmp(method, "parameters") == 0)
				continue;
			if (!id || map_get(ids, id))
				fail_msg("%s %s: no id, or one that is there already: %s", method, path, id);
			map_put(ids, id, operation);
		}
	}
}

static void check_page(const struct openapi_page *page, void *arg)
{
	const struct catalogue *catalogue = arg;
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	CLEANUP(map_close) struct map ids = { 0 };
	assert_true(openapi_write_v3(&text, catalogue, page));
	struct json_object *document = parse(&text);
	check_references(document, json_path(document, "components", "schemas", NULL));
	check_operations(json_get(document, "paths"), &ids);
	json_object_put(document);
}

static void documents_are_whole(void **state)
{
	(void)state;
	CLEANUP(catalogue_close) struct catalogue catalogue;
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	CLEANUP(map_close) struct map ids = { 0 };
	catalogue_read(&catalogue);
	openapi_each_page(&catalogue, check_page, &catalogue);
	openapi_write_v2(&text, &catalogue);
	struct json_object *document = parse(&text);
	check_references(document, json_get(document, "definitions"));
	check_operations(json_get(document, "paths"), &ids);
	json_object_put(document);
}

static void there_is_no_other_document(void **state)
{
	(void)state;
	CLEANUP(catalogue_close) struct catalogue catalogue;
	static const struct openapi_page none[] = {
		{ "nope", "", "" }, { "apis", "nope.io", "" }, { "apis", "apps", "v9" }, { "api", "", "v9" }
	};
	catalogue_read(&catalogue);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		CLEANUP(buf_close) struct buf text = BUF_INIT;
		assert_false(openapi_write_v3(&text, &catalogue, &none[i]));
	}
}

static const struct json_object *parameter(const struct json_object *operation, const char *name)
{
	const struct json_object *all = json_get(operation, "parameters");
	for (size_t i = 0; i < json_len(all); i++)
		if (strcmp(json_str_or_empty(json_at(all, i), "name"), name) == 0)
			return json_at(all, i);
	return NULL;
}

/* What kubectl looks for before it leaves validation and dry runs to the server, and for apply. */
static void kubectl_finds_what_it_needs(void **state)
{
	(void)state;
	CLEANUP(catalogue_close) struct catalogue catalogue;
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	catalogue_read(&catalogue);
	openapi_write_v3(&text, &catalogue, &(struct openapi_page){ "apis", "apps", "v1" });
	struct json_object *document = parse(&text);
	const struct json_object *patch =
	    json_path(document, "paths", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}", "patch", NULL);
	assert_non_null(parameter(patch, "fieldValidation"));
	assert_non_null(parameter(patch, "dryRun"));
	assert_non_null(parameter(patch, "force"));
	assert_string_equal(json_str(json_get(patch, "x-kubernetes-group-version-kind"), "kind"), "Deployment");
	const struct json_object *containers = json_path(document, "components", "schemas", "io.k8s.api.core.v1.PodSpec",
							 "properties", "containers", NULL);
	assert_string_equal(json_str(containers, "x-kubernetes-patch-merge-key"), "name");
	assert_string_equal(json_str(containers, "x-kubernetes-list-type"), "map");
	json_object_put(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_are_whole),
		cmocka_unit_test(there_is_no_other_document),
		cmocka_unit_test(kubectl_finds_what_it_needs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
