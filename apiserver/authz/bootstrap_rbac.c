#include "apiserver/authz/bootstrap_rbac.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/authz/rules.h"
#include "apiserver/chance.h"
#include "apiserver/managed.h"
#include "lib/timefmt.h"

#define AUTO_UPDATE "rbac.authorization.kubernetes.io/autoupdate"

/* The object of the line at *TEXT, which moves on; NULL after the last. */
static struct json_object *next_object(const char **text)
{
	struct json_object *obj = NULL;
	size_t len = strcspn(*text, "\n");

	if (!len || json_parse(*text, len, &obj, NULL, NULL) < 0)
		return NULL;
	*text += len + 1;
	return obj;
}

struct json_object *bootstrap_rbac_find(const char *kind, const char *name)
{
	const char *text = bootstrap_rbac_objects;

	for (struct json_object *obj; (obj = next_object(&text)); json_object_put(obj))
		if (strcmp(json_str_or_empty(obj, "kind"), kind) == 0 &&
		    strcmp(json_str_or_empty(json_get(obj, "metadata"), "name"), name) == 0)
			return obj;
	return NULL;
}

/* --- what is lacking --- */

/* Members of map KEY of the metadata. */
static bool add_strings(struct json_object *stored, const struct json_object *wanted, const char *key)
{
	const struct json_object *given = json_path(wanted, "metadata", key, NULL);
	struct json_object *metadata = json_get(stored, "metadata");
	bool changed = false;

	if (!given)
		return false;
	json_object_object_foreach((struct json_object *)given, name, value)
	{
		if (json_equal(json_path(metadata, key, name, NULL), value))
			continue;
		json_set(json_ensure_object(metadata, key), name, json_clone(value));
		changed = true;
	}
	return changed;
}

static bool contains(const struct json_object *list, const struct json_object *item)
{
	for (size_t i = 0; i < json_len(list); i++)
		if (json_equal(json_at(list, i), item))
			return true;
	return false;
}

static bool add_items(struct json_object *owner, const char *key, const struct json_object *wanted)
{
	bool changed = false;

	for (size_t i = 0; i < json_len(wanted); i++) {
		if (contains(json_get(owner, key), json_at(wanted, i)))
			continue;
		json_object_array_add(json_ensure_array(owner, key), json_clone(json_at(wanted, i)));
		changed = true;
	}
	return changed;
}

static bool add_rules(struct json_object *stored, const struct json_object *wanted)
{
	CLEANUP(rules_close) struct authz_rules held = AUTHZ_RULES_INIT;
	CLEANUP(json_putp) struct json_object *missing = NULL;
	const struct authz_rule **owned;
	int result;

	if (json_equal(json_get(stored, "rules"), json_get(wanted, "rules")))
		return false;
	rules_parse(json_get(stored, "rules"), &held);
	owned = mem_realloc_array(NULL, held.n + 1, sizeof(const struct authz_rule *));
	for (size_t i = 0; i < held.n; i++)
		owned[i] = &held.items[i];
	result = rules_uncovered(owned, held.n, json_get(wanted, "rules"), &missing, NULL);
	free(owned);
	return result == 0 && add_items(stored, "rules", missing);
}

bool bootstrap_rbac_reconcile(struct json_object *stored, const struct json_object *wanted)
{
	const struct json_object *aggregation = json_get(wanted, "aggregationRule");
	bool labels = add_strings(stored, wanted, "labels"),
	     annotations = add_strings(stored, wanted, "annotations"), rest;

	if (aggregation)
		rest = add_items(json_ensure_object(stored, "aggregationRule"), "clusterRoleSelectors",
				 json_get(aggregation, "clusterRoleSelectors"));
	else if (json_get(wanted, "rules"))
		rest = add_rules(stored, wanted);
	else
		rest = add_items(stored, "subjects", json_get(wanted, "subjects"));
	return labels || annotations || rest;
}

static bool is_left_alone(const struct json_object *stored)
{
	const char *value = json_str(json_path(stored, "metadata", "annotations", NULL), AUTO_UPDATE);

	return value && strcmp(value, "false") == 0;
}

