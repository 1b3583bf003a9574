/* What the checks of the Pod Security Standards are made of: walking a pod's containers, and the words in
 * which a finding is told.
 */
#pragma once

#include "apiserver/admission/pod_security_checks.h"

struct pod {
	const struct json_object *metadata, *spec;
	unsigned minor; /* of the standard */
};

/* What a check found: its reason and the detail that stands in parentheses; both empty: nothing. */
struct finding {
	struct buf reason, detail;
};

/* A check of one level. */
struct pod_security_check {
	void (*run)(const struct pod *pod, struct finding *finding);
	unsigned since;            /* minor version of the standard that brought it */
	unsigned restricted_until; /* baseline: before this version the restricted standard has it, too; then
				      it has a stricter one of its own. 0: never, UINT_MAX: always */
};
/* In the order in which findings are told; ends with a row without run. */
extern const struct pod_security_check pod_security_baseline[], pod_security_restricted[];

/* Quoted names, joined by commas, each once. */
struct names {
	struct buf text;
	size_t n;
};
void names_close(struct names *names);
void names_add(struct names *names, const char *name);
const char *names_plural(const char *one, const char *many, size_t n);

/* FN for each container of POD: init, usual, ephemeral ones. */
void find_each_container(const struct pod *pod, void (*fn)(const struct json_object *container, void *arg),
			 void *arg);
/* securityContext of a container or a pod's spec. */
const struct json_object *find_context(const struct json_object *owner);
bool find_among(const char *value, const char *const *list);

/* Containers for which WRONG says so. */
struct selection {
	bool (*wrong)(const struct json_object *container);
	struct names names;
};
void find_selection(const struct pod *pod, struct selection *selection);
/* Most checks: containers that set, or do not set, one thing. `REASON (container "c" DEMAND)` */
void find_containers(const struct pod *pod, bool (*wrong)(const struct json_object *container),
		     const char *reason, const char *demand, struct finding *finding);

/* A setting that the pod and its containers each may make: appends who makes a wrong one (`pod`, `container
 * "a"`, `pod and containers "a", "b"`) to WHO; false: nobody. */
bool find_setters(const struct pod *pod, bool (*wrong)(const struct json_object *owner, void *arg), void *arg,
		  struct buf *who);
/* Who sets a seccomp profile that no level but the privileged one allows. */
bool find_seccomp(const struct pod *pod, struct finding *finding);
const char *find_seccomp_type(const struct json_object *owner); /* or NULL */

/* Capabilities that containers add, and the containers. */
struct capability_findings {
	struct names containers, capabilities;
	const char *const *allowed; /* NULL-terminated */
};
void find_capabilities(const struct pod *pod, struct capability_findings *found);
void capability_findings_close(struct capability_findings *found);
