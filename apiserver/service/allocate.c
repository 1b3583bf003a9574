#include "apiserver/service/allocate.h"

#include <stdlib.h>
#include <string.h>

#include "api/fault.h"
#include "api/kinds/service.h"
#include "apiserver/companions.h"
#include "apiserver/edge/server.h"
#include "apiserver/own_object.h"
#include "apiserver/service/allocator.h"
#include "apiserver/service/ip_families.h"
#include "apiserver/service/node_ports.h"

struct service_allocation {
	struct json_object
	    *spec; /* what was to be created, without what was allocated; NULL: it was all there */
	struct ip_address addresses[2]; /* new ones */
	size_t n_addresses;
	struct service_ports ports;
};

static const struct resource *ip_addresses(void)
{
	return resource_find("networking.k8s.io", "v1", "ipaddresses");
}

static const char *text_at(const struct json_object *list, size_t i)
{
	return json_object_get_string(json_at(list, i));
}

static bool lists(const struct json_object *ips, const char *ip)
{
	for (size_t i = 0; i < json_len(ips); i++)
		if (strcmp(text_at(ips, i), ip) == 0)
			return true;
	return false;
}

/* The addresses that SPEC has; NULL: none. */
static const struct json_object *addresses_of(const struct json_object *spec)
{
	return service_is_headless(spec) || service_is_type(spec, "ExternalName")
		   ? NULL
		   : json_get(spec, "clusterIPs");
}

/* --- addresses --- */

struct object *service_ip_address(const struct ip_address *address, const char *namespace_, const char *name)
{
	CLEANUP(json_putp) struct json_object *obj = json_object_new_object();
	char text[INET6_ADDRSTRLEN];
	struct json_object *labels = json_ensure_object(json_ensure_object(obj, "metadata"), "labels");
	struct json_object *ref = json_ensure_object(json_ensure_object(obj, "spec"), "parentRef");

	json_set_str(labels, LABEL_ADDRESS_FAMILY, ip_family_name(address->v6));
	json_set_str(labels, LABEL_ADDRESS_MANAGED, IP_ADDRESS_MANAGED_BY);
	json_set_str(ref, "resource", "services");
	json_set_str(ref, "namespace", namespace_);
	json_set_str(ref, "name", name);
	return own_object(ip_addresses(), "", ip_address_text(address, text), obj);
}

static enum step_result fail_invalid(struct request *r)
{
	status_invalid(&r->err, r->route.resource, r->name, &r->errors);
	return request_fail_as(r, DETAILS_KIND);
}

/* ADDRESS will be this Service's. */
static void claim(struct request *r, const struct ip_address *address)
{
	struct service_allocation *allocation = r->allocation;

	if (allocation->n_addresses < ARRAY_SIZE(allocation->addresses))
		allocation->addresses[allocation->n_addresses++] = *address;
}

/* IPS[i] was asked for. */
static enum step_result take_address(struct request *r, const struct json_object *ips, size_t i)
{
	const char *text = text_at(ips, i), *why = "must be a valid IP address";
	struct ip_address address;

	if (ip_address_parse(text, &address))
		why = service_allocator_check_ip(r->server->allocator, &address);
	if (!why) {
		claim(r, &address);
		return STEP_NEXT;
	}
	struct field_path path;
	field_path_init(&path, "spec");
	field_push(&path, "clusterIPs");
	field_error_add(&r->errors, FIELD_INVALID, &path, ips, "failed to allocate IP %s: %s", text, why);
	return fail_invalid(r);
}

/* The network's own address stands for what a dry run would get. */
static bool dry_address(const struct service_networks *networks, bool v6, struct ip_address *ret)
{
	for (size_t i = 0; i < networks->n_cidrs; i++) {
		CLEANUP(mem_freep)
		char *text = mem_dupn(networks->cidrs[i], strcspn(networks->cidrs[i], "/"));
		if (ip_address_parse(text, ret) && ret->v6 == v6)
			return true;
	}
	return false;
}

static enum step_result next_address(struct request *r, struct json_object *ips, const char *family)
{
	const struct service_allocator *allocator = r->server->allocator;
	bool v6 = ip_family_is_v6(family);
	char text[INET6_ADDRSTRLEN];
	struct ip_address address;

	if (r->dry_run ? !dry_address(service_allocator_networks(allocator), v6, &address)
		       : !service_allocator_next_ip(allocator, v6, &address))
		return request_fail(r, DETAILS_NONE, ERR_INTERNAL,
				    "failed to allocate a serviceIP: range is full");
	json_object_array_add(ips, json_object_new_string(ip_address_text(&address, text)));
	claim(r, &address);
	return STEP_NEXT;
}

