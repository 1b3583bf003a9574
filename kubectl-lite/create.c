/* create: objects from files; its subcommands make them from flags. */
#include "kubectl-lite/create.h"

#include <stdio.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/go_shape.h"
#include "kubectl-lite/manifest.h"
#include "kubectl-lite/session.h"
#include "lib/selector.h"

#define MANAGER "kubectl-create"

enum { RAW_MAX_BYTES = 64 * 1024 * 1024 };

static struct {
	struct string_list files;
	bool recursive;
	const char *labels, *raw;
} flags;

static const struct flag create_flags[] = {
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE", "files, folders or - (standard input) to create",
	  NULL, NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	{ "selector", 'l', FLAG_STRING, &flags.labels, "LABELS",
	  "only objects of the files with these labels", NULL, NULL },
	{ "raw", 0, FLAG_STRING, &flags.raw, "PATH", "POST the one file to this path of the server", NULL,
	  NULL },
	WRITE_CREATE_FLAGS,
	{ 0 },
};

/* --- from flags --- */

const char *create_name(const char *path, char **args, size_t n_args)
{
	size_t n = command_n_before_dashes();

	if (n == 1 && n_args)
		return args[0];
	command_usage_error(path, "exactly one NAME is required, got %zu", n);
	return NULL;
}

static int finish(struct write *write, struct json_object **obj, const char *failed_to, struct err *err)
{
	const struct resource *resource =
	    resource_find_kind(json_str_or_empty(*obj, "apiVersion"), json_str_or_empty(*obj, "kind"));
	const char *namespace_ =
	    resource->namespaced && write->dry_run != DRY_RUN_CLIENT ? session_namespace() : NULL;

	*obj = go_shape(*obj, resource->def);
	if (write_flags.save_config)
		write_save_config(*obj, false);
	if (write_create(write, resource, namespace_, obj, err) < 0) {
		/* kubectl wraps the refusal in an error of its own, which loses its reason. */
		if (!failed_to)
			return session_failed(err);
		return command_error("%s %s", failed_to, err->msg);
	}
	return write_show(write, resource, *obj, "created", err) < 0 ? session_failed(err) : 0;
}

int create_finish(struct json_object *obj_taken, const char *failed_to)
{
	CLEANUP(json_putp) struct json_object *obj = obj_taken;
	struct write write;
	struct err err = ERR_INIT;

	if (write_begin(&write, MANAGER, &err) < 0)
		return session_failed(&err);
	int code = finish(&write, &obj, failed_to, &err);
	write_end(&write);
	return code;
}

/* --- from files --- */

static int create_one(const struct manifest *manifest, struct write *write, struct err *err)
{
	CLEANUP(json_putp) struct json_object *obj = json_clone(manifest->object);

	if (manifest->namespace_)
		json_set_str(json_ensure_object(obj, "metadata"), "namespace", manifest->namespace_);
	if (write_flags.save_config)
		write_save_config(obj, true);
	if (write_create(write, manifest->resource, manifest->namespace_, &obj, err) < 0)
		return err_wrap(err, "error when creating \"%s\"", manifest->file);
	return write_show(write, manifest->resource, obj, "created", err);
}

static int create_all(struct manifest *manifests, size_t n, size_t bad, struct write *write)
{
	CLEANUP(selector_close) struct selector selector = { 0 };
	struct err err = ERR_INIT;
	size_t n_tried = 0;
	int code = bad > 0;

	if (selector_parse(flags.labels ? flags.labels : "", &selector, &err) < 0)
		return session_failed(&err);
	for (size_t i = 0; i < n; i++) {
		if (!selector_matches_json(&selector,
					   json_path(manifests[i].object, "metadata", "labels", NULL)))
			continue;
		n_tried++;
		err = ERR_INIT;
		if (create_one(&manifests[i], write, &err) < 0)
			code = session_failed(&err);
	}
	return n_tried || code ? code : command_error("no objects passed to create");
}

static int create_raw(void)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT, answer = BUF_INIT;
	const char *file = strcmp(flags.files.items[0], "-") == 0 ? "/dev/stdin" : flags.files.items[0];
	struct err err = ERR_INIT;

	if (flags.files.n != 1)
		return command_usage_error("create", "--raw can only use a single local file or stdin");
	if (buf_read_file(&body, file, RAW_MAX_BYTES, &err) < 0 ||
	    session_do("POST", flags.raw, NULL, NULL, &body, &answer, &err) < 0)
		return session_failed(&err);
	fwrite(answer.data ? answer.data : "", 1, answer.len, stdout);
	return 0;
}

static int run_create(char **args, size_t n_args)
{
	struct manifest *manifests = NULL;
	struct write write;
	struct err err = ERR_INIT;
	size_t n = 0, bad = 0;

	if (flags.files.n == 0)
		return command_error("must specify one of -f and -k");
	if (n_args)
		return command_usage_error("create", "Unexpected args: [%s]", args[0]);
	if (flags.raw)
		return create_raw();
	if (write_begin(&write, MANAGER, &err) < 0)
		return session_failed(&err);
	/* kubectl takes what a file holds as it is, of whatever kind. */
	write.typed = false;
	int code;
	if (manifests_load(&flags.files, flags.recursive, &manifests, &n, &bad, &err) < 0)
		code = session_failed(&err);
	else
		code = create_all(manifests, n, bad, &write);
	manifests_free(manifests, n);
	write_end(&write);
	return code;
}

static const struct command *const subcommands[] = {
	&create_clusterrole,
	&create_clusterrolebinding,
	&create_configmap,
	&create_cronjob,
	&create_deployment,
	&create_ingress,
	&create_job,
	&create_namespace,
	&create_poddisruptionbudget,
	&create_priorityclass,
	&create_quota,
	&create_role,
	&create_rolebinding,
	&create_secret,
	&create_service,
	&create_serviceaccount,
	&create_token,
	NULL,
};

const struct command command_create = {
	.name = "create",
	.about = "Create objects, from files or from flags",
	.usage = "create (-f FILE | KIND NAME) [flags]",
	.help =
	    "Unlike apply it fails when the object is there already.\n"
	    "\n"
	    "Examples:\n"
	    "  kubectl-lite create -f web.yaml\n"
	    "  kubectl-lite create deployment web --image=market-data:v1 --replicas=3\n"
	    "  kubectl-lite create configmap settings --from-literal=mode=fast --dry-run=client -o yaml\n",
	.flags = create_flags,
	.subcommands = subcommands,
	.run = run_create,
};
