/* What all commands share that make or change objects: the flags that say where a change ends, who is to own
 * it and how the result is shown; sending, and showing.
 */
#pragma once

#include "kubectl-lite/command.h"
#include "kubectl-lite/dry_run.h"
#include "kubectl-lite/print.h"

/* Values of the flags below: one run, one command. */
struct write_flags {
	const char *dry_run, *output, *manager, *validate;
	bool managed, save_config;
};
extern struct write_flags write_flags;

/* Rows of a command's table of flags. */
#define WRITE_FLAGS                                                                                          \
	{ "dry-run",   0,                                                                                    \
	  FLAG_STRING, &write_flags.dry_run,                                                                 \
	  "WHERE",     "none, client (show only) or server (ask, but store nothing)",                        \
	  "unchanged", NULL },                                                                               \
	    { "output",    'o',                                                                              \
	      FLAG_STRING, &write_flags.output,                                                              \
	      "FORM",      "yaml, json, name or jsonpath=TEMPLATE instead of the message",                   \
	      NULL,        NULL },                                                                           \
	    { "show-managed-fields",                                                                         \
	      0,                                                                                             \
	      FLAG_BOOL,                                                                                     \
	      &write_flags.managed,                                                                          \
	      NULL,                                                                                          \
	      "with -o: also who owns which fields",                                                         \
	      NULL,                                                                                          \
	      NULL },                                                                                        \
	{                                                                                                    \
		"field-manager", 0, FLAG_STRING, &write_flags.manager, "NAME", "who is to own the fields",   \
		    NULL, NULL                                                                               \
	}
/* Of commands that make objects. */
#define WRITE_CREATE_FLAGS                                                                                   \
	WRITE_FLAGS, { "save-config", 0,                                                                     \
		       FLAG_BOOL,     &write_flags.save_config,                                              \
		       NULL,          "remember the object as it is sent, for a later apply",                \
		       NULL,          NULL },                                                                \
	{                                                                                                    \
		"validate", 0, FLAG_STRING, &write_flags.validate, "HOW",                                    \
		    "strict (default): unknown fields are errors; warn; ignore", "strict", NULL              \
	}

struct write {
	enum dry_run dry_run;
	struct output output;
	const char *manager;
	const char *validation; /* "Strict", "Warn", "Ignore" */
	bool typed;             /* -o json keeps the order of members, as of objects that kubectl knows */
	size_t n_shown;
};

/* Reads the flags. MANAGER owns the fields unless --field-manager names another. End with write_end. */
int write_begin(struct write *ret, const char *manager, struct err *err);
void write_end(struct write *write);
/* The query of a writing request. */
void write_query(const struct write *write, struct buf *b);
/* POSTs *OBJ into NAMESPACE_ (NULL: cluster scope); *obj becomes the answer. With --dry-run=client it stays
 * as it is. */
int write_create(const struct write *write, const struct resource *resource, const char *namespace_,
		 struct json_object **obj, struct err *err);
/* Keeps OBJ's own text in the annotation that apply looks at. SORTED: its members, as of objects from files.
 */
void write_save_config(struct json_object *obj, bool sorted);
/* "deployment.apps/web created (dry run)", or OBJ in the form of -o. */
int write_show(struct write *write, const struct resource *resource, struct json_object *obj,
	       const char *done, struct err *err);
/* Appends OBJ as Go's encoder writes JSON: compact, and <, > and & escaped in strings. */
void write_go_json(struct buf *b, const struct json_object *obj, bool sorted);
/* The objects that a command is about are named: by ARGS, by FILES, or by a choice among all of a type. Else
 * an error, in kubectl's words. */
int write_check_named(char *const *args, size_t n_args, const struct string_list *files, bool chosen,
		      struct err *err);

struct object;
struct objects_query;
/* MAKE for each of the objects that QUERY names, which there must be some of, with a write as MANAGER. Errors
 * are told; the exit code. */
int write_for_each(const struct objects_query *query, const char *manager,
		   int (*make)(const struct object *object, struct write *write, struct err *err));
