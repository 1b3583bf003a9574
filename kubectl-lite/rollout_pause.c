/* rollout pause, resume and restart: one small patch each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/rollout.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/target.h"
#include "lib/timefmt.h"

static struct {
	struct string_list files;
	bool recursive;
	const char *labels;
} flags;

static const struct flag pause_flags[] = {
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE", "the objects named in files", NULL, NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	{ "selector", 'l', FLAG_STRING, &flags.labels, "LABELS", "objects with these labels", NULL, NULL },
	{ 0 },
};

static bool is_paused(const struct object *object)
{
	return json_boolean(json_get(object->value, "spec"), "paused", false);
}

/* Each gives the patch, or NULL with *err set: why not. */
static struct json_object *make_pause(const struct object *object, struct err *err)
{
	if (is_paused(object)) {
		err_set(err, ERR_PARSE, "%s \"%s\" is already paused", object->resource->qualified,
			object->name);
		return NULL;
	}
	struct json_object *patch = json_object_new_object();
	json_set_bool(json_ensure_object(patch, "spec"), "paused", true);
	return patch;
}

static struct json_object *make_resume(const struct object *object, struct err *err)
{
	if (!is_paused(object)) {
		err_set(err, ERR_PARSE, "%s \"%s\" is not paused", object->resource->qualified, object->name);
		return NULL;
	}
	struct json_object *patch = json_object_new_object();
	json_object_object_add(json_ensure_object(patch, "spec"), "paused", NULL);
	return patch;
}

static struct json_object *make_restart(const struct object *object, struct err *err)
{
	char now[TIMEFMT_SIZE];

	if (is_paused(object)) {
		err_set(err, ERR_PARSE,
			"%s \"%s\" can't restart paused deployment (run rollout resume first)",
			object->resource->qualified, object->name);
		return NULL;
	}
	struct json_object *patch = json_object_new_object();
	struct json_object *template = json_ensure_object(json_ensure_object(patch, "spec"), "template");
	json_set_str(json_ensure_object(json_ensure_object(template, "metadata"), "annotations"),
		     "kubectl.kubernetes.io/restartedAt", time_format(time_now_us(), now));
	return patch;
}

static int run_all(const char *path, const char *done,
		   struct json_object *(*make)(const struct object *, struct err *), char **args,
		   size_t n_args)
{
	struct objects objects;

	if (rollout_find(path, args, n_args, &flags.files, flags.recursive, flags.labels, &objects) < 0)
		return 1;
	int code = objects.bad > 0;
	for (size_t i = 0; i < objects.n; i++) {
		const struct object *object = &objects.items[i];
		struct err err = ERR_INIT;
		char text[400];
		CLEANUP(json_putp) struct json_object *patch = make(object, &err);
		if (!patch ||
		    object_patch(object->resource, object->namespace_, object->name, NULL,
				 "fieldManager=kubectl-rollout", "strategic-merge", patch, NULL, &err) < 0)
			code = session_failed(&err);
		else
			printf("%s %s\n", target_text(object->resource, object->name, text, sizeof(text)),
			       done);
	}
	if (!objects.n && !code)
		fputs("No resources found\n", stderr);
	objects_close(&objects);
	return code;
}

static int run_pause(char **args, size_t n_args)
{
	return run_all("rollout pause", "paused", make_pause, args, n_args);
}

static int run_resume(char **args, size_t n_args)
{
	return run_all("rollout resume", "resumed", make_resume, args, n_args);
}

static int run_restart(char **args, size_t n_args)
{
	return run_all("rollout restart", "restarted", make_restart, args, n_args);
}

const struct command rollout_pause = {
	.name = "pause",
	.about = "Hold a rollout: changes are kept, nothing is replaced",
	.usage = "rollout pause deployment/NAME [flags]",
	.flags = pause_flags,
	.run = run_pause,
};

const struct command rollout_resume = {
	.name = "resume",
	.about = "Let a held rollout go on",
	.usage = "rollout resume deployment/NAME [flags]",
	.flags = pause_flags,
	.run = run_resume,
};

const struct command rollout_restart = {
	.name = "restart",
	.about = "Replace all pods, by the deployment's own strategy",
	.usage = "rollout restart deployment/NAME [flags]",
	.flags = pause_flags,
	.run = run_restart,
};
