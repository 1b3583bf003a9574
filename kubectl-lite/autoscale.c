/* autoscale: a HorizontalPodAutoscaler for what can be scaled. */
#include <stdio.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/generate.h"
#include "kubectl-lite/go_shape.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/write.h"

#define MANAGER "kubectl-autoscale"

static struct {
	struct string_list files;
	bool recursive, max_given;
	int64_t min, max, cpu;
	const char *name;
} flags = { .min = -1, .cpu = -1 };

static struct json_object *make_autoscaler(const struct object *object)
{
	const char *name = flags.name && *flags.name ? flags.name : object->name;
	struct json_object *autoscaler =
	    generate_object("autoscaling/v1", "HorizontalPodAutoscaler", name, false);
	struct json_object *spec = json_ensure_object(autoscaler, "spec");
	struct json_object *target = json_ensure_object(spec, "scaleTargetRef");

	json_set_str(target, "kind", object->resource->kind_name);
	json_set_str(target, "name", object->name);
	json_set_str(target, "apiVersion", object->resource->group_version);
	if (flags.min > 0)
		json_set_int(spec, "minReplicas", flags.min);
	json_set_int(spec, "maxReplicas", flags.max);
	if (flags.cpu >= 0)
		json_set_int(spec, "targetCPUUtilizationPercentage", flags.cpu);
	return autoscaler;
}

static int autoscale(const struct object *object, struct write *write, struct err *err)
{
	const struct resource *resource = resource_find("autoscaling", "v1", "horizontalpodautoscalers");
	CLEANUP(json_putp) struct json_object *autoscaler = NULL;

	if (!resource_subresource(object->resource, "scale"))
		return err_set(err, ERR_PARSE,
			       "cannot autoscale a %s: could not find scale subresource for %s/%s, "
			       "Resource=%s in discovery information",
			       object->resource->kind_name, object->resource->group,
			       object->resource->version, object->resource->plural);
	autoscaler = go_shape(make_autoscaler(object), resource->def);
	if (write_flags.save_config)
		write_save_config(autoscaler, false);
	if (write_create(write, resource, object->namespace_, &autoscaler, err) < 0)
		return -1;
	return write_show(write, resource, autoscaler,
			  write->dry_run == DRY_RUN_CLIENT ? "created" : "autoscaled", err);
}

static int check(struct err *err)
{
	if (!flags.max_given)
		return err_set(err, ERR_PARSE, "required flag(s) \"max\" not set");
	if (flags.max < 1)
		return err_set(err, ERR_PARSE, "--max=MAXPODS is required and must be at least 1, max: %lld",
			       (long long)flags.max);
	if (flags.max < flags.min)
		return err_set(err, ERR_PARSE,
			       "--max=MAXPODS must be larger or equal to --min=MINPODS, max: %lld, min: %lld",
			       (long long)flags.max, (long long)flags.min);
	return 0;
}

static int run_autoscale(char **args, size_t n_args)
{
	struct objects_query query = { .args = args,
				       .n_args = n_args,
				       .files = &flags.files,
				       .recursive = flags.recursive,
				       .fetch = true };
	struct err err = ERR_INIT;

	if (check(&err) < 0)
		return session_failed(&err);
	return write_for_each(&query, MANAGER, autoscale);
}

static const struct flag autoscale_flags[] = {
	{ "max", 0, FLAG_INT, &flags.max, "N", "at most so many pods (needed)", NULL, &flags.max_given },
	{ "min", 0, FLAG_INT, &flags.min, "N", "at least so many (default: the server's, 1)", NULL, NULL },
	{ "cpu-percent", 0, FLAG_INT, &flags.cpu, "N",
	  "how much of the CPU that they request the pods are to use (default: the server's, 80)", NULL,
	  NULL },
	{ "name", 0, FLAG_STRING, &flags.name, "NAME", "of the autoscaler (default: the object's)", NULL,
	  NULL },
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE", "the objects named in files", NULL, NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	WRITE_CREATE_FLAGS,
	{ 0 },
};

const struct command command_autoscale = {
	.name = "autoscale",
	.about = "Let the number of pods follow their load",
	.usage = "autoscale (TYPE NAME | TYPE/NAME | -f FILE) --max=N [--min=N] [--cpu-percent=N]",
	.help = "Examples:\n"
		"  kubectl-lite autoscale deployment web --min=2 --max=10\n"
		"  kubectl-lite autoscale statefulset/db --max=5 --cpu-percent=60\n",
	.flags = autoscale_flags,
	.run = run_autoscale,
};
