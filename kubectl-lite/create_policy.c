/* create namespace, serviceaccount, quota, poddisruptionbudget and priorityclass. */
#include <stdio.h>
#include <string.h>

#include "kubectl-lite/create.h"
#include "kubectl-lite/generate.h"
#include "kubectl-lite/session.h"

static struct {
	const char *hard, *scopes, *min_available, *max_unavailable, *selector, *description, *preemption;
	int64_t value;
	bool global_default;
} flags = { .preemption = "PreemptLowerPriority" };

static const struct flag plain_flags[] = {
	WRITE_CREATE_FLAGS,
	{ 0 },
};

/* --- namespace, serviceaccount --- */

static int run_namespace(char **args, size_t n_args)
{
	const char *name = create_name("create namespace", args, n_args);

	return name ? create_finish(generate_object("v1", "Namespace", name, false), NULL) : 1;
}

const struct command create_namespace = {
	.name = "namespace",
	.alias = "ns",
	.about = "Create a Namespace",
	.usage = "create namespace NAME",
	.help = "Examples:\n"
		"  kubectl-lite create namespace staging\n",
	.flags = plain_flags,
	.run = run_namespace,
};

static int run_serviceaccount(char **args, size_t n_args)
{
	const char *name = create_name("create serviceaccount", args, n_args);

	return name ? create_finish(generate_object("v1", "ServiceAccount", name, true),
				    "failed to create serviceaccount:")
		    : 1;
}

const struct command create_serviceaccount = {
	.name = "serviceaccount",
	.alias = "sa",
	.about = "Create a ServiceAccount: who pods are to the API server",
	.usage = "create serviceaccount NAME",
	.help = "Examples:\n"
		"  kubectl-lite create serviceaccount robot\n",
	.flags = plain_flags,
	.run = run_serviceaccount,
};

/* --- quota --- */

static int make_quota(const char *name, struct json_object **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *quota = generate_object("v1", "ResourceQuota", name, true);
	struct json_object *spec = json_ensure_object(quota, "spec"), *hard;

	if (flags.hard) {
		if (generate_quantities(flags.hard, &hard, err) < 0)
			return -1;
		json_set(spec, "hard", hard);
	}
	CLEANUP(mem_freep) char *scopes = mem_dup(flags.scopes);
	for (char *rest = scopes, *scope; rest && (scope = strsep(&rest, ","));)
		json_object_array_add(json_ensure_array(spec, "scopes"), json_object_new_string(scope));
	*ret = TAKE(quota);
	return 0;
}

static int run_quota(char **args, size_t n_args)
{
	const char *name = create_name("create quota", args, n_args);
	struct json_object *quota = NULL;
	struct err err = ERR_INIT;

	if (!name)
		return 1;
	if (make_quota(name, &quota, &err) < 0)
		return session_failed(&err);
	return create_finish(quota, "failed to create quota:");
}

static const struct flag quota_flags[] = {
	{ "hard", 0, FLAG_STRING, &flags.hard, "RESOURCE=AMOUNT,...", "how much there may be of what", NULL,
	  NULL },
	{ "scopes", 0, FLAG_STRING, &flags.scopes, "SCOPE,...", "which objects are counted", NULL, NULL },
	WRITE_CREATE_FLAGS,
	{ 0 },
};

const struct command create_quota = {
	.name = "quota",
	.alias = "resourcequota",
	.about = "Create a ResourceQuota: limits of a namespace",
	.usage = "create quota NAME --hard=RESOURCE=AMOUNT,... [--scopes=SCOPE,...]",
	.help = "Examples:\n"
		"  kubectl-lite create quota team --hard=cpu=4,memory=8Gi,pods=20\n"
		"  kubectl-lite create quota spare --hard=pods=10 --scopes=BestEffort\n",
	.flags = quota_flags,
	.run = run_quota,
};

/* --- poddisruptionbudget --- */

/* VALUE of the flag NAME is a number or a percentage. */
static int check_amount(const char *name, const char *value, struct err *err)
{
	size_t digits = value ? strspn(value, "0123456789") : 0;

	if (!value || (digits && (!value[digits] || strcmp(value + digits, "%") == 0)))
		return 0;
	return err_set(err, ERR_PARSE, "invalid format specified for %s", name);
}

