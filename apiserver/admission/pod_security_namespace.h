/* PodSecurity of namespaces: their labels must be readable, and who makes the enforced standard stricter is
 * told which of the pods that are there break it. Those run on. (pod-security-admission ValidateNamespace.)
 */
#pragma once

#include "apiserver/edge/request.h"

/* Whether the labels may be stored. */
enum step_result pod_security_namespace_check(struct request *r);
/* A step of updates, of any resource, after admission: warnings about the pods of a namespace. */
enum step_result pod_security_namespace_pods(struct request *r);
