#include "apiserver/service/kubernetes_service.h"

#include <string.h>

#include "api/ip.h"
#include "apiserver/core/call.h"
#include "apiserver/managed.h"
#include "apiserver/own_object.h"
#include "apiserver/service/allocate.h"
#include "apiserver/service/allocator.h"
#include "apiserver/service/ip_families.h"
#include "lib/log.h"

#define HTTPS_PORT 443

static bool is_v6(const char *text)
{
	return strchr(text, ':') != NULL;
}

/* RESOURCE, in namespace `default` when it has one, as REST has it; along with WITH (NULL: nothing). Somebody
 * else may have been faster. */
static int create(struct core *core, const struct resource *resource, const struct json_object *rest,
		  struct core_command *with, struct err *err)
{
	const char *namespace_ = resource->namespaced ? KUBERNETES_NAMESPACE : "";
	struct core_command command = {
		.op = CORE_CREATE,
		.resource = resource,
		.namespace_ = namespace_,
		.name = KUBERNETES_SERVICE,
		.check_namespace = resource->namespaced,
		.object = own_object(resource, namespace_, KUBERNETES_SERVICE, rest),
		.with = with,
	};
	enum err_kind kind = core_call(core, &command);

	core_command_close(&command);
	if (kind == ERR_NONE || (kind == ERR_ALREADY_EXISTS && !command.with_failed))
		return 0;
	if (err)
		*err = command.err;
	return err_wrap(err, "create %s %s", resource->singular, KUBERNETES_SERVICE);
}

/* OBJ in CURRENT's place, through SUBRESOURCE ("": none). */
static int update(struct core *core, const struct object *current, const char *subresource,
		  struct json_object *obj, struct err *err)
{
	const struct resource *resource = object_resource(current);
	CLEANUP(buf_close) struct buf managed = BUF_INIT;

	managed_own(resource, current, subresource, obj, &managed);
	struct core_command command = {
		.op = CORE_UPDATE,
		.resource = resource,
		.namespace_ = object_namespace(current),
		.name = object_name(current),
		.revision = object_revision(current),
		.object = object_new(resource, obj, managed.data, managed.len),
	};
	enum err_kind kind = core_call(core, &command);
	core_command_close(&command);
	if (kind == ERR_NONE)
		return 0;
	if (err)
		*err = command.err;
	return err_wrap(err, "update %s %s", resource->singular, KUBERNETES_SERVICE);
}

static struct json_object *list_of(struct json_object *item)
{
	struct json_object *list = json_object_new_array();

	json_object_array_add(list, item);
	return list;
}

static struct json_object *https_port(uint16_t port)
{
	struct json_object *result = json_object_new_object();

	json_set_str(result, "name", "https");
	json_set_str(result, "protocol", "TCP");
	json_set_int(result, "port", port);
	return result;
}

/* --- the network --- */

static struct json_object *cidrs_of(const struct service_networks *networks)
{
	struct json_object *cidrs = json_object_new_array();

	for (size_t i = 0; i < networks->n_cidrs; i++)
		json_object_array_add(cidrs, json_object_new_string(networks->cidrs[i]));
	return cidrs;
}

static bool has_ready(const struct json_object *cidr)
{
	const struct json_object *conditions = json_path(cidr, "status", "conditions", NULL);

	for (size_t i = 0; i < json_len(conditions); i++)
		if (strcmp(json_str_or_empty(json_at(conditions, i), "type"), "Ready") == 0)
			return true;
	return false;
}

static int set_ready(struct core *core, const struct object *current, struct json_object *cidr,
		     struct err *err)
{
	struct json_object *condition = json_object_new_object();
	char now[TIMEFMT_SIZE];

	json_set_str(condition, "type", "Ready");
	json_set_str(condition, "status", "True");
	json_set_str(condition, "lastTransitionTime", time_format(time_now_us(), now));
	json_set_str(condition, "reason", "");
	json_set_str(condition, "message", "Kubernetes default Service CIDR is ready");
	json_object_array_add(json_ensure_array(json_ensure_object(cidr, "status"), "conditions"), condition);
	return update(core, current, "status", cidr, err);
}

/* One that is there already is made ready, or, when the flags name one network more, gets that. */
static int complete_cidr(struct core *core, const struct object *current, struct json_object *wanted,
			 struct err *err)
{
	CLEANUP(json_putp) struct json_object *cidr = object_json(current);
	struct json_object *spec = json_ensure_object(cidr, "spec");
	const struct json_object *cidrs = json_get(spec, "cidrs");

	if (object_deleting(current))
		return 0;
	if (json_equal(cidrs, wanted))
		return has_ready(cidr) ? 0 : set_ready(core, current, cidr, err);
	if (json_len(wanted) == 2 && json_len(cidrs) == 1 &&
	    json_equal(json_at(cidrs, 0), json_at(wanted, 0))) {
		json_set(spec, "cidrs", json_object_get(wanted));
		return update(core, current, "", cidr, err);
	}
	log_warn(
	    "the ServiceCIDR kubernetes has other networks than --service-cluster-ip-range; its own count",
	    NULL);
	return 0;
}

int kubernetes_service_cidr(struct core *core, const struct service_networks *networks, struct err *err)
{
	const struct resource *resource = resource_find("networking.k8s.io", "v1", "servicecidrs");
	CLEANUP(object_unrefp) struct object *current = NULL;
	CLEANUP(json_putp) struct json_object *rest = json_object_new_object(), *cidrs = cidrs_of(networks);

	if (core_get(core, resource, "", SERVICE_CIDR_NAME, &current, NULL) < 0) {
		json_set(json_ensure_object(rest, "spec"), "cidrs", json_object_get(cidrs));
		if (create(core, resource, rest, NULL, err) < 0 ||
		    core_get(core, resource, "", SERVICE_CIDR_NAME, &current, err) < 0)
			return -1;
	}
	return complete_cidr(core, current, cidrs, err);
}

