#include "kubectl-lite/subjects.h"

#include <string.h>

#define RBAC "rbac.authorization.k8s.io"

static void add(struct json_object *subjects, struct json_object *subject_taken)
{
	for (size_t i = 0; i < json_len(subjects); i++)
		if (json_equal(json_at(subjects, i), subject_taken)) {
			json_object_put(subject_taken);
			return;
		}
	json_object_array_add(subjects, subject_taken);
}

static void add_named(struct json_object *subjects, const char *kind, const struct string_list *names)
{
	for (size_t i = 0; i < names->n; i++) {
		struct json_object *subject = json_object_new_object();
		json_set_str(subject, "kind", kind);
		json_set_str(subject, "apiGroup", RBAC);
		json_set_str(subject, "name", names->items[i]);
		add(subjects, subject);
	}
}

int subjects_add(const struct subjects_flags *who, struct json_object *subjects, struct err *err)
{
	add_named(subjects, "User", &who->users);
	add_named(subjects, "Group", &who->groups);
	for (size_t i = 0; i < who->accounts.n; i++) {
		const char *account = who->accounts.items[i], *colon = strchr(account, ':');
		if (!colon || colon == account || !colon[1] || strchr(colon + 1, ':'))
			return err_set(err, ERR_PARSE, "serviceaccount must be <namespace>:<name>");
		CLEANUP(mem_freep) char *namespace_ = mem_dupn(account, (size_t)(colon - account));
		struct json_object *subject = json_object_new_object();
		json_set_str(subject, "kind", "ServiceAccount");
		json_set_str(subject, "name", colon + 1);
		json_set_str(subject, "namespace", namespace_);
		add(subjects, subject);
	}
	return 0;
}
