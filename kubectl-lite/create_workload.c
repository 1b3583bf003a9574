/* create deployment, job and cronjob. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kubectl-lite/create.h"
#include "kubectl-lite/generate.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/target.h"

static struct {
	struct string_list images;
	int64_t replicas, port;
	const char *image, *from, *schedule, *restart;
} flags = { .replicas = 1, .port = -1, .restart = "OnFailure" };

/* What stands after "--". */
struct words {
	char **items;
	size_t n;
};

static struct words command_words(char **args, size_t n_args)
{
	size_t before = command_n_before_dashes();

	return (struct words){ args + before, n_args - before };
}

/* --- deployment --- */

/* "example/web_app:v1" runs in "web-app-x7f2b": a name may hold neither '.' nor '_', and what replaces them
 * could make two names the same. */
static char *container_name(const char *image)
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
	const char *slash = strrchr(image, '/'), *base = slash ? slash + 1 : image;
	char *name = mem_dupn(base, strcspn(base, ":@")), suffix[6] = "";

	if (!strpbrk(name, "_."))
		return name;
	for (char *p = name; (p = strpbrk(p, "_."));)
		*p = '-';
	CLEANUP(mem_freep) char *plain = name;
	if (getentropy(suffix, 5) < 0)
		memset(suffix, 0, 5);
	for (size_t i = 0; i < 5; i++)
		suffix[i] = letters[(unsigned char)suffix[i] % (sizeof(letters) - 1)];
	return mem_printf("%s-%s", plain, suffix);
}

static struct json_object *make_deployment(const char *name, struct words command)
{
	struct json_object *deployment = generate_object("apps/v1", "Deployment", name, true);
	struct json_object *spec, *containers;

	json_set(json_ensure_object(deployment, "metadata"), "labels", generate_pair("app", name));
	spec = json_ensure_object(deployment, "spec");
	json_set_int(spec, "replicas", flags.replicas);
	json_set(json_ensure_object(spec, "selector"), "matchLabels", generate_pair("app", name));
	containers = json_ensure_array(generate_pod_template(spec, generate_pair("app", name)), "containers");
	for (size_t i = 0; i < flags.images.n; i++) {
		CLEANUP(mem_freep) char *container = container_name(flags.images.items[i]);
		json_object_array_add(containers, generate_container(container, flags.images.items[i],
								     command.items, command.n));
	}
	if (flags.port >= 0) {
		struct json_object *first = json_at(containers, 0), *port = json_object_new_object();
		json_set_int(port, "containerPort", flags.port);
		json_object_array_add(json_ensure_array(first, "ports"), port);
	}
	return deployment;
}

static int run_deployment(char **args, size_t n_args)
{
	if (!flags.images.n)
		return command_error("required flag(s) \"image\" not set");
	const char *name = create_name("create deployment", args, n_args);
	struct words command = command_words(args, n_args);

	if (!name)
		return 1;
	if (flags.images.n > 1 && command.n)
		return command_error("cannot specify multiple --image options and command");
	return create_finish(make_deployment(name, command), "failed to create deployment:");
}

static const struct flag deployment_flags[] = {
	{ "image", 0, FLAG_LIST, &flags.images, "IMAGE", "what the containers are made of (needed)", NULL,
	  NULL },
	{ "replicas", 'r', FLAG_INT, &flags.replicas, "N", "how many pods (default 1)", NULL, NULL },
	{ "port", 0, FLAG_INT, &flags.port, "PORT", "that the first container serves", NULL, NULL },
	WRITE_CREATE_FLAGS,
	{ 0 },
};

const struct command create_deployment = {
	.name = "deployment",
	.alias = "deploy",
	.about = "Create a Deployment: pods that are replaced and rolled over",
	.usage = "create deployment NAME --image=IMAGE... [--replicas=N] [-- COMMAND...]",
	.help = "The pods get the label app=NAME.\n"
		"\n"
		"Examples:\n"
		"  kubectl-lite create deployment web --image=market-data:v1 --replicas=3 --port=8080\n"
		"  kubectl-lite create deployment clock --image=busybox -- sh -c 'while date; do sleep 5; "
		"done'\n",
	.flags = deployment_flags,
	.run = run_deployment,
};

/* --- job --- */

/* The spec of a job that runs COMMAND once, in PARENT. */
static void add_job_spec(struct json_object *parent, const char *name, const char *restart,
			 struct words command)
{
	struct json_object *pod = generate_pod_template(json_ensure_object(parent, "spec"), NULL);

	json_object_array_add(json_ensure_array(pod, "containers"),
			      generate_container(name, flags.image, command.items, command.n));
	json_set_str(pod, "restartPolicy", restart);
}

/* A job as CRONJOB makes it. */
static struct json_object *job_of_cronjob(const char *name, const struct json_object *cronjob)
{
	struct json_object *job = generate_object("batch/v1", "Job", name, false);
	struct json_object *metadata = json_ensure_object(job, "metadata"), *annotations, *owner;
	const struct json_object *template = json_path(cronjob, "spec", "jobTemplate", NULL);
	const char *namespace_ = object_meta(cronjob, "namespace");

