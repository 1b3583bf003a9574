/* Pods and nodes for the scheduler's tests, from JSON with ' for ", without informers.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/json.h"
#include "scheduler/node.h"

static inline struct json_object *fixture_json(const char *text)
{
	CLEANUP(mem_freep) char *copy = mem_dup(text);
	struct json_object *obj = NULL;

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	assert_int_equal(json_parse(copy, strlen(copy), &obj, NULL, NULL), 0);
	return obj;
}

/* A pod of namespace default with SPEC; METADATA is "" or further members: ",'uid':'1'". */
static inline struct pod *fixture_pod(struct shapes *shapes, const char *name, const char *metadata,
				      const char *spec)
{
	CLEANUP(mem_freep)
	char *text = mem_printf("{'metadata':{'namespace':'default','name':'%s'%s},'spec':{'schedulerName':'"
				"default-scheduler',%s}}",
				name, metadata, spec);
	CLEANUP(json_putp) struct json_object *obj = fixture_json(text);
	CLEANUP(buf_close) struct buf plain = BUF_INIT;
	struct json_paths *paths = json_paths_new(pod_wants);
	struct json_span found[32];
	struct pod *pod = mem_zalloc(sizeof(*pod));

	assert_true(json_paths_count(paths) <= ARRAY_SIZE(found));
	json_write(&plain, obj);
	assert_int_equal(json_find(paths, plain.data, plain.len, found, NULL), 0);
	json_paths_free(paths);
	pod->item.key = mem_printf("default/%s", name);
	assert_true(pod_decode(pod, found, shapes));
	return pod;
}

static inline void fixture_pod_free(struct pod *pod)
{
	pod_close(pod);
	free(pod->item.key);
	free(pod);
}

/* A node of 4 CPUs, 8 Gi and ten pods; LABELS and SPEC are members: "'zone':'a'". */
static inline struct node *fixture_node(const char *name, const char *labels, const char *spec)
{
	CLEANUP(mem_freep)
	char *text = mem_printf(
	    "{'metadata':{'name':'%s','labels':{%s}},'spec':{%s},"
	    "'status':{'allocatable':{'cpu':'4','memory':'8Gi','pods':'10','example.com/card':'2'}}}",
	    name, labels, spec);
	CLEANUP(json_putp) struct json_object *obj = fixture_json(text);
	struct node *node = mem_zalloc(sizeof(*node));

	assert_true(node_decode(node, obj, NULL));
	return node;
}

static inline void fixture_node_free(struct node *node)
{
	node_close(node);
	free(node);
}

/* The spec of a pod with one container that asks for CPU and MEMORY. */
#define FIXTURE_ASKS(cpu, memory)                                                                            \
	"'containers':[{'name':'c','resources':{'requests':{'cpu':'" cpu "','memory':'" memory "'}}}]"
