/* Keys and values of ConfigMaps and Secrets, from --from-file, --from-literal and --from-env-file.
 */
#pragma once

#include "kubectl-lite/command.h"
#include "lib/err.h"
#include "lib/json.h"

struct key_values_flags {
	struct string_list files, literals, env_files;
	bool append_hash;
};

/* Rows of a command's table of flags; SOURCES is a struct key_values_flags. */
#define KEY_VALUES_FLAGS(sources)                                                                            \
	{ "from-file",  0,                                                                                   \
	  FLAG_LIST,    &(sources).files,                                                                    \
	  "[KEY=]FILE", "a file's content under its name, or KEY; or each file of a folder",                 \
	  NULL,         NULL },                                                                              \
	    { "from-literal", 0, FLAG_ARRAY, &(sources).literals, "KEY=VALUE", "this value", NULL, NULL },   \
	    { "from-env-file",                                                                               \
	      0,                                                                                             \
	      FLAG_LIST,                                                                                     \
	      &(sources).env_files,                                                                          \
	      "FILE",                                                                                        \
	      "each line KEY=VALUE of a file",                                                               \
	      NULL,                                                                                          \
	      NULL },                                                                                        \
	{                                                                                                    \
		"append-hash", 0, FLAG_BOOL, &(sources).append_hash, NULL,                                   \
		    "a hash of the content ends the name", NULL, NULL                                        \
	}

/* Adds what SOURCES say to OBJ, a ConfigMap or Secret. */
int key_values_add(struct json_object *obj, const struct key_values_flags *sources, struct err *err);
/* The one value; an error when OBJ has the key already, or it is none. */
int key_values_add_one(struct json_object *obj, const char *key, const void *value, size_t len,
		       struct err *err);
/* Adds the file to OBJ, under KEY when its word names none itself (NULL: the file's own name). */
int key_values_add_file(struct json_object *obj, const char *source, const char *key, struct err *err);
/* Ends OBJ's name with a hash of its content, as kubectl --append-hash and kustomize do. */
void key_values_append_hash(struct json_object *obj);
/* NAME may be that of an environment variable in a file or on the command line. */
int key_values_check_variable(const char *name, struct err *err);
