/* set env: the environment variables of containers; --list shows them. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/env_list.h"
#include "kubectl-lite/generate.h"
#include "kubectl-lite/key_values.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/set_change.h"
#include "kubectl-lite/target.h"

static struct {
	struct string_list env, keys;
	const char *containers, *from, *prefix;
	bool list, resolve, overwrite;
} flags = { .containers = "*", .overwrite = true };

/* What is to become of an environment. */
struct env_change {
	struct json_object *set;    /* array of EnvVar */
	struct string_list removed; /* names */
};

/* --- what the words say --- */

static struct json_object *find_variable(struct json_object *env, const char *name)
{
	for (size_t i = 0; i < json_len(env); i++)
		if (strcmp(json_str_or_empty(json_at(env, i), "name"), name) == 0)
			return json_at(env, i);
	return NULL;
}

/* KEY=VALUE; the first one of a name counts. */
static int add_value(struct json_object *set, const char *word, struct err *err)
{
	const char *equals = strchr(word, '=');
	CLEANUP(mem_freep) char *name = mem_dupn(word, (size_t)(equals - word));
	struct json_object *variable;

	if (key_values_check_variable(name, err) < 0)
		return -1;
	if (find_variable(set, name))
		return 0;
	variable = json_object_new_object();
	json_set_str(variable, "name", name);
	json_set_str(variable, "value", equals + 1);
	json_object_array_add(set, variable);
	return 0;
}

static int read_words(const char *const *words, size_t n, struct env_change *change, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(words[i]);
		if (strchr(words[i], '=')) {
			if (add_value(change->set, words[i], err) < 0)
				return -1;
		} else if (len > 1 && words[i][len - 1] == '-') {
			/* Lives as long as the program, as the words do. */
			generate_list_add(&change->removed, mem_dupn(words[i], len - 1));
		} else {
			return err_set(err, ERR_PARSE, "unknown argument: %s", words[i]);
		}
	}
	for (size_t i = 0; i < change->removed.n; i++)
		if (find_variable(change->set, change->removed.items[i]))
			return err_set(err, ERR_PARSE,
				       "can not both modify and remove the same environment variable in the "
				       "same command");
	return 0;
}

/* --- --from --- */

/* "key-one" as a variable's name: KEY_ONE. */
static char *variable_name(const char *key)
{
	char *name = mem_dup(key);

	for (char *p = name; *p; p++)
		*p = isalnum((unsigned char)*p) ? (char)toupper((unsigned char)*p) : '_';
	if (strcmp(key, name) != 0)
		fprintf(stderr, "Warning: key %s transferred to %s\n", key, name);
	return name;
}

static void add_reference(struct json_object *set, const char *reference, const char *object, const char *key)
{
	CLEANUP(mem_freep) char *name = variable_name(key);
	struct json_object *variable = json_object_new_object(), *ref;

	json_set_str(variable, "name", name);
	ref = json_ensure_object(json_ensure_object(variable, "valueFrom"), reference);
	json_set_str(ref, "name", object);
	json_set_str(ref, "key", key);
	json_object_array_add(set, variable);
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A variable for each key of the ConfigMap or Secret that --from names. */
static int add_from(struct json_object *set, struct err *err)
{
	CLEANUP(json_putp) struct json_object *from = NULL;
	CLEANUP(mem_freep) char *word = mem_dup(flags.from);
	CLEANUP(mem_freep) const char **keys = NULL;
	struct target target = { 0 };
	size_t n = 0;

	if (target_parse_one(&word, 1, &target, err) < 0 ||
	    object_get(target.resource, session_namespace(), target.name, &from, err) < 0)
		return -1;
	bool secret = strcmp(target.resource->qualified, "secrets") == 0;
	if (!secret && strcmp(target.resource->qualified, "configmaps") != 0)
		return err_set(err, ERR_PARSE, "unsupported resource specified in --from");
	struct json_object *data = json_ensure_object(from, "data");
	keys = mem_zalloc(((size_t)json_object_object_length(data) + 1) * sizeof(*keys));
	json_object_object_foreach(data, key, value)
	{
		(void)value;
		if (!flags.keys.n || generate_list_has(&flags.keys, key))
			keys[n++] = key;
	}
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < n; i++)
		add_reference(set, secret ? "secretKeyRef" : "configMapKeyRef", target.name, keys[i]);
	return 0;
}

static void add_prefix(struct json_object *set)
{
	for (size_t i = 0; flags.prefix && i < json_len(set); i++) {
		struct json_object *variable = json_at(set, i);
		CLEANUP(mem_freep)
		char *name = mem_printf("%s%s", flags.prefix, json_str_or_empty(variable, "name"));
		json_set_str(variable, "name", name);
	}
}

/* --- a container's environment --- */

/* ENV as CHANGE makes it: what is there keeps its place, new ones follow. */
static struct json_object *changed_env(struct json_object *env, const struct env_change *change)
{
	struct json_object *changed = json_object_new_array();

	for (size_t i = 0; i < json_len(env); i++) {
		struct json_object *old = json_at(env, i);
		const char *name = json_str_or_empty(old, "name");
		struct json_object *newer = find_variable(change->set, name);
		if (!generate_list_has(&change->removed, name))
			json_object_array_add(changed, json_clone(newer ? newer : old));
	}
	for (size_t i = 0; i < json_len(change->set); i++) {
		struct json_object *newer = json_at(change->set, i);
		if (!find_variable(changed, json_str_or_empty(newer, "name")))
			json_object_array_add(changed, json_clone(newer));
	}
	return changed;
}