	json_set_str(metadata, "namespace", namespace_);
	if (json_path(template, "metadata", "labels", NULL))
		json_set(metadata, "labels", json_clone(json_path(template, "metadata", "labels", NULL)));
	annotations = json_clone(json_path(template, "metadata", "annotations", NULL));
	if (!annotations)
		annotations = json_object_new_object();
	json_set_str(annotations, "cronjob.kubernetes.io/instantiate", "manual");
	json_set(metadata, "annotations", annotations);
	owner = json_object_new_object();
	json_object_array_add(json_ensure_array(metadata, "ownerReferences"), owner);
	json_set_str(owner, "apiVersion", "batch/v1");
	json_set_str(owner, "kind", "CronJob");
	json_set_str(owner, "name", object_meta(cronjob, "name"));
	json_set_str(owner, "uid", object_meta(cronjob, "uid"));
	json_set_bool(owner, "controller", true);
	json_set(job, "spec", json_clone(json_get(template, "spec")));
	return job;
}

static int make_job_from(const char *name, struct json_object **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *from = NULL;
	CLEANUP(mem_freep) char *word = mem_dup(flags.from);
	struct target target = { 0 };

	if (target_parse_one(&word, 1, &target, err) < 0 ||
	    object_get(target.resource, session_namespace(), target.name, &from, err) < 0)
		return -1;
	if (strcmp(target.resource->kind_name, "CronJob") != 0)
		return err_set(err, ERR_PARSE, "unknown object type *v1.%s", target.resource->kind_name);
	*ret = job_of_cronjob(name, from);
	return 0;
}

static int run_job(char **args, size_t n_args)
{
	const char *name = create_name("create job", args, n_args);
	struct words command = command_words(args, n_args);
	struct json_object *job = NULL;
	struct err err = ERR_INIT;

	if (!name)
		return 1;
	if (!flags.image == !flags.from)
		return command_error("either --image or --from must be specified");
	if (flags.from && command.n)
		return command_error("cannot specify --from and command");
	if (flags.from) {
		if (make_job_from(name, &job, &err) < 0)
			return session_failed(&err);
	} else {
		job = generate_object("batch/v1", "Job", name, true);
		add_job_spec(job, name, "Never", command);
	}
	return create_finish(job, "failed to create job:");
}

static const struct flag job_flags[] = {
	{ "image", 0, FLAG_STRING, &flags.image, "IMAGE", "what the container is made of", NULL, NULL },
	{ "from", 0, FLAG_STRING, &flags.from, "cronjob/NAME", "run this CronJob's job now", NULL, NULL },
	WRITE_CREATE_FLAGS,
	{ 0 },
};

const struct command create_job = {
	.name = "job",
	.about = "Create a Job: a pod that runs to its end",
	.usage = "create job NAME (--image=IMAGE [-- COMMAND...] | --from=cronjob/NAME)",
	.help = "Examples:\n"
		"  kubectl-lite create job report --image=busybox -- date\n"
		"  kubectl-lite create job report-now --from=cronjob/report\n",
	.flags = job_flags,
	.run = run_job,
};

/* --- cronjob --- */

static struct json_object *make_cronjob(const char *name, struct words command)
{
	struct json_object *cronjob = generate_object("batch/v1", "CronJob", name, true);
	struct json_object *spec = json_ensure_object(cronjob, "spec"), *template;

	json_set_str(spec, "schedule", flags.schedule);
	template = json_ensure_object(spec, "jobTemplate");
	json_set_str(json_ensure_object(template, "metadata"), "name", name);
	add_job_spec(template, name, flags.restart, command);
	return cronjob;
}

static int run_cronjob(char **args, size_t n_args)
{
	if (!flags.image || !flags.schedule)
		return command_error("required flag(s) %s not set", flags.image ? "\"schedule\""
								    : flags.schedule
									? "\"image\""
									: "\"image\", \"schedule\"");
	const char *name = create_name("create cronjob", args, n_args);

	return name ? create_finish(make_cronjob(name, command_words(args, n_args)),
				    "failed to create cronjob:")
		    : 1;
}

static const struct flag cronjob_flags[] = {
	{ "image", 0, FLAG_STRING, &flags.image, "IMAGE", "what the container is made of (needed)", NULL,
	  NULL },
	{ "schedule", 0, FLAG_STRING, &flags.schedule, "CRON", "when: minute hour day month weekday (needed)",
	  NULL, NULL },
	{ "restart", 0, FLAG_STRING, &flags.restart, "POLICY", "OnFailure (default) or Never", NULL, NULL },
	WRITE_CREATE_FLAGS,
	{ 0 },
};

const struct command create_cronjob = {
	.name = "cronjob",
	.alias = "cj",
	.about = "Create a CronJob: a Job at given times",
	.usage = "create cronjob NAME --image=IMAGE --schedule='MIN HOUR DAY MONTH WEEKDAY' [-- COMMAND...]",
	.help = "Examples:\n"
		"  kubectl-lite create cronjob report --image=busybox --schedule='*/5 * * * *' -- date\n",
	.flags = cronjob_flags,
	.run = run_cronjob,
};
