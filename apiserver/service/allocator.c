#include "apiserver/service/allocator.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/chance.h"
#include "apiserver/core/follow.h"
#include "apiserver/service/port_range.h"
#include "lib/map.h"

/* A network of a ServiceCIDR. */
struct network {
	const char *name; /* of it, borrowed from its object */
	bool ready;
	struct ip_range range;
};

/* The node ports of one Service. */
struct used_ports {
	size_t n;
	uint32_t ports[];
};

struct service_allocator {
	struct core *core;
	struct service_networks networks;
	struct follow *follow;
	const struct resource *services, *addresses, *cidrs;
	pthread_mutex_t lock; /* all below; whoever takes changes in holds it, too */
	struct network *nets; /* that of the flags first */
	size_t n_nets;
	struct map taken; /* addresses by name; the names are their objects' */
	struct map lost;  /* those that went while a Service had them: references, by name */
	struct port_range ports;
	struct map used; /* struct used_ports by key of their Service */
	char port_text[96];
};

/* --- what changes --- */

static bool is_ready(const struct json_object *cidr)
{
	const struct json_object *conditions = json_path(cidr, "status", "conditions", NULL);

	if (json_path(cidr, "metadata", "deletionTimestamp", NULL))
		return false;
	for (size_t i = 0; i < json_len(conditions); i++)
		if (strcmp(json_str_or_empty(json_at(conditions, i), "type"), "Ready") == 0)
			return strcmp(json_str_or_empty(json_at(conditions, i), "status"), "True") == 0;
	return true; /* nobody says: without controllers it is to be used */
}

static void mark_names(const struct map *names, struct ip_range *range)
{
	const char *name;
	struct ip_address address;

	for (size_t i = 0; map_next(names, &i, &name, NULL);)
		if (ip_address_parse(name, &address))
			ip_range_mark(range, &address, true);
}

static void remove_networks(struct service_allocator *allocator, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < allocator->n_nets; i++) {
		struct network *net = &allocator->nets[i];
		if (strcmp(net->name, name) == 0)
			ip_range_close(&net->range);
		else
			allocator->nets[kept++] = *net;
	}
	allocator->n_nets = kept;
}

static void add_network(struct service_allocator *allocator, const struct network *net)
{
	size_t at = strcmp(net->name, SERVICE_CIDR_NAME) == 0 ? 0 : allocator->n_nets;

	/* The second of the default one's two comes before the first: they are of different families. */
	allocator->nets = mem_realloc_array(allocator->nets, allocator->n_nets + 1, sizeof(*allocator->nets));
	memmove(&allocator->nets[at + 1], &allocator->nets[at],
		(allocator->n_nets - at) * sizeof(*allocator->nets));
	allocator->nets[at] = *net;
	allocator->n_nets++;
}

static void cidr_changed(struct service_allocator *allocator, const struct follow_change *change)
{
	remove_networks(allocator, object_name(change->object ? change->object : change->previous));
	if (!change->object)
		return;
	CLEANUP(json_putp) struct json_object *cidr = object_json(change->object);
	const struct json_object *cidrs = json_path(cidr, "spec", "cidrs", NULL);
	for (size_t i = 0; i < json_len(cidrs); i++) {
		struct network net = { .name = object_name(change->object), .ready = is_ready(cidr) };
		if (!ip_range_init(&net.range, json_object_get_string(json_at(cidrs, i))))
			continue;
		mark_names(&allocator->taken, &net.range);
		mark_names(&allocator->lost, &net.range);
		add_network(allocator, &net);
	}
}

static void mark(struct service_allocator *allocator, const char *name, bool taken)
{
	struct ip_address address;

	if (!ip_address_parse(name, &address))
		return;
	for (size_t i = 0; i < allocator->n_nets; i++)
		ip_range_mark(&allocator->nets[i].range, &address, taken);
}

/* The Service that ADDRESS was made for has it. It is looked up as it is at this moment: both go in one
 * transaction. */
