#include "api/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":"

static const struct resource *resource(const char *api_version, const char *kind)
{
	return resource_find_kind(api_version, kind);
}

static void assert_status(const struct err *err, const struct status_details *details, const char *expected)
{
	struct buf text CLEANUP(buf_close) = BUF_INIT;

	status_write(&text, err, details);
	assert_string_equal(text.data, expected);
}

static void test_not_found(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(status_not_found(&err, resource("v1", "Pod"), "nope"), -1);
	assert_status(&err, &(struct status_details){ .name = "nope", .kind = "pods" },
		      HEAD "\"Failure\",\"message\":\"pods \\\"nope\\\" not found\",\"reason\":\"NotFound\","
			   "\"details\":{\"name\":\"nope\",\"kind\":\"pods\"},\"code\":404}");
	err_set(&err, ERR_NOT_FOUND, "the server could not find the requested resource");
	assert_status(&err, &(struct status_details){ 0 },
		      HEAD "\"Failure\",\"message\":\"the server could not find the requested resource\","
			   "\"reason\":\"NotFound\",\"details\":{},\"code\":404}");
}

static void test_conflicts(void **state)
{
	const struct resource *deployment = resource("apps/v1", "Deployment");
	struct err err = ERR_INIT;

	(void)state;
	status_conflict(&err, deployment, "d", NULL);
	assert_status(&err, &(struct status_details){ .name = "d", .group = "apps", .kind = "deployments" },
		      HEAD "\"Failure\",\"message\":\"Operation cannot be fulfilled on deployments.apps \\\"d\\\": the object "
			   "has been modified; please apply your changes to the latest version and try again\","
			   "\"reason\":\"Conflict\",\"details\":{\"name\":\"d\",\"group\":\"apps\",\"kind\":\"deployments\"},"
			   "\"code\":409}");
	status_conflict(&err, deployment, "d", "it is busy");
	assert_string_equal(err.msg, "Operation cannot be fulfilled on deployments.apps \"d\": it is busy");
	assert_int_equal(status_already_exists(&err, deployment, "d"), -1);
	assert_int_equal(err.kind, ERR_ALREADY_EXISTS);
	assert_string_equal(err.msg, "deployments.apps \"d\" already exists");
}

static void test_invalid(void **state)
{
	struct field_errors errors CLEANUP(field_errors_close) = FIELD_ERRORS_INIT;
	struct field_path path;
	struct err err = ERR_INIT;

	(void)state;
	field_path_init(&path, "spec.replicas");
	field_error_invalid_int(&errors, &path, -1, "must be greater than or equal to 0");
	assert_int_equal(status_invalid(&err, resource("apps/v1", "Deployment"), "d", &errors), -1);
	struct status_details details = { .name = "d", .group = "apps", .kind = "Deployment", .causes = &errors };
	assert_status(&err, &details,
		      HEAD "\"Failure\",\"message\":\"Deployment.apps \\\"d\\\" is invalid: spec.replicas: Invalid value: -1: must "
			   "be greater than or equal to 0\",\"reason\":\"Invalid\",\"details\":{\"name\":\"d\",\"group\":\"apps\","
			   "\"kind\":\"Deployment\",\"causes\":[{\"reason\":\"FieldValueInvalid\",\"message\":\"Invalid value: -1: "
			   "must be greater than or equal to 0\",\"field\":\"spec.replicas\"}]},\"code\":422}");
}

/* An error's message is bounded, an answer names everything that is wrong. */
static void test_long_invalid(void **state)
{
	struct field_errors errors CLEANUP(field_errors_close) = FIELD_ERRORS_INIT;
	struct buf text CLEANUP(buf_close) = BUF_INIT;
	struct field_path path;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		field_path_init(&path, "spec.containers");
		field_push_index(&path, i);
		field_error_required(&errors, &path, "");
	}
	status_invalid(&err, resource("v1", "Pod"), "p", &errors);
	status_write(&text, &err, &(struct status_details){ .name = "p", .kind = "Pod", .causes = &errors });
	assert_non_null(strstr(text.data, "\"message\":\"Pod \\\"p\\\" is invalid: [spec.containers[0]: Required value, "));
	assert_non_null(strstr(text.data, "spec.containers[99]: Required value]\""));
}

static void test_other(void **state)
{
	struct buf text CLEANUP(buf_close) = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	err_set(&err, ERR_BAD_REQUEST, "limit \"x\"\n");
	assert_status(&err, NULL,
		      HEAD "\"Failure\",\"message\":\"limit \\\"x\\\"\\n\",\"reason\":\"BadRequest\",\"code\":400}");
	err_set(&err, ERR_TOO_MANY_REQUESTS, "slow down");
	assert_status(&err, &(struct status_details){ .retry_after_s = 1 },
		      HEAD "\"Failure\",\"message\":\"slow down\",\"reason\":\"TooManyRequests\","
			   "\"details\":{\"retryAfterSeconds\":1},\"code\":429}");
	status_write_success(&text, &(struct status_details){ .name = "c4", .kind = "configmaps", .uid = "u" });
	assert_string_equal(text.data,
			    HEAD "\"Success\",\"details\":{\"name\":\"c4\",\"kind\":\"configmaps\",\"uid\":\"u\"}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_found),    cmocka_unit_test(test_conflicts), cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_long_invalid), cmocka_unit_test(test_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
