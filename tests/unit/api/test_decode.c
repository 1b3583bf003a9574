#include "api/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define POD(rest_) "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"x\"}," rest_ "}"
#define SPEC(rest_) POD("\"spec\":{" rest_ "}")
#define CONTAINER(rest_) SPEC("\"containers\":[{\"name\":\"c\",\"image\":\"i\"," rest_ "}]")
#define CANNOT "Pod in version \"v1\" cannot be handled as a Pod: "
#define FIELD CANNOT "json: cannot unmarshal "
#define UNKNOWN "the object provided is unrecognized (must be of type Pod): "
#define SYNTAX UNKNOWN "couldn't get version/kind; json parse error: "
#define QUANTITY "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

static const struct resource *resource(const char *kind)
{
	const struct resource *found = resource_find_kind("v1", kind);

	assert_non_null(found);
	return found;
}

static char *decode(const char *kind, const char *text, enum field_validation validation, struct buf *warnings)
{
	struct json_object *obj CLEANUP(json_putp) = NULL;
	struct err err = ERR_INIT;
	struct buf out = BUF_INIT;

	if (decode_object(resource(kind), text, strlen(text), false, validation, warnings, &obj, &err) < 0) {
		assert_int_equal(err.kind, ERR_BAD_REQUEST);
		return mem_dup(err.msg);
	}
	json_write(&out, obj);
	return buf_take(&out);
}

struct decode_case {
	const char *text, *answer;
};

