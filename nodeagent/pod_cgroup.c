#include "nodeagent/pod_cgroup.h"

#include <string.h>

#include "lib/quantity.h"
#include "nodeagent/pod_status.h"

char *pod_cgroup_name(const struct json_object *spec, const char *uid)
{
	const char *qos = pod_status_qos_class(spec);
	const char *folder = strcmp(qos, "Guaranteed") == 0  ? "guaranteed"
			     : strcmp(qos, "Burstable") == 0 ? "burstable"
							     : "besteffort";

	return mem_printf("%s/pod%s", folder, uid);
}

static int64_t amount(const struct json_object *container, const char *list, const char *resource,
		      bool *missing)
{
	const char *text = json_str(json_get(json_get(container, "resources"), list), resource);

	/* A container with only a limit requests as much. */
	if (!text && strcmp(list, "requests") == 0)
		text = json_str(json_get(json_get(container, "resources"), "limits"), resource);
	if (!text)
		*missing = true;
	return strcmp(resource, "cpu") == 0 ? quantity_milli_of(text) : quantity_value_of(text);
}

int64_t pod_cgroup_total(const struct json_object *spec, const char *list, const char *resource)
{
	const struct json_object *init = json_get(spec, "initContainers"),
				 *apps = json_get(spec, "containers");
	int64_t sidecars = 0, largest = 0, sum = 0;
	bool missing = false;

	for (size_t i = 0; i < json_len(init); i++) {
		int64_t value = amount(json_at(init, i), list, resource, &missing);
		if (strcmp(json_str_or_empty(json_at(init, i), "restartPolicy"), "Always") == 0)
			sidecars += value;
		else if (sidecars + value > largest)
			largest = sidecars + value;
	}
	for (size_t i = 0; i < json_len(apps); i++)
		sum += amount(json_at(apps, i), list, resource, &missing);
	sum += sidecars;
	if (missing && strcmp(list, "limits") == 0)
		return 0;
	return sum > largest ? sum : largest;
}

int pod_cgroup_make(struct runtime *runtime, const char *cgroup, const struct json_object *spec,
		    struct err *err)
{
	return runtime_pod_cgroup_make(runtime, cgroup, pod_cgroup_total(spec, "requests", "cpu"),
				       pod_cgroup_total(spec, "limits", "cpu"),
				       pod_cgroup_total(spec, "limits", "memory"), err);
}
