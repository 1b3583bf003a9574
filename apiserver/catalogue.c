#include "apiserver/catalogue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/version_order.h"
#include "lib/mem.h"

/* By their priority in Kubernetes; those of custom resources follow, by name. */
static const char *const group_order[] = {
	"",
	"apiregistration.k8s.io",
	"apps",
	"events.k8s.io",
	"authentication.k8s.io",
	"authorization.k8s.io",
	"autoscaling",
	"batch",
	"certificates.k8s.io",
	"networking.k8s.io",
	"policy",
	"rbac.authorization.k8s.io",
	"storage.k8s.io",
	"admissionregistration.k8s.io",
	"apiextensions.k8s.io",
	"scheduling.k8s.io",
	"coordination.k8s.io",
	"node.k8s.io",
	"discovery.k8s.io",
	"resource.k8s.io",
	"flowcontrol.apiserver.k8s.io",
};

static int group_rank(const char *group)
{
	int i = 0;
	while (i < (int)ARRAY_SIZE(group_order) && strcmp(group_order[i], group) != 0)
		i++;
	return i;
}

static int compare(const void *a, const void *b)
{
	const struct resource *x = *(const struct resource *const *)a;
	const struct resource *y = *(const struct resource *const *)b;
	int order = strcmp(x->group, y->group);
	if (order != 0) {
		int ranks = group_rank(x->group) - group_rank(y->group);
		return ranks != 0 ? ranks : order;
	}
	order = version_order(x->version, y->version);
	return order != 0 ? order : strcmp(x->plural, y->plural);
}

/* The old way to say pods/NAME/binding: a place to post to, behind which nothing is stored. */
static struct resource bindings = {
	.group = "",
	.version = "v1",
	.group_version = "v1",
	.plural = "bindings",
	.singular = "binding",
	.kind_name = "Binding",
	.list_kind = "BindingList",
	.namespaced = true,
	.verbs = VERB_CREATE,
	.qualified = "bindings",
};

static void find_definition(void)
{
	bindings.def = schema_def_find("core.v1.Binding");
}

void catalogue_read(struct catalogue *ret)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, find_definition);
	struct resource_set *set = resource_set_get();
	size_t n = set->n;
	*ret = (struct catalogue){ .rows = mem_alloc((n + 1) * sizeof(*ret->rows)), .n = n + 1, .set = set };
	for (size_t i = 0; i < n; i++)
		ret->rows[i] = set->rows[i];
	ret->rows[n] = &bindings;
	qsort(ret->rows, n + 1, sizeof(*ret->rows), compare);
}

void catalogue_close(struct catalogue *catalogue)
{
	free(catalogue->rows);
	resource_set_put(catalogue->set);
	*catalogue = (struct catalogue){ 0 };
}

bool catalogue_begins_group(const struct catalogue *catalogue, size_t i)
{
	return i == 0 || strcmp(catalogue->rows[i]->group, catalogue->rows[i - 1]->group) != 0;
}

bool catalogue_begins_version(const struct catalogue *catalogue, size_t i)
{
	return catalogue_begins_group(catalogue, i) ||
	       strcmp(catalogue->rows[i]->version, catalogue->rows[i - 1]->version) != 0;
}

size_t catalogue_find(const struct catalogue *catalogue, const char *group, const char *version)
{
	size_t i = 0;
	while (i < catalogue->n && (strcmp(catalogue->rows[i]->group, group) != 0 ||
				    (version && strcmp(catalogue->rows[i]->version, version) != 0)))
		i++;
	return i;
}
