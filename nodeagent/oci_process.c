/* CONFIG.process: what runs, as whom, with which rights. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

#include "lib/buf.h"
#include "nodeagent/capability.h"
#include "nodeagent/expand.h"
#include "nodeagent/image_user.h"
#include "nodeagent/oci_config.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const struct json_object *image_config(const struct container_spec *spec)
{
	return json_get(spec->image->config, "config");
}

static const char *lookup(const char *name, void *env)
{
	return expand_env_value(env, name);
}

static void add_expanded(struct json_object *args, const struct json_object *list,
			 const struct container_spec *spec)
{
	for (size_t i = 0; i < json_len(list); i++) {
		const char *s = json_object_get_string(json_at(list, i));
		CLEANUP(mem_freep)
		char *value = expand_references(s ? s : "", lookup, (void *)(uintptr_t)spec->env);
		json_object_array_add(args, json_object_new_string(value));
	}
}

static void add_plain(struct json_object *args, const struct json_object *list)
{
	for (size_t i = 0; i < json_len(list); i++)
		json_object_array_add(args, json_object_get(json_at(list, i)));
}

/* command replaces Entrypoint and with it Cmd; args replaces Cmd.
 * https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/ */
static int add_args(const struct container_spec *spec, struct json_object *process, struct err *err)
{
	const struct json_object *command = json_get(spec->container, "command"),
				 *args = json_get(spec->container, "args");
	struct json_object *argv = json_ensure_array(process, "args");
	if (json_len(command))
		add_expanded(argv, command, spec);
	else
		add_plain(argv, json_get(image_config(spec), "Entrypoint"));
	if (json_len(args))
		add_expanded(argv, args, spec);
	else if (!json_len(command))
		add_plain(argv, json_get(image_config(spec), "Cmd"));
	return json_len(argv) ? 0 : err_set(err, ERR_INVALID, "no command specified");
}

static void add_env(const struct container_spec *spec, struct json_object *process)
{
	struct json_object *env = json_ensure_array(process, "env");
	if (!expand_env_value(spec->env, "PATH"))
		json_object_array_add(env, json_object_new_string(DEFAULT_PATH));
	if (spec->hostname && !expand_env_value(spec->env, "HOSTNAME")) {
		CLEANUP(mem_freep) char *hostname = mem_printf("HOSTNAME=%s", spec->hostname);
		json_object_array_add(env, json_object_new_string(hostname));
	}
	if (spec->tty && !expand_env_value(spec->env, "TERM"))
		json_object_array_add(env, json_object_new_string("TERM=xterm"));
	for (char *const *e = spec->env; e && *e; e++)
		json_object_array_add(env, json_object_new_string(*e));
}

static int64_t id_of(const struct container_spec *spec, const char *key)
{
	struct json_object *value = oci_security(spec, key);
	return value ? json_object_get_int64(value) : -1;
}

/* runAsNonRoot, in the kubelet's words. */
static int check_non_root(const struct container_spec *spec, const char *image_user,
			  const struct image_user *user, struct err *err)
{
	if (!json_object_get_boolean(oci_security(spec, "runAsNonRoot")))
		return 0;
	const char *name = image_user ? image_user : "";
	size_t len = strcspn(name, ":");
	bool from_image = id_of(spec, "runAsUser") < 0;
	if (from_image && len && strspn(name, "0123456789") != len)
		return err_set(
		    err, ERR_INVALID,
		    "container has runAsNonRoot and image has non-numeric user (%.*s), cannot verify user is "
		    "non-root (pod: \"%s_%s(%s)\", container: %s)",
		    (int)len, name, spec->pod_name, spec->pod_namespace, spec->pod_uid, spec->name);
	if (user->uid)
		return 0;
	return err_set(err, ERR_INVALID, "container%s (pod: \"%s_%s(%s)\", container: %s)",
		       from_image ? " has runAsNonRoot and image will run as root"
				  : "'s runAsUser breaks non-root policy",
		       spec->pod_name, spec->pod_namespace, spec->pod_uid, spec->name);
}

static void add_group(struct json_object *groups, int64_t gid)
{
	for (size_t i = 0; i < json_len(groups); i++) {
		if (json_object_get_int64(json_at(groups, i)) == gid)
			return;
	}
	json_object_array_add(groups, json_object_new_int64(gid));
}

static int add_user(const struct container_spec *spec, struct json_object *process, struct err *err)
{
	const char *image_user = json_str(image_config(spec), "User");
	struct image_user user;
	if (image_user_resolve(spec->image, image_user, id_of(spec, "runAsUser"), id_of(spec, "runAsGroup"),
			       &user, err))
		return -1;
	struct json_object *obj = json_ensure_object(process, "user"),
			   *groups = json_ensure_array(obj, "additionalGids");
	json_set_int(obj, "uid", user.uid);
	json_set_int(obj, "gid", user.gid);
	const struct json_object *pod = json_get(spec->pod_spec, "securityContext");
	bool strict = !strcmp(json_str_or_empty(pod, "supplementalGroupsPolicy"), "Strict");
	for (size_t i = 0; i < (strict ? 1 : user.n_groups); i++)
		add_group(groups, user.groups[i]);
	const struct json_object *more = json_get(pod, "supplementalGroups");
	for (size_t i = 0; i < json_len(more); i++)
		add_group(groups, json_object_get_int64(json_at(more, i)));
	if (json_get(pod, "fsGroup"))
		add_group(groups, json_int(pod, "fsGroup", 0));
	int rc = check_non_root(spec, image_user, &user, err);
	image_user_close(&user);
	return rc;
}

