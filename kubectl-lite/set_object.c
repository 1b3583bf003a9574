/* set resources, selector, serviceaccount and subject. */
#include <stdio.h>
#include <string.h>

#include "kubectl-lite/generate.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/set_change.h"
#include "kubectl-lite/subjects.h"

static struct {
	const char *containers, *limits, *requests, *version;
	struct subjects_flags who;
} flags = { .containers = "*" };

/* --- resources --- */

/* What --limits and --requests say, or NULL. */
struct amounts {
	struct json_object *limits, *requests;
};

static void set_amounts(struct json_object *container, const char *key, struct json_object *amounts)
{
	if (!amounts)
		return;
	struct json_object *set = json_ensure_object(json_ensure_object(container, "resources"), key);
	json_object_object_foreach(amounts, name, amount)
	{
		json_set(set, name, json_object_get(amount));
	}
}

static int change_resources(struct json_object *container, const void *arg, struct err *err)
{
	const struct amounts *amounts = arg;

	(void)err;
	set_amounts(container, "limits", amounts->limits);
	set_amounts(container, "requests", amounts->requests);
	return 0;
}

static int make_resources(const struct object *object, struct json_object *obj, const void *arg,
			  struct err *err)
{
	struct json_object *spec = set_pod_spec(object, obj, err);

	if (!spec)
		return -1;
	if (set_each_container(spec, flags.containers, change_resources, arg, err) > 0)
		return 0;
	return err_set(err, ERR_PARSE, "unable to find container named %s", flags.containers);
}

static int run_resources(char **args, size_t n_args)
{
	CLEANUP(json_putp) struct json_object *limits = NULL, *requests = NULL;
	struct err err = ERR_INIT;

	if ((flags.limits && generate_quantities(flags.limits, &limits, &err) < 0) ||
	    (flags.requests && generate_quantities(flags.requests, &requests, &err) < 0))
		return session_failed(&err);
	struct amounts amounts = { limits, requests };
	return set_run(args, n_args,
		       &(struct set_change){
			   .done = "resource requirements updated",
			   .failed_to = "failed to patch resources update to pod template",
			   .fault = limits || requests ? NULL
						       : "you must specify an update to requests or limits "
							 "(in the form of --requests/--limits)",
			   .make = make_resources,
			   .arg = &amounts });
}

static const struct flag resources_flags[] = {
	{ "limits", 0, FLAG_STRING, &flags.limits, "RESOURCE=AMOUNT,...", "at most", NULL, NULL },
	{ "requests", 0, FLAG_STRING, &flags.requests, "RESOURCE=AMOUNT,...", "at least", NULL, NULL },
	{ "containers", 'c', FLAG_STRING, &flags.containers, "NAME", "of these containers (default *)", NULL,
	  NULL },
	SET_FLAGS,
	{ 0 },
};

const struct command set_resources = {
	.name = "resources",
	.about = "Set how much containers ask for, and may use",
	.usage = "set resources (TYPE NAME | TYPE/NAME | -f FILE) [--limits=...] [--requests=...] [-c NAME]",
	.help = "Examples:\n"
		"  kubectl-lite set resources deployment/web --requests=cpu=100m,memory=64Mi "
		"--limits=memory=128Mi\n"
		"  kubectl-lite set resources deployment/web -c proxy --limits=cpu=1\n",
	.flags = resources_flags,
	.run = run_resources,
};

/* --- selector --- */

static int refuse_expressions(const struct json_object *expressions, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	generate_expressions_text(&text, expressions, false);
	return err_set(err, ERR_PARSE, "match expression %s not supported on this object", text.data);
}

static int make_selector(const struct object *object, struct json_object *obj, const void *arg,
			 struct err *err)
{
	const struct json_object *selector = arg, *labels = json_get(selector, "matchLabels");

	if (strcmp(object->resource->qualified, "services") != 0)
		return err_set(err, ERR_PARSE, "setting a selector is only supported for Services");
	if (json_get(selector, "matchExpressions"))
		return refuse_expressions(json_get(selector, "matchExpressions"), err);
	if (labels)
		json_set(json_ensure_object(obj, "spec"), "selector", json_clone(labels));
	else
		json_object_object_del(json_ensure_object(obj, "spec"), "selector");
	if (flags.version)
		json_set_str(json_ensure_object(obj, "metadata"), "resourceVersion", flags.version);
	return 0;
}

