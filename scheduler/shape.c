#include "scheduler/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/mem.h"

/* Appends the parts of the spec that a shape is made of. Of containers only requests and ports count. */
static void write_key(struct buf *b, const struct json_object *spec)
{
	static const char *const parts[] = { "nodeSelector", "tolerations", "overhead" };
	static const char *const lists[] = { "initContainers", "containers" };

	json_write_sorted(b, json_path(spec, "affinity", "nodeAffinity", NULL));
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		buf_char(b, '|');
		json_write_sorted(b, json_get(spec, parts[i]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct json_object *list = json_get(spec, lists[i]);
		buf_char(b, '|');
		for (size_t c = 0; c < json_len(list); c++) {
			const struct json_object *container = json_at(list, c);
			json_write_sorted(b, json_path(container, "resources", "requests", NULL));
			buf_char(b, ';');
			json_write_sorted(b, json_get(container, "ports"));
			buf_char(b, ';');
			buf_str(b, json_str_or_empty(container, "restartPolicy"));
		}
	}
}

static void add_ports(struct shape *shape, const struct json_object *containers)
{
	for (size_t c = 0; c < json_len(containers); c++) {
		const struct json_object *ports = json_get(json_at(containers, c), "ports");
		for (size_t p = 0; p < json_len(ports); p++) {
			const struct json_object *port = json_at(ports, p);
			int64_t number = json_int(port, "hostPort", 0);
			if (number <= 0 || number > UINT16_MAX)
				continue;
			shape->ports =
			    mem_realloc_array(shape->ports, shape->n_ports + 1, sizeof(*shape->ports));
			struct host_port *to = &shape->ports[shape->n_ports++];
			const char *protocol = json_str_or_empty(port, "protocol");
			*to = (struct host_port){ .port = (uint16_t)number,
						  .protocol = *protocol ? *protocol : 'T' };
			snprintf(to->address, sizeof(to->address), "%s", json_str_or_empty(port, "hostIP"));
		}
	}
}

static void shape_free(struct shape *shape)
{
	resources_close(&shape->requests);
	affinity_close(&shape->affinity);
	tolerations_free(shape->tolerations, shape->n_tolerations);
	free(shape->ports);
	free(shape->verdicts);
	free(shape->key);
	free(shape->seen);
	free(shape);
}

struct shape *shape_intern(struct shapes *shapes, const struct json_object *pod_spec)
{
	CLEANUP(buf_close) struct buf key = BUF_INIT;

	write_key(&key, pod_spec);
	struct shape *shape = map_get(&shapes->by_key, key.data);
	if (shape) {
		shape->refs++;
		return shape;
	}
	shape = mem_zalloc(sizeof(*shape));
	shape->refs = 1;
	shape->shapes = shapes;
	if (!affinity_parse(pod_spec, &shape->affinity)) {
		shape_free(shape);
		return NULL;
	}
	resources_of_pod(pod_spec, &shape->requests, &shape->scored_milli_cpu, &shape->scored_memory);
	shape->tolerations = tolerations_parse(json_get(pod_spec, "tolerations"), &shape->n_tolerations);
	add_ports(shape, json_get(pod_spec, "containers"));
	add_ports(shape, json_get(pod_spec, "initContainers"));
	shape->key = buf_take(&key);
	map_put(&shapes->by_key, shape->key, shape);
	return shape;
}

/* As it stands in the pod. */
static void add_part(struct buf *b, struct json_span part, char end)
{
	buf_add(b, part.p, part.len);
	buf_char(b, end);
}

static struct json_span member(struct json_span object, const char *name)
{
	struct json_cursor c = json_span_begin(object);
	struct json_span key, value;

	while (json_span_member(&c, &key, &value))
		if (json_key_is(key, name))
			return value;
	return (struct json_span){ 0 };
}

/* Most of a container, its mounts with random names among it, says nothing of where it fits. */
static void add_container(struct buf *b, struct json_span container)
{
	struct json_cursor c = json_span_begin(container);
	struct json_span key, value, resources = { 0 }, ports = { 0 }, restart = { 0 };

	while (json_span_member(&c, &key, &value)) {
		if (json_key_is(key, "resources"))
			resources = value;
		else if (json_key_is(key, "ports"))
			ports = value;
		else if (json_key_is(key, "restartPolicy"))
			restart = value;
	}
	add_part(b, member(resources, "requests"), ';');
	add_part(b, ports, ';');
	add_part(b, restart, ';');
}

struct shape *shape_intern_text(struct shapes *shapes, const struct json_span *found)
{
	CLEANUP(buf_close) struct buf seen = BUF_INIT;

	for (size_t i = 0; i < SHAPE_CONTAINERS; i++)
		add_part(&seen, found[i], '|');
	for (size_t i = SHAPE_CONTAINERS; i < SHAPE_SPEC; i++) {
		struct json_cursor c = json_span_begin(found[i]);
		struct json_span container;

		while (json_span_element(&c, &container))
			add_container(&seen, container);
		buf_char(&seen, '|');
	}
	struct shape *shape = map_get(&shapes->by_seen, seen.data);
	if (shape) {
		shape->refs++;
		return shape;
	}
	CLEANUP(json_putp) struct json_object *spec = json_span_parse(found[SHAPE_SPEC]);
	shape = shape_intern(shapes, spec);
	if (shape && !shape->seen) {
		shape->seen = buf_take(&seen);
		map_put(&shapes->by_seen, shape->seen, shape);
	}
	return shape;
}

void shapes_close(struct shapes *shapes)
{
	map_close(&shapes->by_key);
	map_close(&shapes->by_seen);
}

void shape_release(struct shape *shape)
{
	if (!shape || --shape->refs > 0)
		return;
	struct shapes *shapes = shape->shapes;
	map_remove(&shapes->by_key, shape->key);
	if (shape->seen)
		map_remove(&shapes->by_seen, shape->seen);
	for (size_t i = 0; shape->verdicts && i < SHAPES_JUDGED; i++)
		if (shapes->judged[i] == shape)
			shapes->judged[i] = NULL;
	shape_free(shape);
}

/* Takes the oldest place of the ring; who had it is judged anew when it comes again. */
static void keep_verdicts(struct shape *shape)
{
	struct shapes *shapes = shape->shapes;
	struct shape *oldest = shapes->judged[shapes->next_judged];

	if (oldest) {
		free(TAKE(oldest->verdicts));
		oldest->n_verdicts = 0;
	}
	shapes->judged[shapes->next_judged] = shape;
	shapes->next_judged = (shapes->next_judged + 1) % SHAPES_JUDGED;
}

struct shape_verdict *shape_verdicts(struct shape *shape, size_t n_slots)
{
	if (!shape->verdicts)
		keep_verdicts(shape);
	if (n_slots > shape->n_verdicts || !shape->verdicts) {
		size_t n = n_slots + n_slots / 2 + 16;
		shape->verdicts = mem_realloc_array(shape->verdicts, n, sizeof(*shape->verdicts));
		memset(shape->verdicts + shape->n_verdicts, 0,
		       (n - shape->n_verdicts) * sizeof(*shape->verdicts));
		shape->n_verdicts = n;
	}
	return shape->verdicts;
}

static bool any_address(const char *address)
{
	return !*address || strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

bool host_port_conflicts(const struct host_port *a, const struct host_port *b)
{
	return a->port == b->port && a->protocol == b->protocol &&
	       (any_address(a->address) || any_address(b->address) || strcmp(a->address, b->address) == 0);
}
