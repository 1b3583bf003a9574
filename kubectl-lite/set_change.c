#include "kubectl-lite/set_change.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "api/patch.h"
#include "kubectl-lite/commands.h"
#include "kubectl-lite/manifest.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/target.h"

#define MANAGER "kubectl-set"

struct set_flags set_flags;

/* --- what is changed --- */

/* The pod specs of other kinds than these are no business of `set`. */
static const struct {
	const char *kind;
	bool template, job_template;
} with_pods[] = {
	{ "Pod", false, false },        { "CronJob", true, true },
	{ "DaemonSet", true, false },   { "Deployment", true, false },
	{ "Job", true, false },         { "ReplicaSet", true, false },
	{ "StatefulSet", true, false }, { "ReplicationController", true, false },
};

struct json_object *set_pod_spec(const struct object *object, struct json_object *obj, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(with_pods); i++) {
		if (strcmp(object->resource->kind_name, with_pods[i].kind) != 0)
			continue;
		struct json_object *spec = json_ensure_object(obj, "spec");
		if (with_pods[i].job_template)
			spec = json_ensure_object(json_ensure_object(spec, "jobTemplate"), "spec");
		if (with_pods[i].template)
			spec = json_ensure_object(json_ensure_object(spec, "template"), "spec");
		return spec;
	}
	err_set(err, ERR_PARSE, "%s/%s the object is not a pod or does not have a pod template: *%s.%s",
		object->resource->plural, object->name, object->resource->version,
		object->resource->kind_name);
	return NULL;
}

bool set_matches(const char *pattern, const char *name)
{
	return strcmp(pattern, name) == 0 || (strchr(pattern, '*') && fnmatch(pattern, name, 0) == 0);
}

int set_each_container(struct json_object *spec, const char *pattern,
		       int (*change)(struct json_object *container, const void *arg, struct err *err),
		       const void *arg, struct err *err)
{
	static const char *const lists[] = { "containers", "initContainers" };
	int n = 0;

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		struct json_object *containers = json_get(spec, lists[l]);
		for (size_t i = 0; i < json_len(containers); i++) {
			struct json_object *container = json_at(containers, i);
			if (!set_matches(pattern, json_str_or_empty(container, "name")))
				continue;
			if (change(container, arg, err) < 0)
				return -1;
			n++;
		}
	}
	return n;
}

int set_split(char **args, size_t n_args, const char *what, size_t *ret_n_objects, struct err *err)
{
	size_t n = n_args;

	for (size_t i = 0; i < n_args; i++) {
		size_t len = strlen(args[i]);
		bool change =
		    (strchr(args[i], '=') && *args[i] != '=') || (len > 1 && args[i][len - 1] == '-');
		if (change && n == n_args)
			n = i;
		if (!change && n < n_args)
			return err_set(err, ERR_PARSE,
				       "all resources must be specified before %s changes: %s", what,
				       args[i]);
	}
	*ret_n_objects = n;
	return 0;
}

/* --- the way of an object --- */

/* Sends what makes OBJECT's value into *obj, which becomes the server's answer. */
static int send(const struct object *object, const struct write *write, struct json_object **obj,
		struct err *err)
{
	CLEANUP(json_putp) struct json_object *patch = NULL;
	CLEANUP(buf_close) struct buf query = BUF_INIT;
	struct json_object *answer = NULL;

	if (patch_three_way(object->resource->def, object->value, *obj, object->value, &patch, err) < 0)
		return -1;
	buf_str(&query, write->dry_run == DRY_RUN_SERVER ? "dryRun=All&fieldManager=" : "fieldManager=");
	buf_url_encode(&query, write->manager);
	if (object_patch(object->resource, object->namespace_, object->name, NULL, query.data,
			 "strategic-merge", patch, &answer, err) < 0)
		return -1;
	json_object_put(*obj);
	*obj = answer;
	return 0;
}

static int change_one(const struct object *object, struct write *write, const struct set_change *change)
{
	CLEANUP(json_putp) struct json_object *obj = json_clone(object->value);
	struct err err = ERR_INIT;

	if (change->make(object, obj, change->arg, &err) < 0)
		return session_failed(&err);
	if (change->only_look || (!change->also_unchanged && json_equal(obj, object->value)))
		return 0;
	if (!set_flags.local && write->dry_run != DRY_RUN_CLIENT && send(object, write, &obj, &err) < 0)
		return change->failed_to ? command_error("%s %s", change->failed_to, err.msg)
					 : session_failed(&err);
	return write_show(write, object->resource, obj, change->done, &err) < 0 ? session_failed(&err) : 0;
}

/* --- finding them --- */

/* The objects that files hold, as they are there. */
static int find_local(struct objects *ret, struct err *err)
{
	struct manifest *manifests = NULL;
	struct objects objects = { 0 };
	size_t n = 0;

	session_offline();
	if (manifests_load(&set_flags.files, set_flags.recursive, &manifests, &n, &objects.bad, err) < 0)
		return -1;
	objects.items = mem_zalloc((n + 1) * sizeof(*objects.items));
	for (size_t i = 0; i < n; i++)
		objects.items[objects.n++] = (struct object){
			.resource = manifests[i].resource,
			.namespace_ = mem_dup(manifests[i].namespace_),
			.name = mem_dup(manifests[i].name ? manifests[i].name : ""),
			.value = json_object_get(manifests[i].object),
		};
	manifests_free(manifests, n);
	*ret = objects;
	return 0;
}

static int find(char **args, size_t n_args, const struct write *write, struct objects *ret, struct err *err)
{
	struct objects_query query = { .args = args,
				       .n_args = n_args,
				       .files = &set_flags.files,
				       .recursive = set_flags.recursive,
				       .labels = set_flags.labels,
				       .fetch = true };

	if (set_flags.all && set_flags.labels)
		return err_set(err, ERR_PARSE, "cannot set --all and --selector at the same time");
	if (write_check_named(args, n_args, &set_flags.files, set_flags.all || set_flags.labels, err) < 0)
		return -1;
	if (set_flags.local && write->dry_run == DRY_RUN_SERVER)
		return err_set(
		    err, ERR_PARSE,
		    "cannot specify --local and --dry-run=server - did you mean --dry-run=client?");
	if (set_flags.local && !set_flags.files.n)
		return err_set(err, ERR_PARSE,
			       "--local changes what files hold: name them with -f, and no objects of the "
			       "server");
	return set_flags.local ? find_local(ret, err) : objects_find(&query, ret, err);
}

int set_run(char **args, size_t n_args, const struct set_change *change)
{
	struct objects objects = { 0 };
	struct write write;
	struct err err = ERR_INIT;

	if (write_begin(&write, MANAGER, &err) < 0)
		return session_failed(&err);
	if (find(args, n_args, &write, &objects, &err) < 0) {
		write_end(&write);
		return session_failed(&err);
	}
	int code = objects.bad > 0;
	if (change->fault)
		code = command_error("%s", change->fault);
	for (size_t i = 0; i < objects.n && !change->fault; i++)
		if (change_one(&objects.items[i], &write, change))
			code = 1;
	objects_close(&objects);
	write_end(&write);
	return code;
}

static const struct command *const subcommands[] = { &set_env,      &set_image,          &set_resources,
						     &set_selector, &set_serviceaccount, &set_subject,
						     NULL };

const struct command command_set = {
	.name = "set",
	.about = "Change one thing of an object",
	.usage = "set SUBCOMMAND [flags]",
	.subcommands = subcommands,
};