static int run_selector(char **args, size_t n_args)
{
	CLEANUP(json_putp) struct json_object *selector = NULL;
	struct err err = ERR_INIT;

	if (!n_args)
		return command_error("one selector is required");
	/* The last word is the selector, if it reads like one or not. */
	if (generate_label_selector(args[n_args - 1], &selector, &err) < 0)
		return session_failed(&err);
	return set_run(
	    args, n_args - 1,
	    &(struct set_change){
		.done = "selector updated", .also_unchanged = true, .make = make_selector, .arg = selector });
}

static const struct flag selector_flags[] = {
	{ "resource-version", 0, FLAG_STRING, &flags.version, "VERSION", "only if it is still this one", NULL,
	  NULL },
	SET_FLAGS,
	{ 0 },
};

const struct command set_selector = {
	.name = "selector",
	.about = "Set the pods that a Service leads to",
	.usage = "set selector (TYPE NAME | TYPE/NAME | -f FILE) LABEL=VALUE,... [flags]",
	.help = "All labels that it looked for before are forgotten.\n"
		"\n"
		"Examples:\n"
		"  kubectl-lite set selector service/web app=web,track=stable\n",
	.flags = selector_flags,
	.run = run_selector,
};

/* --- serviceaccount --- */

static int make_account(const struct object *object, struct json_object *obj, const void *arg,
			struct err *err)
{
	struct json_object *spec = set_pod_spec(object, obj, err);

	if (!spec)
		return -1;
	json_set_str(spec, "serviceAccountName", arg);
	return 0;
}

static int run_serviceaccount(char **args, size_t n_args)
{
	if (!n_args)
		return command_error("serviceaccount is required");
	return set_run(args, n_args - 1,
		       &(struct set_change){ .done = "serviceaccount updated",
					     .failed_to = "failed to patch ServiceAccountName",
					     .also_unchanged = true,
					     .make = make_account,
					     .arg = args[n_args - 1] });
}

static const struct flag serviceaccount_flags[] = {
	SET_FLAGS,
	{ 0 },
};

const struct command set_serviceaccount = {
	.name = "serviceaccount",
	.alias = "sa",
	.about = "Set who the pods are to the API server",
	.usage = "set serviceaccount (TYPE NAME | TYPE/NAME | -f FILE) SERVICE_ACCOUNT [flags]",
	.help = "Examples:\n"
		"  kubectl-lite set serviceaccount deployment/web robot\n",
	.flags = serviceaccount_flags,
	.run = run_serviceaccount,
};

/* --- subject --- */

static int make_subjects(const struct object *object, struct json_object *obj, const void *arg,
			 struct err *err)
{
	const char *kind = object->resource->kind_name;

	if (strcmp(kind, "RoleBinding") != 0 && strcmp(kind, "ClusterRoleBinding") != 0)
		return err_set(err, ERR_PARSE,
			       "%s/%s setting subjects is only supported for RoleBinding/ClusterRoleBinding",
			       object->resource->plural, object->name);
	return subjects_add(arg, json_ensure_array(obj, "subjects"), err);
}

static int run_subject(char **args, size_t n_args)
{
	CLEANUP(json_putp) struct json_object *subjects = json_object_new_array();
	struct err err = ERR_INIT;

	if (subjects_add(&flags.who, subjects, &err) < 0)
		return session_failed(&err);
	return set_run(args, n_args,
		       &(struct set_change){ .done = "subjects updated",
					     .failed_to = "failed to patch subjects to rolebinding:",
					     .fault = json_len(subjects)
							  ? NULL
							  : "you must specify at least one value of user, "
							    "group or serviceaccount",
					     .make = make_subjects,
					     .arg = &flags.who });
}

static const struct flag subject_flags[] = {
	SUBJECTS_FLAGS(flags.who),
	SET_FLAGS,
	{ 0 },
};

const struct command set_subject = {
	.name = "subject",
	.about = "Add users, groups and service accounts to a binding",
	.usage = "set subject (TYPE NAME | TYPE/NAME | -f FILE) [--user=NAME] [--group=NAME] "
		 "[--serviceaccount=NAMESPACE:NAME]",
	.help = "Examples:\n"
		"  kubectl-lite set subject rolebinding/readers --user=ben --serviceaccount=default:robot\n",
	.flags = subject_flags,
	.run = run_subject,
};
