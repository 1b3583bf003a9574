/* Ports of containers. */
#include <stdint.h>
#include <stdlib.h>

#include "api/fault.h"
#include "api/kinds/pod_spec.h"

static const char *const protocols[] = { "SCTP", "TCP", "UDP", NULL };

static void validate_name(struct json_object *port, struct map *names, struct field_path *path,
			  struct field_errors *errors)
{
	const char *name = json_str_or_empty(port, "name");
	struct name_faults faults = { .n = 0 };

	if (!*name)
		return;
	name_check_port_name(name, &faults);
	fault_names(errors, path, "name", name, &faults);
	if (faults.n == 0 && map_put(names, name, port))
		fault_duplicate(errors, path, "name", name);
}

void pod_spec_validate_ports(const struct json_object *ports, bool host_network, struct field_path *path,
			     struct field_errors *errors)
{
	CLEANUP(map_close) struct map names = MAP_INIT;

	for (size_t i = 0; i < json_len(ports); i++) {
		struct json_object *port = json_at(ports, i);
		int64_t number = json_int(port, "containerPort", 0),
			host_port = json_int(port, "hostPort", 0);
		size_t mark = field_push_index(path, i);

		validate_name(port, &names, path, errors);
		if (number == 0)
			fault_required(errors, path, "containerPort", "");
		else
			validate_port_number(number, "containerPort", path, errors);
		if (host_port != 0)
			validate_port_number(host_port, "hostPort", path, errors);
		if (host_network && host_port != 0 && host_port != number)
			fault_int(errors, path, "hostPort", host_port,
				  "must match `containerPort` when `hostNetwork` is true");
		validate_enum(port, "protocol", protocols, true, path, errors);
		field_pop(path, mark);
	}
}

/* Takes the host port of PORT, or says that another has it. TAKEN owns its keys. */
static void take_host_port(struct json_object *port, struct map *taken, struct field_path *path,
			   struct field_errors *errors)
{
	CLEANUP(mem_freep) char *key = NULL;
	int64_t number = json_int(port, "hostPort", 0);

	if (number == 0)
		return;
	key = mem_printf("%s/%s/%lld", json_str_or_empty(port, "protocol"), json_str_or_empty(port, "hostIP"),
			 (long long)number);
	if (map_get(taken, key))
		fault_duplicate(errors, path, "hostPort", key);
	else
		map_put(taken, TAKE(key), port);
}

static void close_owned(struct map *set)
{
	const char *key;
	void *value;

	for (size_t i = 0; map_next(set, &i, &key, &value);)
		free((void *)(uintptr_t)key);
	map_close(set);
}

void pod_spec_validate_host_ports(const struct json_object *spec, struct field_path *path,
				  struct field_errors *errors)
{
	CLEANUP(close_owned) struct map taken = MAP_INIT;
	const struct json_object *containers = json_get(spec, "containers");
	size_t mark = field_push(path, "containers");

	for (size_t i = 0; i < json_len(containers); i++) {
		const struct json_object *ports = json_get(json_at(containers, i), "ports");
		size_t item = field_push_index(path, i), list = field_push(path, "ports");

		for (size_t j = 0; j < json_len(ports); j++) {
			size_t inner = field_push_index(path, j);

			take_host_port(json_at(ports, j), &taken, path, errors);
			field_pop(path, inner);
		}
		field_pop(path, list);
		field_pop(path, item);
	}
	field_pop(path, mark);
}
