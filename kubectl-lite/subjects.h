/* Who a binding is for: --user, --group and --serviceaccount.
 */
#pragma once

#include "kubectl-lite/command.h"
#include "lib/err.h"
#include "lib/json.h"

struct subjects_flags {
	struct string_list users, groups, accounts;
};

/* Rows of a command's table of flags; WHO is a struct subjects_flags. */
#define SUBJECTS_FLAGS(who)                                                                                  \
	{ "user", 0, FLAG_ARRAY, &(who).users, "NAME", "for this user", NULL, NULL },                        \
	    { "group", 0, FLAG_ARRAY, &(who).groups, "NAME", "for this group", NULL, NULL },                 \
	{                                                                                                    \
		"serviceaccount", 0, FLAG_ARRAY, &(who).accounts, "NAMESPACE:NAME",                          \
		    "for this service account", NULL, NULL                                                   \
	}

/* They as RBAC subjects, added to the array SUBJECTS; those that it has already are left out. */
int subjects_add(const struct subjects_flags *who, struct json_object *subjects, struct err *err);
