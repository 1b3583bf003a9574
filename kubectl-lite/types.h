/* The types of objects that arguments and files name. Built-in ones are linked in and cost no request; any
 * other is asked of the server, whose answer is kept for a while (discovery.h). A name that is not found in
 * what was kept is asked for again. Rows stay as long as the program.
 */
#pragma once

#include "api/resource.h"
#include "kubectl-lite/suggest.h"
#include "lib/err.h"

/* As a user types it: "pods", "po", "CronTab", "crontabs.example.com", "crontabs.v1.example.com". NULL with
 * `the server doesn't have a resource type "x"` and what was perhaps meant, or what kept us from asking. */
const struct resource *type_find(const char *word, struct err *err);
/* By apiVersion and kind; NULL with ERR_NONE when there is none such. */
const struct resource *type_find_kind(const char *api_version, const char *kind, struct err *err);
/* Offers the kinds of API_VERSION that are known so far. */
void type_offer_kinds(const char *api_version, struct suggestion *s);
/* The same type in another group and version ("apps/v1"), or NULL. */
const struct resource *type_in_version(const struct resource *resource, const char *group_version);
/* Calls FN with the resources of CATEGORY ("all"), in the order of groups; *ret_n how many. */
int type_each_of_category(const char *category, void (*fn)(const struct resource *resource, void *arg),
			  void *arg, size_t *ret_n, struct err *err);
/* Drops what was kept on disk: something in it is known to be gone. */
void type_forget_all(void);
/* True for those that the server told of: no schema is known, strategic merge patches are not taken. */
static inline bool type_is_custom(const struct resource *resource)
{
	return !resource->def;
}
