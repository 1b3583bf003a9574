#include "scheduler/affinity.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

static const struct {
	const char *name;
	enum selector_op op;
} operators[] = {
	{ "In", SELECTOR_IN },         { "NotIn", SELECTOR_NOT_IN },
	{ "Exists", SELECTOR_EXISTS }, { "DoesNotExist", SELECTOR_NOT_EXISTS },
	{ "Gt", SELECTOR_GT },         { "Lt", SELECTOR_LT },
};

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *text_of(const struct json_object *value)
{
	const char *text = json_object_get_string((struct json_object *)(uintptr_t)value);

	return text ? text : "";
}

/* As many values as the operator takes, and for Gt and Lt an integer. */
static bool values_suit(const struct selector_requirement *r)
{
	char *end;

	switch (r->op) {
	case SELECTOR_IN:
	case SELECTOR_NOT_IN:
		return r->n_values > 0;
	case SELECTOR_GT:
	case SELECTOR_LT:
		if (r->n_values != 1)
			return false;
		strtoll(r->values[0], &end, 10);
		return end != r->values[0] && !*end;
	case SELECTOR_EXISTS:
	case SELECTOR_NOT_EXISTS:
		return r->n_values == 0;
	}
	return false;
}

/* NodeSelectorRequirements: like a label selector's, with Gt and Lt beside. */
static bool parse_requirements(const struct json_object *list, struct selector *ret)
{
	size_t n = json_len(list);

	*ret = (struct selector){ 0 };
	if (!n)
		return true;
	ret->requirements = mem_zalloc(n * sizeof(*ret->requirements));
	for (size_t i = 0; i < n; i++) {
		const struct json_object *r = json_at(list, i), *values = json_get(r, "values");
		const char *name = json_str_or_empty(r, "operator");
		struct selector_requirement *to = &ret->requirements[ret->n];
		size_t op = 0;
		while (op < ARRAY_SIZE(operators) && strcmp(operators[op].name, name) != 0)
			op++;
		if (op == ARRAY_SIZE(operators))
			return false;
		ret->n++; /* from here on it is closed with the others */
		to->key = mem_dup(json_str_or_empty(r, "key"));
		to->op = operators[op].op;
		to->n_values = json_len(values);
		to->values = mem_zalloc(to->n_values * sizeof(char *));
		for (size_t v = 0; v < to->n_values; v++)
			to->values[v] = mem_dup(text_of(json_at(values, v)));
		if (!values_suit(to))
			return false;
		if (to->n_values > 1)
			qsort(to->values, to->n_values, sizeof(char *), compare_strings);
	}
	return true;
}

static bool parse_terms(const struct json_object *list, bool weighted, struct affinity_term **ret,
			size_t *ret_n)
{
	size_t n = json_len(list);
	struct affinity_term *terms = n ? mem_zalloc(n * sizeof(*terms)) : NULL;
	bool good = true;

	*ret = terms;
	*ret_n = n;
	for (size_t i = 0; i < n && good; i++) {
		const struct json_object *term = json_at(list, i);
		terms[i].weight = json_int(term, "weight", 0);
		if (weighted)
			term = json_get(term, "preference");
		good = parse_requirements(json_get(term, "matchExpressions"), &terms[i].labels) &&
		       parse_requirements(json_get(term, "matchFields"), &terms[i].fields);
	}
	return good;
}

/* nodeSelector {"a":"b"} as requirements a in (b). */
static void parse_node_selector(const struct json_object *labels, struct selector *ret)
{
	*ret = (struct selector){ 0 };
	if (!json_object_is_type(labels, json_type_object))
		return;
	ret->requirements =
	    mem_zalloc(((size_t)json_object_object_length(labels) + 1) * sizeof(*ret->requirements));
	json_object_object_foreach((struct json_object *)(uintptr_t)labels, key, value)
	{
		struct selector_requirement *r = &ret->requirements[ret->n++];
		r->key = mem_dup(key);
		r->op = SELECTOR_IN;
		r->values = mem_zalloc(sizeof(char *));
		r->values[0] = mem_dup(text_of(value));
		r->n_values = 1;
	}
}

bool affinity_parse(const struct json_object *pod_spec, struct affinity *ret)
{
	const struct json_object *node = json_path(pod_spec, "affinity", "nodeAffinity", NULL);
	const struct json_object *required = json_get(node, "requiredDuringSchedulingIgnoredDuringExecution");

	*ret = (struct affinity){ .has_required = required != NULL };
	parse_node_selector(json_get(pod_spec, "nodeSelector"), &ret->node_selector);
	return parse_terms(json_get(required, "nodeSelectorTerms"), false, &ret->required,
			   &ret->n_required) &&
	       parse_terms(json_get(node, "preferredDuringSchedulingIgnoredDuringExecution"), true,
			   &ret->preferred, &ret->n_preferred);
}

static void close_terms(struct affinity_term *terms, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		selector_close(&terms[i].labels);
		selector_close(&terms[i].fields);
	}
	free(terms);
}

void affinity_close(struct affinity *affinity)
{
	selector_close(&affinity->node_selector);
	close_terms(affinity->required, affinity->n_required);
	close_terms(affinity->preferred, affinity->n_preferred);
	*affinity = (struct affinity){ 0 };
}

static const char *node_field(const void *set, const char *key)
{
	return strcmp(key, "metadata.name") == 0 ? set : NULL;
}

/* An empty term matches nothing (NodeSelectorTerm). */
static bool term_matches(const struct affinity_term *term, const struct json_object *labels, const char *name)
{
	if (term->labels.n == 0 && term->fields.n == 0)
		return false;
	return selector_matches_json(&term->labels, labels) &&
	       selector_matches(&term->fields, node_field, name);
}

bool affinity_matches(const struct affinity *affinity, const struct json_object *node_labels,
		      const char *node_name)
{
	if (!selector_matches_json(&affinity->node_selector, node_labels))
		return false;
	if (!affinity->has_required)
		return true;
	for (size_t i = 0; i < affinity->n_required; i++)
		if (term_matches(&affinity->required[i], node_labels, node_name))
			return true;
	return false;
}

int64_t affinity_preference(const struct affinity *affinity, const struct json_object *node_labels,
			    const char *node_name)
{
	int64_t sum = 0;

	for (size_t i = 0; i < affinity->n_preferred; i++) {
		const struct affinity_term *term = &affinity->preferred[i];
		/* An empty preferred term matches every node. */
		if ((term->labels.n == 0 && term->fields.n == 0) ||
		    term_matches(term, node_labels, node_name))
			sum += term->weight;
	}
	return sum;
}
