/* create rolebinding and clusterrolebinding. */
#include <stdio.h>

#include "kubectl-lite/create.h"
#include "kubectl-lite/generate.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/subjects.h"

#define RBAC "rbac.authorization.k8s.io"

static struct {
	struct subjects_flags who;
	const char *role, *clusterrole;
} flags;

/* BINDING with its subjects, and the role that is bound. */
static int fill(struct json_object *binding, struct err *err)
{
	CLEANUP(json_putp) struct json_object *subjects = json_object_new_array();

	if (subjects_add(&flags.who, subjects, err) < 0)
		return -1;
	if (json_len(subjects))
		json_set(binding, "subjects", TAKE(subjects));
	struct json_object *ref = json_ensure_object(binding, "roleRef");
	json_set_str(ref, "apiGroup", RBAC);
	json_set_str(ref, "kind", flags.role ? "Role" : "ClusterRole");
	json_set_str(ref, "name", flags.role ? flags.role : flags.clusterrole);
	return 0;
}

static int create(struct json_object *binding_taken, const char *failed_to)
{
	CLEANUP(json_putp) struct json_object *binding = binding_taken;
	struct err err = ERR_INIT;

	if (fill(binding, &err) < 0)
		return session_failed(&err);
	return create_finish(TAKE(binding), failed_to);
}

static int run_rolebinding(char **args, size_t n_args)
{
	const char *name = create_name("create rolebinding", args, n_args);

	if (!name)
		return 1;
	if (!flags.role == !flags.clusterrole)
		return command_error("exactly one of clusterrole or role must be specified");
	return create(generate_object(RBAC "/v1", "RoleBinding", name, true),
		      "failed to create rolebinding:");
}

static const struct flag rolebinding_flags[] = {
	{ "role", 0, FLAG_STRING, &flags.role, "NAME", "the Role of this namespace", NULL, NULL },
	{ "clusterrole", 0, FLAG_STRING, &flags.clusterrole, "NAME", "or a ClusterRole, for this namespace",
	  NULL, NULL },
	SUBJECTS_FLAGS(flags.who),
	WRITE_CREATE_FLAGS,
	{ 0 },
};

const struct command create_rolebinding = {
	.name = "rolebinding",
	.about = "Create a RoleBinding: who has the rights of a role in a namespace",
	.usage = "create rolebinding NAME (--role=NAME | --clusterrole=NAME) [--user=NAME] [--group=NAME] "
		 "[--serviceaccount=NAMESPACE:NAME]",
	.help = "Examples:\n"
		"  kubectl-lite create rolebinding readers --role=reader --user=anna --group=team\n"
		"  kubectl-lite create rolebinding robot --clusterrole=view --serviceaccount=default:robot\n",
	.flags = rolebinding_flags,
	.run = run_rolebinding,
};

static int run_clusterrolebinding(char **args, size_t n_args)
{
	if (!flags.clusterrole)
		return command_error("required flag(s) \"clusterrole\" not set");
	const char *name = create_name("create clusterrolebinding", args, n_args);

	return name ? create(generate_object(RBAC "/v1", "ClusterRoleBinding", name, false),
			     "failed to create clusterrolebinding:")
		    : 1;
}

static const struct flag clusterrolebinding_flags[] = {
	{ "clusterrole", 0, FLAG_STRING, &flags.clusterrole, "NAME", "the ClusterRole (needed)", NULL, NULL },
	SUBJECTS_FLAGS(flags.who),
	WRITE_CREATE_FLAGS,
	{ 0 },
};

const struct command create_clusterrolebinding = {
	.name = "clusterrolebinding",
	.about = "Create a ClusterRoleBinding: who has the rights of a role in the cluster",
	.usage = "create clusterrolebinding NAME --clusterrole=NAME [--user=NAME] [--group=NAME] "
		 "[--serviceaccount=NAMESPACE:NAME]",
	.help = "Examples:\n"
		"  kubectl-lite create clusterrolebinding admins --clusterrole=cluster-admin --group=ops\n",
	.flags = clusterrolebinding_flags,
	.run = run_clusterrolebinding,
};
