/* Which pod and which of its containers a command means: for logs, exec, attach and port-forward.
 */
#pragma once

#include "lib/err.h"
#include "lib/json.h"

struct pods {
	struct json_object **items;
	size_t n;
};

/* POD, TYPE NAME or TYPE/NAME; or, when LABELS is not NULL, all pods that it selects. Of several pods of a
 * deployment, a replica set or a service the most promising is taken, and told on stderr. */
int pods_find(char **args, size_t n_args, const char *labels, struct pods *ret, struct err *err);
void pods_close(struct pods *pods);

/* Adds to *err which of POD's containers was perhaps meant by NAME, which it has not. Returns -1. */
int pod_no_container(const struct json_object *pod, const char *name, struct err *err);
bool pod_has_container(const struct json_object *pod, const char *name);
/* The container that is meant when none is named: the one that an annotation names, else the first. Tells
 * which, when there was a choice. */
const char *pod_default_container(const struct json_object *pod);
