#include "api/kinds/workload.h"

#include <stdlib.h>
#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/pod_spec.h"
#include "lib/selector.h"

#define PERCENT_TEXT                                                                                         \
	"a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "  \
	"regex used "                                                                                        \
	"for validation is '[0-9]+%')"

void workload_default_template(struct json_object *spec)
{
	struct json_object *template = json_get(spec, "template");

	if (!template)
		return;
	json_ensure_object(template, "metadata");
	default_pod_spec(json_ensure_object(template, "spec"));
}

void workload_validate_template(const struct json_object *template, const struct selector *selector,
				const char *lasting_of, struct field_path *path, struct field_errors *errors)
{
	const struct json_object *labels = json_path(template, "metadata", "labels", NULL);

	if (!template) {
		field_error_required(errors, path, "");
		return;
	}
	if (!selector_matches_json(selector, labels))
		fault_json(errors, path, "metadata.labels", labels,
			   "`selector` does not match template `labels`");
	validate_pod_template(template, path, lasting_of, errors);
}

static bool is_empty(const struct json_object *selector)
{
	const struct json_object *labels = json_get(selector, "matchLabels");

	return (!labels || json_object_object_length(labels) == 0) &&
	       json_len(json_get(selector, "matchExpressions")) == 0;
}

void workload_validate_selector_and_template(const struct json_object *spec, const char *kind,
					     const char *lasting_of, struct field_path *path,
					     struct field_errors *errors)
{
	const struct json_object *selector = json_get(spec, "selector");
	CLEANUP(selector_close) struct selector parsed = { 0 };
	size_t mark = field_push(path, "selector");
	bool valid;

	if (!selector) {
		field_error_required(errors, path, "");
	} else {
		validate_label_selector(selector, path, errors);
		if (is_empty(selector))
			field_error_add(errors, FIELD_INVALID, path, selector,
					"empty selector is invalid for %s", kind);
	}
	/* An absent selector selects nothing, so the template is judged against it too. */
	valid = selector_from_json(selector, &parsed, NULL) == 0;
	if (!valid)
		field_error_add(errors, FIELD_INVALID, path, selector, "invalid label selector");
	field_pop(path, mark);
	mark = field_push(path, "template");
	if (valid)
		workload_validate_template(json_get(spec, "template"), &parsed, lasting_of, path, errors);
	field_pop(path, mark);
}

void workload_validate_counts(const struct json_object *obj, const char *const *keys, struct field_path *path,
			      struct field_errors *errors)
{
	for (; *keys; keys++)
		validate_non_negative(obj, *keys, path, errors);
}

void workload_validate_update(const struct json_object *obj, const struct json_object *old,
			      struct field_errors *errors)
{
	struct field_path path;

	field_path_init(&path, "spec");
	validate_immutable(json_get(obj, "spec"), json_get(old, "spec"), "selector", &path, errors);
}

static bool is_percent(const char *s)
{
	size_t digits = strspn(s, "0123456789");

	return digits > 0 && strcmp(s + digits, "%") == 0;
}

bool workload_int_or_percent(const struct json_object *value, int64_t *ret_value)
{
	const char *text;

	if (!json_object_is_type(value, json_type_string)) {
		*ret_value = value ? json_object_get_int64(value) : 0;
		return false;
	}
	text = json_object_get_string((struct json_object *)(uintptr_t)value);
	*ret_value = is_percent(text) ? strtoll(text, NULL, 10) : 0;
	return is_percent(text);
}

void workload_validate_int_or_percent(const struct json_object *obj, const char *key, struct field_path *path,
				      struct field_errors *errors)
{
	struct json_object *value = json_get(obj, key);

	if (json_object_is_type(value, json_type_string)) {
		if (!is_percent(json_object_get_string(value)))
			fault_json(errors, path, key, value, PERCENT_TEXT);
		return;
	}
	validate_non_negative(obj, key, path, errors);
}

void workload_validate_at_most_all(const struct json_object *obj, const char *key, struct field_path *path,
				   struct field_errors *errors)
{
	const struct json_object *value = json_get(obj, key);
	int64_t n;

	if (!value)
		return;
	workload_validate_int_or_percent(obj, key, path, errors);
	if (workload_int_or_percent(value, &n) && n > 100)
		fault_json(errors, path, key, value, "must not be greater than 100%");
}

void workload_count_generation(struct json_object *obj, const struct json_object *old)
{
	json_set_int(json_ensure_object(obj, "metadata"), "generation",
		     json_int(json_get(old, "metadata"), "generation", 0) + 1);
}

void workload_validate_parts(const struct json_object *status, const char *const *parts,
			     struct field_path *path, struct field_errors *errors)
{
	int64_t replicas = json_int(status, "replicas", 0);
	int64_t available = json_int(status, "availableReplicas", 0);

	for (const char *const *part = parts; *part; part++)
		if (json_int(status, *part, 0) > replicas)
			fault_int(errors, path, *part, json_int(status, *part, 0),
				  "cannot be greater than status.replicas");
	if (available > json_int(status, "readyReplicas", 0))
		fault_int(errors, path, "availableReplicas", available,
			  "cannot be greater than readyReplicas");
}

void workload_template_cells(const struct json_object *template, struct json_object *cells)
{
	const struct json_object *pod_spec = json_get(template, "spec");

	cell_containers(cells, pod_spec);
	cell_images(cells, pod_spec);
}

void workload_wide_cells(const struct json_object *obj, struct json_object *cells)
{
	workload_template_cells(json_path(obj, "spec", "template", NULL), cells);
	cell_selector(cells, json_path(obj, "spec", "selector", NULL));
}

void workload_warn_name(const struct json_object *obj, const char *used, warning_fn call, void *arg)
{
	const char *name = json_str_or_empty(json_get(obj, "metadata"), "name");
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct name_faults faults = { .n = 0 };

	name_check_dns_label(name, false, &faults);
	if (faults.n == 0)
		return;
	buf_printf(&text,
		   "metadata.name: this is used %s, which can result in surprising behavior; a DNS label is "
		   "recommended: [",
		   used);
	for (size_t i = 0; i < faults.n; i++)
		buf_printf(&text, "%s%s", i > 0 ? " " : "", faults.text[i]);
	buf_char(&text, ']');
	call(text.data, arg);
}

void workload_warn(const struct json_object *obj, const struct json_object *old, warning_fn call, void *arg)
{
	if (!old)
		workload_warn_name(obj, "in Pod names and hostnames", call, arg);
	if (!old || !json_equal(json_get(obj, "spec"), json_get(old, "spec")))
		pod_spec_warn(json_path(obj, "spec", "template", NULL), "spec.template", call, arg);
}

void workload_validate_replicas_status(const struct json_object *obj, const struct json_object *old,
				       struct field_errors *errors)
{
	static const char *const counts[] = { "replicas",
					      "fullyLabeledReplicas",
					      "readyReplicas",
					      "availableReplicas",
					      "observedGeneration",
					      "terminatingReplicas",
					      NULL };
	static const char *const parts[] = { "fullyLabeledReplicas", "readyReplicas", "availableReplicas",
					     NULL };
	const struct json_object *status = json_get(obj, "status");
	struct field_path path;

	(void)old;
	field_path_init(&path, "status");
	workload_validate_counts(status, counts, &path, errors);
	workload_validate_parts(status, parts, &path, errors);
}
