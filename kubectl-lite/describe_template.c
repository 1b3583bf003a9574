#include "kubectl-lite/describe_template.h"

#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/describe_text.h"

static int by_key(const void *x, const void *y)
{
	return strcmp(json_str_or_empty(*(struct json_object *const *)x, "key"),
		      json_str_or_empty(*(struct json_object *const *)y, "key"));
}

void describe_tolerations(struct buf *b, const char *title, const struct json_object *tolerations)
{
	size_t n = json_len(tolerations);
	CLEANUP(mem_freep) struct json_object **sorted = mem_zalloc((n + 1) * sizeof(struct json_object *));

	buf_printf(b, "%s:\t%s", title, n ? "" : "<none>\n");
	for (size_t i = 0; i < n; i++)
		sorted[i] = json_at(tolerations, i);
	if (n)
		qsort(sorted, n, sizeof(*sorted), by_key);
	for (size_t i = 0; i < n; i++) {
		const char *key = json_str_or_empty(sorted[i], "key"),
			   *value = json_str_or_empty(sorted[i], "value");
		const char *effect = json_str_or_empty(sorted[i], "effect");
		buf_printf(b, "%s%s%s%s%s%s", i ? "\t" : "", key, *value ? "=" : "", value,
			   *effect ? ":" : "", effect);
		if (strcmp(json_str_or_empty(sorted[i], "operator"), "Exists") == 0 && !*value)
			buf_printf(b, "%sop=Exists", *key || *effect ? " " : "");
		if (json_get(sorted[i], "tolerationSeconds"))
			buf_printf(b, " for %llds", (long long)json_int(sorted[i], "tolerationSeconds", 0));
		buf_char(b, '\n');
	}
}

void describe_template(struct buf *b, const struct json_object *template)
{
	const struct json_object *metadata = json_get(template, "metadata"),
				 *spec = json_get(template, "spec");
	const char *account = json_str(spec, "serviceAccountName");

	buf_str(b, "Pod Template:\n");
	describe_labels(b, "  Labels", json_get(metadata, "labels"));
	if (json_get(metadata, "annotations"))
		describe_annotations(b, "  Annotations", json_get(metadata, "annotations"));
	if (account && *account)
		buf_printf(b, "  Service Account:\t%s\n", account);
	if (json_len(json_get(spec, "initContainers")))
		describe_containers(b, "Init Containers", json_get(spec, "initContainers"), NULL, NULL, "  ");
	describe_containers(b, "Containers", json_get(spec, "containers"), NULL, NULL, "  ");
	describe_volumes(b, json_get(spec, "volumes"), "  ");
	if (json_str(spec, "priorityClassName") && *json_str(spec, "priorityClassName"))
		buf_printf(b, "  Priority Class Name:\t%s\n", json_str(spec, "priorityClassName"));
	describe_labels(b, "  Node-Selectors", json_get(spec, "nodeSelector"));
	describe_tolerations(b, "  Tolerations", json_get(spec, "tolerations"));
}