static enum step_result allocate_addresses(struct request *r, struct json_object *spec)
{
	const struct json_object *old = addresses_of(json_get(r->old, "spec"));
	const struct json_object *families = json_get(spec, "ipFamilies");
	enum step_result result = STEP_NEXT;

	if (service_is_headless(spec))
		return STEP_NEXT;
	struct json_object *ips = json_ensure_array(spec, "clusterIPs");
	for (size_t i = 0; i < json_len(families) && result == STEP_NEXT; i++) {
		if (i >= json_len(ips))
			result = next_address(r, ips, text_at(families, i));
		else if (!lists(old, text_at(ips, i)))
			result = take_address(r, ips, i);
	}
	if (json_len(ips))
		json_set_str(spec, "clusterIP", text_at(ips, 0));
	return result;
}

/* Those of r->old that SPEC has no more, or all of them. */
static void give_back(struct request *r, const struct json_object *spec)
{
	const struct json_object *old = addresses_of(json_get(r->old, "spec"));
	const struct json_object *kept = addresses_of(spec);
	char text[INET6_ADDRSTRLEN];
	struct ip_address address;

	for (size_t i = 0; i < json_len(old); i++)
		if (!lists(kept, text_at(old, i)) && ip_address_parse(text_at(old, i), &address))
			companions_delete(r, ip_addresses(), ip_address_text(&address, text));
}

void service_release(struct request *r)
{
	give_back(r, NULL);
}

/* --- the step --- */

void service_allocation_drop(struct request *r)
{
	struct service_allocation *allocation = r->allocation;

	if (!allocation)
		return;
	r->allocation = NULL;
	if (!allocation->ports.dry_run)
		service_allocator_drop_ports(r->server->allocator, allocation->ports.held,
					     allocation->ports.n_held);
	free(allocation->ports.held);
	json_object_put(allocation->spec);
	free(allocation);
}

/* A creation that was not to be goes on with what it began with. */
static void begin_round(struct request *r)
{
	struct json_object *spec = r->allocation ? TAKE(r->allocation->spec) : NULL;

	service_allocation_drop(r);
	if (spec)
		json_set(r->obj, "spec", spec);
	r->allocation = mem_zalloc(sizeof(*r->allocation));
	if (!r->old)
		r->allocation->spec = json_clone(json_get(r->obj, "spec"));
}

static enum step_result allocate_all(struct request *r, struct json_object *spec)
{
	struct service_ports *ports = &r->allocation->ports;
	const struct json_object *old_spec = json_get(r->old, "spec");
	enum step_result result = STEP_NEXT;

	if (!service_is_type(spec, "ExternalName"))
		result = allocate_addresses(r, spec);
	if (result != STEP_NEXT)
		return result;
	*ports = (struct service_ports){ .allocator = r->server->allocator, .dry_run = r->dry_run };
	if (node_ports_allocate(ports, spec, old_spec, &r->errors) < 0)
		return r->errors.n ? fail_invalid(r)
				   : request_fail(r, DETAILS_NONE, ERR_INTERNAL,
						  "failed to allocate a nodePort: range is full");
	return STEP_NEXT;
}

/* The IPAddresses that come and go with what is written. */
static void write_along(struct request *r, const struct json_object *spec)
{
	const struct service_allocation *allocation = r->allocation;

	for (size_t i = 0; i < allocation->n_addresses; i++)
		companions_create(
		    r, service_ip_address(&allocation->addresses[i], r->route.namespace_, r->name));
	give_back(r, spec);
}

enum step_result service_allocate(struct request *r)
{
	if (r->route.subresource || strcmp(r->route.resource->qualified, "services") != 0)
		return STEP_NEXT;
	begin_round(r);
	struct service_allocator *allocator = r->server->allocator;
	struct json_object *spec = json_ensure_object(r->obj, "spec");
	if (!service_is_type(spec, "ExternalName"))
		ip_families_complete(spec, json_get(r->old, "spec"), service_allocator_networks(allocator),
				     &r->errors);
	if (r->errors.n)
		return fail_invalid(r);
	if (service_allocator_begin(allocator, &r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);
	enum step_result result = allocate_all(r, spec);
	service_allocator_end(allocator);
	if (result == STEP_NEXT && !r->dry_run)
		write_along(r, spec);
	return result;
}
