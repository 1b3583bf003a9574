/* The whole server when memory runs out: the n-th allocation of each library, and of our own code, fails
 * while requests are handled. A child is the server and its client; it goes on, or ends with "out of memory".
 * Then the store is looked at: what the client was told is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "apiserver/store/store.h"
#include "lib/log.h"
#include "lib/timefmt.h"
#include "tests/api/api_fixture.h"
#include "tests/faults/failing_memory.h"
#include "tests/faults/fault_run.h"
#include "tests/support/rng.h"

#define CONFIG_MAPS "/api/v1/namespaces/default/configmaps"
#define DEPLOYMENTS "/apis/apps/v1/namespaces/default/deployments"

/* --- the child --- */

/* One line to the parent, which survives whatever comes next. */
static void tell(const char *format, ...) PRINTF_LIKE(1, 2);
static void tell(const char *format, ...)
{
	char line[128];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		_exit(3);
}

static int ask(struct api_fixture *fixture, const char *method, const char *path, const char *type,
	       const char *body)
{
	struct api_request request = { .method = method,
				       .path = path,
				       .type = type,
				       .body = body,
				       .body_len = body ? strlen(body) : 0,
				       .may_break = true };
	struct api_answer answer;
	int code;

	api_exchange(fixture, &request, &answer);
	code = answer.code;
	/* An error is a Status; a success is whole. */
	if (code && !answer.json) {
		fprintf(stderr, "%s %s: %d without JSON: %s\n", method, path, code, answer.text);
		exit(4);
	}
	api_answer_close(&answer);
	return code;
}

static void watch(struct api_fixture *fixture)
{
	struct api_request request = { .method = "GET", .path = CONFIG_MAPS "?watch=1" };
	int64_t before_ms = time_mono_ms();
	int code;
	struct json_object *events = api_watch(fixture, &request, 1, &code);

	if (json_len(events) == 0 && time_mono_ms() - before_ms > 9000) {
		fprintf(stderr, "a watch got neither an event nor an end\n");
		exit(4);
	}
	json_object_put(events);
}

/* Each kind of request, on a connection of its own, so that its making is among what can fail. */
static void session(struct api_fixture *fixture, unsigned n)
{
	CLEANUP(mem_freep) char *path = mem_printf(CONFIG_MAPS "/m-%u", n);
	CLEANUP(mem_freep)
	char *body = mem_printf("{\"metadata\":{\"name\":\"m-%u\",\"labels\":{\"a\":\"b\"}},"
				"\"data\":{\"k\":\"a string that is longer than a few words\"}}",
				n);
	struct http_identity identity = { .ca_pem = fixture->ca.pem.cert_pem };
	struct err err = ERR_INIT;

	http_client_free(fixture->client);
	fixture->client = http_client_new(fixture->loop, &identity, 64, "test", &err);
	assert_non_null(fixture->client);
	tell("try create m-%u\n", n);
	if (ask(fixture, "POST", CONFIG_MAPS, "application/json", body) == 201)
		tell("did create m-%u\n", n);
	ask(fixture, "GET", path, NULL, NULL);
	ask(fixture, "PATCH", path, "application/merge-patch+json", "{\"data\":{\"k\":null,\"x\":\"y\"}}");
	ask(fixture, "PATCH", path, "application/strategic-merge-patch+json",
	    "{\"metadata\":{\"labels\":{\"c\":\"d\"}}}");
	ask(fixture, "PATCH", path, "application/json-patch+json",
	    "[{\"op\":\"add\",\"path\":\"/data\",\"value\":{\"z\":\"1\"}}]");
	ask(fixture, "PATCH", DEPLOYMENTS "/web", "application/strategic-merge-patch+json",
	    "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i:2\"}]}}}}");
	ask(fixture, "GET", CONFIG_MAPS "?labelSelector=a%3Db", NULL, NULL);
	watch(fixture);
	tell("try delete m-%u\n", n);
	if (ask(fixture, "DELETE", path, NULL, NULL) == 200)
		tell("did delete m-%u\n", n);
}

/* Once memory is there again everything works. */
static void check_well(struct api_fixture *fixture, unsigned n)
{
	CLEANUP(mem_freep) char *path = mem_printf(CONFIG_MAPS "/after-%u", n);
	CLEANUP(mem_freep) char *body = mem_printf("{\"metadata\":{\"name\":\"after-%u\"}}", n);

	if (ask(fixture, "POST", CONFIG_MAPS, "application/json", body) != 201 ||
	    ask(fixture, "GET", path, NULL, NULL) != 200 || ask(fixture, "DELETE", path, NULL, NULL) != 200) {
		fprintf(stderr, "the server does not work after a failed allocation\n");
		exit(4);
	}
}

