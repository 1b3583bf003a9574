#include <string.h>

#include "kubectl-lite/convert_rules.h"

/* {serviceName, servicePort} -> {service: {name, port: {number|name}}}. A backend that names a resource
 * stays. */
static bool convert_backend(struct json_object *backend)
{
	struct json_object *name = json_get(backend, "serviceName"), *port = json_get(backend, "servicePort");

	struct json_object *service = name || port ? convert_object_member(backend, "service") : NULL;
	if (!service)
		return false;
	if (name)
		json_set(service, "name", json_object_get(name));
	struct json_object *service_port = port ? convert_object_member(service, "port") : NULL;
	if (service_port)
		json_set(service_port, json_object_is_type(port, json_type_int) ? "number" : "name",
			 json_object_get(port));
	json_object_object_del(backend, "serviceName");
	json_object_object_del(backend, "servicePort");
	return true;
}

static void convert_paths(struct json_object *rule, size_t i, struct buf *notes)
{
	struct json_object *paths = json_path(rule, "http", "paths", NULL);

	for (size_t k = 0; k < json_len(paths); k++) {
		struct json_object *path = convert_item(paths, k);
		if (!path)
			continue;
		if (convert_backend(json_get(path, "backend")))
			buf_printf(notes,
				   "spec.rules[%zu].http.paths[%zu].backend: serviceName and servicePort "
				   "became service\n",
				   i, k);
		if (json_get(path, "pathType"))
			continue;
		json_set_str(path, "pathType", "ImplementationSpecific");
		buf_printf(notes,
			   "spec.rules[%zu].http.paths[%zu].pathType: set to ImplementationSpecific, which "
			   "was the default\n",
			   i, k);
	}
}

void convert_ingress(struct json_object *obj, struct buf *notes)
{
	struct json_object *spec = json_ensure_object(obj, "spec"), *backend = json_get(spec, "backend");
	const struct json_object *rules = json_get(spec, "rules");

	if (backend) {
		convert_backend(backend);
		json_set(spec, "defaultBackend", json_object_get(backend));
		json_object_object_del(spec, "backend");
		buf_str(notes, "spec.backend: is called spec.defaultBackend\n");
	}
	for (size_t i = 0; i < json_len(rules); i++)
		convert_paths(json_at(rules, i), i, notes);
}
