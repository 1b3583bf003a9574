/* Resources that come and go, and what a definition makes of itself. */
#include "api/resource_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/crd.h"
#include "api/custom.h"
#include "lib/mem.h"

static struct json_object *parse(const char *text)
{
	struct json_object *value = NULL;
	struct err err = ERR_INIT;

	if (json_parse(text, strlen(text), &value, NULL, &err) < 0)
		fail_msg("%s", err.msg);
	return value;
}

/* Of ships.g.dev; VERSIONS is the list as JSON. */
static struct crd *make(const char *plural, const char *kind, const char *versions, const struct crd *before,
			uint64_t revision)
{
	CLEANUP(mem_freep)
	char *text = mem_printf("{\"metadata\":{\"generation\":%d},\"spec\":{\"group\":\"g.dev\",\"scope\":"
				"\"Namespaced\",\"names\":{\"plural\":\"%s\"},\"versions\":[%s]},\"status\":{"
				"\"acceptedNames\":{\"plural\":\"%s\",\"singular\":\"one\",\"kind\":\"%s\","
				"\"listKind\":\"%sList\",\"shortNames\":[\"sh\"]}}}",
				before ? 2 : 1, plural, versions, plural, kind, kind);
	CLEANUP(json_putp) struct json_object *definition = parse(text);
	struct crd *crd = NULL;

	assert_int_equal(crd_new(definition, before, revision, &crd, NULL), 0);
	return crd;
}

static bool publish(struct crd *old, struct crd *crd)
{
	size_t n = 0;
	const struct resource *const *rows = crd ? crd_rows(crd, &n) : NULL;

	return resource_publish(old ? crd_family(old) : NULL, rows, n);
}

#define V1                                                                                                   \
	"{\"name\":\"v1\",\"served\":true,\"storage\":true,\"subresources\":{\"status\":{},\"scale\":{"      \
	"\"specReplicasPath\":\".spec.n\",\"statusReplicasPath\":\".status.n\"}},"                           \
	"\"selectableFields\":[{\"jsonPath\":\".spec.color\"}],"                                             \
	"\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\"}}}"
#define V1BETA1 "{\"name\":\"v1beta1\",\"served\":true,\"storage\":false,\"deprecated\":true}"
#define V0      "{\"name\":\"v0\",\"served\":false,\"storage\":false}"

static void test_rows(void **state)
{
	struct crd *crd = make("ships", "Ship", V1BETA1 "," V1 "," V0, NULL, 7);
	const struct resource *ship, *beta;
	size_t n;

	(void)state;
	crd_rows(crd, &n);
	assert_int_equal(n, 2);
	assert_null(resource_take("g.dev", "v1", "ships"));
	assert_false(resource_serves("g.dev", NULL));
	assert_true(publish(NULL, crd));
	assert_true(resource_serves("g.dev", NULL));
	assert_true(resource_serves("g.dev", "v1beta1"));
	assert_false(resource_serves("g.dev", "v0"));
	ship = resource_take("g.dev", "v1", "ships");
	beta = resource_take_kind("g.dev/v1beta1", "Ship");
	assert_non_null(ship);
	assert_non_null(beta);
	assert_int_equal(ship->index, beta->index);
	assert_null(resource_at(ship->index));
	assert_string_equal(ship->qualified, "ships.g.dev");
	assert_string_equal(ship->short_names[0], "sh");
	assert_string_equal(ship->kind->selectable_fields[0], "spec.color");
	assert_string_equal(ship->kind->scale_replicas, "spec.n");
	assert_int_equal(ship->n_subresources, 2);
	assert_int_equal(ship->since, 0);
	assert_string_equal(beta->custom->warning, "g.dev/v1beta1 Ship is deprecated");
	assert_string_equal(ship->holder->group_version, "g.dev/v1");
	assert_string_equal(ship->holder->kind->selectable_fields[0], "spec.color");
	/* What is withdrawn stays valid for who has it. */
	assert_true(publish(crd, NULL));
	crd_unref(crd);
	assert_null(resource_take("g.dev", "v1", "ships"));
	assert_string_equal(ship->kind_name, "Ship");
	resource_unref(ship);
	resource_unref(beta);
}

static void test_change(void **state)
{
	struct crd *before = make("ships", "Ship", V1, NULL, 7), *after;
	uint64_t generation = resource_generation();
	const struct resource *old, *new_;

	(void)state;
	assert_true(publish(NULL, before));
	assert_int_equal(resource_generation(), generation + 1);
	old = resource_take("g.dev", "v1", "ships");
	after = make("ships", "Ship", V1 "," V1BETA1, before, 9);
	assert_true(publish(before, after));
	new_ = resource_take("g.dev", "v1", "ships");
	assert_ptr_not_equal(old, new_);
	/* Objects go on in the same table and by the same row, and show what the new schema says from there
	 * on. */
	assert_int_equal(old->index, new_->index);
	assert_ptr_equal(old->holder, new_->holder);
	assert_int_equal(new_->since, 9);
	assert_true(publish(after, NULL));
	resource_unref(old);
	resource_unref(new_);
	crd_unref(before);
	crd_unref(after);
}

static void test_indexes(void **state)
{
	struct crd *ships = make("ships", "Ship", V1, NULL, 1), *boats = make("boats", "Boat", V1, NULL, 2);
	unsigned first = crd_holder(ships)->index, second = crd_holder(boats)->index;
	const struct resource *held = resource_ref(crd_holder(ships));
	struct crd *again;

	(void)state;
	assert_int_not_equal(first, second);
	crd_unref(ships);
	/* Something of that name is left: it is found again by its table. */
	again = make("ships", "Ship", V1, NULL, 3);
	assert_int_equal(crd_holder(again)->index, first);
	crd_unref(again);
	/* A retired one is not, and its index is nobody's while it is held. */
	atomic_store(&held->slot->retired, true);
	again = make("ships", "Ship", V1, NULL, 4);
	assert_int_not_equal(crd_holder(again)->index, first);
	assert_int_not_equal(crd_holder(again)->index, second);
	crd_unref(again);
	resource_unref(held);
	again = make("rafts", "Raft", V1, NULL, 5);
	assert_int_equal(crd_holder(again)->index, first);
	crd_unref(again);
	crd_unref(boats);
}

static void test_twice(void **state)
{
	struct crd *one = make("ships", "Ship", V1, NULL, 1), *other = make("ships", "Ship", V1, NULL, 2);
	uint64_t generation;

	(void)state;
	assert_true(publish(NULL, one));
	generation = resource_generation();
	assert_false(publish(NULL, other));
	assert_int_equal(resource_generation(), generation);
	assert_true(publish(one, other));
	assert_true(publish(other, NULL));
	crd_unref(one);
	crd_unref(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_indexes),
		cmocka_unit_test(test_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
