#include "apiserver/edge/accept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/mem.h"

static void the_first_form_that_we_have_wins(void **state)
{
	(void)state;
	static const struct {
		const char *header;
		bool good;
		enum accept_form form;
		bool yaml;
	} rows[] = {
		{ NULL, true, ACCEPT_OBJECT, false },
		{ "", true, ACCEPT_OBJECT, false },
		{ "*/*", true, ACCEPT_OBJECT, false },
		{ "application/json", true, ACCEPT_OBJECT, false },
		{ "application/yaml", true, ACCEPT_OBJECT, true },
		{ "text/html, application/*;q=0.8", true, ACCEPT_OBJECT, false },
		{ "application/vnd.kubernetes.protobuf,application/json", true, ACCEPT_OBJECT, false },
		{ "application/vnd.kubernetes.protobuf", false, ACCEPT_OBJECT, false },
		{ "application/xml", false, ACCEPT_OBJECT, false },
		{ "application/json;as=Table;v=v1;g=meta.k8s.io,application/json", true, ACCEPT_TABLE,
		  false },
		{ "application/json ; g=meta.k8s.io ; v=v1 ; as=Table", true, ACCEPT_TABLE, false },
		{ "application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", true, ACCEPT_OBJECT,
		  false },
		{ "application/json;as=Table;v=v9;g=meta.k8s.io", false, ACCEPT_OBJECT, false },
		{ "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", true, ACCEPT_METADATA,
		  false },
		{ "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", true,
		  ACCEPT_METADATA_LIST, false },
		{ "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", true,
		  ACCEPT_DISCOVERY, false },
		{ "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/"
		  "json",
		  true, ACCEPT_DISCOVERY_BETA, false },
		{ ",;,=;,", false, ACCEPT_OBJECT, false },
		{ "application/json;q=0.5,application/yaml", true, ACCEPT_OBJECT, true },
		{ "application/yaml;q=0.5,application/json;q=0.50", true, ACCEPT_OBJECT, true },
		{ "*/*,application/yaml", true, ACCEPT_OBJECT, true },
		{ "application/yaml;q=0.9,*/*;q=0.8", true, ACCEPT_OBJECT, true },
		{ "application/json;q=0", false, ACCEPT_OBJECT, false },
		{ "application/json;q=,application/yaml", true, ACCEPT_OBJECT, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct accept accept;
		if (accept_parse(rows[i].header, &accept) != rows[i].good || accept.form != rows[i].form ||
		    accept.yaml != rows[i].yaml)
			fail_msg("%s", rows[i].header);
	}
}

static void media_types_are_known(void **state)
{
	(void)state;
	assert_int_equal(media_parse(NULL), MEDIA_NONE);
	assert_int_equal(media_parse("application/json; charset=utf-8"), MEDIA_JSON);
	assert_int_equal(media_parse("Application/YAML"), MEDIA_YAML);
	assert_int_equal(media_parse("application/strategic-merge-patch+json"), MEDIA_STRATEGIC_PATCH);
	assert_int_equal(media_parse("application/apply-patch+yaml"), MEDIA_APPLY_PATCH);
	assert_int_equal(media_parse("application/vnd.kubernetes.protobuf"), MEDIA_PROTOBUF);
	assert_int_equal(media_parse("text/html"), MEDIA_OTHER);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_form_that_we_have_wins),
		cmocka_unit_test(media_types_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
