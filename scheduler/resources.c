#include "scheduler/resources.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/quantity.h"

void resources_close(struct resources *r)
{
	for (size_t i = 0; i < r->n_named; i++)
		free(r->named[i].name);
	free(r->named);
	*r = (struct resources){ 0 };
}

/* The slot of NAME, made with 0 when it is not there. */
static int64_t *named_slot(struct resources *r, const char *name)
{
	size_t i = 0;

	while (i < r->n_named && strcmp(r->named[i].name, name) < 0)
		i++;
	if (i == r->n_named || strcmp(r->named[i].name, name) != 0) {
		r->named = mem_realloc_array(r->named, r->n_named + 1, sizeof(*r->named));
		memmove(&r->named[i + 1], &r->named[i], (r->n_named - i) * sizeof(*r->named));
		r->named[i] = (struct named_amount){ .name = mem_dup(name) };
		r->n_named++;
	}
	return &r->named[i].value;
}

static void add_amount(int64_t *to, int64_t amount)
{
	if (amount < 0)
		amount = 0;
	*to = amount > RESOURCES_MOST - *to ? RESOURCES_MOST : *to + amount;
}

void resources_add_json(struct resources *r, const struct json_object *quantities)
{
	if (!json_object_is_type(quantities, json_type_object))
		return;
	json_object_object_foreach((struct json_object *)(uintptr_t)quantities, name, value)
	{
		const char *text = json_object_get_string(value);
		if (strcmp(name, "cpu") == 0)
			add_amount(&r->milli_cpu, quantity_milli_of(text));
		else if (strcmp(name, "memory") == 0)
			add_amount(&r->memory, quantity_value_of(text));
		else if (strcmp(name, "ephemeral-storage") == 0)
			add_amount(&r->ephemeral_storage, quantity_value_of(text));
		else if (strcmp(name, "pods") != 0)
			add_amount(named_slot(r, name), quantity_value_of(text));
	}
}

static void combine(struct resources *r, const struct resources *other, int64_t sign)
{
	r->milli_cpu += sign * other->milli_cpu;
	r->memory += sign * other->memory;
	r->ephemeral_storage += sign * other->ephemeral_storage;
	for (size_t i = 0; i < other->n_named; i++)
		*named_slot(r, other->named[i].name) += sign * other->named[i].value;
}

void resources_add(struct resources *r, const struct resources *other)
{
	combine(r, other, 1);
}

void resources_subtract(struct resources *r, const struct resources *other)
{
	combine(r, other, -1);
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void resources_max(struct resources *r, const struct resources *other)
{
	r->milli_cpu = larger(r->milli_cpu, other->milli_cpu);
	r->memory = larger(r->memory, other->memory);
	r->ephemeral_storage = larger(r->ephemeral_storage, other->ephemeral_storage);
	for (size_t i = 0; i < other->n_named; i++) {
		int64_t *slot = named_slot(r, other->named[i].name);
		*slot = larger(*slot, other->named[i].value);
	}
}

int64_t resources_named(const struct resources *r, const char *name)
{
	for (size_t i = 0; i < r->n_named; i++)
		if (strcmp(r->named[i].name, name) == 0)
			return r->named[i].value;
	return 0;
}

/* A quantity may be written as a number. */
static const char *quantity_text(const struct json_object *quantities, const char *name)
{
	return json_object_get_string(json_get(quantities, name));
}

/* One container's requests; SCORED gets the same with defaults for what it does not ask. */
static void add_container(const struct json_object *container, struct resources *asked,
			  struct resources *scored)
{
	const struct json_object *requests = json_path(container, "resources", "requests", NULL);

	resources_add_json(asked, requests);
	add_amount(&scored->milli_cpu, json_get(requests, "cpu")
					   ? quantity_milli_of(quantity_text(requests, "cpu"))
					   : RESOURCES_DEFAULT_MILLI_CPU);
	add_amount(&scored->memory, json_get(requests, "memory")
					? quantity_value_of(quantity_text(requests, "memory"))
					: RESOURCES_DEFAULT_MEMORY);
}

void resources_of_pod(const struct json_object *pod_spec, struct resources *ret,
		      int64_t *ret_scored_milli_cpu, int64_t *ret_scored_memory)
{
	const struct json_object *containers = json_get(pod_spec, "containers"),
				 *inits = json_get(pod_spec, "initContainers");
	const struct json_object *overhead = json_get(pod_spec, "overhead");
	CLEANUP(resources_close) struct resources sidecars = { 0 }, sidecars_scored = { 0 };
	CLEANUP(resources_close) struct resources peak = { 0 }, peak_scored = { 0 };
	CLEANUP(resources_close) struct resources scored = { 0 };
	struct resources sum = { 0 };

	for (size_t i = 0; i < json_len(inits); i++) {
		const struct json_object *init = json_at(inits, i);
		if (strcmp(json_str_or_empty(init, "restartPolicy"), "Always") == 0) {
			add_container(init, &sidecars, &sidecars_scored);
			continue;
		}
		CLEANUP(resources_close) struct resources one = { 0 }, one_scored = { 0 };
		add_container(init, &one, &one_scored);
		resources_add(&one, &sidecars);
		resources_add(&one_scored, &sidecars_scored);
		resources_max(&peak, &one);
		resources_max(&peak_scored, &one_scored);
	}
	for (size_t i = 0; i < json_len(containers); i++)
		add_container(json_at(containers, i), &sum, &scored);
	resources_add(&sum, &sidecars);
	resources_add(&scored, &sidecars_scored);
	resources_max(&sum, &peak);
	resources_max(&scored, &peak_scored);
	resources_add_json(&sum, overhead);
	resources_add_json(&scored, overhead);
	*ret = sum;
	*ret_scored_milli_cpu = scored.milli_cpu;
	*ret_scored_memory = scored.memory;
}