/* What cannot be decoded, whatever the field validation. */
static const struct decode_case refused[] = {
	/* No object at all. */
	{ "", SYNTAX "unexpected end of JSON input (<empty>)" },
	{ "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{",
	  SYNTAX "unexpected end of JSON input ({\"apiVersion\":\"v1\",\"kind\":\"Pod ...)" },
	{ "hello", SYNTAX "invalid character 'h' looking for beginning of value (68656c6c6f)" },
	{ "{", SYNTAX "unexpected end of JSON input ({)" },
	{ "{a}", SYNTAX "invalid character 'a' looking for beginning of object key string ({a})" },
	{ "{\"a\" 1}", SYNTAX "invalid character '1' after object key ({\"a\" 1})" },
	{ "{\"a\":1 2}", SYNTAX "invalid character '2' after object key:value pair ({\"a\":1 2})" },
	{ "{\"a\":[1 2]}", SYNTAX "invalid character '2' after array element ({\"a\":[1 2]})" },
	{ "{\"a\":1,}", SYNTAX "invalid character '}' looking for beginning of object key string ({\"a\":1,})" },
	{ "{\"a\":01}", SYNTAX "invalid character '1' after object key:value pair ({\"a\":01})" },
	{ "{\"a\":1.}", SYNTAX "invalid character '}' after decimal point in numeric literal ({\"a\":1.})" },
	{ "{\"a\":-}", SYNTAX "invalid character '}' in numeric literal ({\"a\":-})" },
	{ "{\"a\":1e}", SYNTAX "invalid character '}' in exponent of numeric literal ({\"a\":1e})" },
	{ "{\"a\":tru}", SYNTAX "invalid character '}' in literal true (expecting 'e') ({\"a\":tru})" },
	{ "{\"a\":\"\\x\"}", SYNTAX "invalid character 'x' in string escape code ({\"a\":\"\\x\"})" },
	{ "{\"a\":\"\\u12g4\"}", SYNTAX "invalid character 'g' in \\u hexadecimal character escape ({\"a\":\"\\u12g4\"})" },
	{ "{\"a\":\"\n\"}", SYNTAX "invalid character '\\n' in string literal ({\"a\":\"\n\"})" },
	{ "{\"a\":'b'}", SYNTAX "invalid character '\\'' looking for beginning of value ({\"a\":'b'})" },
	{ "{} {}", SYNTAX "invalid character '{' after top-level value ({} {})" },
	{ "[]", SYNTAX "json: cannot unmarshal array into Go value of type struct { APIVersion string "
		       "\"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" } (5b5d)" },
	{ "{\"kind\":5}", SYNTAX "json: cannot unmarshal number into Go struct field .kind of type string ({\"kind\":5})" },
	{ "{\"apiVersion\":\"a/b/c\"}", UNKNOWN "unexpected GroupVersion string: a/b/c ({\"apiVersion\":\"a/b/c\"})" },
	/* Another kind or version. */
	{ "{\"apiVersion\":\"v1\",\"kind\":\"Service\"}",
	  "Service in version \"v1\" cannot be handled as a Pod: converting (v1.Service) to (core.Pod): unknown conversion" },
	{ "{\"apiVersion\":\"v9\",\"kind\":\"Pod\"}",
	  "Pod in version \"v9\" cannot be handled as a Pod: no kind \"Pod\" is registered for version \"v9\" in scheme "
	  "\"pkg/api/legacyscheme/scheme.go:30\"" },
	{ "{\"apiVersion\":\"apps/v1\",\"kind\":\"Pod\"}",
	  "Pod in version \"v1\" cannot be handled as a Pod: no kind \"Pod\" is registered for version \"apps/v1\" in scheme "
	  "\"pkg/api/legacyscheme/scheme.go:30\"" },
	{ "{\"kind\":\"Ship\"}",
	  "Ship in version \"v1\" cannot be handled as a Pod: no kind \"Ship\" is registered for version \"v1\" in scheme "
	  "\"pkg/api/legacyscheme/scheme.go:30\"" },
	/* Wrong types: the innermost struct, the fields from the root. */
	{ SPEC("\"containers\":\"no\""), FIELD "string into Go struct field PodSpec.spec.containers of type []v1.Container" },
	{ SPEC("\"terminationGracePeriodSeconds\":\"soon\""),
	  FIELD "string into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64" },
	{ SPEC("\"containers\":[1]"), FIELD "number into Go struct field PodSpec.spec.containers of type v1.Container" },
	{ SPEC("\"containers\":{}"), FIELD "object into Go struct field PodSpec.spec.containers of type []v1.Container" },
	{ CONTAINER("\"args\":[1]"), FIELD "number into Go struct field Container.spec.containers.args of type string" },
	{ CONTAINER("\"command\":\"sh\""), FIELD "string into Go struct field Container.spec.containers.command of type []string" },
	{ CONTAINER("\"env\":[{\"name\":\"A\",\"value\":1}]"),
	  FIELD "number into Go struct field EnvVar.spec.containers.env.value of type string" },
	{ CONTAINER("\"ports\":[{\"containerPort\":\"80\"}]"),
	  FIELD "string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32" },
	{ CONTAINER("\"ports\":[{\"containerPort\":80.5}]"),
	  FIELD "number 80.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32" },
	{ CONTAINER("\"ports\":[{\"containerPort\":2147483648}]"),
	  FIELD "number 2147483648 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32" },
	{ CONTAINER("\"resources\":{\"requests\":[]}"),
	  FIELD "array into Go struct field ResourceRequirements.spec.containers.resources.requests of type v1.ResourceList" },
	{ CONTAINER("\"livenessProbe\":{\"httpGet\":{\"port\":true}}"),
	  FIELD "bool into Go struct field HTTPGetAction.spec.containers.livenessProbe.httpGet.port of type int32" },
	{ SPEC("\"hostNetwork\":\"true\""), FIELD "string into Go struct field PodSpec.spec.hostNetwork of type bool" },
	{ SPEC("\"restartPolicy\":1"), FIELD "number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy" },
	{ SPEC("\"nodeSelector\":{\"a\":1}"), FIELD "number into Go struct field PodSpec.spec.nodeSelector of type string" },
	{ SPEC("\"nodeSelector\":\"a\""),
	  FIELD "string into Go struct field PodSpec.spec.nodeSelector of type map[string]string" },
	{ POD("\"spec\":\"no\""), FIELD "string into Go struct field Pod.spec of type v1.PodSpec" },
	{ "{\"metadata\":{\"labels\":{\"a\":true}}}",
	  FIELD "bool into Go struct field ObjectMeta.metadata.labels of type string" },
	{ "{\"metadata\":{\"creationTimestamp\":5}}",
	  FIELD "number into Go struct field ObjectMeta.metadata.creationTimestamp of type string" },
	/* The first of several wrong types counts, unless a type that reads itself fails. */
	{ SPEC("\"hostNetwork\":1,\"hostPID\":2"), FIELD "number into Go struct field PodSpec.spec.hostNetwork of type bool" },
	{ SPEC("\"hostNetwork\":1,\"overhead\":{\"cpu\":\"x\"},\"hostPID\":2"), CANNOT QUANTITY },
	/* Quantities. */
	{ CONTAINER("\"resources\":{\"requests\":{\"cpu\":\"1x\"}}"), CANNOT QUANTITY },
	{ CONTAINER("\"resources\":{\"requests\":{\"cpu\":\"\"}}"), CANNOT QUANTITY },
	{ CONTAINER("\"resources\":{\"requests\":{\"cpu\":true}}"), CANNOT QUANTITY },
	{ CONTAINER("\"resources\":{\"requests\":{\"cpu\":\"1ki\"}}"), CANNOT "unable to parse quantity's suffix" },
	/* Times. */
	{ "{\"metadata\":{\"creationTimestamp\":\"now\"}}",
	  CANNOT "parsing time \"now\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"now\" as \"2006\"" },
	{ "{\"metadata\":{\"creationTimestamp\":\"2026-01-02 03:04:05Z\"}}",
	  CANNOT "parsing time \"2026-01-02 03:04:05Z\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \" 03:04:05Z\" as \"T\"" },
	{ "{\"metadata\":{\"creationTimestamp\":\"2026-13-02T03:04:05Z\"}}",
	  CANNOT "parsing time \"2026-13-02T03:04:05Z\": month out of range" },
	{ "{\"metadata\":{\"creationTimestamp\":\"2026-02-29T03:04:05Z\"}}",
	  CANNOT "parsing time \"2026-02-29T03:04:05Z\": day out of range" },
	{ "{\"metadata\":{\"creationTimestamp\":\"2026-02-28T03:04:05\"}}",
	  CANNOT "parsing time \"2026-02-28T03:04:05\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"\" as \"Z07:00\"" },
	{ "{\"metadata\":{\"creationTimestamp\":\"2026-02-28T03:04:05Zx\"}}",
	  CANNOT "parsing time \"2026-02-28T03:04:05Zx\": extra text: \"x\"" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		char *answer CLEANUP(mem_freep) = decode("Pod", refused[i].text, FIELD_VALIDATION_WARN, NULL);
		assert_string_equal(answer, refused[i].answer);
	}
}

