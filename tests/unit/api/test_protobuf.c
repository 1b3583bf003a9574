/* Bodies as kubectl 1.32 sends them, and what is none. */
#include "api/protobuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TEXT(literal)                                                                                        \
	{                                                                                                    \
		literal, sizeof(literal) - 1                                                                 \
	}
#define ENVELOPE(version, version_len, kind, kind_len, type_len, body, body_len)                             \
	TEXT("k8s\0\x0a" type_len "\x0a" version_len version "\x12" kind_len kind "\x12" body_len body)
/* v1 ConfigMap. */
#define CONFIG_MAP(body, body_len) ENVELOPE("v1", "\x02", "ConfigMap", "\x09", "\x0f", body, body_len)

struct text {
	const char *data;
	size_t len;
};

static const struct {
	struct text body;
	const char *json;
} good[] = {
	/* create configmap cx --from-literal=a=b */
	{ TEXT("k8s\x00\x0a\x0f\x0a\x02v1\x12\x09\x43onfigMap\x12\x1c\x0a\x12\x0a\x02\x63x\x12\x00\x1a\x00"
	       "\x22\x00*\x00\x32\x00\x38\x00\x42\x00\x12\x06\x0a\x01\x61\x12\x01\x62\x1a\x00\x22\x00"),
	  "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"cx\"},\"data\":{\"a\":"
	  "\"b\"}}" },
	/* create secret generic cx --from-literal=a=b */
	{ TEXT("k8s\x00\x0a\x0c\x0a\x02v1\x12\x06Secret\x12\x1e\x0a\x12\x0a\x02\x63x\x12\x00\x1a\x00\x22\x00"
	       "*\x00\x32\x00\x38\x00\x42\x00\x12\x06\x0a\x01\x61\x12\x01\x62\x1a\x00\x1a\x00\x22\x00"),
	  "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"cx\"},\"data\":{\"a\":\"Yg=="
	  "\"}}" },
	/* create namespace nx */
	{ TEXT("k8s\x00\x0a\x0f\x0a\x02v1\x12\x09Namespace\x12\x1a\x0a\x12\x0a\x02nx\x12\x00\x1a\x00\x22\x00"
	       "*\x00\x32\x00\x38\x00\x42\x00\x12\x00\x1a\x02\x0a\x00\x1a\x00\x22\x00"),
	  "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"nx\"},\"spec\":{},"
	  "\"status\":{}}" },
	/* create service clusterip sx --tcp=80:http: a port that is a name */
	{ TEXT("k8s\x00\x0a\x0d\x0a\x02v1\x12\x07Service\x12i\x0a\x1d\x0a\x02sx\x12\x00\x1a\x00\x22\x00*\x00"
	       "\x32\x00\x38\x00\x42\x00Z\x09\x0a\x03\x61pp\x12\x02sx\x12\x44\x0a\x1e\x0a\x07\x38\x30-http"
	       "\x12\x03TCP\x18P\x22\x0a\x08\x01\x10\x00\x1a\x04http(\x00\x12\x09\x0a\x03\x61pp\x12\x02sx"
	       "\x1a\x00\x22\x09\x43lusterIP:\x00\x42\x00R\x00Z\x00`\x00h\x00\x1a\x02\x0a\x00\x1a\x00\x22"
	       "\x00"),
	  "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"sx\",\"labels\":{\"app\":"
	  "\"sx\"}},\"spec\":{\"ports\":"
	  "[{\"name\":\"80-http\",\"protocol\":\"TCP\",\"port\":80,\"targetPort\":\"http\"}],\"selector\":{"
	  "\"app\":\"sx\"},\"type\":"
	  "\"ClusterIP\"},\"status\":{\"loadBalancer\":{}}}" },
	/* create deployment dx --image=a:b --replicas=0 --port=80: the zero that is a value stays, the others
	   do not */
	{ TEXT("k8s\x00\x0a\x15\x0a\x07\x61pps/v1\x12\x0a\x44\x65ployment\x12\xad\x01\x0a\x1d\x0a\x02\x64x"
	       "\x12\x00\x1a\x00\x22\x00*\x00\x32\x00\x38\x00\x42\x00Z\x09\x0a\x03\x61pp\x12\x02\x64x\x12~"
	       "\x08\x00\x12\x0b\x0a\x09\x0a\x03\x61pp\x12\x02\x64x\x1a\x65\x0a\x1b\x0a\x00\x12\x00\x1a\x00"
	       "\x22\x00*\x00\x32\x00\x38\x00\x42\x00Z\x09\x0a\x03\x61pp\x12\x02\x64x\x12\x46\x12(\x0a\x01"
	       "\x61\x12\x03\x61:b*\x00\x32\x0a\x0a\x00\x10\x00\x18P\x22\x00*\x00\x42\x00j\x00r\x00\x80\x01"
	       "\x00\x88\x01\x00\x90\x01\x00\xa2\x01\x00\x1a\x00\x32\x00\x42\x00J\x00R\x00X\x00`\x00h\x00"
	       "\x82\x01\x00\x8a\x01\x00\x9a\x01\x00\xc2\x01\x00\x22\x02\x0a\x00(\x00\x38\x00\x1a\x0c\x08"
	       "\x00\x10\x00\x18\x00 \x00(\x00\x38\x00\x1a\x00\x22\x00"),
	  "{\"apiVersion\":\"apps/"
	  "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"dx\",\"labels\":{\"app\":\"dx\"}},\"spe"
	  "c\":{\"replicas\":0,\"selector\":{\"matchLabels\":{\"app\":\"dx\"}},\"template\":{\"metadata\":{"
	  "\"labels\":{\"app"
	  "\":\"dx\"}},\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"a:b\",\"ports\":[{"
	  "\"containerPort\":80}],\"resour"
	  "ces\":{}}]}},\"strategy\":{}},\"status\":{}}" },
	/* Binary data, a field nobody knows, and true. */
	{ CONFIG_MAP("\x1a\x0a\x0a\x01x\x12\x05\0\xff\xfe\x01\x02\xc8\x3e\x07\x20\x01", "\x11"),
	  "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"binaryData\":{\"x\":\"AP/"
	  "+AQI=\"},\"immutable\":true}" },
	/* managedFields, as an update sends them back. */
	{ CONFIG_MAP("\x0a\x2d\x8a\x01\x2a\x0a\x01m\x12\x06Update\x1a\x02v1\x32\x08"
		     "FieldsV1\x3a\x0f\x0a\x0d{\"f:data\":{}}",
		     "\x2f"),
	  "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"managedFields\":[{\"manager\":\"m\","
	  "\"operation\":"
	  "\"Update\",\"apiVersion\":\"v1\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:data\":{}}}]}}" },
	/* The data of a ControllerRevision, which is of any form. */
	{ ENVELOPE("apps/v1", "\x07", "ControllerRevision", "\x12", "\x1d",
		   "\x12\x09\x0a\x07{\"a\":1}\x18\x05", "\x0d"),
	  "{\"apiVersion\":\"apps/v1\",\"kind\":\"ControllerRevision\",\"data\":{\"a\":1},\"revision\":5}" },
	/* creationTimestamp, as an update sends it back. */
	{ CONFIG_MAP("\x0a\x0a\x42\x08\x08\xf9\xac\xab\xd5\x06\x10\0", "\x0c"),
	  "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"creationTimestamp\":\"2026-09-16T17:"
	  "48:41Z\"}}" },
};

