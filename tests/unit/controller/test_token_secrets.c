/* Secrets with tokens of service accounts, against a scripted server. */
#include "controller/token_secrets.h"

#include "tests/unit/controller/controller_fixture.h"

#define SECRETS  "/api/v1/secrets"
#define ACCOUNTS "/api/v1/serviceaccounts"
#define NS       "/api/v1/namespaces/ns"
#define SECRET_OF(type, name, annotations, data)                                                             \
	"{\"type\":\"" type "\",\"metadata\":{\"name\":\"" name "\",\"namespace\":\"ns\",\"uid\":\"u-" name  \
	"\",\"resourceVersion\":\"5\",\"annotations\":{" annotations "}},\"data\":{" data "}}"
#define SECRET(name, annotations, data)                                                                      \
	SECRET_OF("kubernetes.io/service-account-token", name, annotations, data)
#define NAME(name) "\"kubernetes.io/service-account.name\":\"" name "\""
#define UID(uid)   "\"kubernetes.io/service-account.uid\":\"" uid "\""
#define ACCOUNT(name)                                                                                        \
	"{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"ns\",\"uid\":\"u-" name                        \
	"\",\"resourceVersion\":\"6\"}}"
/* "CA" and "ns" in base64. */
#define FULL "\"token\":\"eA==\",\"ca.crt\":\"Q0E=\",\"namespace\":\"bnM=\""

#define BARE SECRET("bare", NAME("crew"), "")
#define DELETE(name)                                                                                         \
	"DELETE " NS "/secrets/" name                                                                        \
	" {\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"preconditions\":{\"uid\":\"u-" name "\"}}\n"
#define LAST SECRET("last", NAME("nobody"), "")

static const char *bare = BARE;

static int answer(const char *method, const char *path, const char **ret_body)
{
	if (strcmp(method, "GET") != 0)
		return 200;
	if (strcmp(path, NS "/secrets/bare") == 0)
		*ret_body = bare;
	else if (strcmp(path, NS "/serviceaccounts/late") == 0)
		*ret_body = ACCOUNT("late");
	else
		return 404;
	return 200;
}

struct story {
	const char *secrets, *requests;
};

/* What is asked and written at the start; the account "crew" is known. */
static const struct story stories[] = {
	{ BARE, "GET " NS "/secrets/bare \nPUT " NS
		"/secrets/bare " SECRET("bare", NAME("crew") "," UID("u-crew"),
					"\"ca.crt\":\"Q0E=\",\"namespace\":\"bnM=\"") "\n" },
	{ SECRET("full", NAME("crew") "," UID("u-crew"), FULL), "" },
	{ SECRET_OF("Opaque", "other", NAME("nobody"), ""), "" },
	{ SECRET("old", NAME("crew") "," UID("u-before"), FULL),
	  "GET " NS "/serviceaccounts/crew \n" DELETE("old") },
	{ SECRET("lost", NAME("nobody"), FULL), "GET " NS "/serviceaccounts/nobody \n" DELETE("lost") },
	/* The cache has not heard of the account yet. */
	{ SECRET("early", NAME("late") "," UID("u-late"), FULL), "GET " NS "/serviceaccounts/late \n" },
};

static struct token_secrets *start(struct fixture *f, const struct fixture_list *lists)
{
	fixture_start(f, lists, answer);
	struct token_secrets *tokens = token_secrets_new(f->server.loop, f->client, f->cache, "CA");
	fixture_wait_synced(f);
	token_secrets_synced(tokens);
	return tokens;
}

static void stop(struct fixture *f, struct token_secrets *tokens)
{
	fixture_settle(f);
	token_secrets_free(tokens);
	fixture_stop(f);
}

static void test_start(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		const struct fixture_list lists[] = { { SECRETS, stories[i].secrets },
						      { ACCOUNTS, ACCOUNT("crew") },
						      { NULL, NULL } };
		struct fixture f;
		struct token_secrets *tokens = start(&f, lists);

		fixture_settle(&f);
		/* One that comes later is decided on last. */
		fixture_event(&f, SECRETS, "{\"type\":\"ADDED\",\"object\":" LAST "}");
		LOOP_UNTIL(f.server.loop, fixture_has(&f, DELETE("last")));
		CLEANUP(mem_freep)
		char *expected =
		    mem_printf("%sGET " NS "/serviceaccounts/nobody \n" DELETE("last"), stories[i].requests);
		assert_string_equal(f.requests.data, expected);
		stop(&f, tokens);
	}
}

static void test_account_goes(void **state)
{
	(void)state;
	const struct fixture_list lists[] = { { SECRETS,
						SECRET("full", NAME("crew") "," UID("u-crew"), FULL) },
					      { ACCOUNTS, ACCOUNT("crew") },
					      { NULL, NULL } };
	struct fixture f;
	struct token_secrets *tokens = start(&f, lists);

	fixture_event(&f, ACCOUNTS, "{\"type\":\"DELETED\",\"object\":" ACCOUNT("crew") "}");
	LOOP_UNTIL(f.server.loop, fixture_has(&f, DELETE("full")));
	stop(&f, tokens);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_start),
					    cmocka_unit_test(test_account_goes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
