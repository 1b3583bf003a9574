#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/rollout.h"
#include "kubectl-lite/session.h"
#include "lib/timefmt.h"

static struct {
	struct string_list files;
	bool recursive, watch;
	const char *labels;
	int64_t timeout_us, revision;
} flags = { .watch = true };

static const struct flag status_flags[] = {
	{ "watch", 'w', FLAG_BOOL, &flags.watch, NULL, "follow until the rollout is finished (default true)",
	  NULL, NULL },
	{ "timeout", 0, FLAG_DURATION, &flags.timeout_us, "DURATION",
	  "give up after this time: 90s, 5m; 0 is never", NULL, NULL },
	{ "revision", 0, FLAG_INT, &flags.revision, "N", "fail when the rollout is of another revision", NULL,
	  NULL },
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE", "the objects named in files", NULL, NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	{ "selector", 'l', FLAG_STRING, &flags.labels, "LABELS", "objects with these labels", NULL, NULL },
	{ 0 },
};

struct following {
	const char *name;
	char *revision; /* of the last object seen: where a new watch takes up */
	bool done;
	struct err err;
};

static bool deadline_exceeded(const struct json_object *status)
{
	const struct json_object *conditions = json_get(status, "conditions");

	for (size_t i = 0; i < json_len(conditions); i++) {
		const struct json_object *c = json_at(conditions, i);
		if (strcmp(json_str_or_empty(c, "type"), "Progressing") == 0)
			return strcmp(json_str_or_empty(c, "reason"), "ProgressDeadlineExceeded") == 0;
	}
	return false;
}

/* Tells where the rollout stands, in kubectl's lines. True when there is no more to come: finished, or failed
 * with *err set. (k8s.io/kubectl polymorphichelpers, rollout status) */
static bool tell(const struct json_object *obj, const char *name, struct err *err)
{
	const struct json_object *status = json_get(obj, "status");
	int64_t wanted = json_int(json_get(obj, "spec"), "replicas", 1);
	int64_t updated = json_int(status, "updatedReplicas", 0), all = json_int(status, "replicas", 0);
	int64_t available = json_int(status, "availableReplicas", 0);
	const char *revision =
	    json_str(json_path(obj, "metadata", "annotations", NULL), "deployment.kubernetes.io/revision");

	if (flags.revision > 0 && revision) {
		CLEANUP(mem_freep) char *asked = mem_printf("%lld", (long long)flags.revision);
		if (strcmp(asked, revision) != 0) {
			err_set(err, ERR_PARSE,
				"desired revision (%s) is different from the running revision (%s)", asked,
				revision);
			return true;
		}
	}
	if (json_int(json_get(obj, "metadata"), "generation", 0) >
	    json_int(status, "observedGeneration", 0)) {
		puts("Waiting for deployment spec update to be observed...");
	} else if (deadline_exceeded(status)) {
		err_set(err, ERR_PARSE, "deployment \"%s\" exceeded its progress deadline", name);
		return true;
	} else if (updated < wanted) {
		printf("Waiting for deployment \"%s\" rollout to finish: %lld out of %lld new replicas have "
		       "been updated...\n",
		       name, (long long)updated, (long long)wanted);
	} else if (all > updated) {
		printf("Waiting for deployment \"%s\" rollout to finish: %lld old replicas are pending "
		       "termination...\n",
		       name, (long long)(all - updated));
	} else if (available < updated) {
		printf("Waiting for deployment \"%s\" rollout to finish: %lld of %lld updated replicas are "
		       "available...\n",
		       name, (long long)available, (long long)updated);
	} else {
		printf("deployment \"%s\" successfully rolled out\n", name);
		return true;
	}
	fflush(stdout);
	return false;
}

static bool changed(const char *type, struct json_object *obj, void *arg)
{
	struct following *f = arg;

	free(f->revision);
	f->revision = mem_dup(object_meta(obj, "resourceVersion"));
	if (strcmp(type, "DELETED") == 0) {
		err_set(&f->err, ERR_PARSE, "object has been deleted");
		return false;
	}
	if (strcmp(type, "BOOKMARK") != 0)
		f->done = tell(obj, f->name, &f->err);
	return !f->done;
}

/* Time left until DEADLINE_US (0: none) for a watch; -1 with *err set when it has passed. */
static int64_t time_left(int64_t deadline_us, struct err *err)
{
	int64_t left = deadline_us - time_mono_us();

	if (deadline_us == 0)
		return 0;
	return left > 0 ? left : err_set(err, ERR_TIMEOUT, "timed out waiting for the condition");
}

static int follow(const struct object *object, int64_t deadline_us)
{
	struct following f = { .name = object->name,
			       .revision = mem_dup(object_meta(object->value, "resourceVersion")) };
	int64_t left = 0;

	f.done = tell(object->value, object->name, &f.err);
	/* A server may end a watch at any time; the next one goes on where it was. */
	while (flags.watch && !f.done && f.err.kind == ERR_NONE &&
	       (left = time_left(deadline_us, &f.err)) >= 0)
		if (object_watch(object->resource, object->namespace_, object->name, f.revision, changed, &f,
				 left, &f.err) < 0)
			break;
	free(f.revision);
	if (f.err.kind == ERR_NONE)
		return 0;
	return f.err.kind == ERR_TIMEOUT || f.err.kind == ERR_PARSE ? command_error("%s", f.err.msg)
								    : session_failed(&f.err);
}

static int run_status(char **args, size_t n_args)
{
	struct objects objects;
	int64_t deadline_us = flags.timeout_us > 0 ? time_mono_us() + flags.timeout_us : 0;

	if (rollout_find("rollout status", args, n_args, &flags.files, flags.recursive, flags.labels,
			 &objects) < 0)
		return 1;
	int code = objects.bad > 0;
	for (size_t i = 0; i < objects.n && !code; i++)
		code = follow(&objects.items[i], deadline_us);
	if (!objects.n && !code)
		fputs("No resources found\n", stderr);
	objects_close(&objects);
	return code;
}

const struct command rollout_status = {
	.name = "status",
	.about = "Show how far a rollout is, until it is finished",
	.usage = "rollout status deployment/NAME [flags]",
	.help = "Examples:\n"
		"  kubectl-lite rollout status deployment/web --timeout 90s\n"
		"  kubectl-lite rollout status deployment/web -w=false\n",
	.flags = status_flags,
	.run = run_status,
};