static const struct {
	struct text body;
	enum err_kind kind;
	const char *message;
} bad[] = {
	{ TEXT(""), ERR_BAD_REQUEST, "the body is no protobuf of the API: it does not begin with k8s" },
	{ TEXT("{}"), ERR_BAD_REQUEST, "the body is no protobuf of the API: it does not begin with k8s" },
	{ TEXT("k8s\0"), ERR_UNSUPPORTED_MEDIA_TYPE, NULL },
	{ TEXT("k8s\0\x0a"), ERR_BAD_REQUEST, "the body is no protobuf of the API: unexpected end" },
	{ TEXT("k8s\0\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), ERR_BAD_REQUEST,
	  "the body is no protobuf of the API: number too long" },
	{ TEXT("k8s\0\x0b"), ERR_BAD_REQUEST, "the body is no protobuf of the API: illegal wire type" },
	/* A kind that Kubernetes has and whose numbers we do not, and one that nobody has. */
	{ ENVELOPE("batch/v9", "\x08", "Job", "\x03", "\x0f", "", "\0"), ERR_UNSUPPORTED_MEDIA_TYPE, NULL },
	{ ENVELOPE("v1", "\x02", "Nonsense!", "\x09", "\x0f", "", "\0"), ERR_UNSUPPORTED_MEDIA_TYPE, NULL },
	{ CONFIG_MAP("\x08\x01", "\x02"), ERR_BAD_REQUEST,
	  "the body is no protobuf of the API: wrong wire type 0 of field metadata" },
	{ CONFIG_MAP("\x0a\x09\x0a", "\x03"), ERR_BAD_REQUEST,
	  "the body is no protobuf of the API: unexpected end" },
	{ CONFIG_MAP("\x0a\x0e\x42\x0c\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x10\0", "\x10"),
	  ERR_BAD_REQUEST, "the body is no protobuf of the API: time out of range" },
};

static void bodies_become_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		CLEANUP(buf_close) struct buf json = BUF_INIT;
		struct err err = ERR_INIT;
		if (protobuf_to_json(good[i].body.data, good[i].body.len, &json, &err) < 0)
			fail_msg("row %zu: %s", i, err.msg);
		assert_string_equal(json.data, good[i].json);
	}
}

static void what_is_none_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP(buf_close) struct buf json = BUF_INIT;
		struct err err = ERR_INIT;
		assert_int_equal(protobuf_to_json(bad[i].body.data, bad[i].body.len, &json, &err), -1);
		assert_int_equal(err.kind, bad[i].kind);
		if (bad[i].message)
			assert_string_equal(err.msg, bad[i].message);
	}
}

/* Every prefix of a good body is refused or taken, without a look past its end. */
static void cut_bodies_are_safe(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		for (size_t len = 0; len < good[i].body.len; len++) {
			CLEANUP(buf_close) struct buf json = BUF_INIT;
			CLEANUP(mem_freep) char *body = mem_copy(good[i].body.data, len ? len : 1);
			struct err err = ERR_INIT;
			if (protobuf_to_json(body, len, &json, &err) < 0)
				assert_true(err.kind != ERR_NONE && err.msg[0]);
		}
	}
}

static void the_result_is_bounded(void **state)
{
	(void)state;
	CLEANUP(buf_close) struct buf json = BUF_INIT_MAX(100);
	struct err err = ERR_INIT;
	assert_int_equal(protobuf_to_json(good[4].body.data, good[4].body.len, &json, &err), -1);
	assert_int_equal(err.kind, ERR_TOO_LARGE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_become_json),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(cut_bodies_are_safe),
		cmocka_unit_test(the_result_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
