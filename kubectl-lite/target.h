/* What a command's arguments name: "pods", "pod web-0 web-1", "deploy/web", "pods,services", "all".
 */
#pragma once

#include "api/resource.h"
#include "lib/err.h"

struct target {
	const struct resource *resource;
	const char *name; /* NULL: all of them */
};

/* Reads ARGS. Types that are not known: see types.h. Mixed forms are refused as kubectl does. ("deploy/web"
 * and "deploy web" are the same.) *ret is freed by the caller; names point into ARGS' memory. */
int targets_parse(char **args, size_t n_args, struct target **ret, size_t *ret_n, struct err *err);
/* Exactly one resource type and a name. */
int target_parse_one(char **args, size_t n_args, struct target *ret, struct err *err);
/* "pod/web-0", "deployment.apps/web": as messages and -o name show it. Returns BUF. */
const char *target_text(const struct resource *resource, const char *name, char *buf, size_t size);
