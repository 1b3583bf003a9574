/* expose: a Service for what runs already. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/generate.h"
#include "kubectl-lite/go_shape.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/overrides.h"
#include "kubectl-lite/write.h"

#define MANAGER "kubectl-expose"

enum { NAME_MAX_LENGTH = 63 };

static struct {
	struct string_list files;
	bool recursive;
	const char *port, *target_port, *protocol, *name, *type, *cluster_ip, *external_ip, *balancer_ip,
	    *labels, *selector, *affinity;
	struct overrides_flags overrides;
} flags;

/* --- what an object says of itself --- */

static bool is_one_of(const struct object *object, const char *const *kinds)
{
	for (; *kinds; kinds++)
		if (strcmp(object->resource->qualified, *kinds) == 0)
			return true;
	return false;
}

static const char *const with_match_labels[] = { "deployments.apps", "replicasets.apps", NULL };
static const char *const with_selector[] = { "services", "replicationcontrollers", NULL };
static const char *const pods[] = { "pods", NULL };

static int no_selector(struct err *err, const char *why)
{
	return err_set(err, ERR_PARSE, "couldn't retrieve selectors via --selector flag or introspection: %s",
		       why);
}

static int refuse_expressions(const struct json_object *expressions, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	generate_expressions_text(&text, expressions, true);
	return err_set(err, ERR_PARSE,
		       "couldn't retrieve selectors via --selector flag or introspection: couldn't convert "
		       "expressions - \"%s\" to map-based selector format",
		       text.data);
}

static int find_selector(const struct object *object, const struct json_object **ret, struct err *err)
{
	const struct json_object *spec = json_get(object->value, "spec"), *found;

	if (is_one_of(object, pods)) {
		found = json_path(object->value, "metadata", "labels", NULL);
		if (!found)
			return no_selector(err, "the pod has no labels and cannot be exposed");
	} else if (is_one_of(object, with_selector)) {
		found = json_get(spec, "selector");
		if (!found)
			return no_selector(err, "the service has no pod selector set");
	} else {
		const struct json_object *expressions = json_path(spec, "selector", "matchExpressions", NULL);
		if (json_len(expressions))
			return refuse_expressions(expressions, err);
		found = json_path(spec, "selector", "matchLabels", NULL);
		if (!found)
			return no_selector(err,
					   "invalid deployment: no selectors, therefore cannot be exposed");
	}
	*ret = found;
	return 0;
}

/* Calls FN with each port of OBJECT, and the name of its protocol. */
static void each_port(const struct object *object, void (*fn)(int64_t port, const char *protocol, void *arg),
		      void *arg)
{
	const struct json_object *spec = json_get(object->value, "spec"), *ports = json_get(spec, "ports");

	if (strcmp(object->resource->qualified, "services") == 0) {
		for (size_t i = 0; i < json_len(ports); i++)
			fn(json_int(json_at(ports, i), "port", 0),
			   json_str_or_empty(json_at(ports, i), "protocol"), arg);
		return;
	}
	if (!is_one_of(object, pods))
		spec = json_path(spec, "template", "spec", NULL);
	const struct json_object *containers = json_get(spec, "containers");
	for (size_t c = 0; c < json_len(containers); c++) {
		ports = json_get(json_at(containers, c), "ports");
		for (size_t i = 0; i < json_len(ports); i++)
			fn(json_int(json_at(ports, i), "containerPort", 0),
			   json_str_or_empty(json_at(ports, i), "protocol"), arg);
	}
}

/* Each port once, in order: "80,53". */
static void add_port_text(int64_t port, const char *protocol, void *arg)
{
	struct buf *b = arg;
	CLEANUP(mem_freep) char *between = mem_printf(",%lld,", (long long)port);
	CLEANUP(mem_freep) char *known = mem_printf(",%s,", b->data ? b->data : "");

	(void)protocol;
	if (!strstr(known, between))
		buf_printf(b, "%s%lld", b->len ? "," : "", (long long)port);
}

struct protocols {
	int64_t port;
	const char *names[4];
	size_t n;
};

static void add_protocol(int64_t port, const char *protocol, void *arg)
{
	struct protocols *p = arg;

	if (port == p->port && p->n < ARRAY_SIZE(p->names))
		p->names[p->n++] = *protocol ? protocol : "TCP";
}

