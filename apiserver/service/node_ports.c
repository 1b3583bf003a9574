#include "apiserver/service/node_ports.h"

#include "api/fault.h"
#include "api/kinds/service.h"

/* What a dry run is told it would get. */
#define DRY_PORT 32769

static void note(struct service_ports *ports, uint32_t port)
{
	ports->held = mem_realloc_array(ports->held, ports->n_held + 1, sizeof(*ports->held));
	ports->held[ports->n_held++] = port;
	if (!ports->dry_run)
		service_allocator_hold_port(ports->allocator, port);
}

static bool noted(const struct service_ports *ports, int64_t port)
{
	for (size_t i = 0; i < ports->n_held; i++)
		if (ports->held[i] == port)
			return true;
	return false;
}

/* NULL, or why not. */
static const char *take(struct service_ports *ports, int64_t port)
{
	const char *why = service_allocator_check_port(ports->allocator, port);

	if (!why && noted(ports, port))
		why = "provided port is already allocated";
	if (!why)
		note(ports, (uint32_t)port);
	return why;
}

/* 0: there is none. */
static uint32_t next(struct service_ports *ports)
{
	uint32_t port = service_allocator_next_port(ports->allocator);

	if (ports->dry_run) {
		for (port = ports->dry_next ? ports->dry_next : DRY_PORT; noted(ports, port);)
			port++;
		ports->dry_next = port + 1;
	}
	if (port)
		note(ports, port);
	return port;
}

static bool has(const struct json_object *spec, int64_t node_port)
{
	const struct json_object *list = json_get(spec, "ports");

	for (size_t i = 0; i < json_len(list); i++)
		if (json_int(json_at(list, i), "nodePort", 0) == node_port)
			return true;
	return false;
}

/* The node port of the first of LIST's first N ports that has PORT's number, and a node port. 0: none. */
static int64_t of_same_port(const struct json_object *list, size_t n, const struct json_object *port)
{
	for (size_t i = 0; i < n; i++)
		if (json_int(json_at(list, i), "port", 0) == json_int(port, "port", 0) &&
		    json_int(json_at(list, i), "nodePort", 0))
			return json_int(json_at(list, i), "nodePort", 0);
	return 0;
}

static int fault_port(struct field_errors *errors, size_t i, int64_t port, const char *why)
{
	struct field_path path;

	field_path_init(&path, "spec");
	field_push(&path, "ports");
	field_push_index(&path, i);
	fault_int(errors, &path, "nodePort", port, why);
	return -1;
}

/* Port I of LIST. A new Service has one node port for a port of several protocols. */
static int allocate_one(struct service_ports *ports, struct json_object *list, size_t i,
			const struct json_object *old_spec, bool allocates, struct field_errors *errors)
{
	struct json_object *port = json_at(list, i);
	int64_t node_port = json_int(port, "nodePort", 0);

	if (!node_port && !allocates)
		return 0;
	if (!node_port && !old_spec && (node_port = of_same_port(list, json_len(list), port)))
		json_set_int(port, "nodePort", node_port);
	if (!node_port) {
		node_port = next(ports);
		json_set_int(port, "nodePort", node_port);
		return node_port ? 0 : -1;
	}
	if (has(old_spec, node_port) || (noted(ports, node_port) && of_same_port(list, i, port) == node_port))
		return 0;
	/* Another protocol may have it: validation has seen that no two of one do. */
	if (old_spec && noted(ports, node_port))
		return 0;
	const char *why = take(ports, node_port);
	return why ? fault_port(errors, i, node_port, why) : 0;
}

static int allocate_health_check(struct service_ports *ports, struct json_object *spec,
				 const struct json_object *old_spec, struct field_errors *errors)
{
	int64_t wanted = json_int(spec, "healthCheckNodePort", 0);
	struct field_path path;

	if (!service_has_health_check(spec) ||
	    (old_spec && service_has_health_check(old_spec) && json_int(old_spec, "healthCheckNodePort", 0)))
		return 0;
	if (!wanted) {
		wanted = next(ports);
		json_set_int(spec, "healthCheckNodePort", wanted);
		return wanted ? 0 : -1;
	}
	const char *why = take(ports, wanted);
	field_path_init(&path, "spec");
	if (why)
		fault_int(errors, &path, "healthCheckNodePort", wanted, why);
	return why ? -1 : 0;
}

int node_ports_allocate(struct service_ports *ports, struct json_object *spec,
			const struct json_object *old_spec, struct field_errors *errors)
{
	struct json_object *list = json_get(spec, "ports");
	bool balancer = service_is_type(spec, "LoadBalancer");
	bool allocates = service_is_type(spec, "NodePort") ||
			 (balancer && json_boolean(spec, "allocateLoadBalancerNodePorts", true));

	for (size_t i = 0; (allocates || balancer) && i < json_len(list); i++)
		if (allocate_one(ports, list, i, old_spec, allocates, errors) < 0)
			return -1;
	return allocate_health_check(ports, spec, old_spec, errors);
}
