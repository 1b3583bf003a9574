#include "apiserver/admission/pod_security_find.h"

#include <string.h>

void names_close(struct names *names)
{
	buf_close(&names->text);
}

void names_add(struct names *names, const char *name)
{
	CLEANUP(mem_freep) char *quoted = mem_printf("\"%s\"", name);

	if (names->n && strstr(names->text.data, quoted))
		return;
	buf_printf(&names->text, "%s%s", names->n ? ", " : "", quoted);
	names->n++;
}

const char *names_plural(const char *one, const char *many, size_t n)
{
	return n == 1 ? one : many;
}

void find_each_container(const struct pod *pod, void (*fn)(const struct json_object *container, void *arg),
			 void *arg)
{
	static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };

	for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
		const struct json_object *containers = json_get(pod->spec, lists[k]);
		for (size_t i = 0; i < json_len(containers); i++)
			fn(json_at(containers, i), arg);
	}
}

const struct json_object *find_context(const struct json_object *owner)
{
	return json_get(owner, "securityContext");
}

bool find_among(const char *value, const char *const *list)
{
	while (*list && strcmp(*list, value) != 0)
		list++;
	return *list != NULL;
}

static void select_container(const struct json_object *container, void *arg)
{
	struct selection *selection = arg;

	if (selection->wrong(container))
		names_add(&selection->names, json_str_or_empty(container, "name"));
}

void find_selection(const struct pod *pod, struct selection *selection)
{
	find_each_container(pod, select_container, selection);
}

void find_containers(const struct pod *pod, bool (*wrong)(const struct json_object *container),
		     const char *reason, const char *demand, struct finding *finding)
{
	struct selection selection = { .wrong = wrong };

	find_selection(pod, &selection);
	if (selection.names.n) {
		buf_str(&finding->reason, reason);
		buf_printf(&finding->detail, "%s %s %s",
			   names_plural("container", "containers", selection.names.n),
			   selection.names.text.data, demand);
	}
	names_close(&selection.names);
}

/* --- settings of a pod or its containers --- */

struct setters {
	bool (*wrong)(const struct json_object *owner, void *arg);
	void *arg;
	struct names containers;
};

static void select_setter(const struct json_object *container, void *arg)
{
	struct setters *setters = arg;

	if (setters->wrong(container, setters->arg))
		names_add(&setters->containers, json_str_or_empty(container, "name"));
}

bool find_setters(const struct pod *pod, bool (*wrong)(const struct json_object *owner, void *arg), void *arg,
		  struct buf *who)
{
	struct setters setters = { .wrong = wrong, .arg = arg };
	bool of_pod = wrong(pod->spec, arg);

	find_each_container(pod, select_setter, &setters);
	if (of_pod)
		buf_str(who, "pod");
	if (setters.containers.n)
		buf_printf(who, "%s%s %s", of_pod ? " and " : "",
			   names_plural("container", "containers", setters.containers.n),
			   setters.containers.text.data);
	names_close(&setters.containers);
	return who->len > 0;
}

const char *find_seccomp_type(const struct json_object *owner)
{
	return json_str(json_get(find_context(owner), "seccompProfile"), "type");
}

static bool seccomp_wrong(const struct json_object *owner, void *arg)
{
	static const char *const allowed[] = { "RuntimeDefault", "Localhost", NULL };
	const char *type = find_seccomp_type(owner);

	if (!type || find_among(type, allowed))
		return false;
	names_add(arg, type);
	return true;
}

bool find_seccomp(const struct pod *pod, struct finding *finding)
{
	CLEANUP(names_close) struct names types = { 0 };
	CLEANUP(buf_close) struct buf who = BUF_INIT;

	if (!find_setters(pod, seccomp_wrong, &types, &who))
		return false;
	buf_str(&finding->reason, "seccompProfile");
	buf_printf(&finding->detail, "%s must not set securityContext.seccompProfile.type to %s", who.data,
		   types.text.data);
	return true;
}

/* --- capabilities --- */

static void select_capabilities(const struct json_object *container, void *arg)
{
	struct capability_findings *found = arg;
	const struct json_object *add = json_path(find_context(container), "capabilities", "add", NULL);

	for (size_t i = 0; i < json_len(add); i++) {
		const char *name = json_object_get_string(json_at(add, i));
		if (find_among(name, found->allowed))
			continue;
		names_add(&found->containers, json_str_or_empty(container, "name"));
		names_add(&found->capabilities, name);
	}
}

void find_capabilities(const struct pod *pod, struct capability_findings *found)
{
	find_each_container(pod, select_capabilities, found);
}

void capability_findings_close(struct capability_findings *found)
{
	names_close(&found->containers);
	names_close(&found->capabilities);
}