/* --- the service --- */

static void add_port(struct json_object *spec, const char *name, const char *protocol, int64_t number)
{
	struct json_object *port = json_object_new_object();

	if (name)
		json_set_str(port, "name", name);
	json_set_str(port, "protocol", protocol);
	json_set_int(port, "port", number);
	if (flags.target_port)
		generate_int_or_string(port, "targetPort", flags.target_port);
	else
		json_set_int(port, "targetPort", number);
	json_object_array_add(json_ensure_array(spec, "ports"), port);
}

static char *lower(const char *text)
{
	char *copy = mem_dup(text);

	for (char *p = copy; *p; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
	return copy;
}

/* The port TEXT, the Nth of the service (from 1); ports are named when there are several. */
static int add_ports_of(struct json_object *spec, const struct object *object, const char *text, size_t n,
			bool several, struct err *err)
{
	struct protocols p = { 0 };
	char *end;

	p.port = strtoll(text, &end, 10);
	if (!*text || *end)
		return err_set(err, ERR_PARSE, "strconv.Atoi: parsing \"%s\": invalid syntax", text);
	each_port(object, add_protocol, &p);
	if (flags.protocol || !p.n) {
		p.names[0] = flags.protocol ? flags.protocol : "TCP";
		p.n = 1;
	}
	for (size_t i = 0; i < p.n; i++) {
		CLEANUP(mem_freep) char *protocol = lower(p.names[i]);
		CLEANUP(mem_freep)
		char *name = mem_printf("port-%zu%s%s", n, p.n > 1 ? "-" : "", p.n > 1 ? protocol : "");
		add_port(spec, several || p.n > 1 ? name : NULL, p.names[i], p.port);
	}
	return 0;
}

static int add_ports(struct json_object *spec, const struct object *object, struct err *err)
{
	CLEANUP(buf_close) struct buf own = BUF_INIT;
	bool headless = flags.cluster_ip && strcmp(flags.cluster_ip, "None") == 0;
	size_t n = 1;

	each_port(object, add_port_text, &own);
	if (!flags.port && !own.len)
		return headless
			   ? 0
			   : err_set(err, ERR_PARSE, "couldn't find port via --port flag or introspection");
	CLEANUP(mem_freep) char *ports = mem_dup(flags.port ? flags.port : own.data);
	bool several = strchr(ports, ',') != NULL;
	for (char *rest = ports, *text; (text = strsep(&rest, ","));)
		if (add_ports_of(spec, object, text, n++, several, err) < 0)
			return -1;
	return 0;
}

static int fill(struct json_object *service, const struct object *object, struct err *err)
{
	struct json_object *labels = json_path(object->value, "metadata", "labels", NULL), *chosen = NULL;
	struct json_object *spec = json_ensure_object(service, "spec");
	const struct json_object *selector = NULL;

	if (flags.selector) {
		if (generate_pairs(flags.selector, &chosen, err) < 0)
			return -1;
		json_set(spec, "selector", chosen);
	} else if (find_selector(object, &selector, err) < 0) {
		return -1;
	} else {
		json_set(spec, "selector", json_clone(selector));
	}
	if (flags.labels && generate_pairs(flags.labels, &chosen, err) < 0)
		return -1;
	if (flags.labels || labels)
		json_set(json_get(service, "metadata"), "labels", flags.labels ? chosen : json_clone(labels));
	if (add_ports(spec, object, err) < 0)
		return -1;
	if (flags.external_ip)
		json_object_array_add(json_ensure_array(spec, "externalIPs"),
				      json_object_new_string(flags.external_ip));
	const char *const members[][2] = { { "type", flags.type },
					   { "clusterIP", flags.cluster_ip },
					   { "sessionAffinity", flags.affinity } };
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (members[i][1] && *members[i][1])
			json_set_str(spec, members[i][0], members[i][1]);
	if (flags.balancer_ip && flags.type && strcmp(flags.type, "LoadBalancer") == 0)
		json_set_str(spec, "loadBalancerIP", flags.balancer_ip);
	return 0;
}

static int make_service(const struct object *object, struct json_object **ret, struct err *err)
{
	CLEANUP(mem_freep) char *own = mem_dupn(object->name, NAME_MAX_LENGTH);
	const char *name = flags.name && *flags.name ? flags.name : own;
	CLEANUP(json_putp) struct json_object *service = generate_object("v1", "Service", name, false);
	const struct resource *resource = resource_find("", "v1", "services");

	if (fill(service, object, err) < 0)
		return -1;
	service = go_shape(service, resource->def);
	if (overrides_apply(&flags.overrides, resource->def, &service, err) < 0)
		return -1;
	if (write_flags.save_config)
		write_save_config(service, false);
	json_set_str(json_ensure_object(service, "metadata"), "namespace", object->namespace_);
	*ret = TAKE(service);
	return 0;
}

static int expose(const struct object *object, struct write *write, struct err *err)
{
	CLEANUP(json_putp) struct json_object *service = NULL;
	const struct resource *resource = object->resource;

	if (!is_one_of(object, pods) && !is_one_of(object, with_selector) &&
	    !is_one_of(object, with_match_labels))
		return err_set(err, ERR_PARSE, "cannot expose a %s%s%s", resource->kind_name,
			       *resource->group ? "." : "", resource->group);
	if (make_service(object, &service, err) < 0)
		return -1;
	resource = resource_find("", "v1", "services");
	if (write_create(write, resource, object->namespace_, &service, err) < 0)
		return -1;
	return write_show(write, resource, service, "exposed", err);
}

static int run_expose(char **args, size_t n_args)
{
	struct objects_query query = { .args = args,
				       .n_args = n_args,
				       .files = &flags.files,
				       .recursive = flags.recursive,
				       .fetch = true };

	if (flags.affinity && strcmp(flags.affinity, "None") != 0 && strcmp(flags.affinity, "ClientIP") != 0)
		return command_error("unknown session affinity: %s", flags.affinity);
	return write_for_each(&query, MANAGER, expose);
}

static const struct flag expose_flags[] = {
	{ "port", 0, FLAG_STRING, &flags.port, "PORT,...", "of the service (default: those of the object)",
	  NULL, NULL },
	{ "target-port", 0, FLAG_STRING, &flags.target_port, "PORT", "of the pods, by number or name", NULL,
	  NULL },
	{ "protocol", 0, FLAG_STRING, &flags.protocol, "NAME", "TCP (default), UDP or SCTP", NULL, NULL },
	{ "name", 0, FLAG_STRING, &flags.name, "NAME", "of the service (default: the object's)", NULL, NULL },
	{ "type", 0, FLAG_STRING, &flags.type, "TYPE",
	  "ClusterIP (default), NodePort, LoadBalancer or ExternalName", NULL, NULL },
	{ "cluster-ip", 0, FLAG_STRING, &flags.cluster_ip, "IP",
	  "this address; None: the pods' own addresses", NULL, NULL },
	{ "external-ip", 0, FLAG_STRING, &flags.external_ip, "IP", "one more address it answers at", NULL,
	  NULL },
	{ "load-balancer-ip", 0, FLAG_STRING, &flags.balancer_ip, "IP", "of the load balancer", NULL, NULL },
	{ "selector", 0, FLAG_STRING, &flags.selector, "LABELS", "which pods (default: those of the object)",
	  NULL, NULL },
	{ "labels", 'l', FLAG_STRING, &flags.labels, "LABELS", "of the service (default: the object's)", NULL,
	  NULL },
	{ "session-affinity", 0, FLAG_STRING, &flags.affinity, "HOW", "None or ClientIP", NULL, NULL },
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE", "the objects named in files", NULL, NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	OVERRIDES_FLAGS(flags.overrides),
	WRITE_CREATE_FLAGS,
	{ 0 },
};

const struct command command_expose = {
	.name = "expose",
	.about = "Create a Service for a deployment, replica set, pod or service",
	.usage = "expose (TYPE NAME | TYPE/NAME | -f FILE) [--port=PORT] [--target-port=PORT] [flags]",
	.help = "What is not said is taken from the object: its ports, and the labels that it looks for.\n"
		"\n"
		"Examples:\n"
		"  kubectl-lite expose deployment web --port=80 --target-port=8080\n"
		"  kubectl-lite expose pod web-0 --name=first --type=NodePort\n",
	.flags = expose_flags,
	.run = run_expose,
};
