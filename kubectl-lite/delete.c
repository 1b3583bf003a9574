#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/deletion.h"
#include "kubectl-lite/dry_run.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/target.h"
#include "lib/timefmt.h"

static struct {
	struct string_list files;
	bool recursive, all, all_namespaces, force, now, wait, ignore_not_found, ignore_given;
	const char *labels, *fields, *cascade, *dry_run, *output;
	int64_t grace_s, timeout_us;
} flags = { .wait = true, .grace_s = -1, .cascade = "background" };

static const struct flag delete_flags[] = {
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE",
	  "delete what is named in files, folders or - (standard input)", NULL, NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	{ "selector", 'l', FLAG_STRING, &flags.labels, "LABELS", "objects with these labels", NULL, NULL },
	{ "field-selector", 0, FLAG_STRING, &flags.fields, "FIELDS", "objects with these fields", NULL,
	  NULL },
	{ "all", 0, FLAG_BOOL, &flags.all, NULL, "all objects of the type, in the namespace", NULL, NULL },
	{ "all-namespaces", 'A', FLAG_BOOL, &flags.all_namespaces, NULL, "in all namespaces", NULL, NULL },
	{ "grace-period", 0, FLAG_INT, &flags.grace_s, "SECONDS",
	  "time that pods get to end by themselves; -1: their own", NULL, NULL },
	{ "force", 0, FLAG_BOOL, &flags.force, NULL,
	  "forget at once, without knowing that containers have ended", NULL, NULL },
	{ "now", 0, FLAG_BOOL, &flags.now, NULL, "the same as --grace-period=1", NULL, NULL },
	{ "wait", 0, FLAG_BOOL, &flags.wait, NULL, "return when the objects are gone (default true)", NULL,
	  NULL },
	{ "timeout", 0, FLAG_DURATION, &flags.timeout_us, "DURATION", "how long to wait at most; 0 is a week",
	  NULL, NULL },
	{ "ignore-not-found", 0, FLAG_BOOL, &flags.ignore_not_found, NULL,
	  "an object that is not there is no error", NULL, &flags.ignore_given },
	{ "cascade", 0, FLAG_STRING, &flags.cascade, "HOW",
	  "what becomes of dependents: background, foreground or orphan", "background", NULL },
	{ "dry-run", 0, FLAG_STRING, &flags.dry_run, "WHERE",
	  "none, client (show only) or server (ask, but delete nothing)", "unchanged", NULL },
	{ "output", 'o', FLAG_STRING, &flags.output, "FORM", "name: only type/name", NULL, NULL },
	{ 0 },
};

#define WEEK_US (7 * 24 * 3600 * INT64_C(1000000))

static int check_flags(struct err *err)
{
	if (flags.now) {
		if (flags.grace_s != -1)
			return err_set(err, ERR_PARSE,
				       "--now and --grace-period cannot be specified together");
		flags.grace_s = 1;
	}
	if (flags.grace_s == 0 && !flags.force)
		flags.grace_s = 1; /* kubectl's: losing data needs --force */
	if (flags.force && flags.grace_s < 0)
		flags.grace_s = 0;
	if (flags.force && flags.grace_s > 0)
		return err_set(err, ERR_PARSE,
			       "--force and --grace-period greater than 0 cannot be specified together");
	if (flags.output && strcmp(flags.output, "name") != 0)
		return err_set(err, ERR_PARSE, "unexpected -o output mode: %s. We only support '-o name'",
			       flags.output);
	if (deletion_check_cascade(flags.cascade, err) < 0)
		return -1;
	if (flags.all && flags.labels)
		return err_set(err, ERR_PARSE, "setting 'all' parameter but found a non empty selector. ");
	if (!flags.ignore_given)
		flags.ignore_not_found = flags.all;
	return 0;
}

/* Whether names or something that stands for them was given: a bare type deletes nothing. */
static int check_args(char **args, size_t n_args)
{
	if (flags.files.n)
		return 0;
	if (n_args == 0)
		return command_no_objects();
	if (n_args == 1 && !strchr(args[0], '/') && !flags.labels && !flags.fields && !flags.all)
		return command_error("resource(s) were provided, but no name was specified");
	return 0;
}

