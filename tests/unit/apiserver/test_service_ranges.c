#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apiserver/service/ip_range.h"
#include "apiserver/service/networks.h"
#include "apiserver/service/port_range.h"
#include "lib/mem.h"

static struct ip_address address(const char *text)
{
	struct ip_address result;

	assert_true(ip_address_parse(text, &result));
	return result;
}

static void test_addresses_are_read_and_written(void **state)
{
	static const char *const texts[] = { "10.96.0.1", "255.255.255.255", "fd00::1", "::", "2001:db8::ffff:1" };
	char text[INET6_ADDRSTRLEN];
	struct ip_address read;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		read = address(texts[i]);
		assert_string_equal(ip_address_text(&read, text), texts[i]);
	}
	assert_false(ip_address_parse("10.96.0", &read));
	assert_false(ip_address_parse("None", &read));
}

static bool has(const struct ip_range *range, const char *text)
{
	struct ip_address a = address(text);

	return ip_range_has(range, &a);
}

static void test_ends_are_not_given_out(void **state)
{
	struct ip_range range;

	(void)state;
	assert_true(ip_range_init(&range, "10.96.0.0/16"));
	assert_int_equal(range.size, 65534);
	assert_int_equal(range.band, 256);
	assert_false(has(&range, "10.96.0.0"));
	assert_true(has(&range, "10.96.0.1"));
	assert_true(has(&range, "10.96.255.254"));
	assert_false(has(&range, "10.96.255.255"));
	assert_false(has(&range, "10.97.0.1"));
	assert_false(has(&range, "::a60:1"));
	ip_range_close(&range);

	/* IPv6 has no broadcasts. */
	assert_true(ip_range_init(&range, "fd00::/120"));
	assert_int_equal(range.size, 255);
	assert_int_equal(range.band, 16);
	assert_true(has(&range, "fd00::ff"));
	assert_false(has(&range, "fd00::"));
	ip_range_close(&range);

	assert_true(ip_range_init(&range, "fd00::/64"));
	assert_int_equal(range.size, IP_RANGE_MAX);
	assert_true(has(&range, "fd00::ffff:ffff:ffff:ffff"));
	struct ip_address far = address("fd00::ffff:ffff:ffff:ffff");
	ip_range_mark(&range, &far, true);
	ip_range_close(&range);
	assert_false(ip_range_init(&range, "10.96.0.0"));
	assert_false(ip_range_init(&range, "10.96.0.0/33"));
}

/* The upper part first, then the lower one, each address once. */
static void test_addresses_are_given_out_once(void **state)
{
	struct ip_range range;
	struct ip_address given, band;

	(void)state;
	assert_true(ip_range_init(&range, "10.0.0.0/24"));
	assert_int_equal(range.band, 16);
	band = address("10.0.0.16");
	for (unsigned i = 0; i < range.size; i++) {
		assert_true(ip_range_pick(&range, UINT64_C(0x9e3779b97f4a7c15) * i, &given));
		assert_int_equal(given.value > band.value, i < range.size - range.band);
		ip_range_mark(&range, &given, true);
	}
	assert_false(ip_range_pick(&range, 7, &given));
	given = address("10.0.0.99");
	ip_range_mark(&range, &given, false);
	assert_true(ip_range_pick(&range, 12345, &band));
	assert_true(band.value == given.value);
	ip_range_close(&range);

	/* Networks that are too small to be divided. */
	assert_true(ip_range_init(&range, "10.0.0.0/29"));
	assert_int_equal(range.band, 0);
	assert_int_equal(range.size, 6);
	ip_range_close(&range);
	assert_true(ip_range_init(&range, "10.0.0.1/32"));
	assert_false(ip_range_pick(&range, 0, &given));
	ip_range_close(&range);
	assert_true(ip_range_init(&range, "0.0.0.0/0"));
	assert_int_equal(range.size, IP_RANGE_MAX);
	ip_range_close(&range);
	assert_true(ip_range_init(&range, "::/0"));
	assert_true(ip_range_pick(&range, 0, &given));
	ip_range_close(&range);
}

static void test_ports(void **state)
{
	struct port_range range;

	(void)state;
	port_range_init(&range, 30000, 32767);
	assert_int_equal(range.size, 2768);
	assert_int_equal(range.band, 86);
	assert_false(port_range_has(&range, 29999));
	assert_false(port_range_has(&range, 32768));
	port_range_use(&range, 80, true); /* of another range */

	/* Two have it: it is free when both have let go. */
	port_range_use(&range, 30001, true);
	port_range_use(&range, 30001, true);
	port_range_use(&range, 30001, false);
	assert_false(port_range_free(&range, 30001));
	port_range_use(&range, 30001, false);
	assert_true(port_range_free(&range, 30001));

	/* What is held, and used by then, is not free when it is dropped. */
	port_range_hold(&range, 32767, true);
	assert_false(port_range_free(&range, 32767));
	port_range_use(&range, 32767, true);
	port_range_hold(&range, 32767, false);
	assert_false(port_range_free(&range, 32767));
	port_range_use(&range, 32767, false);

	for (unsigned i = 0; i < range.size; i++) {
		uint32_t port = port_range_pick(&range, UINT64_C(0x9e3779b97f4a7c15) * i);
		assert_true(port_range_has(&range, port));
		assert_int_equal(port >= 30086, i < range.size - range.band);
		port_range_use(&range, port, true);
	}
	assert_int_equal(port_range_pick(&range, 3), 0);
	port_range_close(&range);
}

static int cidrs(const char *text, struct service_networks *networks)
{
	*networks = SERVICE_NETWORKS_INIT;
	return service_networks_parse_cidrs(networks, text, NULL);
}

static void test_flags(void **state)
{
	static const char *const bad[] = { "", "10.96.0.0", "10.96.0.0/30", "fd00::/63", "10.96.0.0/16,10.97.0.0/16",
					   "10.96.0.0/16,fd00::/112,fd01::/112", "10.96.0.0/16,", "x/16" };
	static const char *const bad_ports[] = { "", "30000", "30000-", "-30000", "0-10", "30010-30000",
						 "30000-70000", "30000-32767x", "a-b", "65000+1000" };
	struct service_networks networks;

	(void)state;
	assert_int_equal(cidrs("10.1.0.0/20", &networks), 0);
	assert_int_equal(networks.n_cidrs, 1);
	assert_int_equal(cidrs("fd00::/112,10.1.0.0/20", &networks), 0);
	assert_int_equal(networks.n_cidrs, 2);
	assert_string_equal(networks.cidrs[0], "fd00::/112");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (cidrs(bad[i], &networks) == 0)
			fail_msg("%s", bad[i]);
	assert_int_equal(service_networks_parse_ports(&networks, "30000+100", NULL), 0);
	assert_int_equal(networks.node_ports[1], 30100);
	assert_int_equal(service_networks_parse_ports(&networks, "1-65535", NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad_ports); i++)
		if (service_networks_parse_ports(&networks, bad_ports[i], NULL) == 0)
			fail_msg("%s", bad_ports[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_are_read_and_written),
		cmocka_unit_test(test_ends_are_not_given_out),
		cmocka_unit_test(test_addresses_are_given_out_once),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
