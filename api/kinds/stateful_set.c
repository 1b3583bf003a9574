/* StatefulSet (apps/v1). */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/claim.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"
#include "api/kinds/workload.h"

static void default_claim_templates(struct json_object *spec)
{
	struct json_object *claims = json_get(spec, "volumeClaimTemplates");

	for (size_t i = 0; i < json_len(claims); i++) {
		struct json_object *claim = json_at(claims, i);

		json_set_str(claim, "kind", "PersistentVolumeClaim");
		json_set_str(claim, "apiVersion", "v1");
		json_ensure_object(claim, "metadata");
		claim_default(claim);
	}
}

static void set_defaults(struct json_object *obj)
{
	static const char *const times[] = { "lastTransitionTime", NULL };
	struct json_object *spec = json_ensure_object(obj, "spec"),
			   *status = json_ensure_object(obj, "status");
	struct json_object *strategy, *retention;

	default_int(spec, "replicas", 1);
	workload_default_template(spec);
	default_str(spec, "podManagementPolicy", "OrderedReady");
	strategy = json_ensure_object(spec, "updateStrategy");
	default_str(strategy, "type", "RollingUpdate");
	if (strcmp(json_str(strategy, "type"), "RollingUpdate") == 0)
		default_int(json_ensure_object(strategy, "rollingUpdate"), "partition", 0);
	retention = json_ensure_object(spec, "persistentVolumeClaimRetentionPolicy");
	default_str(retention, "whenDeleted", "Retain");
	default_str(retention, "whenScaled", "Retain");
	default_int(spec, "revisionHistoryLimit", 10);
	default_claim_templates(spec);
	default_int(status, "replicas", 0);
	default_int(status, "availableReplicas", 0);
	default_null_each(json_get(status, "conditions"), times);
}

static void prepare_create(struct json_object *obj)
{
	struct json_object *status = json_object_new_object();

	json_set_int(status, "replicas", 0);
	json_set_int(status, "availableReplicas", 0);
	json_set(obj, "status", status);
}

static void validate_strategy(const struct json_object *spec, struct field_path *path,
			      struct field_errors *errors)
{
	const struct json_object *strategy = json_get(spec, "updateStrategy"),
				 *rolling = json_get(strategy, "rollingUpdate");
	static const char *const strategy_members[] = { "type", "rollingUpdate", NULL };
	static const char *const rolling_members[] = { "partition", "maxUnavailable", NULL };
	const char *type = json_str_or_empty(strategy, "type");
	CLEANUP(json_putp) struct json_object *shown = NULL;
	size_t mark;
	int64_t n;

	if (strcmp(type, "OnDelete") == 0) {
		shown = fault_shown(rolling, rolling_members);
		if (rolling)
			fault_json(errors, path, "updateStrategy.rollingUpdate", shown,
				   "only allowed for updateStrategy 'RollingUpdate'");
		return;
	}
	if (strcmp(type, "RollingUpdate") != 0) {
		shown = fault_shown(strategy, strategy_members);
		fault_json(errors, path, "updateStrategy", shown, "must be 'RollingUpdate' or 'OnDelete'");
		return;
	}
	mark = field_push(path, "updateStrategy.rollingUpdate");
	validate_non_negative(rolling, "partition", path, errors);
	workload_validate_at_most_all(rolling, "maxUnavailable", path, errors);
	workload_int_or_percent(json_get(rolling, "maxUnavailable"), &n);
	if (json_get(rolling, "maxUnavailable") && n == 0)
		fault_json(errors, path, "maxUnavailable", json_get(rolling, "maxUnavailable"),
			   "cannot be 0");
	field_pop(path, mark);
}

static void validate_retention(const struct json_object *spec, struct field_path *path,
			       struct field_errors *errors)
{
	static const char *const policies[] = { "Retain", "Delete", NULL };
	const struct json_object *retention = json_get(spec, "persistentVolumeClaimRetentionPolicy");
	size_t mark = field_push(path, "persistentVolumeClaimRetentionPolicy");

	validate_enum(retention, "whenDeleted", policies, false, path, errors);
	validate_enum(retention, "whenScaled", policies, false, path, errors);
	field_pop(path, mark);
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	static const char *const counts[] = { "replicas", "minReadySeconds", NULL };
	const struct json_object *spec = json_get(obj, "spec");
	const char *management = json_str_or_empty(spec, "podManagementPolicy");
	struct field_path path;

