/* The order of API versions: v2, v1, v2beta1, v1beta1, v1alpha1, then what is named otherwise, by name.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#version-priority
 */
#pragma once

/* Below zero when A is preferred to B. */
int version_order(const char *a, const char *b);
