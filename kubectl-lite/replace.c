/* replace: objects become what files say, all of it. */
#include <stdio.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/deletion.h"
#include "kubectl-lite/last_applied.h"
#include "kubectl-lite/manifest.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/target.h"
#include "kubectl-lite/write.h"
#include "lib/timefmt.h"

static struct {
	struct string_list files;
	bool recursive, force, wait, grace_given;
	const char *subresource, *cascade, *raw;
	int64_t grace_s, timeout_us;
} flags = { .grace_s = -1, .cascade = "background" };

static const struct flag replace_flags[] = {
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE", "files, folders or - (standard input)", NULL,
	  NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	{ "force", 0, FLAG_BOOL, &flags.force, NULL, "delete the object and create it anew", NULL, NULL },
	{ "grace-period", 0, FLAG_INT, &flags.grace_s, "SECONDS",
	  "with --force: time that pods get to end by themselves; -1: their own", NULL, &flags.grace_given },
	{ "cascade", 0, FLAG_STRING, &flags.cascade, "HOW",
	  "with --force: what becomes of dependents: background, foreground or orphan", "background", NULL },
	{ "timeout", 0, FLAG_DURATION, &flags.timeout_us, "DURATION",
	  "with --force: how long to wait for the old object's end; 0 is five minutes", NULL, NULL },
	{ "wait", 0, FLAG_BOOL, &flags.wait, NULL, "accepted as kubectl does; --force always waits", NULL,
	  NULL },
	{ "subresource", 0, FLAG_STRING, &flags.subresource, "NAME", "status or scale instead of the object",
	  NULL, NULL },
	WRITE_CREATE_FLAGS,
	{ "raw", 0, FLAG_STRING, &flags.raw, "PATH", "PUT the file as it is to this path of the server", NULL,
	  NULL },
	{ 0 },
};

#define FIVE_MINUTES_US (5 * 60 * INT64_C(1000000))

/* A file that names no version means whichever there is; not every kind lets that be left open. */
static int set_version(const struct manifest *manifest, struct json_object *obj, struct err *err)
{
	CLEANUP(json_putp) struct json_object *now = NULL;

	if (*object_meta(obj, "resourceVersion"))
		return 0;
	if (object_get_part(manifest->resource, manifest->namespace_, manifest->name, flags.subresource, &now,
			    err) < 0)
		return err_wrap(err, "error when replacing \"%s\"", manifest->file);
	json_set_str(json_get(obj, "metadata"), "resourceVersion", object_meta(now, "resourceVersion"));
	return 0;
}

static int put(const struct write *write, const struct manifest *manifest, struct json_object *obj,
	       struct json_object **ret, struct err *err)
{
	CLEANUP(buf_close) struct buf query = BUF_INIT;

	if (!flags.force && set_version(manifest, obj, err) < 0)
		return -1;
	write_query(write, &query);
	if (object_send(flags.force ? "POST" : "PUT", manifest->resource, manifest->namespace_,
			flags.force ? NULL : manifest->name, flags.subresource, query.data, NULL, obj, ret,
			err) == 0)
		return 0;
	return err_wrap(err, "error when %s \"%s\"", flags.force ? "creating" : "replacing", manifest->file);
}

/* --force: the old object goes, if there is one, and is waited for. */
static int clear_the_way(const struct manifest *manifest, const struct output *output, struct err *err)
{
	struct object object = { manifest->resource, manifest->namespace_, manifest->name, NULL };
	/* No time at all would lose data in silence: kubectl gives a second. */
	struct deletion how = { flags.cascade, flags.grace_s == 0 ? 1 : flags.grace_s, false };
	CLEANUP(mem_freep) char *uid = NULL;

	if (deletion_send(&object, &how, &uid, err) < 0) {
		if (err->kind != ERR_NOT_FOUND)
			return -1;
		*err = ERR_INIT;
		return 0;
	}
	if (output->form == OUTPUT_TABLE)
		printf("%s%s%s \"%s\" deleted\n", object.resource->singular,
		       *object.resource->group ? "." : "", object.resource->group, object.name);
	return deletion_wait(
	    &object, uid, time_mono_us() + (flags.timeout_us > 0 ? flags.timeout_us : FIVE_MINUTES_US), err);
}

