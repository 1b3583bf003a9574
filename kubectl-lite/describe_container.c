#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/describe_template.h"
#include "kubectl-lite/describe_text.h"
#include "lib/jsonpath.h"
#include "lib/quantity.h"

static void write_ports(struct buf *b, const struct json_object *ports, const char *title, const char *field)
{
	size_t n = json_len(ports);

	buf_printf(b, "    %s%s:\t%s", title, n > 1 ? "s" : "", n ? "" : "<none>");
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s%lld/%s", i ? ", " : "", (long long)json_int(json_at(ports, i), field, 0),
			   json_str_or_empty(json_at(ports, i), "protocol"));
	buf_char(b, '\n');
}

static void write_words(struct buf *b, const char *title, const struct json_object *words)
{
	if (json_len(words))
		buf_printf(b, "    %s:\n", title);
	for (size_t i = 0; i < json_len(words); i++) {
		CLEANUP(mem_freep) char *word = mem_dup(json_object_get_string(json_at(words, i)));
		char *rest = word;
		for (char *line; rest && (line = strsep(&rest, "\n"));)
			buf_printf(b, "      %s\n", line);
	}
}

static void write_when(struct buf *b, const char *title, const char *time)
{
	char text[64];

	buf_printf(b, "      %s:\t%s\n", title, describe_time(time, text, sizeof(text)));
}

static void write_state(struct buf *b, const char *title, const struct json_object *state)
{
	const struct json_object *running = json_get(state, "running"),
				 *ended = json_get(state, "terminated");
	const struct json_object *waiting = json_get(state, "waiting");

	if (running) {
		buf_printf(b, "    %s:\tRunning\n", title);
		write_when(b, "Started", json_str(running, "startedAt"));
		return;
	}
	buf_printf(b, "    %s:\t%s\n", title, ended ? "Terminated" : "Waiting");
	const char *reason = json_str_or_empty(ended ? ended : waiting, "reason"),
		   *message = json_str_or_empty(ended, "message");
	if (*reason)
		buf_printf(b, "      Reason:\t%s\n", reason);
	if (!ended)
		return;
	if (*message)
		buf_printf(b, "      Message:\t%s\n", message);
	buf_printf(b, "      Exit Code:\t%lld\n", (long long)json_int(ended, "exitCode", 0));
	if (json_int(ended, "signal", 0) > 0)
		buf_printf(b, "      Signal:\t%lld\n", (long long)json_int(ended, "signal", 0));
	write_when(b, "Started", json_str(ended, "startedAt"));
	write_when(b, "Finished", json_str(ended, "finishedAt"));
}

static void add_amount(const char *key, struct json_object *value, void *arg)
{
	buf_printf(arg, "      %s:\t%s\n", key, value ? json_object_get_string(value) : "");
}

static void write_amounts(struct buf *b, const char *title, const struct json_object *amounts)
{
	if (!json_object_is_type(amounts, json_type_object) || json_object_object_length(amounts) == 0)
		return;
	buf_printf(b, "    %s:\n", title);
	describe_sorted(amounts, add_amount, b);
}

static const char *port_text(const struct json_object *action)
{
	struct json_object *port = json_get(action, "port");

	return port ? json_object_get_string(port) : "";
}

static void write_probe(struct buf *b, const char *title, const struct json_object *probe)
{
	const struct json_object *exec = json_get(probe, "exec"), *http = json_get(probe, "httpGet");
	const struct json_object *tcp = json_get(probe, "tcpSocket"), *grpc = json_get(probe, "grpc");
	const char *path = json_str_or_empty(http, "path");

	if (!probe)
		return;
	buf_printf(b, "    %s:\t", title);
	if (exec) {
		const struct json_object *command = json_get(exec, "command");
		buf_str(b, "exec [");
		for (size_t i = 0; i < json_len(command); i++)
			buf_printf(b, "%s%s", i ? " " : "", json_object_get_string(json_at(command, i)));
		buf_char(b, ']');
	} else if (http) {
		buf_printf(b, "http-get %s://%s:%s%s%s",
			   strcmp(json_str_or_empty(http, "scheme"), "HTTPS") == 0 ? "https" : "http",
			   json_str_or_empty(http, "host"), port_text(http), *path && *path != '/' ? "/" : "",
			   path);
	} else if (tcp) {
		buf_printf(b, "tcp-socket %s:%s", json_str_or_empty(tcp, "host"), port_text(tcp));
	} else if (grpc) {
		buf_printf(b, "grpc <pod>:%s %s", port_text(grpc), json_str_or_empty(grpc, "service"));
	} else {
		buf_str(b, "unknown");
	}
	buf_printf(b, " delay=%llds timeout=%llds period=%llds #success=%lld #failure=%lld\n",
		   (long long)json_int(probe, "initialDelaySeconds", 0),
		   (long long)json_int(probe, "timeoutSeconds", 0),
		   (long long)json_int(probe, "periodSeconds", 0),
		   (long long)json_int(probe, "successThreshold", 0),
		   (long long)json_int(probe, "failureThreshold", 0));
}