static int check_overwrites(const struct object *object, struct json_object *env,
			    const struct env_change *change, struct err *err)
{
	for (size_t i = 0; i < json_len(change->set); i++) {
		const char *name = json_str_or_empty(json_at(change->set, i), "name");
		const struct json_object *old = find_variable(env, name);
		if (old)
			return err_set(
			    err, ERR_PARSE, "%s/%s '%s' already has a value (%s), and --overwrite is false",
			    object->resource->plural, object->name, name, json_str_or_empty(old, "value"));
	}
	return 0;
}

/* What is to change, and of which object. */
struct of_object {
	const struct object *object;
	const struct env_change *change;
};

static int change_container(struct json_object *container, const void *arg, struct err *err)
{
	const struct of_object *of = arg;
	const struct object *object = of->object;
	struct json_object *env = json_get(container, "env");

	if (!flags.overwrite && check_overwrites(object, env, of->change, err) < 0)
		return -1;
	struct json_object *changed = changed_env(env, of->change);
	if (json_len(changed)) {
		json_set(container, "env", changed);
	} else {
		json_object_put(changed);
		json_object_object_del(container, "env");
	}
	if (flags.list) {
		printf("# %s %s, container %s\n", object->resource->kind_name, object->name,
		       json_str_or_empty(container, "name"));
		env_list_print(json_get(container, "env"), object, flags.resolve);
	}
	return 0;
}

static int make_env(const struct object *object, struct json_object *obj, const void *arg, struct err *err)
{
	const struct of_object of = { object, arg };
	struct json_object *spec = set_pod_spec(object, obj, err);

	if (!spec)
		return -1;
	int n = set_each_container(spec, flags.containers, change_container, &of, err);
	if (n == 0)
		fprintf(stderr, "Warning: %s/%s does not have any containers matching \"%s\"\n",
			object->resource->kind_name, object->name, flags.containers);
	return n < 0 ? -1 : 0;
}

/* --- the command --- */

static int prepare(char **words, size_t n_words, struct env_change *change, struct err *err)
{
	if (flags.list && write_flags.output)
		return err_set(err, ERR_PARSE, "--list and --output may not be specified together");
	if (flags.keys.n && !flags.from)
		return err_set(err, ERR_PARSE,
			       "when specifying --keys, a configmap or secret must be provided with --from");
	if (read_words(flags.env.items, flags.env.n, change, err) < 0 ||
	    read_words((const char *const *)words, n_words, change, err) < 0 ||
	    (flags.from && add_from(change->set, err) < 0))
		return -1;
	add_prefix(change->set);
	return 0;
}

static int run_env(char **args, size_t n_args)
{
	CLEANUP(json_putp) struct json_object *set = json_object_new_array();
	struct env_change change = { .set = set };
	struct err err = ERR_INIT;
	size_t n = 0;
	int code;

	if (set_split(args, n_args, "environment", &n, &err) < 0)
		return session_failed(&err);
	if (!n && !set_flags.files.n)
		return command_error(
		    "one or more resources must be specified as <resource> <name> or <resource>/<name>");
	if (prepare(args + n, n_args - n, &change, &err) < 0)
		code = session_failed(&err);
	else
		code =
		    set_run(args, n,
			    &(struct set_change){ .done = "env updated",
						  .failed_to = "failed to patch env update to pod template:",
						  .only_look = flags.list,
						  .make = make_env,
						  .arg = &change });
	free(change.removed.items);
	return code;
}

static const struct flag env_flags[] = {
	{ "env", 'e', FLAG_ARRAY, &flags.env, "KEY=VALUE", "set this; the same as a word KEY=VALUE", NULL,
	  NULL },
	{ "from", 0, FLAG_STRING, &flags.from, "TYPE/NAME", "set all that a configmap or secret holds", NULL,
	  NULL },
	{ "keys", 0, FLAG_LIST, &flags.keys, "KEY,...", "with --from: only these keys", NULL, NULL },
	{ "prefix", 0, FLAG_STRING, &flags.prefix, "TEXT", "before the names of what is set", NULL, NULL },
	{ "containers", 'c', FLAG_STRING, &flags.containers, "NAME", "of these containers (default *)", NULL,
	  NULL },
	{ "list", 0, FLAG_BOOL, &flags.list, NULL, "show what is set, and change nothing", NULL, NULL },
	{ "resolve", 0, FLAG_BOOL, &flags.resolve, NULL, "with --list: look references up", NULL, NULL },
	{ "overwrite", 0, FLAG_BOOL, &flags.overwrite, NULL, "also what has a value already (default true)",
	  NULL, NULL },
	SET_FLAGS,
	{ 0 },
};

const struct command set_env = {
	.name = "env",
	.about = "Set environment variables of containers, or show them",
	.usage = "set env (TYPE NAME | TYPE/NAME | -f FILE) KEY=VALUE... KEY-... [flags]",
	.help = "Examples:\n"
		"  kubectl-lite set env deployment/web LEVEL=debug OLD-      # sets one, takes one away\n"
		"  kubectl-lite set env deployment/web --from=configmap/settings --prefix=APP_\n"
		"  kubectl-lite set env deployment/web --list --resolve\n"
		"  kubectl-lite set env deployments --all -c proxy LEVEL=info\n",
	.flags = env_flags,
	.run = run_env,
};