int oci_capabilities(const struct oci_machine *machine, const struct container_spec *spec, uint64_t *ret,
		     struct err *err)
{
	if (oci_privileged(spec)) {
		*ret = machine->capabilities;
		return 0;
	}
	uint64_t set = capability_default() & machine->capabilities;
	if (capability_apply(json_path(spec->container, "securityContext", "capabilities", NULL),
			     machine->capabilities, &set, err))
		return -1;
	*ret = set;
	return 0;
}

static int add_capabilities(const struct oci_machine *machine, const struct container_spec *spec,
			    struct json_object *process, struct err *err)
{
	uint64_t set;
	if (oci_capabilities(machine, spec, &set, err))
		return -1;
	struct json_object *list = json_object_new_array();
	for (unsigned i = 0; capability_name(i); i++) {
		if (set & (UINT64_C(1) << i))
			json_object_array_add(list, json_object_new_string(capability_name(i)));
	}
	struct json_object *capabilities = json_ensure_object(process, "capabilities");
	json_set(capabilities, "bounding", json_object_get(list));
	json_set(capabilities, "effective", json_object_get(list));
	json_set(capabilities, "permitted", list);
	return 0;
}

/* -997 for Guaranteed, 1000 for BestEffort, between by the share of memory asked for; computed by the pod's
 * worker and carried in the spec. What the machine does not grant is not asked for: the runtime would fail.
 */
static void add_limits(const struct oci_machine *machine, const struct container_spec *spec,
		       struct json_object *process)
{
	struct json_object *limit = json_object_new_object();
	json_set_str(limit, "type", "RLIMIT_NOFILE");
	json_set_int(limit, "hard", (int64_t)machine->max_files);
	json_set_int(limit, "soft", (int64_t)machine->max_files);
	json_object_array_add(json_ensure_array(process, "rlimits"), limit);
	int score = spec->oom_score_adj < machine->oom_score_adj_min ? machine->oom_score_adj_min
								     : spec->oom_score_adj;
	json_set_int(process, "oomScoreAdj", score);
}

int oci_process_build(const struct oci_machine *machine, const struct container_spec *spec,
		      struct json_object *config, struct err *err)
{
	struct json_object *process = json_ensure_object(config, "process");
	if (add_args(spec, process, err) || add_user(spec, process, err) ||
	    add_capabilities(machine, spec, process, err))
		return -1;
	add_env(spec, process);
	add_limits(machine, spec, process);
	const char *cwd = json_str(spec->container, "workingDir");
	if (!cwd || !*cwd)
		cwd = json_str(image_config(spec), "WorkingDir");
	if (cwd && *cwd && *cwd != '/')
		return err_set(err, ERR_INVALID, "working directory \"%s\" is not an absolute path", cwd);
	json_set_str(process, "cwd", cwd && *cwd ? cwd : "/");
	json_set_bool(process, "terminal", spec->tty);
	json_set_bool(
	    process, "noNewPrivileges",
	    !json_boolean(json_get(spec->container, "securityContext"), "allowPrivilegeEscalation", true));
	return 0;
}

int oci_signal_number(const char *name)
{
	char *end;
	long number = strtol(name, &end, 10);
	if (end != name && !*end)
		return number > 0 && number <= SIGRTMAX ? (int)number : 0;
	if (!strncasecmp(name, "SIG", 3))
		name += 3;
	for (int i = 1; i < SIGRTMIN; i++) {
		const char *abbreviation = sigabbrev_np(i);
		if (abbreviation && !strcasecmp(abbreviation, name))
			return i;
	}
	/* Docker's names of the real-time signals: RTMIN, RTMIN+1, RTMAX-1. */
	bool from_min = !strncasecmp(name, "RTMIN", 5);
	if (!from_min && strncasecmp(name, "RTMAX", 5) != 0)
		return 0;
	number = strtol(name + 5, &end, 10);
	number += from_min ? SIGRTMIN : SIGRTMAX;
	return !*end && number >= SIGRTMIN && number <= SIGRTMAX ? (int)number : 0;
}

int oci_stop_signal(const struct container_spec *spec)
{
	const char *name = json_str(json_get(spec->container, "lifecycle"), "stopSignal");
	if (!name)
		name = json_str(image_config(spec), "StopSignal");
	int number = name && *name ? oci_signal_number(name) : 0;
	return number ? number : SIGTERM;
}