/* What is kept of an object: kind and apiVersion follow where the text leaves them out. */
static const struct decode_case kept[] = {
	{ "null", "{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}" },
	{ "{\"kind\":\"Pod\"}", "{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}" },
	/* Nulls, empty lists and empty maps go, empty structs stay. */
	{ SPEC("\"nodeName\":null,\"containers\":[],\"nodeSelector\":{},\"securityContext\":{}"),
	  SPEC("\"securityContext\":{}") },
	{ CONTAINER("\"args\":[null,\"a\"]"), CONTAINER("\"args\":[\"\",\"a\"]") },
	{ CONTAINER("\"resources\":{\"limits\":{\"cpu\":null}}"), CONTAINER("\"resources\":{\"limits\":{\"cpu\":\"0\"}}") },
	/* Canonical forms. */
	{ CONTAINER("\"resources\":{\"limits\":{\"cpu\":0.5,\"memory\":\"1024Ki\",\"a/b\":2,\"a/c\":\"1500m\"}}"),
	  CONTAINER("\"resources\":{\"limits\":{\"cpu\":\"500m\",\"memory\":\"1Mi\",\"a/b\":\"2\",\"a/c\":\"1500m\"}}") },
	{ "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"creationTimestamp\":\"2026-11-21T08:00:00.5+01:00\"}}",
	  "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"creationTimestamp\":\"2026-11-21T07:00:00Z\"}}" },
	{ CONTAINER("\"livenessProbe\":{\"httpGet\":{\"port\":\"web\"}},\"readinessProbe\":{\"tcpSocket\":{\"port\":80}}"),
	  CONTAINER("\"livenessProbe\":{\"httpGet\":{\"port\":\"web\"}},\"readinessProbe\":{\"tcpSocket\":{\"port\":80}}") },
	/* The last of repeated keys. */
	{ SPEC("\"nodeName\":\"a\",\"nodeName\":\"b\""), SPEC("\"nodeName\":\"b\"") },
	/* Case counts. */
	{ SPEC("\"NodeName\":\"a\",\"nodename\":\"b\""), SPEC("") },
	{ SPEC("\"nope\":{\"deep\":[1,2,{\"er\":null}]},\"hostPID\":true"), SPEC("\"hostPID\":true") },
};

static void test_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		char *answer CLEANUP(mem_freep) = decode("Pod", kept[i].text, FIELD_VALIDATION_IGNORE, NULL);
		assert_string_equal(answer, kept[i].answer);
	}
}

struct strict_case {
	const char *text, *strict, *warnings;
};

