#include "kubectl-lite/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/types.h"
#include "lib/mem.h"

static void add(struct target **targets, size_t *n, const struct resource *resource, const char *name)
{
	*targets = mem_realloc_array(*targets, *n + 1, sizeof(**targets));
	(*targets)[(*n)++] = (struct target){ resource, name };
}

struct adding {
	struct target **targets;
	size_t *n;
};

static void add_of_category(const struct resource *resource, void *arg)
{
	struct adding *a = arg;

	add(a->targets, a->n, resource, NULL);
}

/* One word of types, "pods" or "pods,svc" or "all"; NAME NULL: all objects. */
static int add_types(const char *types, const char *name, struct target **targets, size_t *n, struct err *err)
{
	CLEANUP(mem_freep) char *copy = mem_dup(types);
	char *rest = copy;

	for (char *type; (type = strsep(&rest, ","));) {
		const struct resource *resource = resource_find_typed(type);
		size_t n_in_category = 0;
		struct adding adding = { targets, n };
		if (!resource && !name &&
		    type_each_of_category(type, add_of_category, &adding, &n_in_category, err) < 0)
			return -1;
		if (n_in_category)
			continue;
		if (!resource && !(resource = type_find(type, err)))
			return -1;
		add(targets, n, resource, name);
	}
	return 0;
}

static int add_slashed(const char *word, struct target **targets, size_t *n, struct err *err)
{
	CLEANUP(mem_freep) char *type = mem_dup(word);
	char *slash = strchr(type, '/');

	if (!slash)
		return err_set(
		    err, ERR_PARSE,
		    "there is no need to specify a resource type as a separate argument when passing "
		    "arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of "
		    "'kubectl get resource resource/<resource_name>'");
	*slash = '\0';
	if (!slash[1] || strchr(slash + 1, '/'))
		return err_set(err, ERR_PARSE,
			       "arguments in resource/name form may not have more than one slash");
	return add_types(type, word + (slash - type) + 1, targets, n, err);
}

int targets_parse(char **args, size_t n_args, struct target **ret, size_t *ret_n, struct err *err)
{
	struct target *targets = NULL;
	size_t n = 0;
	int failed = 0;

	if (n_args > 0 && strchr(args[0], '/')) {
		for (size_t i = 0; i < n_args && !failed; i++)
			failed = add_slashed(args[i], &targets, &n, err);
	} else if (n_args == 1) {
		failed = add_types(args[0], NULL, &targets, &n, err);
	} else {
		for (size_t i = 1; i < n_args && !failed; i++)
			failed = strchr(args[i], '/') ? add_slashed("", &targets, &n, err)
						      : add_types(args[0], args[i], &targets, &n, err);
	}
	if (failed) {
		free(targets);
		return -1;
	}
	*ret = targets;
	*ret_n = n;
	return 0;
}

int target_parse_one(char **args, size_t n_args, struct target *ret, struct err *err)
{
	CLEANUP(mem_freep) struct target *targets = NULL;
	size_t n = 0;

	if (targets_parse(args, n_args, &targets, &n, err) < 0)
		return -1;
	if (n != 1 || !targets[0].name)
		return err_set(err, ERR_PARSE, "one resource is needed, as TYPE/NAME or TYPE NAME");
	*ret = targets[0];
	return 0;
}

const char *target_text(const struct resource *resource, const char *name, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s/%s", resource->singular, *resource->group ? "." : "", resource->group,
		 name);
	return buf;
}