/* --- environment --- */

/* What a variable gets from one of the container's own amounts, as far as it is known here. */
static void write_resource_value(struct buf *b, const struct json_object *ref,
				 const struct json_object *container)
{
	CLEANUP(mem_freep) char *kind = mem_dup(json_str_or_empty(ref, "resource"));
	char *dot = strchr(kind, '.');
	struct json_object *amount = NULL;
	struct quantity value, divisor = { .nano = 0 };

	if (dot) {
		*dot = '\0';
		amount = json_path(container, "resources", kind, dot + 1, NULL);
	}
	if (!amount || !quantity_parse(json_object_get_string(amount), &value)) {
		buf_str(b, strcmp(kind, "limits") == 0 ? "node allocatable" : "0");
		return;
	}
	struct json_object *by = json_get(ref, "divisor");
	if (by)
		quantity_parse(json_object_get_string(by), &divisor);
	__int128 unit = divisor.nano > 0 ? divisor.nano : (__int128)1000000000;
	buf_int(b, (int64_t)((value.nano + unit - 1) / unit));
}

static void write_field_value(struct buf *b, const char *field_path, const struct json_object *pod)
{
	struct jsonpath *path;

	if (!pod || jsonpath_parse_relaxed(field_path, &path, NULL) < 0)
		return;
	jsonpath_write(path, pod, false, b, NULL);
	jsonpath_free(path);
}

static void write_source(struct buf *b, const struct json_object *from, const struct json_object *container,
			 const struct json_object *pod)
{
	const struct json_object *ref;

	if ((ref = json_get(from, "fieldRef"))) {
		write_field_value(b, json_str_or_empty(ref, "fieldPath"), pod);
		buf_printf(b, " (%s:%s)\n", json_str_or_empty(ref, "apiVersion"),
			   json_str_or_empty(ref, "fieldPath"));
	} else if ((ref = json_get(from, "resourceFieldRef"))) {
		write_resource_value(b, ref, container);
		buf_printf(b, " (%s)\n", json_str_or_empty(ref, "resource"));
	} else if ((ref = json_get(from, "secretKeyRef"))) {
		buf_printf(b, "<set to the key '%s' in secret '%s'>\tOptional: %s\n",
			   json_str_or_empty(ref, "key"), json_str_or_empty(ref, "name"),
			   json_boolean(ref, "optional", false) ? "true" : "false");
	} else if ((ref = json_get(from, "configMapKeyRef"))) {
		buf_printf(b, "<set to the key '%s' of config map '%s'>\tOptional: %s\n",
			   json_str_or_empty(ref, "key"), json_str_or_empty(ref, "name"),
			   json_boolean(ref, "optional", false) ? "true" : "false");
	} else {
		buf_char(b, '\n');
	}
}

static void write_env(struct buf *b, const struct json_object *container, const struct json_object *pod)
{
	const struct json_object *env = json_get(container, "env"), *from = json_get(container, "envFrom");

	if (json_len(from))
		buf_str(b, "    Environment Variables from:\n");
	for (size_t i = 0; i < json_len(from); i++) {
		const struct json_object *config = json_get(json_at(from, i), "configMapRef"),
					 *secret = json_get(json_at(from, i), "secretRef");
		const struct json_object *ref = config ? config : secret;
		const char *prefix = json_str_or_empty(json_at(from, i), "prefix");
		buf_printf(b, "      %s\t%s", json_str_or_empty(ref, "name"),
			   config ? "ConfigMap" : "Secret");
		if (*prefix)
			buf_printf(b, " with prefix '%s'", prefix);
		buf_printf(b, "\tOptional: %s\n", json_boolean(ref, "optional", false) ? "true" : "false");
	}
	buf_printf(b, "    Environment:%s", json_len(env) ? "\n" : "\t<none>\n");
	for (size_t i = 0; i < json_len(env); i++) {
		const struct json_object *variable = json_at(env, i);
		buf_printf(b, "      %s:\t", json_str_or_empty(variable, "name"));
		if (json_get(variable, "valueFrom")) {
			write_source(b, json_get(variable, "valueFrom"), container, pod);
			continue;
		}
		for (const char *p = json_str_or_empty(variable, "value"); *p; p++) {
			buf_char(b, *p);
			if (*p == '\n')
				buf_char(b, '\t');
		}
		buf_char(b, '\n');
	}
}

