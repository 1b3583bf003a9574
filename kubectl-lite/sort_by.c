#include "kubectl-lite/sort_by.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/jsonpath.h"
#include "lib/quantity.h"

struct sort_by {
	struct jsonpath *path;
	char *shown; /* "{.metadata.name}" */
};

/* A value with its key and where it was: equal ones keep the server's order. */
struct keyed {
	struct json_object *value, *key;
	const void *along;
	size_t position;
};

int sort_by_new(const char *path, struct sort_by **ret, struct err *err)
{
	struct jsonpath *parsed;

	if (jsonpath_parse_relaxed(path, &parsed, err) < 0)
		return err_set(err, ERR_PARSE,
			       "unexpected path string, expected a 'name1.name2' or '.name1.name2' or "
			       "'{name1.name2}' or '{.name1.name2}'");
	*ret = mem_zalloc(sizeof(**ret));
	(*ret)->path = parsed;
	(*ret)->shown = *path == '{' ? mem_dup(path) : mem_printf("{%s%s}", *path == '.' ? "" : ".", path);
	return 0;
}

void sort_by_free(struct sort_by *sort)
{
	if (!sort)
		return;
	jsonpath_free(sort->path);
	free(sort->shown);
	free(sort);
}

static bool is_number(const struct json_object *value)
{
	return json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);
}

/* As strcmp, but numbers within count as such: web-2 is before web-10. */
static int compare_natural(const char *s, const char *t)
{
	while (*s && *t) {
		if (isdigit((unsigned char)*s) && isdigit((unsigned char)*t)) {
			size_t m, n;
			s += strspn(s, "0");
			t += strspn(t, "0");
			m = strspn(s, "0123456789");
			n = strspn(t, "0123456789");
			int order = m == n ? strncmp(s, t, m) : m < n ? -1 : 1;
			if (order)
				return order;
			s += m;
			t += n;
		} else if (*s != *t) {
			return (unsigned char)*s < (unsigned char)*t ? -1 : 1;
		} else {
			s++;
			t++;
		}
	}
	return (*s != '\0') - (*t != '\0');
}

static int compare_keys(struct json_object *x, struct json_object *y)
{
	struct quantity a, b;

	if (!x || !y)
		return (x != NULL) - (y != NULL);
	if (is_number(x) && is_number(y)) {
		double p = json_object_get_double(x), q = json_object_get_double(y);
		return (p > q) - (p < q);
	}
	const char *s = json_object_get_string(x), *t = json_object_get_string(y);
	/* Memory and processors: 100Mi is less than 1Gi. */
	if (quantity_parse(s, &a) && quantity_parse(t, &b))
		return quantity_cmp(&a, &b);
	return compare_natural(s, t);
}

static int compare(const void *x, const void *y)
{
	const struct keyed *a = x, *b = y;
	int order = compare_keys(a->key, b->key);

	return order ? order : (a->position > b->position) - (a->position < b->position);
}

int sort_by_values(const struct sort_by *sort, struct json_object **values, const void **along, size_t n,
		   bool rows, struct err *err)
{
	CLEANUP(mem_freep) struct keyed *keyed = mem_zalloc((n + 1) * sizeof(*keyed));
	bool any = n == 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *obj = rows ? json_get(values[i], "object") : values[i];
		keyed[i] =
		    (struct keyed){ values[i], jsonpath_first(sort->path, obj), along ? along[i] : NULL, i };
		any |= keyed[i].key != NULL;
	}
	if (!any)
		return err_set(err, ERR_PARSE,
			       "couldn't find any field with path \"%s\" in the list of objects",
			       sort->shown);
	qsort(keyed, n, sizeof(*keyed), compare);
	for (size_t i = 0; i < n; i++) {
		values[i] = keyed[i].value;
		if (along)
			along[i] = keyed[i].along;
	}
	return 0;
}
