/* The rules of a custom resource (x-kubernetes-validations): those of a schema and of all that is below it,
 * compiled once and run for every object that is written.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
 */
#pragma once

#include "api/field_error.h"
#include "api/structural.h"

struct custom_rules;

/* What DEFINITION, a schema as JSON that structural_check found well, says about values of SCHEMA, which is
 * made of it and outlives the rules, as DEFINITION does. ROOT: these are whole objects. NULL when there are
 * no rules. */
struct custom_rules *custom_rules_new(const struct json_object *definition, const struct structural *schema,
				      bool root);
void custom_rules_free(struct custom_rules *rules); /* NULL is fine */
/* What of VALUE breaks a rule, in Kubernetes' words. OLD is what it was before, or NULL: a rule that asks for
 * oldSelf is run only then, unless it takes that as an optional. Rules that
 * do not ask for it and are broken by a value that has not changed are warnings. PATH is VALUE's. */
void custom_rules_validate(const struct custom_rules *rules, const struct json_object *value,
			   const struct json_object *old, struct field_path *path,
			   struct field_errors *errors);

/* The rule's fieldPath TEXT (".spec.ports['http']"), relative to a value of SCHEMA, appended to RET as errors
 * show it. False when it leads nowhere. */
bool custom_rule_path(const struct structural *schema, const char *text, struct buf *ret);