/* CHILD LIBRARY FIRST STRIDE COUNT LASTING: COUNT allocations, or up to one that ends the process. */
static int child(char **argv)
{
	static const char deployment[] = "{\"metadata\":{\"name\":\"web\"},\"spec\":{\"selector\":{"
					 "\"matchLabels\":{\"a\":\"b\"}},\"template\":{"
					 "\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{"
					 "\"name\":\"c\",\"image\":\"i\"}]}}}}";
	struct api_fixture fixture = { .keep_dir = true };
	unsigned first = (unsigned)atoi(argv[1]), stride = (unsigned)atoi(argv[2]),
		 left = (unsigned)atoi(argv[3]);
	bool lasting = atoi(argv[4]), happened = true;

	if (!failing_memory_watch(argv[0]))
		return 5;
	log_init("memory", LOG_LEVEL_ERROR, false);
	api_fixture_start(&fixture);
	tell("folder %s\n", fixture.dir);
	assert_int_equal(ask(&fixture, "POST", DEPLOYMENTS, "application/json", deployment), 201);
	assert_int_equal(
	    ask(&fixture, "POST", CONFIG_MAPS, "application/json", "{\"metadata\":{\"name\":\"seen\"}}"),
	    201);
	for (unsigned n = first; left-- > 0 && happened; n += stride) {
		tell("at %u\n", n);
		failing_memory_arm(n, lasting);
		session(&fixture, n);
		happened = failing_memory_disarm();
		check_well(&fixture, n);
	}
	tell(happened ? "survived\n" : "end\n");
	api_fixture_stop(&fixture);
	return 0;
}

/* --- the parent --- */

static struct fault_args args;
static unsigned long failures, aborts, children;

static pid_t spawn(const char *library, unsigned first, unsigned stride, unsigned n, bool lasting,
		   int *ret_out, int error_fd)
{
	char numbers[3][16];
	int pipes[2];
	pid_t pid;

	snprintf(numbers[0], sizeof(numbers[0]), "%u", first);
	snprintf(numbers[1], sizeof(numbers[1]), "%u", stride);
	snprintf(numbers[2], sizeof(numbers[2]), "%u", n);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		dup2(pipes[1], STDOUT_FILENO);
		dup2(error_fd, STDERR_FILENO);
		execl("/proc/self/exe", "test_server_memory", "child", library, numbers[0], numbers[1],
		      numbers[2], lasting ? "1" : "0", (char *)NULL);
		_exit(127);
	}
	close(pipes[1]);
	*ret_out = pipes[0];
	return pid;
}

static void read_all(int fd, struct buf *ret)
{
	char block[4096];
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			buf_add(ret, block, (size_t)n);
}

static int keep_name(const struct store_change *change, void *arg, struct err *err)
{
	(void)err;
	if (!strcmp(change->plural, "configmaps"))
		buf_printf(arg, "%s%s\n", change->kind == STORE_DELETE ? "-" : "+", change->key);
	return 0;
}

static int no_horizon(const struct store_horizon *horizon, void *arg, struct err *err)
{
	(void)horizon;
	(void)arg;
	(void)err;
	return 0;
}

static bool said(const char *log, const char *what, const char *name)
{
	CLEANUP(mem_freep) char *line = mem_printf("%s %s\n", what, name);

	return strstr(log, line) != NULL;
}

/* What the store holds fits what the client was told: LOG is what the child said. */
static void check_store(const char *dir, const char *log)
{
	CLEANUP(buf_close) struct buf names = BUF_INIT;
	struct store_loader loader = { no_horizon, keep_name, &names };
	struct store *store = NULL;
	struct err err = ERR_INIT;
	uint64_t revision;

	buf_str(&names, "");
	if (store_sqlite_open(dir, &store, &err) < 0 || store->ops->load(store, &loader, &revision, &err) < 0)
		fail_msg("the store after it: %s", err.msg);
	store->ops->close(store);
	for (const char *line = log; (line = strstr(line, "try create ")); line++) {
		char name[32];
		CLEANUP(mem_freep) char *put = NULL;
		CLEANUP(mem_freep) char *removed = NULL;

		sscanf(line, "try create %31s", name);
		put = mem_printf("+default/%s\n", name);
		removed = mem_printf("-default/%s\n", name);
		if (said(log, "did create", name) && !strstr(names.data, put))
			fail_msg("%s was acknowledged and is lost", name);
		if (said(log, "did delete", name) && !strstr(names.data, removed))
			fail_msg("the deletion of %s was acknowledged and is lost", name);
		if (!said(log, "try delete", name) && strstr(names.data, removed))
			fail_msg("%s was deleted by nobody", name);
	}
}

