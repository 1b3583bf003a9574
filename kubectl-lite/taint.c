/* taint: what keeps pods from a node, or drives them away.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
 */
#include <stdio.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/cordon.h"
#include "kubectl-lite/session.h"

static struct {
	const char *labels, *dry_run;
	bool all, overwrite;
} flags;

static const struct flag taint_flags[] = {
	{ "overwrite", 0, FLAG_BOOL, &flags.overwrite, NULL, "also change the value of a taint that is there",
	  NULL, NULL },
	{ "all", 0, FLAG_BOOL, &flags.all, NULL, "all nodes", NULL, NULL },
	{ "selector", 'l', FLAG_STRING, &flags.labels, "LABELS", "nodes with these labels", NULL, NULL },
	{ "dry-run", 0, FLAG_STRING, &flags.dry_run, "WHERE",
	  "none, client (show only) or server (ask, but store nothing)", "unchanged", NULL },
	{ 0 },
};

/* KEY=VALUE:EFFECT, KEY:EFFECT, KEY:EFFECT-, KEY-. */
struct change {
	char *key, *value, *effect; /* value "", effect NULL: none named */
	bool takes_away;
};

static void change_close(struct change *change)
{
	free(change->key);
	free(change->value);
	free(change->effect);
}

static bool is_change(const char *word)
{
	size_t len = strlen(word);

	return strchr(word, ':') || (len > 1 && word[len - 1] == '-');
}

static int parse_change(const char *word, struct change *ret, struct err *err)
{
	static const char *const effects[] = { "NoSchedule", "PreferNoSchedule", "NoExecute" };
	CLEANUP(mem_freep) char *text = mem_dup(word);
	size_t len = strlen(text);
	char *effect, *value;

	ret->takes_away = text[len - 1] == '-';
	if (ret->takes_away)
		text[len - 1] = '\0';
	effect = strchr(text, ':');
	if (effect)
		*effect++ = '\0';
	value = strchr(text, '=');
	if (value)
		*value++ = '\0';
	ret->key = mem_dup(text);
	ret->value = mem_dup(value ? value : "");
	ret->effect = mem_dup(effect);
	for (size_t i = 0; effect && i < ARRAY_SIZE(effects); i++)
		if (strcmp(effects[i], effect) == 0)
			return 0;
	if (effect)
		return err_set(err, ERR_PARSE, "invalid taint effect: %s, unsupported taint effect", effect);
	return ret->takes_away ? 0 : err_set(err, ERR_PARSE, "invalid taint spec: %s", word);
}

static bool is_meant(const struct json_object *taint, const struct change *change)
{
	return strcmp(json_str_or_empty(taint, "key"), change->key) == 0 &&
	       (!change->effect || strcmp(json_str_or_empty(taint, "effect"), change->effect) == 0);
}

/* TAINTS without those that CHANGE means. *ret_found says whether there were any. */
static struct json_object *without(const struct json_object *taints, const struct change *change,
				   bool *ret_found)
{
	struct json_object *result = json_object_new_array();

	*ret_found = false;
	for (size_t i = 0; i < json_len(taints); i++) {
		if (is_meant(json_at(taints, i), change))
			*ret_found = true;
		else
			json_object_array_add(result, json_object_get(json_at(taints, i)));
	}
	return result;
}

/* TAINTS (replaced) after CHANGE. */
static int apply_change(const struct object *node, const struct change *change, struct json_object **taints,
			struct err *err)
{
	bool found;
	struct json_object *result = without(*taints, change, &found);

	json_object_put(*taints);
	*taints = result;
	if (change->takes_away)
		return found ? 0
			     : err_set(err, ERR_PARSE, "taint \"%s%s%s\" not found", change->key,
				       change->effect ? ":" : "", change->effect ? change->effect : "");
	if (found && !flags.overwrite)
		return err_set(err, ERR_PARSE,
			       "node %s already has %s taint(s) with same effect(s) and --overwrite is false",
			       node->name, change->key);
	struct json_object *taint = json_object_new_object();
	json_set_str(taint, "key", change->key);
	if (*change->value)
		json_set_str(taint, "value", change->value);
	json_set_str(taint, "effect", change->effect);
	json_object_array_add(*taints, taint);
	return 0;
}

static int taint(const struct object *node, char **words, size_t n_words, enum dry_run dry_run,
		 struct err *err)
{
	CLEANUP(json_putp) struct json_object *patch = json_object_new_object();
	struct json_object *taints = json_clone(json_path(node->value, "spec", "taints", NULL));
	size_t set = 0;
	int failed = 0;

	if (!taints)
		taints = json_object_new_array();
	for (size_t i = 0; i < n_words && !failed; i++) {
		CLEANUP(change_close) struct change change = { 0 };
		failed =
		    parse_change(words[i], &change, err) < 0 || apply_change(node, &change, &taints, err) < 0
			? -1
			: 0;
		set += !change.takes_away;
	}
	json_set(json_ensure_object(patch, "spec"), "taints", taints);
	/* The list is written whole: the node must still be the one we saw. */
	json_set_str(json_ensure_object(patch, "metadata"), "resourceVersion",
		     object_meta(node->value, "resourceVersion"));
	if (!failed && dry_run != DRY_RUN_CLIENT)
		failed = object_patch(node->resource, NULL, node->name, NULL,
				      dry_run == DRY_RUN_SERVER ? "dryRun=All&fieldManager=kubectl-taint"
								: "fieldManager=kubectl-taint",
				      "merge", patch, NULL, err);
	if (!failed)
		printf("node/%s %s%s\n", node->name,
		       set == n_words && !flags.overwrite ? "tainted"
		       : set                              ? "modified"
							  : "untainted",
		       dry_run_suffix(dry_run));
	return failed;
}

static int run_taint(char **args, size_t n_args)
{
	struct objects nodes;
	enum dry_run dry_run;
	struct err err = ERR_INIT;
	size_t n = 0;

	while (n < n_args && !is_change(args[n]))
		n++;
	if (!n || strncmp(args[0], "node", 4) != 0)
		return command_usage_error("taint", "USAGE: taint NODE NAME KEY=VALUE:EFFECT... [flags]");
	if (n == n_args)
		return command_error("at least one taint update is required");
	if (n == 1 && !flags.labels && !flags.all)
		return command_error(
		    "at least one resource name must be specified since 'all' parameter is not set");
	if (dry_run_parse(flags.dry_run, &dry_run, &err) < 0 ||
	    cordon_find_nodes(args + 1, n - 1, flags.labels, &nodes, &err) < 0)
		return session_failed(&err);
	int code = nodes.bad > 0;
	for (size_t i = 0; i < nodes.n; i++) {
		err = ERR_INIT;
		if (taint(&nodes.items[i], args + n, n_args - n, dry_run, &err) < 0)
			code = session_failed(&err);
	}
	objects_close(&nodes);
	return code;
}

const struct command command_taint = {
	.name = "taint",
	.about = "Set and take away what keeps pods from nodes",
	.usage = "taint nodes NAME... KEY=VALUE:EFFECT... KEY[:EFFECT]-... [flags]",
	.help = "EFFECT is NoSchedule, PreferNoSchedule or NoExecute.\n\n"
		"Examples:\n"
		"  kubectl-lite taint nodes n1 dedicated=batch:NoSchedule\n"
		"  kubectl-lite taint nodes n1 dedicated-            # takes it away\n",
	.flags = taint_flags,
	.run = run_taint,
};
