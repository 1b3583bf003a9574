/* --overrides: what the user changes of an object that a command made, before it is sent.
 */
#pragma once

#include "api/schema.h"
#include "kubectl-lite/command.h"
#include "lib/err.h"
#include "lib/json.h"

struct overrides_flags {
	const char *text, *type;
};

/* Rows of a command's table of flags; O is a struct overrides_flags. */
#define OVERRIDES_FLAGS(o)                                                                                   \
	{                                                                                                    \
		"overrides", 0,   FLAG_STRING, &(o).text, "JSON", "changes to the object that is made",      \
		NULL,        NULL                                                                            \
	},                                                                                                   \
	{                                                                                                    \
		"override-type", 0, FLAG_STRING, &(o).type, "TYPE", "merge (default), strategic or json",    \
		    NULL, NULL                                                                               \
	}

/* Applies them to *OBJ, of DEF. */
int overrides_apply(const struct overrides_flags *overrides, const struct schema_def *def,
		    struct json_object **obj, struct err *err);
