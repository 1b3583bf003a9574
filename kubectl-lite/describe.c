#include <stdio.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/describe_text.h"
#include "kubectl-lite/session.h"

static struct {
	struct string_list files;
	bool recursive, all_namespaces;
	const char *labels;
} flags;

static const struct flag describe_flags[] = {
	{ "all-namespaces", 'A', FLAG_BOOL, &flags.all_namespaces, NULL, "objects of all namespaces", NULL,
	  NULL },
	{ "selector", 'l', FLAG_STRING, &flags.labels, "LABELS", "objects with these labels", NULL, NULL },
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE", "the objects named in files", NULL, NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	{ 0 },
};

static const struct {
	const char *kind;
	void (*describe)(struct buf *b, const struct object *object);
} describers[] = {
	{ "Pod", describe_pod },
	{ "Deployment", describe_deployment },
	{ "ReplicaSet", describe_replica_set },
	{ "Node", describe_node },
	{ "Service", describe_service },
	{ "ConfigMap", describe_config_map },
	{ "Secret", describe_secret },
	{ "Namespace", describe_namespace },
	{ "ServiceAccount", describe_service_account },
};

static void describe_one(const struct object *object)
{
	CLEANUP(buf_close) struct buf cells = BUF_INIT, text = BUF_INIT;
	void (*describe)(struct buf * b, const struct object *object) = describe_generic;

	for (size_t i = 0; i < ARRAY_SIZE(describers); i++)
		if (strcmp(describers[i].kind, object->resource->kind_name) == 0)
			describe = describers[i].describe;
	describe(&cells, object);
	describe_align(&text, cells.data ? cells.data : "");
	fwrite(text.data, 1, text.len, stdout);
}

static void tell_nothing_found(void)
{
	if (flags.all_namespaces)
		fputs("No resources found\n", stderr);
	else
		fprintf(stderr, "No resources found in %s namespace.\n", session_namespace());
}

static int run_describe(char **args, size_t n_args)
{
	struct objects_query query = { .args = args,
				       .n_args = n_args,
				       .files = &flags.files,
				       .recursive = flags.recursive,
				       .labels = flags.labels,
				       .all_namespaces = flags.all_namespaces,
				       .fetch = true };
	struct objects objects;
	struct err err = ERR_INIT;

	if (n_args == 0 && !flags.files.n) {
		fputs("You must specify the type of resource to describe. Use \"kubectl-lite api-resources\" "
		      "for a complete list of supported "
		      "resources.\n",
		      stderr);
		return 1;
	}
	if (objects_find(&query, &objects, &err) < 0)
		return session_failed(&err);
	int code = objects.bad > 0;
	for (size_t i = 0; i < objects.n; i++) {
		if (i)
			fputs("\n\n", stdout);
		describe_one(&objects.items[i]);
	}
	if (!objects.n && !code)
		tell_nothing_found();
	objects_close(&objects);
	return code;
}

const struct command command_describe = {
	.name = "describe",
	.about = "Show all about objects, with their events",
	.usage = "describe (TYPE [NAME...] | TYPE/NAME... | -f FILE) [flags]",
	.help = "Examples:\n"
		"  kubectl-lite describe pod web-0\n"
		"  kubectl-lite describe deployments -l app=web\n"
		"  kubectl-lite describe node\n",
	.flags = describe_flags,
	.run = run_describe,
};