static void tell_deleted(const struct object *object, enum dry_run dry_run)
{
	const struct resource *r = object->resource;
	char text[400];

	if (flags.output)
		puts(target_text(r, object->name, text, sizeof(text)));
	else
		printf("%s%s%s \"%s\" %s%s\n", r->singular, *r->group ? "." : "", r->group, object->name,
		       flags.grace_s == 0 ? "force deleted" : "deleted", dry_run_suffix(dry_run));
	fflush(stdout);
}

/* -n says nothing about what lies in no namespace. */
static void warn_of_scope(const struct objects *objects)
{
	for (size_t i = 0; session_namespace_given() && !flags.all_namespaces && i < objects->n; i++)
		if (!objects->items[i].resource->namespaced) {
			fputs("Warning: deleting cluster-scoped resources, not scoped to the provided "
			      "namespace\n",
			      stderr);
			return;
		}
}

/* Deletes all, then waits for all: they end side by side. */
static int delete_all(const struct objects *objects, enum dry_run dry_run)
{
	CLEANUP(mem_freep) char **uids = mem_zalloc((objects->n + 1) * sizeof(*uids));
	CLEANUP(mem_freep) bool *deleted = mem_zalloc(objects->n + 1);
	int64_t deadline_us = time_mono_us() + (flags.timeout_us > 0 ? flags.timeout_us : WEEK_US);
	struct deletion how = { flags.cascade, flags.grace_s, dry_run == DRY_RUN_SERVER };
	int code = objects->bad > 0;

	for (size_t i = 0; i < objects->n; i++) {
		struct err err = ERR_INIT;
		if (dry_run != DRY_RUN_CLIENT &&
		    deletion_send(&objects->items[i], &how, &uids[i], &err) < 0) {
			if (err.kind == ERR_NOT_FOUND && flags.ignore_not_found)
				continue;
			if (flags.files.n)
				err_wrap(&err, "error when deleting \"%s\"", flags.files.items[0]);
			code = session_failed(&err);
			continue;
		}
		deleted[i] = true;
		tell_deleted(&objects->items[i], dry_run);
	}
	for (size_t i = 0; i < objects->n; i++) {
		struct err err = ERR_INIT;
		if (deleted[i] && flags.wait && dry_run == DRY_RUN_NONE &&
		    deletion_wait(&objects->items[i], uids[i], deadline_us, &err) < 0)
			code = session_failed(&err);
		free(uids[i]);
	}
	return code;
}

static int run_delete(char **args, size_t n_args)
{
	struct objects_query query = { .args = args,
				       .n_args = n_args,
				       .files = &flags.files,
				       .recursive = flags.recursive,
				       .labels = flags.labels,
				       .fields = flags.fields,
				       .all_namespaces = flags.all_namespaces };
	struct objects objects;
	enum dry_run dry_run;
	struct err err = ERR_INIT;

	if (dry_run_parse(flags.dry_run, &dry_run, &err) < 0 || check_flags(&err) < 0)
		return session_failed(&err);
	if (check_args(args, n_args))
		return 1;
	query.fetch = dry_run == DRY_RUN_CLIENT;
	query.ignore_not_found = flags.ignore_not_found;
	if (flags.grace_s == 0 && dry_run == DRY_RUN_NONE)
		fputs("Warning: Immediate deletion does not wait for confirmation that the running resource "
		      "has been terminated. "
		      "The resource may continue to run on the cluster indefinitely.\n",
		      stderr);
	if (objects_find(&query, &objects, &err) < 0)
		return session_failed(&err);
	warn_of_scope(&objects);
	int code = delete_all(&objects, dry_run);
	if (!objects.n && !code && !flags.ignore_given)
		puts("No resources found");
	objects_close(&objects);
	return code;
}

const struct command command_delete = {
	.name = "delete",
	.about = "Delete objects by name, labels or files",
	.usage = "delete (TYPE NAME... | TYPE/NAME... | TYPE -l LABELS | TYPE --all | -f FILE) [flags]",
	.help = "Waits until the objects are gone: pods end their containers first.\n"
		"\n"
		"Examples:\n"
		"  kubectl-lite delete -f manifests/market-data\n"
		"  kubectl-lite delete pod web-0 --now\n"
		"  kubectl-lite delete pods -l app=web --wait=false\n",
	.flags = delete_flags,
	.run = run_delete,
};
