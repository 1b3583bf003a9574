/* diff: what apply would change, without doing it. The server says what an object would become (a dry run);
 * a program compares it with what there is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kubectl-lite/apply_server.h"
#include "kubectl-lite/commands.h"
#include "kubectl-lite/diff_mask.h"
#include "kubectl-lite/last_applied.h"
#include "kubectl-lite/manifest.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/session.h"
#include "lib/selector.h"
#include "lib/yaml.h"

/* Exit codes: 1 says that there is a difference, so that what fails needs another. */
enum { DIFFERENT = 1, FAILED = 2 };

static struct {
	struct string_list files;
	bool recursive, server_side, force_conflicts, managed;
	const char *labels, *manager;
} flags;

static const struct flag diff_flags[] = {
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE", "files, folders or - (standard input)", NULL,
	  NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	{ "selector", 'l', FLAG_STRING, &flags.labels, "LABELS",
	  "only objects of the files with these labels", NULL, NULL },
	{ "server-side", 0, FLAG_BOOL, &flags.server_side, NULL, "as apply --server-side would do it", NULL,
	  NULL },
	{ "force-conflicts", 0, FLAG_BOOL, &flags.force_conflicts, NULL,
	  "with --server-side: take fields over that others own", NULL, NULL },
	{ "field-manager", 0, FLAG_STRING, &flags.manager, "NAME",
	  "who would own the fields (default kubectl-client-side-apply, with --server-side kubectl)", NULL,
	  NULL },
	{ "show-managed-fields", 0, FLAG_BOOL, &flags.managed, NULL, "compare managedFields as well", NULL,
	  NULL },
	{ 0 },
};

/* --- what an object would become --- */

/* *ret_live stays NULL when it is not there. */
static int foresee(const struct manifest *manifest, struct json_object **ret_live,
		   struct json_object **ret_merged, struct err *err)
{
	CLEANUP(json_putp) struct json_object *live = NULL, *before = NULL, *wanted = NULL, *patch = NULL;
	CLEANUP(buf_close) struct buf query = BUF_INIT;
	const struct resource *resource = manifest->resource;
	const char *type;

	if (object_get(resource, manifest->namespace_, manifest->name, &live, err) < 0) {
		if (err->kind != ERR_NOT_FOUND)
			return -1;
		*err = ERR_INIT;
	}
	if (flags.server_side) {
		if (apply_server(manifest, flags.manager ? flags.manager : "kubectl", flags.force_conflicts,
				 DRY_RUN_SERVER, ret_merged, err) < 0)
			return -1;
		*ret_live = TAKE(live);
		return 0;
	}
	object_write_query(&query, true, flags.manager ? flags.manager : "kubectl-client-side-apply");
	wanted = json_clone(manifest->object);
	if (manifest->namespace_)
		json_set_str(json_ensure_object(wanted, "metadata"), "namespace", manifest->namespace_);
	/* What apply would remember is left out of the comparison: the same on both sides. */
	last_applied_drop(wanted);
	if (!live)
		return object_send("POST", resource, manifest->namespace_, NULL, NULL, query.data, NULL,
				   wanted, ret_merged, err);
	const char *text = last_applied_text(live);
	if ((text && json_parse(text, strlen(text), &before, NULL, err) < 0) ||
	    last_applied_patch(resource, before, wanted, live, &patch, &type, err) < 0 ||
	    object_send("PATCH", resource, manifest->namespace_, manifest->name, NULL, query.data, type,
			patch, ret_merged, err) < 0)
		return -1;
	*ret_live = TAKE(live);
	return 0;
}

/* --- files to compare --- */

struct folders {
	char *live, *merged;
};

static void folder_remove(const char *folder, char **files, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		CLEANUP(mem_freep) char *path = mem_printf("%s/%s", folder, files[i]);
		unlink(path);
	}
	rmdir(folder);
}

static char *folder_make(const char *name, struct err *err)
{
	const char *base = getenv("TMPDIR");
	char *path = mem_printf("%s/%s-XXXXXX", base && *base ? base : "/tmp", name);

	if (mkdtemp(path))
		return path;
	err_set_errno(err, errno, "cannot make a folder for what is to be compared (%s)", path);
	free(path);
	return NULL;
}

static int write_object(const char *folder, const char *name, struct json_object *obj, struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", folder, name);
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	FILE *file;

	if (!obj)
		return 0;
	if (!flags.managed)
		object_drop_managed(obj);
	yaml_write(&text, obj);
	file = fopen(path, "wxe");
	if (!file)
		return err_set_errno(err, errno, "cannot write %s", path);
	fwrite(text.data ? text.data : "", 1, text.len, file);
	return fclose(file) == 0 ? 0 : err_set_errno(err, errno, "cannot write %s", path);
}

/* "apps.v1.Deployment.default.web" */
static char *file_name(const struct manifest *manifest)
{
	const struct resource *r = manifest->resource;

	return mem_printf("%s%s%s.%s.%s.%s", r->group, *r->group ? "." : "", r->version, r->kind_name,
			  manifest->namespace_ ? manifest->namespace_ : "", manifest->name);
}

