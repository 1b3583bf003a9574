/* What all of the node agent's parts share: the loop, the API, the runtime, who this node is. Made once by
 * main.c; parts keep a pointer to it.
 */
#pragma once

#include <stdbool.h>

#include "lib/api_client.h"
#include "lib/event_recorder.h"
#include "lib/http_client.h"
#include "lib/loop.h"
#include "lib/map.h"

struct config_objects;
struct image_store;
struct network;
struct runtime;
struct service_env;
struct start_slots;
struct status_writer;

struct agent {
	struct loop *loop;
	struct api_client *api;
	struct event_recorder *events;
	struct http_client *probe_http; /* own connections: probes never wait behind the API's */
	struct image_store *images;
	struct runtime *runtime;
	struct network *network; /* NULL until the node has its pod CIDR */
	struct config_objects *configs;
	struct service_env *services;
	struct status_writer *writer;
	struct start_slots *starts; /* how many containers are made at once */
	const char *node_name;
	const char *node_ip;
	const char *data_dir;
	int64_t capacity_millicpu,
	    capacity_memory_bytes; /* allocatable: what a container without limits may see */
	bool stopping;             /* the agent itself ends: pods run on, nothing new is begun */
};
