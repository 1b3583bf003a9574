#include <stdio.h>
#include <string.h>

#include "kubectl-lite/describe_text.h"

enum { MAX_ENDPOINTS_SHOWN = 3 };

/* Adds the endpoints of one slice that are ready; returns how many there are with the N before. */
static size_t add_ready(struct buf *b, const struct json_object *slice, long long port, size_t n)
{
	const struct json_object *endpoints = json_get(slice, "endpoints");

	for (size_t i = 0; i < json_len(endpoints); i++) {
		const struct json_object *endpoint = json_at(endpoints, i);
		struct json_object *address = json_at(json_get(endpoint, "addresses"), 0);
		const char *ip = address ? json_object_get_string(address) : "";
		if (!json_boolean(json_get(endpoint, "conditions"), "ready", true))
			continue;
		if (n < MAX_ENDPOINTS_SHOWN)
			buf_printf(b, strchr(ip, ':') ? "%s[%s]:%lld" : "%s%s:%lld", n ? "," : "", ip, port);
		n++;
	}
	return n;
}

/* "10.0.0.1:80,10.0.0.2:80 + 3 more..." of one port. */
static void write_endpoints(struct buf *b, const struct json_object *slices, const char *port_name)
{
	size_t n = 0;

	buf_str(b, "Endpoints:\t");
	for (size_t s = 0; s < json_len(slices); s++) {
		const struct json_object *ports = json_get(json_at(slices, s), "ports");
		for (size_t p = 0; p < json_len(ports); p++)
			if (strcmp(json_str_or_empty(json_at(ports, p), "name"), port_name) == 0)
				n = add_ready(b, json_at(slices, s), json_int(json_at(ports, p), "port", 0),
					      n);
	}
	if (!json_len(slices))
		buf_str(b, "<none>");
	else if (n > MAX_ENDPOINTS_SHOWN)
		buf_printf(b, " + %zu more...", n - MAX_ENDPOINTS_SHOWN);
	buf_char(b, '\n');
}

static bool add_slice(struct json_object *slice, void *arg)
{
	json_object_array_add(arg, json_object_get(slice));
	return true;
}

/* Those of the service's pods; none that can be had are none. */
static struct json_object *slices_of(const struct object *service)
{
	CLEANUP(buf_close) struct buf selector = BUF_INIT;
	struct json_object *slices = json_object_new_array();

	buf_str(&selector, "labelSelector=");
	buf_url_encode(&selector, "kubernetes.io/service-name=");
	buf_url_encode(&selector, service->name);
	object_list(resource_find("discovery.k8s.io", "v1", "endpointslices"), service->namespace_,
		    selector.data, add_slice, slices, NULL);
	return slices;
}

static void write_list(struct buf *b, const char *title, const struct json_object *list, const char *if_empty)
{
	if (!json_len(list) && !if_empty)
		return;
	buf_printf(b, "%s:\t", title);
	for (size_t i = 0; i < json_len(list); i++)
		buf_printf(b, "%s%s", i ? "," : "", json_object_get_string(json_at(list, i)));
	buf_printf(b, "%s\n", json_len(list) ? "" : if_empty);
}

static void write_ports(struct buf *b, const struct object *object)
{
	const struct json_object *ports = json_path(object->value, "spec", "ports", NULL);
	CLEANUP(json_putp) struct json_object *slices = slices_of(object);

	for (size_t i = 0; i < json_len(ports); i++) {
		const struct json_object *port = json_at(ports, i);
		const char *name = json_str_or_empty(port, "name"),
			   *protocol = json_str_or_empty(port, "protocol");
		struct json_object *target = json_get(port, "targetPort");
		buf_printf(b, "Port:\t%s\t%lld/%s\n", *name ? name : "<unset>",
			   (long long)json_int(port, "port", 0), protocol);
		buf_printf(b, "TargetPort:\t%s/%s\n", target ? json_object_get_string(target) : "", protocol);
		if (json_int(port, "nodePort", 0))
			buf_printf(b, "NodePort:\t%s\t%lld/%s\n", *name ? name : "<unset>",
				   (long long)json_int(port, "nodePort", 0), protocol);
		write_endpoints(b, slices, name);
	}
}

void describe_service(struct buf *b, const struct object *object)
{
	const struct json_object *spec = json_get(object->value, "spec");

	describe_head(b, object->value);
	describe_labels(b, "Selector", json_get(spec, "selector"));
	buf_printf(b, "Type:\t%s\n", json_str_or_empty(spec, "type"));
	if (json_str(spec, "ipFamilyPolicy"))
		buf_printf(b, "IP Family Policy:\t%s\n", json_str(spec, "ipFamilyPolicy"));
	write_list(b, "IP Families", json_get(spec, "ipFamilies"), "<none>");
	buf_printf(b, "IP:\t%s\n", json_str_or_empty(spec, "clusterIP"));
	write_list(b, "IPs", json_get(spec, "clusterIPs"), "<none>");
	write_list(b, "External IPs", json_get(spec, "externalIPs"), NULL);
	if (json_str(spec, "externalName"))
		buf_printf(b, "External Name:\t%s\n", json_str(spec, "externalName"));
	write_ports(b, object);
	buf_printf(b, "Session Affinity:\t%s\n", json_str_or_empty(spec, "sessionAffinity"));
	if (json_str(spec, "externalTrafficPolicy"))
		buf_printf(b, "External Traffic Policy:\t%s\n", json_str(spec, "externalTrafficPolicy"));
	if (json_str(spec, "internalTrafficPolicy"))
		buf_printf(b, "Internal Traffic Policy:\t%s\n", json_str(spec, "internalTrafficPolicy"));
	describe_events(b, object);
}