static const struct strict_case strict_cases[] = {
	{ SPEC("\"nope\":1,\"alsoNope\":{\"a\":1}"), "unknown field \"spec.nope\", unknown field \"spec.alsoNope\"",
	  "unknown field \"spec.nope\"\nunknown field \"spec.alsoNope\"\n" },
	{ CONTAINER("\"ports\":[{\"containerPort\":1},{\"port\":2}]"), "unknown field \"spec.containers[0].ports[1].port\"",
	  "unknown field \"spec.containers[0].ports[1].port\"\n" },
	{ "{\"top\":1}", "unknown field \"top\"", "unknown field \"top\"\n" },
	{ "{\"metadata\":{\"name\":\"x\",\"name\":\"y\"},\"spec\":{\"containers\":[{\"image\":\"i\",\"image\":\"j\"}]}}",
	  "duplicate field \"metadata.name\", duplicate field \"spec.containers[0].image\"",
	  "duplicate field \"metadata.name\"\nduplicate field \"spec.containers[0].image\"\n" },
	/* Beneath an unknown field nothing is looked at. */
	{ "{\"a\":{\"b\":1,\"b\":2},\"ab\":1,\"ab\":1}", "unknown field \"a\", unknown field \"ab\"",
	  "unknown field \"a\"\nunknown field \"ab\"\n" },
};

static void test_strict(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(strict_cases); i++) {
		const struct strict_case *c = &strict_cases[i];
		struct buf warnings CLEANUP(buf_close) = BUF_INIT;
		char *strict CLEANUP(mem_freep) = decode("Pod", c->text, FIELD_VALIDATION_STRICT, NULL);
		char *expected CLEANUP(mem_freep) = mem_printf(CANNOT "strict decoding error: %s", c->strict);
		assert_string_equal(strict, expected);

		char *warned CLEANUP(mem_freep) = decode("Pod", c->text, FIELD_VALIDATION_WARN, &warnings);
		assert_int_equal(warned[0], '{');
		assert_string_equal(warnings.data, c->warnings);
	}
}

static const struct decode_case secrets[] = {
	{ "###", "illegal base64 data at input byte 0" },
	{ "YQ=", "illegal base64 data at input byte 3" },
	{ "YQ", "illegal base64 data at input byte 0" },
	{ "YWJjZ", "illegal base64 data at input byte 4" },
	{ "YQ==x", "illegal base64 data at input byte 4" },
	{ "YQ=x", "illegal base64 data at input byte 2" },
	{ "Y===", "illegal base64 data at input byte 1" },
	{ "", "\"\"" },
	{ "YQ==", "\"YQ==\"" },
	{ "YR==", "\"YQ==\"" },
	{ "YW\\nJj\\r\\n", "\"YWJj\"" },
	{ "+/+/", "\"+/+/\"" },
};

static void test_base64(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		char *text CLEANUP(mem_freep) = mem_printf("{\"data\":{\"a\":\"%s\"}}", secrets[i].text);
		char *answer CLEANUP(mem_freep) = decode("Secret", text, FIELD_VALIDATION_STRICT, NULL);
		bool good = secrets[i].answer[0] == '"';
		char *expected CLEANUP(mem_freep) =
			good ? mem_printf("{\"data\":{\"a\":%s},\"kind\":\"Secret\",\"apiVersion\":\"v1\"}", secrets[i].answer) :
			       mem_printf("Secret in version \"v1\" cannot be handled as a Secret: %s", secrets[i].answer);
		assert_string_equal(answer, expected);
	}
}

static void test_yaml(void **state)
{
	static const char text[] = "kind: Pod\nspec:\n  containers:\n  - name: c\n    nope: 1\n---\nkind: Other\n";
	struct json_object *obj CLEANUP(json_putp) = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(decode_object(resource("Pod"), text, strlen(text), true, FIELD_VALIDATION_STRICT, NULL, &obj, &err),
			 -1);
	assert_string_equal(err.msg, CANNOT "strict decoding error: unknown field \"spec.containers[0].nope\"");
	assert_int_equal(decode_object(resource("Pod"), text, strlen(text), true, FIELD_VALIDATION_IGNORE, NULL, &obj, &err),
			 0);
	assert_string_equal(json_str(json_at(json_path(obj, "spec", "containers", NULL), 0), "name"), "c");
}

