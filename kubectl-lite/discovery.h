/* What types of objects the server has, as it says itself in aggregated discovery: one answer for the core
 * group, one for all others.
 * https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery
 * Here it is an array of rows, each an object with "group", "version", "name" (plural), "singularName",
 * "kind", "namespaced", "shortNames", "categories", "verbs" and "subresources" (their names).
 */
#pragma once

#include "lib/err.h"
#include "lib/json.h"

/* Appends the rows of ANSWER, an APIGroupDiscoveryList, to ROWS; each group's versions in the server's order,
 * the preferred one first. What has no verbs, and what is malformed, is passed over. */
void discovery_read(const struct json_object *answer, struct json_object *rows);
/* Asks the server. WITH_CORE: the core group as well. */
int discovery_fetch(bool with_core, struct json_object **ret_rows, struct err *err);

/* The answer for all groups but the core one as it was kept on disk, in $XDG_CACHE_HOME/kubectl-lite or
 * ~/.cache/kubectl-lite, in a file for each server; NULL when there is none or it is older than six hours,
 * kubectl's limit. */
struct json_object *discovery_cached(const char *server);
/* Keeps ROWS for later; what fails is passed over, since nothing depends on it. */
void discovery_keep(const char *server, const struct json_object *rows);
void discovery_forget(const char *server);