/* Runs one child from FIRST on. Gives the place it came to, and whether there was nothing more to fail. */
static unsigned run_child(const char *library, unsigned first, unsigned stride, unsigned n, bool lasting,
			  bool *ret_end)
{
	CLEANUP(buf_close) struct buf log = BUF_INIT;
	CLEANUP(buf_close) struct buf errors = BUF_INIT;
	FILE *error_file = tmpfile();
	unsigned at = first, k = 0;
	char *dir;
	int out, status;
	pid_t pid;

	assert_non_null(error_file);
	pid = spawn(library, first, stride, n, lasting, &out, fileno(error_file));
	read_all(out, &log);
	close(out);
	waitpid(pid, &status, 0);
	rewind(error_file);
	read_all(fileno(error_file), &errors);
	fclose(error_file);
	buf_str(&log, "");
	buf_str(&errors, "");
	for (const char *line = log.data; (line = strstr(line, "\nat ")); line++, k++)
		at = (unsigned)atoi(line + 4);
	children++;
	*ret_end = strstr(log.data, "\nend\n") != NULL;
	failures += k - *ret_end; /* at the end there was nothing left to fail */
	/* GMP, by the allocator that GnuTLS gives it, ends the process without a word. */
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
	    (strstr(errors.data, "out of memory\n") || !strcmp(library, "libgnutls")))
		aborts++;
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("%s, allocation %u%s: status %x\n%s\n%s", *library ? library : "own", at,
			 lasting ? " and all after it" : "", (unsigned)status, log.data, errors.data);
	dir = strstr(log.data, "folder ");
	assert_non_null(dir);
	dir = mem_dupn(dir + 7, strcspn(dir + 7, "\n"));
	check_store(dir, log.data);
	fault_folder_remove(dir);
	return at;
}

static const char *const libraries[] = { "", "libjson-c", "libsqlite3", "libgnutls" };

/* N places of each library, spread over a session's allocations. */
static void sweep(const char *library, unsigned stride, unsigned n)
{
	for (int lasting = 0; lasting < 2; lasting++) {
		bool end = false;
		unsigned done = 0;

		for (unsigned first = 1 + (unsigned)lasting; done < n && !end;) {
			unsigned at = run_child(library, first, stride, n - done, lasting, &end);

			done += (at - first) / stride + 1;
			first = at + stride;
		}
	}
}

#ifdef __SANITIZE_ADDRESS__
#define PLACES 8
#else
#define PLACES 25
#endif

/* Primes, so that places differ in what they are of. */
static void test_own(void **state)
{
	(void)state;
	sweep("", 61, PLACES);
}

static void test_json(void **state)
{
	(void)state;
	sweep("libjson-c", 29, PLACES);
}

static void test_sqlite(void **state)
{
	(void)state;
	sweep("libsqlite3", 3, PLACES * 4);
}

static void test_tls(void **state)
{
	(void)state;
	sweep("libgnutls", 7, PLACES * 4);
}

static void random_round(uint64_t seed)
{
	/* How many allocations a session makes differs much between them. */
	static const unsigned ranges[] = { 30, 300, 3000 };
	struct rng rng = rng_of(seed, 0);
	const char *library = libraries[rng_below(&rng, ARRAY_SIZE(libraries))];
	unsigned first = 1 + rng_below(&rng, ranges[rng_below(&rng, ARRAY_SIZE(ranges))]);
	unsigned stride = 1 + rng_below(&rng, 40);
	bool lasting = rng_below(&rng, 2), end;

	run_child(library, first, stride, 20, lasting, &end);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_sqlite),
		cmocka_unit_test(test_tls),
	};
	int result = 0;

	if (argc == 7 && !strcmp(argv[1], "child"))
		return child(argv + 2);
	args = fault_args("server-memory", argc, argv);
	if (args.seconds)
		fault_soak(&args, random_round);
	else
		result = cmocka_run_group_tests(tests, NULL, NULL);
	fault_report(&args, (struct fault_count[]){ { "servers", children },
						    { "allocations failed", failures },
						    { "ended with out of memory", aborts },
						    { NULL, 0 } });
	return result;
}