static int make_budget(const char *name, struct json_object **ret, struct err *err)
{
	CLEANUP(json_putp)
	struct json_object *budget = generate_object("policy/v1", "PodDisruptionBudget", name, true);
	struct json_object *spec = json_ensure_object(budget, "spec"), *selector;

	if (generate_label_selector(flags.selector, &selector, err) < 0)
		return -1;
	if (flags.min_available)
		generate_int_or_string(spec, "minAvailable", flags.min_available);
	json_set(spec, "selector", selector);
	if (flags.max_unavailable)
		generate_int_or_string(spec, "maxUnavailable", flags.max_unavailable);
	*ret = TAKE(budget);
	return 0;
}

static int run_budget(char **args, size_t n_args)
{
	const char *name = create_name("create poddisruptionbudget", args, n_args);
	struct json_object *budget = NULL;
	struct err err = ERR_INIT;

	if (!name)
		return 1;
	if (!flags.selector)
		return command_error("a selector must be specified");
	if (!flags.min_available && !flags.max_unavailable)
		return command_error("one of min-available or max-unavailable must be specified");
	if (flags.min_available && flags.max_unavailable)
		return command_error("min-available and max-unavailable cannot be both specified");
	if (check_amount("min-available", flags.min_available, &err) < 0 ||
	    check_amount("max-unavailable", flags.max_unavailable, &err) < 0 ||
	    make_budget(name, &budget, &err) < 0)
		return session_failed(&err);
	return create_finish(budget, "failed to create poddisruptionbudgets:");
}

static const struct flag budget_flags[] = {
	{ "selector", 0, FLAG_STRING, &flags.selector, "LABELS", "which pods (needed)", NULL, NULL },
	{ "min-available", 0, FLAG_STRING, &flags.min_available, "N|N%", "how many must be there", NULL,
	  NULL },
	{ "max-unavailable", 0, FLAG_STRING, &flags.max_unavailable, "N|N%", "how many may be missing", NULL,
	  NULL },
	WRITE_CREATE_FLAGS,
	{ 0 },
};

const struct command create_poddisruptionbudget = {
	.name = "poddisruptionbudget",
	.alias = "pdb",
	.about = "Create a PodDisruptionBudget: how many pods a drain may take at once",
	.usage =
	    "create poddisruptionbudget NAME --selector=LABELS (--min-available=N | --max-unavailable=N)",
	.help = "Examples:\n"
		"  kubectl-lite create pdb web --selector=app=web --min-available=2\n"
		"  kubectl-lite create pdb web --selector=app=web --max-unavailable=25%\n",
	.flags = budget_flags,
	.run = run_budget,
};

/* --- priorityclass --- */

static int run_priorityclass(char **args, size_t n_args)
{
	const char *name = create_name("create priorityclass", args, n_args);

	if (!name)
		return 1;
	struct json_object *class = generate_object("scheduling.k8s.io/v1", "PriorityClass", name, false);
	json_set_int(class, "value", flags.value);
	if (flags.global_default)
		json_set_bool(class, "globalDefault", true);
	if (flags.description)
		json_set_str(class, "description", flags.description);
	json_set_str(class, "preemptionPolicy", flags.preemption);
	return create_finish(class, "failed to create priorityclass:");
}

static const struct flag priorityclass_flags[] = {
	{ "value", 0, FLAG_INT, &flags.value, "N", "higher goes first (default 0)", NULL, NULL },
	{ "global-default", 0, FLAG_BOOL, &flags.global_default, NULL, "of pods that name no class", NULL,
	  NULL },
	{ "description", 0, FLAG_STRING, &flags.description, "TEXT", "what it is for", NULL, NULL },
	{ "preemption-policy", 0, FLAG_STRING, &flags.preemption, "POLICY",
	  "PreemptLowerPriority (default) or Never", NULL, NULL },
	WRITE_CREATE_FLAGS,
	{ 0 },
};

const struct command create_priorityclass = {
	.name = "priorityclass",
	.alias = "pc",
	.about = "Create a PriorityClass: which pods go first",
	.usage = "create priorityclass NAME --value=N [flags]",
	.help = "Examples:\n"
		"  kubectl-lite create priorityclass urgent --value=1000 --description='must run'\n"
		"  kubectl-lite create priorityclass patient --value=500 --preemption-policy=Never\n",
	.flags = priorityclass_flags,
	.run = run_priorityclass,
};