/* --- writing --- */

struct writes {
	struct core *core;
	sem_t done;
	struct core_command *commands;
	size_t n, cap;
};

static void replied(struct core_command *command)
{
	sem_post(command->arg);
}

/* OBJECT is taken. */
static void add_write(struct writes *writes, enum core_op op, const struct resource *resource,
		      struct object *object, uint64_t revision)
{
	if (writes->n == writes->cap)
		writes->commands = mem_realloc_array(writes->commands, writes->cap = 2 * writes->cap + 64,
						     sizeof(*writes->commands));
	writes->commands[writes->n++] = (struct core_command){ .op = op,
							       .resource = resource,
							       .namespace_ = object_namespace(object),
							       .name = object_name(object),
							       .object = object,
							       .revision = revision,
							       .reply = replied,
							       .arg = &writes->done };
}

static void add_new(struct writes *writes, const struct resource *resource, const struct json_object *wanted)
{
	CLEANUP(json_putp) struct json_object *obj = json_clone(wanted);
	struct json_object *metadata = json_get(obj, "metadata");
	CLEANUP(buf_close) struct buf managed = BUF_INIT;
	char uuid[CHANCE_UUID_SIZE], now[TIMEFMT_SIZE];

	json_set_str(metadata, "uid", chance_uuid(uuid));
	json_set_str(metadata, "creationTimestamp", time_format(time_now_us(), now));
	resource->kind->set_defaults(obj);
	managed_own(resource, NULL, "", obj, &managed);
	add_write(writes, CORE_CREATE, resource, object_new(resource, obj, managed.data, managed.len), 0);
}

static void ensure(struct writes *writes, const struct json_object *wanted)
{
	const struct json_object *metadata = json_get(wanted, "metadata"), *ref = json_get(wanted, "roleRef");
	const struct resource *resource =
	    resource_find_kind(json_str_or_empty(wanted, "apiVersion"), json_str_or_empty(wanted, "kind"));
	CLEANUP(object_unrefp) struct object *current = NULL;

	if (core_get(writes->core, resource, json_str_or_empty(metadata, "namespace"),
		     json_str_or_empty(metadata, "name"), &current, NULL) < 0) {
		add_new(writes, resource, wanted);
		return;
	}

	CLEANUP(json_putp) struct json_object *stored = object_json(current);

	if (is_left_alone(stored))
		return;
	/* A binding cannot be made one of another role. */
	if (ref && !json_equal(ref, json_get(stored, "roleRef"))) {
		add_write(writes, CORE_DELETE, resource, object_ref(current), object_revision(current));
		add_new(writes, resource, wanted);
		return;
	}
	if (!bootstrap_rbac_reconcile(stored, wanted))
		return;

	CLEANUP(buf_close) struct buf managed = BUF_INIT;

	managed_own(resource, current, "", stored, &managed);
	add_write(writes, CORE_UPDATE, resource, object_new(resource, stored, managed.data, managed.len),
		  object_revision(current));
}

/* Submitted together they become one commit. */
static int write_all(struct writes *writes, struct err *err)
{
	int result = 0;

	sem_init(&writes->done, 0, 0);
	for (size_t i = 0; i < writes->n; i++)
		core_submit(writes->core, &writes->commands[i]);
	for (size_t i = 0; i < writes->n; i++)
		while (sem_wait(&writes->done) < 0 && errno == EINTR) {
		}
	for (size_t i = 0; i < writes->n; i++) {
		struct core_command *command = &writes->commands[i];

		if (command->err.kind != ERR_NONE && command->err.kind != ERR_ALREADY_EXISTS && result == 0) {
			if (err)
				*err = command->err;
			result = err_wrap(err, "bootstrap roles");
		}
		core_command_close(command);
	}
	sem_destroy(&writes->done);
	free(writes->commands);
	return result;
}

int bootstrap_rbac(struct core *core, struct err *err)
{
	struct writes writes = { .core = core };
	const char *text = bootstrap_rbac_objects;

	for (struct json_object *obj; (obj = next_object(&text)); json_object_put(obj))
		ensure(&writes, obj);
	return write_all(&writes, err);
}
