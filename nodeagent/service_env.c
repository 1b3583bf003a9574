#include "nodeagent/service_env.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/http_url.h"
#include "lib/informer.h"
#include "lib/own_address.h"
#include "nodeagent/agent.h"

/* --- names --- */

/* "my-db.x" -> "MY_DB_X"; names may begin with a digit, variables not. Caller frees. */
static char *variable_name(const char *name)
{
	char *result = mem_printf("%s%s", isdigit((unsigned char)name[0]) ? "_" : "", name);

	for (char *c = result; *c; c++)
		*c = *c == '-' || *c == '.' ? '_' : (char)toupper((unsigned char)*c);
	return result;
}

struct sink {
	service_var_fn fn;
	void *arg;
};

static void PRINTF_LIKE(3, 4) give(const struct sink *sink, const char *value, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	CLEANUP(mem_freep) char *name = mem_vprintf(format, ap);
	va_end(ap);
	sink->fn(name, value, sink->arg);
}

static char *lower_case(const char *text)
{
	char *result = mem_dup(text);

	for (char *c = result; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return result;
}

/* As Docker's links had them. */
static void link_port(const struct sink *sink, const struct service_link *link, const char *name, size_t i)
{
	const struct service_link_port *port = &link->ports[i];
	CLEANUP(mem_freep) char *protocol = lower_case(port->protocol);
	CLEANUP(mem_freep) char *url = mem_printf("%s://%s:%d", protocol, link->host, port->value);
	CLEANUP(mem_freep) char *value = mem_printf("%d", port->value);
	CLEANUP(mem_freep) char *prefix = mem_printf("%s_PORT_%d_%s", name, port->port, port->protocol);

	if (i == 0)
		give(sink, url, "%s_PORT", name);
	give(sink, url, "%s", prefix);
	give(sink, protocol, "%s_PROTO", prefix);
	give(sink, value, "%s_PORT", prefix);
	give(sink, link->host, "%s_ADDR", prefix);
}

void service_link_vars(const struct service_link *link, service_var_fn fn, void *arg)
{
	const struct sink sink = { fn, arg };
	CLEANUP(mem_freep) char *name = variable_name(link->name);

	if (!link->n_ports)
		return;
	give(&sink, link->host, "%s_SERVICE_HOST", name);
	for (size_t i = 0; i < link->n_ports; i++) {
		CLEANUP(mem_freep) char *value = mem_printf("%d", link->ports[i].value);
		CLEANUP(mem_freep) char *port = variable_name(link->ports[i].name);
		if (i == 0)
			give(&sink, value, "%s_SERVICE_PORT", name);
		if (*link->ports[i].name)
			give(&sink, value, "%s_SERVICE_PORT_%s", name, port);
	}
	for (size_t i = 0; i < link->n_ports; i++)
		link_port(&sink, link, name, i);
}

/* --- what is watched --- */

struct service_item {
	struct informer_item item;
	char *namespace_, *name, *host;
	struct service_link_port *ports; /* their texts are the item's */
	size_t n_ports;
};

struct service_env {
	struct informer_type type;
	struct informer *informer;
	char *host; /* of the API server */
	int port;
	void (*synced)(void *arg);
	void *arg;
};

static bool decode(void *item, struct json_object *obj, void *arg)
{
	struct service_item *service = item;
	const struct json_object *metadata = json_get(obj, "metadata"), *spec = json_get(obj, "spec");
	const struct json_object *ports = json_get(spec, "ports");
	const char *host = json_str_or_empty(spec, "clusterIP");

	(void)arg;
	if (!*host || strcmp(host, "None") == 0 || json_len(ports) == 0)
		return false;
	service->namespace_ = mem_dup(json_str_or_empty(metadata, "namespace"));
	service->name = mem_dup(json_str_or_empty(metadata, "name"));
	service->host = mem_dup(host);
	service->n_ports = json_len(ports);
	service->ports = mem_zalloc(service->n_ports * sizeof(*service->ports));
	for (size_t i = 0; i < service->n_ports; i++) {
		const struct json_object *port = json_at(ports, i);
		const char *protocol = json_str(port, "protocol");
		int number = (int)json_int(port, "port", 0);
		service->ports[i] =
		    (struct service_link_port){ .name = mem_dup(json_str_or_empty(port, "name")),
						.protocol = mem_dup(protocol ? protocol : "TCP"),
						.port = number,
						.value = number };
	}
	return true;
}

static void close_item(void *item)
{
	struct service_item *service = item;

	for (size_t i = 0; i < service->n_ports; i++) {
		free((char *)(uintptr_t)service->ports[i].name);
		free((char *)(uintptr_t)service->ports[i].protocol);
	}
	free(service->ports);
	free(service->namespace_);
	free(service->name);
	free(service->host);
}

static void on_item(void *item, void *arg)
{
	(void)item;
	(void)arg;
}

static void on_update(void *old, void *new_, void *arg)
{
	(void)old;
	(void)new_;
	(void)arg;
}

static void on_synced(void *arg)
{
	struct service_env *env = arg;

	env->synced(env->arg);
}

struct service_env *service_env_new(struct agent *agent, const char *server, void (*synced)(void *arg),
				    void *arg)
{
	struct service_env *env = mem_zalloc(sizeof(*env));
	struct http_url url = { 0 };

	if (http_url_parse(server, &url, NULL) == 0) {
		env->host = mem_dup(url.host);
		env->port = url.port;
	}
	http_url_close(&url);
	env->synced = synced;
	env->arg = arg;
	env->type = (struct informer_type){
		.path = "/api/v1/services",
		.item_size = sizeof(struct service_item),
		.decode = decode,
		.close = close_item,
		.added = on_item,
		.updated = on_update,
		.deleted = on_item,
		.synced = on_synced,
	};
	env->informer = informer_new(agent->loop, agent->api, &env->type, env);
	return env;
}

void service_env_free(struct service_env *env)
{
	if (!env)
		return;
	informer_free(env->informer);
	free(env->host);
	free(env);
}

bool service_env_synced(const struct service_env *env)
{
	return informer_synced(env->informer);
}

/* --- what a pod gets --- */

/* Somewhere that a pod reaches, or NULL. */
static const char *reachable_host(const struct service_env *env, bool host_network)
{
	bool loopback =
	    env->host && (own_address_is_loopback(env->host) || strcmp(env->host, "localhost") == 0);

	return loopback && !host_network ? NULL : env->host;
}

static void give_kubernetes(const struct service_env *env, const struct service_item *service,
			    bool host_network, service_var_fn fn, void *arg)
{
	const char *host = reachable_host(env, host_network);
	struct service_link_port *ports;

	if (!host)
		return;
	ports = mem_copy(service->ports, service->n_ports * sizeof(*ports));
	ports[0].value = env->port;
	service_link_vars(&(struct service_link){ service->name, host, 1, ports }, fn, arg);
	free(ports);
}

void service_env_each(const struct service_env *env, const struct json_object *pod, service_var_fn fn,
		      void *arg)
{
	const struct json_object *spec = json_get(pod, "spec");
	const char *namespace_ = json_str_or_empty(json_get(pod, "metadata"), "namespace");
	const struct service_item *kubernetes, *service;

	if (!env)
		return;
	/* First: a Service of that name in the pod's own namespace goes over it. */
	kubernetes = informer_get(env->informer, "default/kubernetes");
	if (kubernetes)
		give_kubernetes(env, kubernetes, json_boolean(spec, "hostNetwork", false), fn, arg);
	if (!json_boolean(spec, "enableServiceLinks", true))
		return;
	for (size_t i = 0; (service = informer_next(env->informer, &i));)
		if (service != kubernetes && strcmp(service->namespace_, namespace_) == 0)
			service_link_vars(&(struct service_link){ service->name, service->host,
								  service->n_ports, service->ports },
					  fn, arg);
}
