#include "apiserver/admission/admission.h"

#include <string.h>

static const struct admission_plugin *const plugins[] = {
	&admission_namespace_lifecycle, &admission_service_account,
	&admission_mountable_secrets,   &admission_priority,
	&admission_limit_ranger,        &admission_pod_security,
	&admission_runtime_class,       &admission_node_restriction,
	&admission_escalation,          &admission_token_secret,
};

static bool concerns(const struct admission_plugin *plugin, const struct request *r)
{
	if (r->route.subresource && !plugin->subresources)
		return false;
	for (size_t i = 0; plugin->resources && plugin->resources[i]; i++)
		if (strcmp(plugin->resources[i], r->route.resource->qualified) == 0)
			return true;
	return !plugin->resources;
}

enum step_result admission_change(struct request *r)
{
	enum step_result result = STEP_NEXT;
	for (size_t i = 0; i < ARRAY_SIZE(plugins) && result == STEP_NEXT; i++)
		if (plugins[i]->change && concerns(plugins[i], r))
			result = plugins[i]->change(r);
	return result;
}

enum step_result admission_check(struct request *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(plugins); i++)
		if (plugins[i]->check && concerns(plugins[i], r) && plugins[i]->check(r) == STEP_FAIL)
			return STEP_FAIL;
	return STEP_NEXT;
}

enum step_result admission_remove(struct request *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(plugins); i++)
		if (plugins[i]->remove && concerns(plugins[i], r) && plugins[i]->remove(r) == STEP_FAIL)
			return STEP_FAIL;
	return STEP_NEXT;
}

enum step_result admission_forbid(struct request *r, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	buf_vprintf(&text, format, ap);
	va_end(ap);
	return request_fail(r, DETAILS_OBJECT, ERR_FORBIDDEN, "%s \"%s\" is forbidden: %s",
			    r->route.resource->qualified, r->name, text.data);
}
