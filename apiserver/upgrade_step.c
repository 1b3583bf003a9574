/* pods/NAME/exec, attach and portforward: pod -> container -> node -> the node agent, whose upgraded
 * connection is joined with the client's. What is spoken over it only they know. (core/v1 PodExecOptions,
 * PodAttachOptions; registry/core/pod ExecLocation, AttachLocation, PortForwardLocation.)
 */
#include <string.h>
#include <strings.h>

#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/edge.h"
#include "apiserver/pod_place.h"
#include "apiserver/relay.h"
#include "apiserver/update.h"

/* Parameters of the API and of node agents. */
static const struct {
	const char *ours, *theirs;
	bool is_switch;
} parameters[] = {
	{ "stdin", "input", true }, { "stdout", "output", true },    { "stderr", "error", true },
	{ "tty", "tty", true },     { "command", "command", false }, { "ports", "port", false },
};

/* As Kubernetes reads a bool: what is not false is true. */
static bool is_on(const char *value, size_t len)
{
	return !(len == 1 && *value == '0') && !(len == 5 && strncasecmp(value, "false", 5) == 0);
}

/* One member of the query, as it was sent: values stay encoded. */
static void add_parameter(struct buf *url, char separator, const char *member, size_t len)
{
	size_t name = strcspn(member, "=&");
	const char *value = name < len ? member + name + 1 : member + len;
	size_t value_len = (size_t)(member + len - value);

	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++) {
		if (strlen(parameters[i].ours) != name || strncmp(parameters[i].ours, member, name) != 0)
			continue;
		if (parameters[i].is_switch && is_on(value, value_len))
			buf_printf(url, "%c%s=1", separator, parameters[i].theirs);
		else if (!parameters[i].is_switch)
			buf_printf(url, "%c%s=%.*s", separator, parameters[i].theirs, (int)value_len, value);
	}
}

static void add_parameters(struct buf *url, const char *target)
{
	const char *query = strchr(target, '?');
	char separator = '?';

	for (const char *member = query ? query + 1 : ""; *member;) {
		size_t len = strcspn(member, "&"), before = url->len;
		add_parameter(url, separator, member, len);
		if (url->len > before)
			separator = '&';
		member += len + (member[len] == '&');
	}
}

/* VERB: "exec", "attach", "portForward". */
static enum step_result open_agent(struct request *r, const char *verb, bool with_container)
{
	const struct json_object *spec = json_get(r->old, "spec");
	const char *node = json_str_or_empty(spec, "nodeName"), *container = "";
	CLEANUP(buf_close) struct buf url = BUF_INIT;

	if (with_container && pod_place_container(r, spec, &container) == STEP_FAIL)
		return STEP_FAIL;
	if (!*node)
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST, "pod %s does not have a host assigned",
				    r->name);
	if (!relay_upgrades(r))
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST, "Upgrade request required");
	if (pod_place_agent(r, node, &url) == STEP_FAIL)
		return STEP_FAIL;
	buf_printf(&url, "/%s/%s/%s", verb, r->route.namespace_, r->name);
	if (with_container)
		buf_printf(&url, "/%s", container);
	add_parameters(&url, http_exchange_target(r->exchange));
	struct http_client *agents = edge_agents(r->edge, &r->err);
	if (!agents)
		return request_fail_as(r, DETAILS_NONE);
	const struct relay_opts opts = { .url = url.data, .client = agents };
	return relay_open(r, &opts);
}

static enum step_result open_exec(struct request *r)
{
	return open_agent(r, "exec", true);
}

static enum step_result open_attach(struct request *r)
{
	return open_agent(r, "attach", true);
}

static enum step_result open_forward(struct request *r)
{
	return open_agent(r, "portForward", false);
}

const struct request_step exec_steps[] = {
	{ "read pod", update_read },
	{ "open", open_exec },
	{ "answer", relay_answer },
	{ NULL, NULL },
};
const struct request_step attach_steps[] = {
	{ "read pod", update_read },
	{ "open", open_attach },
	{ "answer", relay_answer },
	{ NULL, NULL },
};
const struct request_step forward_steps[] = {
	{ "read pod", update_read },
	{ "open", open_forward },
	{ "answer", relay_answer },
	{ NULL, NULL },
};
