#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apiserver/authz/authz.h"
#include "apiserver/authz/bootstrap_rbac.h"
#include "apiserver/bootstrap.h"
#include "apiserver/store/store.h"
#include "bench/parts/parts.h"

#define BINDINGS  2000
#define DECISIONS 1000000

/* The questions, each asked as often as the others. %u of a user is one of those who are bound. */
static const struct {
	const char *user, *group, *verb, *resource, *subresource, *namespace_;
	bool allowed;
} questions[] = {
	{ "user-%u", "team-%u", "list", "pods", "", "team-%u", true },
	{ "user-%u", "team-%u", "get", "configmaps", "", "default", true },
	{ "user-%u", "team-%u", "update", "resourcequotas", "", "team-%u", false },
	{ "system:kube-scheduler", "x", "create", "pods", "binding", "default", true },
	{ "system:kube-controller-manager", "x", "update", "replicasets", "status", "default", true },
	{ "nobody", "x", "get", "pods", "", "default", false },
};

static void replied(struct core_command *command)
{
	sem_post(command->arg);
}

/* Half of the bindings are one user's everywhere, half a team's in its namespace. */
static struct object *binding(unsigned i)
{
	bool everywhere = i % 2;
	const struct resource *resource = resource_find("rbac.authorization.k8s.io", "v1",
							everywhere ? "clusterrolebindings" : "rolebindings");
	CLEANUP(mem_freep)
	char *text = mem_printf(
	    "{\"metadata\":{\"name\":\"b-%u\"%s%s%u%s},\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":"
	    "\"%s\"},\"subjects\":[{\"kind\":\"%s\",\"name\":\"%s-%u\"}]}",
	    i, everywhere ? "" : ",\"namespace\":\"", everywhere ? ",\"generation\":" : "team-", i / 2,
	    everywhere ? "" : "\"", everywhere ? "view" : "admin", everywhere ? "User" : "Group",
	    everywhere ? "user" : "team", i / 2);
	CLEANUP(json_putp) struct json_object *obj = NULL;

	if (json_parse(text, strlen(text), &obj, NULL, NULL) < 0)
		abort();
	return object_new(resource, obj, NULL, 0);
}

static void fill(struct core *core)
{
	static struct core_command commands[BINDINGS];
	sem_t done;

	sem_init(&done, 0, 0);
	for (unsigned i = 0; i < BINDINGS; i++) {
		struct object *object = binding(i);

		commands[i] = (struct core_command){ .op = CORE_CREATE,
						     .resource = object_resource(object),
						     .namespace_ = object_namespace(object),
						     .name = object_name(object),
						     .object = object,
						     .reply = replied,
						     .arg = &done };
		core_submit(core, &commands[i]);
	}
	for (unsigned i = 0; i < BINDINGS; i++)
		sem_wait(&done);
	for (unsigned i = 0; i < BINDINGS; i++)
		core_command_close(&commands[i]);
	sem_destroy(&done);
}

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return 1e6 * (double)t.tv_sec + (double)t.tv_nsec / 1e3;
}

struct asker {
	struct identity *identity;
	struct authz_attributes a;
	char namespace_[32];
};

static void asker_init(struct asker *asker, size_t question, unsigned i)
{
	char name[64], group[64];

	/* The formats are those above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(name, sizeof(name), questions[question].user, i);
	snprintf(group, sizeof(group), questions[question].group, i);
	snprintf(asker->namespace_, sizeof(asker->namespace_), questions[question].namespace_, i);
#pragma GCC diagnostic pop
	asker->identity = identity_new(name, "");
	identity_add_group(asker->identity, group, strlen(group));
	identity_add_group(asker->identity, GROUP_AUTHENTICATED, strlen(GROUP_AUTHENTICATED));
	asker->a = (struct authz_attributes){ .identity = asker->identity,
					      .is_resource = true,
					      .group = question == 4 ? "apps" : "",
					      .version = "v1",
					      .resource = questions[question].resource,
					      .subresource = questions[question].subresource,
					      .namespace_ = asker->namespace_,
					      .name = "x" };
	attributes_set_verb(&asker->a, questions[question].verb);
}

/* Twenty users to each question, so that no two decisions in a row meet the same data. */
#define USERS 20

static int ask_all(struct authz *authz)
{
	static struct asker askers[USERS][ARRAY_SIZE(questions)];
	struct err err = ERR_INIT;
	double began_us = 0;

	for (unsigned u = 0; u < USERS; u++)
		for (size_t q = 0; q < ARRAY_SIZE(questions); q++)
			asker_init(&askers[u][q], q, u * 37);
	/* The first round brings the index up to date, and checks the answers. */
	for (unsigned n = 0, round = 0; n < DECISIONS; round++) {
		if (round == 1)
			began_us = cpu_us();
		for (unsigned u = 0; u < USERS; u++) {
			for (size_t q = 0; q < ARRAY_SIZE(questions); q++) {
				struct buf reason = BUF_INIT;
				bool allowed = false;

				if (authz_decide(authz, &askers[u][q].a, &allowed, &reason, &err) < 0 ||
				    allowed != questions[q].allowed) {
					fprintf(stderr, "error: %s %s of %s: allowed %d %s\n",
						questions[q].verb, questions[q].resource,
						askers[u][q].identity->user, (int)allowed, err.msg);
					return 1;
				}
				buf_close(&reason);
				n += round > 0;
			}
		}
	}
	printf("authorize-us %.3f\n", (cpu_us() - began_us) / DECISIONS);
	for (unsigned u = 0; u < USERS; u++)
		for (size_t q = 0; q < ARRAY_SIZE(questions); q++)
			identity_unref(askers[u][q].identity);
	return 0;
}

int parts_authorize(char **argv)
{
	struct core_opts opts = { .history_events = 100,
				  .history_ms = 60000,
				  .event_ttl_ms = 3600000,
				  .watch_max_bytes = 8 << 20,
				  .max_watches = 10 };
	struct core *core = NULL;
	struct err err = ERR_INIT;

	if (store_sqlite_open(argv[0], &opts.store, &err) < 0 || core_new(&opts, &core, &err) < 0 ||
	    core_start(core, &err) < 0 || bootstrap(core, &err) < 0 || bootstrap_rbac(core, &err) < 0) {
		fprintf(stderr, "error: %s\n", err.msg);
		return 1;
	}
	fill(core);

	struct authz *authz = authz_new(core);
	int result = ask_all(authz);

	authz_free(authz);
	core_stop_and_free(core);
	return result;
}