static int replace(struct write *write, const struct manifest *manifest, struct err *err)
{
	CLEANUP(json_putp) struct json_object *obj = json_clone(manifest->object), *result = NULL;

	if (!manifest->name)
		return err_set(err, ERR_PARSE, "error when replacing \"%s\": resource name may not be empty",
			       manifest->file);
	if (manifest->namespace_)
		json_set_str(json_ensure_object(obj, "metadata"), "namespace", manifest->namespace_);
	if (write_flags.save_config || (last_applied_text(obj) && !flags.subresource))
		write_save_config(obj, true);
	if (write->dry_run == DRY_RUN_CLIENT)
		result = json_object_get(obj);
	else if (flags.force && clear_the_way(manifest, &write->output, err) < 0)
		return -1;
	else if (put(write, manifest, obj, &result, err) < 0)
		return -1;
	return write_show(write, manifest->resource, result, "replaced", err);
}

/* --raw: no more than the PUT. */
static int replace_raw(struct err *err)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT, answer = BUF_INIT;

	if (flags.files.n != 1)
		return err_set(err, ERR_PARSE, "--raw can only use a single local file or stdin");
	if (manifest_read(flags.files.items[0], &body, err) < 0 ||
	    session_do("PUT", flags.raw, NULL, "application/json", &body, &answer, err) < 0)
		return -1;
	fwrite(answer.data ? answer.data : "", 1, answer.len, stdout);
	return 0;
}

static int check_flags(enum dry_run dry_run, struct err *err)
{
	if (flags.grace_given && !flags.force)
		return err_set(err, ERR_PARSE, "--grace-period must have --force specified");
	if (flags.timeout_us && !flags.force)
		return err_set(err, ERR_PARSE, "--timeout must have --force specified");
	if (flags.force && dry_run != DRY_RUN_NONE)
		return err_set(err, ERR_PARSE, "--dry-run can not be used when --force is set");
	return deletion_check_cascade(flags.cascade, err);
}

static int run_replace(char **args, size_t n_args)
{
	struct manifest *manifests = NULL;
	struct err err = ERR_INIT;
	struct write write;
	size_t n = 0, bad = 0;

	if (flags.files.n == 0)
		return command_error("must specify one of -f and -k");
	if (n_args)
		return command_usage_error("replace", "unexpected arguments: [%s]", args[0]);
	if (write_begin(&write, "kubectl-replace", &err) < 0)
		return session_failed(&err);
	write.typed = false;
	if (check_flags(write.dry_run, &err) < 0 || (flags.raw && replace_raw(&err) < 0) ||
	    (!flags.raw && manifests_load(&flags.files, flags.recursive, &manifests, &n, &bad, &err) < 0)) {
		write_end(&write);
		return session_failed(&err);
	}
	int code = bad > 0;
	for (size_t i = 0; i < n; i++) {
		err = ERR_INIT;
		if (replace(&write, &manifests[i], &err) < 0)
			code = session_failed(&err);
	}
	if (!n && !code && !flags.raw)
		code = command_error("no objects passed to replace");
	write_end(&write);
	manifests_free(manifests, n);
	return code;
}

const struct command command_replace = {
	.name = "replace",
	.about = "Make objects what files say, all of it",
	.usage = "replace -f FILE [flags]",
	.help = "What the files do not say goes, other than with apply. A file that has the object's "
		"resourceVersion replaces only\n"
		"that very version. --force deletes the object first and creates it anew.\n"
		"\n"
		"Examples:\n"
		"  kubectl-lite get deploy web -o yaml | sed s/v1/v2/ | kubectl-lite replace -f -\n"
		"  kubectl-lite replace --force -f job.yaml\n",
	.flags = replace_flags,
	.run = run_replace,
};
