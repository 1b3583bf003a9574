#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "lib/resolve.h"
#include "tests/support/test_server.h"

static void digits(void **state)
{
	struct addrinfo *addresses = resolve_digits("127.0.0.1", 6443);

	(void)state;
	assert_non_null(addresses);
	assert_int_equal(addresses->ai_family, AF_INET);
	assert_int_equal(ntohs(((struct sockaddr_in *)(void *)addresses->ai_addr)->sin_port), 6443);
	freeaddrinfo(addresses);
	addresses = resolve_digits("::1", 1);
	assert_non_null(addresses);
	assert_int_equal(addresses->ai_family, AF_INET6);
	freeaddrinfo(addresses);
	assert_null(resolve_digits("localhost", 1));
	assert_null(resolve_digits("", 1));
}

struct outcome {
	size_t done;
	bool found;
	enum err_kind kind;
};

static void on_done(struct addrinfo *addresses, const struct err *err, void *arg)
{
	struct outcome *outcome = arg;

	outcome->done++;
	outcome->found = addresses != NULL;
	outcome->kind = err->kind;
	if (addresses)
		freeaddrinfo(addresses);
}

static void names(void **state)
{
	struct loop *loop = loop_new(NULL);
	struct outcome local = { 0 }, missing = { 0 }, cancelled = { 0 };

	(void)state;
	assert_non_null(resolve_begin(loop, "localhost", 80, on_done, &local, NULL));
	assert_non_null(resolve_begin(loop, "no such name", 80, on_done, &missing, NULL));
	resolve_cancel(resolve_begin(loop, "localhost", 80, on_done, &cancelled, NULL));
	assert_int_equal(local.done, 0);
	LOOP_UNTIL(loop, local.done && missing.done);
	assert_true(local.found);
	assert_false(missing.found);
	assert_int_equal(missing.kind, ERR_CONNECTION);
	assert_int_equal(cancelled.done, 0);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(digits), cmocka_unit_test(names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