static bool has_owner(const struct service_allocator *allocator, const struct object *address)
{
	CLEANUP(object_unrefp) struct object *service = NULL;
	CLEANUP(mem_freep) char *quoted = mem_printf("\"%s\"", object_name(address));
	size_t len;

	if (strcmp(object_field(address, "spec.parentRef.resource"), "services") != 0 ||
	    *object_field(address, "spec.parentRef.group") ||
	    core_get(allocator->core, allocator->services, object_field(address, "spec.parentRef.namespace"),
		     object_field(address, "spec.parentRef.name"), &service, NULL) < 0)
		return false;
	const char *text = object_bytes(service, &len);
	return memmem(text, len, quoted, strlen(quoted)) != NULL;
}

static void address_changed(struct service_allocator *allocator, const struct follow_change *change)
{
	const char *name = object_name(change->object ? change->object : change->previous);

	if (change->object) {
		map_put(&allocator->taken, name, change->object);
		object_unref(map_remove(&allocator->lost, name));
		mark(allocator, name, true);
		return;
	}
	map_remove(&allocator->taken, name);
	if (has_owner(allocator, change->previous))
		map_put(&allocator->lost, name, object_ref(change->previous));
	else
		mark(allocator, name, false);
}

static void use_ports(struct service_allocator *allocator, const struct used_ports *used, bool are_used)
{
	for (size_t i = 0; used && i < used->n; i++)
		port_range_use(&allocator->ports, used->ports[i], are_used);
}

/* NULL: it has none. Most have none, which their text tells. */
static struct used_ports *ports_of(const struct object *service)
{
	size_t len;
	const char *text = object_bytes(service, &len);

	if (!memmem(text, len, "odePort\":", 9))
		return NULL;
	CLEANUP(json_putp) struct json_object *obj = object_json(service);
	const struct json_object *spec = json_get(obj, "spec"), *ports = json_get(spec, "ports");
	struct used_ports *used = mem_zalloc(sizeof(*used) + (json_len(ports) + 1) * sizeof(used->ports[0]));
	for (size_t i = 0; i <= json_len(ports); i++) {
		int64_t port = i < json_len(ports) ? json_int(json_at(ports, i), "nodePort", 0)
						   : json_int(spec, "healthCheckNodePort", 0);
		if (port > 0 && port <= UINT16_MAX)
			used->ports[used->n++] = (uint32_t)port;
	}
	return used;
}

static void service_changed(struct service_allocator *allocator, const struct follow_change *change)
{
	const char *key = object_key(change->object ? change->object : change->previous);
	struct used_ports *used = change->object ? ports_of(change->object) : NULL;
	struct used_ports *before = map_remove(&allocator->used, key);

	use_ports(allocator, used, true);
	use_ports(allocator, before, false);
	free(before);
	if (used)
		map_put(&allocator->used, key, used);
}

static void changed(const struct follow_change *change, void *arg)
{
	struct service_allocator *allocator = arg;

	if (change->resource == allocator->services)
		service_changed(allocator, change);
	else if (change->resource == allocator->addresses)
		address_changed(allocator, change);
	else
		cidr_changed(allocator, change);
}

/* --- its life --- */

struct service_allocator *service_allocator_new(struct core *core, const struct service_networks *networks)
{
	struct service_allocator *allocator = mem_zalloc(sizeof(*allocator));
	struct service_networks *own = &allocator->networks;

	*own = *networks;
	allocator->core = core;
	pthread_mutex_init(&allocator->lock, NULL);
	port_range_init(&allocator->ports, own->node_ports[0], own->node_ports[1]);
	snprintf(allocator->port_text, sizeof(allocator->port_text),
		 "provided port is not in the valid range. The range of valid ports is %u-%u",
		 own->node_ports[0], own->node_ports[1]);
	allocator->services = resource_find("", "v1", "services");
	allocator->addresses = resource_find("networking.k8s.io", "v1", "ipaddresses");
	allocator->cidrs = resource_find("networking.k8s.io", "v1", "servicecidrs");
	const struct resource *const followed[] = { allocator->cidrs, allocator->addresses,
						    allocator->services };
	allocator->follow = follow_new(core, followed, ARRAY_SIZE(followed), changed, allocator);
	return allocator;
}