	field_path_init(&path, "spec");
	if (strcmp(management, "OrderedReady") != 0 && strcmp(management, "Parallel") != 0)
		fault_str(errors, &path, "podManagementPolicy", management,
			  "must be 'OrderedReady' or 'Parallel'");
	validate_strategy(spec, &path, errors);
	validate_retention(spec, &path, errors);
	workload_validate_counts(spec, counts, &path, errors);
	size_t mark = field_push(&path, "ordinals");
	validate_non_negative(json_get(spec, "ordinals"), "start", &path, errors);
	field_pop(&path, mark);
	fault_name(spec, "serviceName", false, name_check_dns_label, &path, errors);
	workload_validate_selector_and_template(spec, "statefulset", "StatefulSet", &path, errors);
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	static const char *const may_change[] = { "replicas",
						  "template",
						  "updateStrategy",
						  "minReadySeconds",
						  "ordinals",
						  "revisionHistoryLimit",
						  "persistentVolumeClaimRetentionPolicy" };
	CLEANUP(json_putp) struct json_object *rest = json_clone(json_get(obj, "spec"));
	CLEANUP(json_putp) struct json_object *old_rest = json_clone(json_get(old, "spec"));
	struct field_path path;

	for (size_t i = 0; i < ARRAY_SIZE(may_change); i++) {
		json_object_object_del(rest, may_change[i]);
		json_object_object_del(old_rest, may_change[i]);
	}
	field_path_init(&path, "spec");
	if (!json_equal(rest, old_rest))
		field_error_forbidden(errors, &path,
				      "updates to statefulset spec for fields other than 'replicas', "
				      "'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', "
				      "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are "
				      "forbidden");
}

static void validate_status(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	static const char *const counts[] = { "replicas",          "readyReplicas",
					      "currentReplicas",   "updatedReplicas",
					      "availableReplicas", "observedGeneration",
					      "collisionCount",    NULL };
	static const char *const parts[] = { "readyReplicas", "currentReplicas", "updatedReplicas",
					     "availableReplicas", NULL };
	const struct json_object *status = json_get(obj, "status");
	int64_t collisions = json_int(status, "collisionCount", 0);
	struct field_path path;

	field_path_init(&path, "status");
	workload_validate_counts(status, counts, &path, errors);
	workload_validate_parts(status, parts, &path, errors);
	if (collisions < json_int(json_get(old, "status"), "collisionCount", 0))
		fault_int(errors, &path, "collisionCount", collisions, "cannot be decremented");
}

static void warnings(const struct json_object *obj, const struct json_object *old, warning_fn call, void *arg)
{
	workload_warn(obj, old, call, arg);
	if (json_int(json_get(obj, "spec"), "revisionHistoryLimit", 0) < 0)
		call("spec.revisionHistoryLimit: a negative value retains all historical revisions; a value "
		     ">= 0 is recommended",
		     arg);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Ready", "string", "", "Ready pods of those wanted.", 0 },
	CELL_COLUMN_AGE,
	{ "Containers", "string", "", "Names of the containers in the template.", 1 },
	{ "Images", "string", "", "Images of the containers in the template.", 1 },
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	CLEANUP(buf_close) struct buf ready = BUF_INIT;

	buf_printf(&ready, "%lld/%lld", (long long)json_int(json_get(obj, "status"), "readyReplicas", 0),
		   (long long)json_int(json_get(obj, "spec"), "replicas", 0));
	cell_name(ret, obj);
	cell_buf(ret, &ready);
	cell_age(ret, obj, now_us);
	workload_template_cells(json_path(obj, "spec", "template", NULL), ret);
}

const struct kind kind_stateful_set = {
	.api_version = "apps/v1",
	.kind = "StatefulSet",
	.definition = "apps.v1.StatefulSet",
	.has_status = true,
	.has_generation = true,
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_update = validate_update,
	.validate_status = validate_status,
	.warnings = warnings,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
	.scale_replicas = "spec.replicas",
	.scale_status_replicas = "status.replicas",
	.scale_selector = "spec.selector",
};
