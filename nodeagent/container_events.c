#include "nodeagent/container_events.h"

#include <stdlib.h>
#include <string.h>

static struct event_object about_pod(const struct pod_context *pod)
{
	return (struct event_object){
		.api_version = "v1",
		.kind = "Pod",
		.namespace_ = pod->namespace_,
		.name = pod->name,
		.uid = pod->uid,
	};
}

void container_events_forget(const struct pod_context *pod)
{
	const struct event_object object = about_pod(pod);

	event_recorder_forget(pod->agent->events, &object);
}

void container_event(const struct container_about *about, const char *type, const char *reason,
		     const char *format, ...)
{
	static const char *const lists[] = {
		[CONTAINER_INIT] = "initContainers",
		[CONTAINER_SIDECAR] = "initContainers",
		[CONTAINER_APP] = "containers",
		[CONTAINER_EPHEMERAL] = "ephemeralContainers",
	};
	const struct pod_context *pod = about->pod;
	const char *name = about->spec ? json_str_or_empty(about->spec, "name") : "";
	CLEANUP(mem_freep)
	char *path = about->spec ? mem_printf("spec.%s{%s}", lists[about->kind], name) : NULL;
	const char *revision = json_str(json_get(pod->pod, "metadata"), "resourceVersion");
	struct event_object object = about_pod(pod);
	va_list ap;

	object.revision = revision ? strtoull(revision, NULL, 10) : 0;
	object.field_path = path;
	va_start(ap, format);
	CLEANUP(mem_freep) char *message = mem_vprintf(format, ap);
	va_end(ap);
	event_record(pod->agent->events, &object, type, reason, "%s", message);
}

char *container_events_hook_error(const struct pod_context *pod, const struct json_object *spec,
				  const char *message, const char *output)
{
	const struct json_object *hook = json_path(spec, "lifecycle", "postStart", NULL);
	const struct json_object *command = json_path(hook, "exec", "command", NULL);
	const char *name = json_str_or_empty(spec, "name");
	CLEANUP(buf_close) struct buf words = BUF_INIT;
	CLEANUP(buf_close) struct buf quoted = BUF_INIT;

	if (!command)
		return mem_printf(
		    "%s lifecycle hook for Container \"%s\" in Pod \"%s_%s(%s)\" failed - error: %s",
		    json_get(hook, "httpGet") ? "HTTP" : "TCP socket", name, pod->name, pod->namespace_,
		    pod->uid, message);
	for (size_t i = 0; i < json_len(command); i++)
		buf_printf(&words, "%s%s", i ? " " : "", json_object_get_string(json_at(command, i)));
	buf_json_string(&quoted, output);
	return mem_printf("Exec lifecycle hook ([%s]) for Container \"%s\" in Pod \"%s_%s(%s)\" failed - "
			  "error: %s, message: %s",
			  words.data ? words.data : "", name, pod->name, pod->namespace_, pod->uid, message,
			  quoted.data);
}
