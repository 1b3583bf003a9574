#include "api/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct schema_field *field(const char *definition, const char *name)
{
	const struct schema_def *def = schema_def_find(definition);

	assert_non_null(def);
	return schema_field_find(def, name, strlen(name));
}

/* What finding by halves relies on, and that every reference leads somewhere. */
static void test_tables(void **state)
{
	(void)state;
	assert_true(schema_n_defs > 500);
	for (size_t i = 0; i < schema_n_defs; i++) {
		const struct schema_def *def = &schema_defs[i];
		assert_true(i == 0 || strcmp(schema_defs[i - 1].name, def->name) < 0);
		assert_ptr_equal(schema_def_find(def->name), def);
		for (size_t k = 0; k < def->n_fields; k++) {
			const struct schema_field *f = &schema_fields(def)[k];
			assert_true(k == 0 || strcmp(schema_fields(def)[k - 1].name, f->name) < 0);
			assert_ptr_equal(schema_field_find(def, f->name, strlen(f->name)), f);
			assert_true((f->type == SCHEMA_OBJECT) == (f->def != NULL));
			assert_true(schema_texts(f)->merge_key == NULL || f->container == SCHEMA_ARRAY);
		}
	}
}

static void test_find(void **state)
{
	(void)state;
	assert_null(schema_def_find("core.v1.Nope"));
	assert_null(schema_def_find(""));
	assert_null(schema_def_find("zzz"));
	assert_null(field("core.v1.PodSpec", "container"));
	assert_null(field("core.v1.PodSpec", "containersx"));
	assert_null(field("core.v1.PodSpec", "Containers"));
	assert_null(field("core.v1.PodSpec", ""));
	/* A name within a longer text. */
	assert_non_null(schema_field_find(schema_def_find("core.v1.PodSpec"), "hostname.x", 8));
	assert_null(schema_field_find(schema_def_find("core.v1.PodSpec"), "hostname.x", 9));
}

static void test_names(void **state)
{
	const struct schema_def *def = schema_def_find("core.v1.PodSpec");

	(void)state;
	assert_string_equal(schema_def_short_name(def), "PodSpec");
	assert_string_equal(schema_def_go_name(def), "v1.PodSpec");
}

struct fact {
	const char *definition, *field;
	enum schema_type type;
	enum schema_container container;
	const char *merge_key, *go_type;
	bool patch_merge, retain_keys, required;
};

static const struct fact facts[] = {
	{ "core.v1.PodSpec", "containers", SCHEMA_OBJECT, SCHEMA_ARRAY, "name", NULL, true, false, true },
	{ "core.v1.PodSpec", "volumes", SCHEMA_OBJECT, SCHEMA_ARRAY, "name", NULL, true, true, false },
	{ "core.v1.PodSpec", "tolerations", SCHEMA_OBJECT, SCHEMA_ARRAY, NULL, NULL, false, false, false },
	{ "core.v1.PodSpec", "restartPolicy", SCHEMA_STRING, SCHEMA_SINGLE, NULL, "v1.RestartPolicy", false,
	  false, false },
	{ "core.v1.PodSpec", "nodeSelector", SCHEMA_STRING, SCHEMA_MAP, NULL, NULL, false, false, false },
	{ "core.v1.PodSpec", "terminationGracePeriodSeconds", SCHEMA_INT64, SCHEMA_SINGLE, NULL, NULL, false,
	  false, false },
	{ "core.v1.ContainerPort", "containerPort", SCHEMA_INT32, SCHEMA_SINGLE, NULL, NULL, false, false,
	  true },
	{ "core.v1.ResourceRequirements", "limits", SCHEMA_QUANTITY, SCHEMA_MAP, NULL, NULL, false, false,
	  false },
	{ "core.v1.HTTPGetAction", "port", SCHEMA_INT_OR_STRING, SCHEMA_SINGLE, NULL, NULL, false, false,
	  true },
	{ "core.v1.Secret", "data", SCHEMA_BYTES, SCHEMA_MAP, NULL, NULL, false, false, false },
	{ "core.v1.Event", "eventTime", SCHEMA_MICRO_TIME, SCHEMA_SINGLE, NULL, NULL, false, false, false },
	{ "meta.v1.ObjectMeta", "creationTimestamp", SCHEMA_TIME, SCHEMA_SINGLE, NULL, NULL, false, false,
	  false },
	{ "meta.v1.ObjectMeta", "finalizers", SCHEMA_STRING, SCHEMA_ARRAY, NULL, NULL, true, false, false },
	{ "meta.v1.ManagedFieldsEntry", "fieldsV1", SCHEMA_ANY, SCHEMA_SINGLE, NULL, NULL, false, false,
	  false },
	{ "apps.v1.DeploymentSpec", "strategy", SCHEMA_OBJECT, SCHEMA_SINGLE, NULL, NULL, false, true,
	  false },
};

static void test_facts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		const struct fact *fact = &facts[i];
		const struct schema_field *f = field(fact->definition, fact->field);
		assert_non_null(f);
		assert_int_equal(f->type, fact->type);
		assert_int_equal(f->container, fact->container);
		assert_int_equal(f->patch_merge, fact->patch_merge);
		assert_int_equal(f->retain_keys, fact->retain_keys);
		assert_int_equal(f->required, fact->required);
		if (fact->merge_key != NULL)
			assert_string_equal(schema_texts(f)->merge_key, fact->merge_key);
		else
			assert_null(schema_texts(f)->merge_key);
		if (fact->go_type != NULL)
			assert_string_equal(schema_texts(f)->go_type, fact->go_type);
	}
	assert_string_equal(schema_texts(field("core.v1.Container", "ports"))->list_map_keys,
			    "containerPort,protocol");
	assert_true(field("core.v1.PodSpec", "nodeSelector")->map_atomic);
	assert_true(field("policy.v1.PodDisruptionBudgetSpec", "selector")->patch_replace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