static int write_both(const struct folders *folders, const struct manifest *manifest, const char *name,
		      struct err *err)
{
	CLEANUP(json_putp) struct json_object *live = NULL, *merged = NULL;

	if (foresee(manifest, &live, &merged, err) < 0)
		return -1;
	if (!*manifest->resource->group && strcmp(manifest->resource->kind_name, "Secret") == 0)
		diff_mask(live, merged);
	if (write_object(folders->live, name, live, err) < 0)
		return -1;
	return write_object(folders->merged, name, merged, err);
}

/* --- comparing --- */

/* diff -u -N, or the program in KUBECTL_EXTERNAL_DIFF, which gets the folders before words of its own; of
 * those kubectl takes the ones of letters, digits, - and =. */
static char **program_words(const struct folders *folders, char *given)
{
	char **words = mem_zalloc((strlen(given) / 2 + 7) * sizeof(*words)), *rest = given;
	size_t n = 0;

	words[n++] = strsep(&rest, " ");
	words[n++] = folders->live;
	words[n++] = folders->merged;
	for (char *word; (word = strsep(&rest, " "));)
		if (*word &&
		    !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-=")])
			words[n++] = word;
	return words;
}

static int compare(const struct folders *folders, struct err *err)
{
	const char *given = getenv("KUBECTL_EXTERNAL_DIFF");
	/* GNU's diff takes options behind operands as well, and shows them in front. */
	CLEANUP(mem_freep) char *copy = mem_dup(given && *given ? given : "diff -u -N");
	CLEANUP(mem_freep) char **words = program_words(folders, copy);
	int status;

	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		execvp(words[0], words);
		_exit(errno == ENOENT ? 127 : 126);
	}
	if (pid < 0)
		return err_set_errno(err, errno, "cannot start %s", words[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set_errno(err, errno, "waiting for %s", words[0]);
	if (WIFEXITED(status) && WEXITSTATUS(status) <= DIFFERENT)
		return WEXITSTATUS(status);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return err_set(err, ERR_PARSE, "failed to run \"%s\": executable file not found in $PATH",
			       words[0]);
	return err_set(err, ERR_PARSE, "failed to run \"%s\": exit status %d", words[0],
		       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* 0: the same, DIFFERENT, or -1. The first object that cannot be foreseen ends it, as in kubectl. */
static int diff_all(const struct folders *folders, const struct manifest *manifests, size_t n, char **names,
		    size_t *ret_named, struct err *err)
{
	CLEANUP(selector_close) struct selector selector = { 0 };

	if (selector_parse(flags.labels ? flags.labels : "", &selector, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!selector_matches_json(&selector,
					   json_path(manifests[i].object, "metadata", "labels", NULL)))
			continue;
		if (!manifests[i].name)
			return err_set(err, ERR_PARSE, "%s: resource name may not be empty",
				       manifests[i].file);
		names[(*ret_named)++] = file_name(&manifests[i]);
		if (write_both(folders, &manifests[i], names[*ret_named - 1], err) < 0)
			return -1;
	}
	return compare(folders, err);
}

static int run_diff(char **args, size_t n_args)
{
	CLEANUP(mem_freep) char **names = NULL;
	struct manifest *manifests = NULL;
	struct folders folders = { NULL, NULL };
	struct err err = ERR_INIT;
	size_t n = 0, bad = 0, n_names = 0;
	int result = -1;

	if (n_args)
		return command_usage_error("diff", "Unexpected args: [%s]", args[0]) + 1;
	if (flags.files.n == 0)
		return command_error("must specify one of -f and -k") + 1;
	if (flags.force_conflicts && !flags.server_side)
		return command_error("--force-conflicts only works with --server-side") + 1;
	if (manifests_load(&flags.files, flags.recursive, &manifests, &n, &bad, &err) < 0) {
		session_failed(&err);
		return FAILED;
	}
	names = mem_zalloc((n + 1) * sizeof(*names));
	if (!bad && (folders.live = folder_make("LIVE", &err)) &&
	    (folders.merged = folder_make("MERGED", &err)))
		result = diff_all(&folders, manifests, n, names, &n_names, &err);
	if (err.kind != ERR_NONE)
		session_failed(&err);
	if (folders.live)
		folder_remove(folders.live, names, n_names);
	if (folders.merged)
		folder_remove(folders.merged, names, n_names);
	for (size_t i = 0; i < n_names; i++)
		free(names[i]);
	free(folders.live);
	free(folders.merged);
	manifests_free(manifests, n);
	return result < 0 ? FAILED : result;
}

const struct command command_diff = {
	.name = "diff",
	.about = "Show what apply would change",
	.usage = "diff -f FILE [flags]",
	.help =
	    "The server says what each object would become, and `diff -u -N` compares that with what there "
	    "is; KUBECTL_EXTERNAL_DIFF\n"
	    "names another program. Values of Secrets are not shown. Exit code 0: no difference, 1: there "
	    "is one, above 1: an error.\n"
	    "\n"
	    "Examples:\n"
	    "  kubectl-lite diff -f web.yaml\n"
	    "  KUBECTL_EXTERNAL_DIFF='diff --color=always -U5' kubectl-lite diff -f manifests/market-data\n",
	.flags = diff_flags,
	.run = run_diff,
};