static int by_mount_path(const void *x, const void *y)
{
	return strcmp(json_str_or_empty(*(struct json_object *const *)x, "mountPath"),
		      json_str_or_empty(*(struct json_object *const *)y, "mountPath"));
}

static void write_mounts(struct buf *b, const struct json_object *mounts)
{
	size_t n = json_len(mounts);
	CLEANUP(mem_freep) struct json_object **sorted = mem_zalloc((n + 1) * sizeof(struct json_object *));

	buf_printf(b, "    Mounts:%s", n ? "\n" : "\t<none>\n");
	for (size_t i = 0; i < n; i++)
		sorted[i] = json_at(mounts, i);
	if (n)
		qsort(sorted, n, sizeof(*sorted), by_mount_path);
	for (size_t i = 0; i < n; i++) {
		const char *sub = json_str_or_empty(sorted[i], "subPath");
		buf_printf(b, "      %s from %s (%s", json_str_or_empty(sorted[i], "mountPath"),
			   json_str_or_empty(sorted[i], "name"),
			   json_boolean(sorted[i], "readOnly", false) ? "ro" : "rw");
		if (*sub)
			buf_printf(b, ",path=\"%s\"", sub);
		buf_str(b, ")\n");
	}
}

static const struct json_object *status_of(const struct json_object *statuses, const char *name)
{
	for (size_t i = 0; i < json_len(statuses); i++)
		if (strcmp(json_str_or_empty(json_at(statuses, i), "name"), name) == 0)
			return json_at(statuses, i);
	return NULL;
}

static void write_container(struct buf *b, const struct json_object *c, const struct json_object *status,
			    const struct json_object *pod)
{
	if (status)
		buf_printf(b, "    Container ID:\t%s\n", json_str_or_empty(status, "containerID"));
	buf_printf(b, "    Image:\t%s\n", json_str_or_empty(c, "image"));
	if (status)
		buf_printf(b, "    Image ID:\t%s\n", json_str_or_empty(status, "imageID"));
	write_ports(b, json_get(c, "ports"), "Port", "containerPort");
	write_ports(b, json_get(c, "ports"), "Host Port", "hostPort");
	write_words(b, "Command", json_get(c, "command"));
	write_words(b, "Args", json_get(c, "args"));
	if (status) {
		write_state(b, "State", json_get(status, "state"));
		if (json_path(status, "lastState", "terminated", NULL))
			write_state(b, "Last State", json_get(status, "lastState"));
		buf_printf(b, "    Ready:\t%s\n    Restart Count:\t%lld\n",
			   json_boolean(status, "ready", false) ? "True" : "False",
			   (long long)json_int(status, "restartCount", 0));
	}
	write_amounts(b, "Limits", json_path(c, "resources", "limits", NULL));
	write_amounts(b, "Requests", json_path(c, "resources", "requests", NULL));
	write_probe(b, "Liveness", json_get(c, "livenessProbe"));
	write_probe(b, "Readiness", json_get(c, "readinessProbe"));
	write_probe(b, "Startup", json_get(c, "startupProbe"));
	write_env(b, c, pod);
	write_mounts(b, json_get(c, "volumeMounts"));
}

void describe_containers(struct buf *b, const char *title, const struct json_object *containers,
			 const struct json_object *statuses, const struct json_object *pod, const char *space)
{
	buf_printf(b, "%s%s:%s", space, title, json_len(containers) ? "\n" : " <none>\n");
	for (size_t i = 0; i < json_len(containers); i++) {
		const struct json_object *c = json_at(containers, i);
		const char *name = json_str_or_empty(c, "name");
		buf_printf(b, "  %s%s:\n", *space ? " " : "", name);
		write_container(b, c, status_of(statuses, name), pod);
	}
}
