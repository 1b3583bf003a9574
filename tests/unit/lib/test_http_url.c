#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/http_url.h"
#include "lib/mem.h"

static void parts(void **state)
{
	static const struct {
		const char *url, *host, *authority, *target;
		bool tls;
		uint16_t port;
	} cases[] = {
		{ "https://127.0.0.1:6443/api?x=y", "127.0.0.1", "127.0.0.1:6443", "/api?x=y", true, 6443 },
		{ "https://api.test", "api.test", "api.test", "", true, 443 },
		{ "HTTP://api.test/", "api.test", "api.test", "/", false, 80 },
		{ "http://api.test?x", "api.test", "api.test", "?x", false, 80 },
		{ "http://api.test:8080/a#fragment", "api.test", "api.test:8080", "/a", false, 8080 },
		{ "https://[::1]:1/", "::1", "[::1]:1", "/", true, 1 },
		{ "https://[fe80::1]/", "fe80::1", "[fe80::1]", "/", true, 443 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_url url;

		assert_int_equal(http_url_parse(cases[i].url, &url, NULL), 0);
		assert_string_equal(url.host, cases[i].host);
		assert_string_equal(url.authority, cases[i].authority);
		assert_int_equal(url.end - url.target, strlen(cases[i].target));
		assert_memory_equal(url.target, cases[i].target, strlen(cases[i].target));
		assert_int_equal(url.tls, cases[i].tls);
		assert_int_equal(url.port, cases[i].port);
		http_url_close(&url);
	}
}

static void refused(void **state)
{
	static const char *const urls[] = {
		"",
		"127.0.0.1:6443",
		"ftp://host/",
		"https://",
		"https:///path",
		"https://:6443/",
		"https://host:/",
		"https://host:0/",
		"https://host:65536/",
		"https://host:123456/",
		"https://host:1x/",
		"https://user@host/",
		"https://user:word@host/",
		"https://[::1/",
		"https://[::1]x/",
		"http://host/a b",
		"http://host/a\r\nX: y",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		struct http_url url;
		struct err err = ERR_INIT;

		assert_int_equal(http_url_parse(urls[i], &url, &err), -1);
		assert_int_equal(err.kind, ERR_BAD_REQUEST);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(parts), cmocka_unit_test(refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