/* --- the Service --- */

static int ensure_service(struct core *core, const struct service_networks *networks, uint16_t port,
			  struct err *err)
{
	const struct resource *resource = resource_find("", "v1", "services");
	CLEANUP(object_unrefp) struct object *current = NULL;
	CLEANUP(json_putp) struct json_object *rest = json_object_new_object();
	char text[INET6_ADDRSTRLEN];
	struct ip_range range;

	if (core_get(core, resource, KUBERNETES_NAMESPACE, KUBERNETES_SERVICE, &current, NULL) == 0 ||
	    !ip_range_init(&range, networks->cidrs[0]))
		return 0;
	struct ip_address address = { .v6 = range.v6, .value = range.network + 1 };
	ip_range_close(&range);
	ip_address_text(&address, text);
	struct json_object *labels = json_ensure_object(json_ensure_object(rest, "metadata"), "labels");
	json_set_str(labels, "component", "apiserver");
	json_set_str(labels, "provider", "kubernetes");
	struct json_object *spec = json_ensure_object(rest, "spec"), *https = https_port(HTTPS_PORT);
	json_set_int(https, "targetPort", port);
	json_set(spec, "ports", list_of(https));
	json_set_str(spec, "clusterIP", text);
	json_set(spec, "clusterIPs", list_of(json_object_new_string(text)));
	json_set_str(spec, "type", "ClusterIP");
	json_set_str(spec, "sessionAffinity", "None");
	json_set(spec, "ipFamilies", list_of(json_object_new_string(ip_family_name(address.v6))));
	json_set_str(spec, "ipFamilyPolicy", "SingleStack");
	struct core_command taken = { .op = CORE_CREATE,
				      .resource = resource_find("networking.k8s.io", "v1", "ipaddresses"),
				      .namespace_ = "",
				      .name = text,
				      .object = service_ip_address(&address, KUBERNETES_NAMESPACE,
								   KUBERNETES_SERVICE) };
	return create(core, resource, rest, &taken, err);
}

/* --- its endpoints --- */

/* Members of REST (NULL: none), and labels, are what the object is to have; other members stay. */
static int ensure(struct core *core, const struct resource *resource, struct json_object *rest,
		  struct err *err)
{
	CLEANUP(object_unrefp) struct object *current = NULL;

	if (core_get(core, resource, KUBERNETES_NAMESPACE, KUBERNETES_SERVICE, &current, NULL) < 0)
		return create(core, resource, rest, NULL, err);
	CLEANUP(json_putp) struct json_object *obj = object_json(current), *old = json_clone(obj);
	json_set(json_ensure_object(obj, "metadata"), "labels",
		 json_object_get(json_path(rest, "metadata", "labels", NULL)));
	json_object_object_foreach(rest, key, value)
	{
		if (!value)
			json_object_object_del(obj, key);
		else if (strcmp(key, "metadata") != 0)
			json_set(obj, key, json_object_get(value));
	}
	if (resource->kind->set_defaults)
		resource->kind->set_defaults(obj);
	if (json_equal(obj, old))
		return 0;
	if (resource->kind->prepare_update)
		resource->kind->prepare_update(obj, old);
	return update(core, current, "", obj, err);
}

static int ensure_endpoints(struct core *core, const char *address, uint16_t port, struct err *err)
{
	CLEANUP(json_putp) struct json_object *rest = json_object_new_object();
	struct json_object *labels = json_ensure_object(json_ensure_object(rest, "metadata"), "labels");

	json_set_str(labels, "endpointslice.kubernetes.io/skip-mirror", "true");
	if (address) {
		struct json_object *subset = json_object_new_object(), *item = json_object_new_object();
		json_set_str(item, "ip", address);
		json_set(subset, "addresses", list_of(item));
		json_set(subset, "ports", list_of(https_port(port)));
		json_set(rest, "subsets", list_of(subset));
	} else {
		json_set(rest, "subsets", NULL);
	}
	return ensure(core, resource_find("", "v1", "endpoints"), rest, err);
}

static int ensure_slice(struct core *core, const struct service_networks *networks, const char *address,
			uint16_t port, struct err *err)
{
	CLEANUP(json_putp) struct json_object *rest = json_object_new_object();
	struct json_object *labels = json_ensure_object(json_ensure_object(rest, "metadata"), "labels");
	struct json_object *endpoints = json_object_new_array();

	json_set_str(labels, "kubernetes.io/service-name", KUBERNETES_SERVICE);
	json_set_str(rest, "addressType", ip_family_name(is_v6(address ? address : networks->cidrs[0])));
	json_set(rest, "endpoints", endpoints);
	if (address) {
		struct json_object *endpoint = json_object_new_object();
		json_set(endpoint, "addresses", list_of(json_object_new_string(address)));
		json_set_bool(json_ensure_object(endpoint, "conditions"), "ready", true);
		json_object_array_add(endpoints, endpoint);
	}
	json_set(rest, "ports", list_of(https_port(port)));
	return ensure(core, resource_find("discovery.k8s.io", "v1", "endpointslices"), rest, err);
}

int kubernetes_service_ensure(struct core *core, const struct service_networks *networks, const char *address,
			      uint16_t port, struct err *err)
{
	return kubernetes_service_cidr(core, networks, err) < 0 ||
		       ensure_service(core, networks, port, err) < 0 ||
		       ensure_endpoints(core, address, port, err) < 0 ||
		       ensure_slice(core, networks, address, port, err) < 0
		   ? -1
		   : 0;
}
