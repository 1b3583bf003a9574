/* create service: one subcommand for each type. */
#include <stdio.h>
#include <string.h>

#include "kubectl-lite/create.h"
#include "kubectl-lite/generate.h"
#include "kubectl-lite/session.h"

static struct {
	struct string_list tcp;
	const char *cluster_ip, *external_name;
	int64_t node_port;
} flags;

static int add_port(struct json_object *spec, const char *tcp, struct err *err)
{
	struct json_object *target, *port;
	int64_t number;

	if (generate_port_pair(tcp, &number, &target, err) < 0)
		return -1;
	CLEANUP(mem_freep) char *name = mem_dup(tcp);
	for (char *colon = name; (colon = strchr(colon, ':'));)
		*colon = '-';
	port = json_object_new_object();
	json_set_str(port, "name", name);
	json_set_str(port, "protocol", "TCP");
	json_set_int(port, "port", number);
	json_set(port, "targetPort", target);
	if (flags.node_port)
		json_set_int(port, "nodePort", flags.node_port);
	json_object_array_add(json_ensure_array(spec, "ports"), port);
	return 0;
}

static int make_service(const char *name, const char *type, struct json_object **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *service = generate_object("v1", "Service", name, true);
	struct json_object *spec;

	json_set(json_ensure_object(service, "metadata"), "labels", generate_pair("app", name));
	spec = json_ensure_object(service, "spec");
	for (size_t i = 0; i < flags.tcp.n; i++)
		if (add_port(spec, flags.tcp.items[i], err) < 0)
			return -1;
	json_set(spec, "selector", generate_pair("app", name));
	if (flags.cluster_ip)
		json_set_str(spec, "clusterIP", flags.cluster_ip);
	json_set_str(spec, "type", type);
	if (flags.external_name)
		json_set_str(spec, "externalName", flags.external_name);
	*ret = TAKE(service);
	return 0;
}

static int run(const char *path, const char *type, bool without_ports, char **args, size_t n_args)
{
	const char *name = create_name(path, args, n_args);
	CLEANUP(mem_freep) char *failed_to = mem_printf("failed to create %s service:", type);
	struct json_object *service = NULL;
	struct err err = ERR_INIT;

	if (!name)
		return 1;
	if (!flags.tcp.n && !without_ports)
		return command_error("at least one tcp port specifier must be provided");
	if (make_service(name, type, &service, &err) < 0)
		return session_failed(&err);
	return create_finish(service, failed_to);
}

static int run_clusterip(char **args, size_t n_args)
{
	bool headless = flags.cluster_ip && strcmp(flags.cluster_ip, "None") == 0;

	return run("create service clusterip", "ClusterIP", headless, args, n_args);
}

static int run_nodeport(char **args, size_t n_args)
{
	return run("create service nodeport", "NodePort", false, args, n_args);
}

static int run_loadbalancer(char **args, size_t n_args)
{
	return run("create service loadbalancer", "LoadBalancer", false, args, n_args);
}

static int run_externalname(char **args, size_t n_args)
{
	if (!flags.external_name)
		return command_error("required flag(s) \"external-name\" not set");
	return run("create service externalname", "ExternalName", true, args, n_args);
}

#define TCP_FLAG                                                                                             \
	{                                                                                                    \
		"tcp", 0, FLAG_LIST, &flags.tcp, "PORT[:TARGET]",                                            \
		    "a port, and the pods' port that it stands for", NULL, NULL                              \
	}

static const struct flag clusterip_flags[] = {
	TCP_FLAG,
	{ "clusterip", 0, FLAG_STRING, &flags.cluster_ip, "IP", "this address; None: the pods' own addresses",
	  NULL, NULL },
	WRITE_CREATE_FLAGS,
	{ 0 },
};

static const struct flag nodeport_flags[] = {
	TCP_FLAG,
	{ "node-port", 0, FLAG_INT, &flags.node_port, "PORT", "of every node (default: a free one)", NULL,
	  NULL },
	WRITE_CREATE_FLAGS,
	{ 0 },
};

static const struct flag loadbalancer_flags[] = {
	TCP_FLAG,
	WRITE_CREATE_FLAGS,
	{ 0 },
};

static const struct flag externalname_flags[] = {
	TCP_FLAG,
	{ "external-name", 0, FLAG_STRING, &flags.external_name, "HOST",
	  "what the service's name stands for (needed)", NULL, NULL },
	WRITE_CREATE_FLAGS,
	{ 0 },
};

static const struct command clusterip = {
	.name = "clusterip",
	.about = "Create a service with an address inside the cluster",
	.usage = "create service clusterip NAME --tcp=PORT[:TARGET]",
	.help = "It leads to the pods with the label app=NAME.\n"
		"\n"
		"Examples:\n"
		"  kubectl-lite create service clusterip web --tcp=80:8080\n"
		"  kubectl-lite create service clusterip db --clusterip=None\n",
	.flags = clusterip_flags,
	.run = run_clusterip,
};

static const struct command nodeport = {
	.name = "nodeport",
	.about = "Create a service on a port of every node",
	.usage = "create service nodeport NAME --tcp=PORT[:TARGET] [--node-port=PORT]",
	.help = "Examples:\n"
		"  kubectl-lite create service nodeport web --tcp=80:8080 --node-port=30080\n",
	.flags = nodeport_flags,
	.run = run_nodeport,
};

static const struct command loadbalancer = {
	.name = "loadbalancer",
	.about = "Create a service behind an outside load balancer",
	.usage = "create service loadbalancer NAME --tcp=PORT[:TARGET]",
	.help = "Examples:\n"
		"  kubectl-lite create service loadbalancer web --tcp=80:8080\n",
	.flags = loadbalancer_flags,
	.run = run_loadbalancer,
};

static const struct command externalname = {
	.name = "externalname",
	.about = "Create a service that is another name for a host",
	.usage = "create service externalname NAME --external-name=HOST",
	.help = "Examples:\n"
		"  kubectl-lite create service externalname db --external-name=db.example.com\n",
	.flags = externalname_flags,
	.run = run_externalname,
};

static const struct command *const types[] = { &clusterip, &externalname, &loadbalancer, &nodeport, NULL };

const struct command create_service = {
	.name = "service",
	.alias = "svc",
	.about = "Create a Service",
	.usage = "create service TYPE NAME [flags]",
	.subcommands = types,
};
