/* What the subcommands of `set` share: they find objects, on the server or in files (--local), change
 * something in each, and send what that made different as a patch.
 */
#pragma once

#include "kubectl-lite/objects.h"
#include "kubectl-lite/write.h"

struct set_flags {
	struct string_list files;
	bool recursive, all, local;
	const char *labels;
};
extern struct set_flags set_flags;

/* Rows of a subcommand's table of flags. */
#define SET_FLAGS                                                                                            \
	{ "filename", 'f', FLAG_LIST, &set_flags.files, "FILE", "the objects named in files", NULL, NULL },  \
	    { "recursive", 'R', FLAG_BOOL, &set_flags.recursive, NULL, "also files in folders below",        \
	      NULL,        NULL },                                                                           \
	    { "selector", 'l', FLAG_STRING, &set_flags.labels, "LABELS", "objects with these labels",        \
	      NULL,       NULL },                                                                            \
	    { "all", 0,   FLAG_BOOL, &set_flags.all, NULL, "all objects of the type, in the namespace",      \
	      NULL,  NULL },                                                                                 \
	    { "local", 0,   FLAG_BOOL, &set_flags.local, NULL, "ask no server: change what the files hold",  \
	      NULL,    NULL },                                                                               \
	    WRITE_FLAGS

struct set_change {
	const char *done;      /* "image updated" */
	const char *failed_to; /* stands before the server's refusal; NULL: the refusal alone */
	const char *fault; /* why the words make no change at all, told once the objects are found; or NULL */
	bool also_unchanged; /* objects that stay as they are are told of, too */
	bool only_look;      /* nothing is sent or told */
	/* Changes OBJ, a copy of OBJECT's value, in place. */
	int (*make)(const struct object *object, struct json_object *obj, const void *arg, struct err *err);
	const void *arg;
};

/* Runs CHANGE over what ARGS and the flags name. Returns the exit code. */
int set_run(char **args, size_t n_args, const struct set_change *change);
/* Splits ARGS into objects and the words that say what to change, KEY=VALUE or KEY-; those follow the
 * objects. WHAT names them: "image". */
int set_split(char **args, size_t n_args, const char *what, size_t *ret_n_objects, struct err *err);
/* The pod spec within OBJ, of OBJECT; an error when its kind has none. */
struct json_object *set_pod_spec(const struct object *object, struct json_object *obj, struct err *err);
/* Whether NAME is what PATTERN says: "*" stands for any text. */
bool set_matches(const char *pattern, const char *name);
/* CHANGE for each container of SPEC whose name is what PATTERN says, then for each such init container, until
 * one fails. How many there are, or -1. */
int set_each_container(struct json_object *spec, const char *pattern,
		       int (*change)(struct json_object *container, const void *arg, struct err *err),
		       const void *arg, struct err *err);

extern const struct command set_env, set_image, set_resources, set_selector, set_serviceaccount, set_subject;
