#include "apiserver/crd/definition_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/crd.h"
#include "lib/mem.h"

#define NOW   "2026-01-01T00:00:00Z"
#define LATER "2026-01-02T00:00:00Z"

static struct json_object *parse(const char *text)
{
	struct json_object *value = NULL;
	struct err err = ERR_INIT;

	if (json_parse(text, strlen(text), &value, NULL, &err) < 0)
		fail_msg("%s", err.msg);
	return value;
}

static const struct json_object *condition(const struct json_object *definition, const char *type)
{
	const struct json_object *conditions = json_path(definition, "status", "conditions", NULL);

	for (size_t i = 0; i < json_len(conditions); i++)
		if (!strcmp(json_str_or_empty(json_at(conditions, i), "type"), type))
			return json_at(conditions, i);
	fail_msg("no condition %s", type);
	return NULL;
}

static void check(const struct json_object *definition, const char *type, const char *status,
		  const char *reason, const char *message)
{
	const struct json_object *found = condition(definition, type);

	assert_string_equal(json_str(found, "status"), status);
	assert_string_equal(json_str(found, "reason"), reason);
	assert_string_equal(json_str(found, "message"), message);
}

#define SHIP                                                                                                 \
	"{\"spec\":{\"names\":{\"plural\":\"ships\",\"singular\":\"ship\",\"kind\":\"Ship\",\"listKind\":"   \
	"\"ShipList\",\"shortNames\":[\"sh\",\"s\"]}},\"status\":{\"conditions\":null,\"acceptedNames\":{"   \
	"\"plural\":\"\",\"kind\":\"\"}}}"

static void test_accepted(void **state)
{
	CLEANUP(json_putp) struct json_object *ship = parse(SHIP);

	(void)state;
	definition_status_set(ship, NULL, 0, NOW);
	check(ship, "NamesAccepted", "True", "NoConflicts", "no conflicts found");
	check(ship, "Established", "True", "InitialNamesAccepted", "the initial names have been accepted");
	assert_true(json_equal(json_path(ship, "status", "acceptedNames", NULL),
			       json_path(ship, "spec", "names", NULL)));
	/* Nothing new: no time moves. */
	definition_status_set(ship, NULL, 0, LATER);
	assert_string_equal(json_str(condition(ship, "Established"), "lastTransitionTime"), NOW);
}

static void test_conflicts(void **state)
{
	CLEANUP(json_putp) struct json_object *ship = parse(SHIP);
	CLEANUP(json_putp)
	struct json_object *other =
	    parse("{\"plural\":\"sheds\",\"singular\":\"shed\",\"kind\":\"Shed\",\"listKind\":"
		  "\"ShipList\",\"shortNames\":[\"sh\",\"s\"]}");
	const struct json_object *others[] = { other };

	(void)state;
	definition_status_set(ship, others, 1, NOW);
	check(ship, "NamesAccepted", "False", "ListKindConflict", "\"ShipList\" is already in use");
	check(ship, "Established", "False", "NotAccepted", "not all names are accepted");
	json_object_object_del(other, "listKind");
	definition_status_set(ship, others, 1, NOW);
	check(ship, "NamesAccepted", "False", "ShortNamesConflict",
	      "\"sh\" is already in use, \"s\" is already in use");
	assert_string_equal(json_str(json_path(ship, "status", "acceptedNames", NULL), "listKind"),
			    "ShipList");
	/* The other one goes. */
	definition_status_set(ship, NULL, 0, LATER);
	check(ship, "NamesAccepted", "True", "NoConflicts", "no conflicts found");
	assert_true(crd_condition_is_true(ship, "Established"));
	assert_string_equal(json_str(condition(ship, "Established"), "lastTransitionTime"), LATER);
}

/* What is served stays so when it asks for a name that another one has. */
static void test_established_stays(void **state)
{
	CLEANUP(json_putp) struct json_object *ship = parse(SHIP);
	CLEANUP(json_putp) struct json_object *other = parse("{\"plural\":\"boats\",\"kind\":\"Boat\"}");
	const struct json_object *others[] = { other };

	(void)state;
	definition_status_set(ship, others, 1, NOW);
	json_set_str(json_path(ship, "spec", "names", NULL), "singular", "boats");
	definition_status_set(ship, others, 1, LATER);
	check(ship, "NamesAccepted", "False", "SingularConflict", "\"boats\" is already in use");
	assert_true(crd_condition_is_true(ship, "Established"));
	assert_string_equal(json_str(json_path(ship, "status", "acceptedNames", NULL), "singular"), "ship");
}

static void test_end(void **state)
{
	CLEANUP(json_putp) struct json_object *ship = parse(SHIP);

	(void)state;
	definition_status_terminate(ship, NOW);
	definition_status_terminate(ship, LATER);
	assert_true(definition_status_is_held(ship));
	assert_int_equal(json_len(json_path(ship, "metadata", "finalizers", NULL)), 1);
	assert_true(crd_condition_is_true(ship, "Terminating"));
	definition_status_release(ship);
	assert_false(definition_status_is_held(ship));
	assert_null(json_path(ship, "metadata", "finalizers", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_established_stays),
		cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