static void test_body(void **state)
{
	const struct schema_def *def = schema_def_find("meta.v1.DeleteOptions");
	static const char good[] = "{\"kind\":\"DeleteOptions\",\"gracePeriodSeconds\":0,\"nope\":1}";
	static const char bad[] = "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"gracePeriodSeconds\":\"0\"}";
	struct json_object *obj CLEANUP(json_putp) = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(decode_body(def, "DeleteOptions", good, strlen(good), false, &obj, &err), 0);
	assert_int_equal(json_int(obj, "gracePeriodSeconds", -1), 0);
	assert_null(json_get(obj, "nope"));
	assert_int_equal(decode_body(def, "DeleteOptions", bad, strlen(bad), false, &obj, &err), -1);
	assert_string_equal(err.msg, "DeleteOptions in version \"v1\" cannot be handled as a DeleteOptions: json: cannot "
				     "unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64");
}

static void test_value(void **state)
{
	const struct schema_def *def = schema_def_find("core.v1.Pod");
	struct json_object *obj CLEANUP(json_putp) = json_tokener_parse("{\"spec\":{\"hostPID\":1,\"nope\":1}}");
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(decode_value(def, NULL, NULL, obj, FIELD_VALIDATION_STRICT, NULL, &err), -1);
	assert_string_equal(err.msg, "json: cannot unmarshal number into Go struct field PodSpec.spec.hostPID of type bool");
}

/* What is shared with a decoded object is passed over, and what is not is looked at, wherever it lies. */
static void test_patched(void **state)
{
	struct json_object *stored CLEANUP(json_putp) = json_tokener_parse(
	    "{\"metadata\":{\"nope\":1},\"spec\":{\"nope\":1,\"hostPID\":true,\"containers\":[{\"nope\":1},{\"nope\":2}]}}");
	struct json_object *obj CLEANUP(json_putp) = json_share(stored), *spec = json_share(json_get(stored, "spec"));
	struct json_object *containers = json_object_new_array();
	struct buf warnings CLEANUP(buf_close) = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	json_object_array_add(containers, json_object_get(json_at(json_get(spec, "containers"), 0)));
	json_object_array_add(containers, json_share(json_at(json_get(spec, "containers"), 1)));
	json_set(spec, "containers", containers);
	json_set(spec, "hostIPC", json_object_new_string("yes"));
	json_set(obj, "spec", spec);
	assert_int_equal(decode_patched(resource_find("", "v1", "pods"), stored, obj, FIELD_VALIDATION_WARN,
					&warnings, &err),
			 -1);
	assert_non_null(strstr(err.msg, "PodSpec.spec.hostIPC of type bool"));
	json_object_object_del(spec, "hostIPC");
	json_set_int(json_at(containers, 1), "no", 3);
	assert_int_equal(decode_patched(resource_find("", "v1", "pods"), stored, obj, FIELD_VALIDATION_WARN,
					&warnings, &err),
			 0);
	assert_string_equal(warnings.data, "unknown field \"spec.containers[1].no\"\n");
	buf_reset(&warnings);
	assert_int_equal(decode_patched(resource_find("", "v1", "pods"), NULL, obj, FIELD_VALIDATION_WARN, &warnings,
					&err),
			 0);
	assert_string_equal(warnings.data, "unknown field \"metadata.nope\"\nunknown field \"spec.nope\"\n"
					   "unknown field \"spec.containers[0].nope\"\nunknown field \"spec.containers[1].nope\"\n");
}

/* A client chooses how much is wrong: what is kept of it is bounded. */
static void test_many_unknown(void **state)
{
	struct buf text CLEANUP(buf_close) = BUF_INIT;
	struct buf warnings CLEANUP(buf_close) = BUF_INIT;
	size_t lines = 0;

	(void)state;
	buf_str(&text, "{\"a\":1");
	for (int i = 0; i < 5000; i++)
		buf_printf(&text, ",\"nope%d\":1", i);
	buf_char(&text, '}');
	char *answer CLEANUP(mem_freep) = decode("Pod", text.data, FIELD_VALIDATION_WARN, &warnings);
	for (const char *s = warnings.data; (s = strchr(s, '\n')) != NULL; s++)
		lines++;
	assert_int_equal(lines, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused), cmocka_unit_test(test_kept),	    cmocka_unit_test(test_strict),
		cmocka_unit_test(test_base64),	cmocka_unit_test(test_yaml),	    cmocka_unit_test(test_body),
		cmocka_unit_test(test_value),	cmocka_unit_test(test_many_unknown), cmocka_unit_test(test_patched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