void service_allocator_free(struct service_allocator *allocator)
{
	void *used, *lost;

	if (!allocator)
		return;
	for (size_t i = 0; i < allocator->n_nets; i++)
		ip_range_close(&allocator->nets[i].range);
	for (size_t i = 0; map_next(&allocator->used, &i, NULL, &used);)
		free(used);
	for (size_t i = 0; map_next(&allocator->lost, &i, NULL, &lost);)
		object_unref(lost);
	map_close(&allocator->lost);
	follow_free(allocator->follow);
	map_close(&allocator->used);
	map_close(&allocator->taken);
	port_range_close(&allocator->ports);
	pthread_mutex_destroy(&allocator->lock);
	free(allocator->nets);
	free(allocator);
}

const struct service_networks *service_allocator_networks(const struct service_allocator *allocator)
{
	return &allocator->networks;
}

void service_allocator_on_change(struct service_allocator *allocator, void (*fn)(void *arg), void *arg)
{
	follow_on_change(allocator->follow, fn, arg);
}

int service_allocator_begin(struct service_allocator *allocator, struct err *err)
{
	pthread_mutex_lock(&allocator->lock);
	if (follow_read(allocator->follow, err) == 0)
		return 0;
	pthread_mutex_unlock(&allocator->lock);
	return -1;
}

void service_allocator_end(struct service_allocator *allocator)
{
	follow_done(allocator->follow);
	pthread_mutex_unlock(&allocator->lock);
}

struct object *service_allocator_lost(struct service_allocator *allocator, size_t *cursor)
{
	void *lost = NULL;

	if (service_allocator_begin(allocator, NULL) < 0)
		return NULL;
	if (map_next(&allocator->lost, cursor, NULL, &lost))
		object_ref(lost);
	service_allocator_end(allocator);
	return lost;
}

void service_allocator_forget(struct service_allocator *allocator, const struct object *lost)
{
	if (service_allocator_begin(allocator, NULL) < 0)
		return;
	if (map_get(&allocator->lost, object_name(lost)) == lost && !has_owner(allocator, lost)) {
		map_remove(&allocator->lost, object_name(lost));
		mark(allocator, object_name(lost), false);
		object_unref((struct object *)(uintptr_t)lost);
	}
	service_allocator_end(allocator);
}

/* --- choosing --- */

const char *service_allocator_check_ip(const struct service_allocator *allocator,
				       const struct ip_address *address)
{
	char text[INET6_ADDRSTRLEN];
	bool found = false;

	for (size_t i = 0; i < allocator->n_nets && !found; i++)
		found = allocator->nets[i].ready && ip_range_has(&allocator->nets[i].range, address);
	if (!found)
		return "the provided network does not match the current range";
	ip_address_text(address, text);
	return map_get(&allocator->taken, text) || map_get(&allocator->lost, text)
		   ? "provided IP is already allocated"
		   : NULL;
}

bool service_allocator_next_ip(const struct service_allocator *allocator, bool v6, struct ip_address *ret)
{
	for (size_t i = 0; i < allocator->n_nets; i++) {
		const struct network *net = &allocator->nets[i];
		if (net->ready && net->range.v6 == v6 && ip_range_pick(&net->range, chance_number(), ret))
			return true;
	}
	return false;
}

const char *service_allocator_check_port(const struct service_allocator *allocator, int64_t port)
{
	if (!port_range_has(&allocator->ports, port))
		return allocator->port_text;
	return port_range_free(&allocator->ports, (uint32_t)port) ? NULL
								  : "provided port is already allocated";
}

uint32_t service_allocator_next_port(const struct service_allocator *allocator)
{
	return port_range_pick(&allocator->ports, chance_number());
}

void service_allocator_hold_port(struct service_allocator *allocator, uint32_t port)
{
	port_range_hold(&allocator->ports, port, true);
}

void service_allocator_drop_ports(struct service_allocator *allocator, const uint32_t *ports, size_t n)
{
	pthread_mutex_lock(&allocator->lock);
	for (size_t i = 0; i < n; i++)
		port_range_hold(&allocator->ports, ports[i], false);
	pthread_mutex_unlock(&allocator->lock);
}
