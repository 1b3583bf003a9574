#include "apiserver/service/ip_families.h"

#include <string.h>

#include "api/fault.h"
#include "api/kinds/service.h"

struct completion {
	struct json_object *spec, *families; /* families: of spec */
	const struct json_object *old_spec, *ips;
	const struct service_networks *networks;
	struct field_errors *errors;
	struct field_path path; /* "spec" */
};

const char *ip_family_name(bool v6)
{
	return v6 ? "IPv6" : "IPv4";
}

bool ip_family_is_v6(const char *name)
{
	return strcmp(name, "IPv6") == 0;
}

static const char *family_at(const struct json_object *families, size_t i)
{
	return json_object_get_string(json_at(families, i));
}

static void add_family(struct completion *c, bool v6)
{
	json_object_array_add(c->families, json_object_new_string(ip_family_name(v6)));
}

static bool configured(const struct service_networks *networks, bool v6)
{
	for (size_t i = 0; i < networks->n_cidrs; i++)
		if ((strchr(networks->cidrs[i], ':') != NULL) == v6)
			return true;
	return false;
}

static const char *policy_of(const struct json_object *spec)
{
	return json_str_or_empty(spec, "ipFamilyPolicy");
}

static bool is_single(const struct completion *c)
{
	return strcmp(policy_of(c->spec), "SingleStack") == 0;
}

static bool same(const struct completion *c, const char *key)
{
	return json_equal(json_get(c->spec, key), json_get(c->old_spec, key));
}

static bool is_headless_alone(const struct completion *c)
{
	const struct json_object *selector = json_get(c->spec, "selector");

	return service_is_headless(c->spec) && (!selector || json_object_object_length(selector) == 0);
}

/* PreferDualStack stays what the cluster once made of it. */
static bool stays_as_preferred(const struct completion *c)
{
	return c->old_spec && !service_is_type(c->old_spec, "ExternalName") &&
	       strcmp(policy_of(c->old_spec), "PreferDualStack") == 0 && same(c, "ipFamilyPolicy") &&
	       same(c, "clusterIP") && same(c, "clusterIPs") && same(c, "ipFamilies");
}

static void set_policy(struct completion *c)
{
	const char *old = c->old_spec ? json_str(c->old_spec, "ipFamilyPolicy") : NULL;

	if (!json_str(c->spec, "ipFamilyPolicy"))
		json_set_str(c->spec, "ipFamilyPolicy",
			     old                    ? old
			     : is_headless_alone(c) ? "RequireDualStack"
						    : "SingleStack");
}

static void fault_policy(struct completion *c, const char *detail)
{
	fault_str(c->errors, &c->path, "ipFamilyPolicy", policy_of(c->spec), detail);
}

static bool reduced(const struct completion *c, const char *key)
{
	size_t n = json_len(json_get(c->spec, key));

	return n > 0 && n < json_len(json_get(c->old_spec, key));
}

static void cut_to_one(struct completion *c, const char *key)
{
	struct json_object *list = json_get(c->spec, key);

	if (same(c, key) && json_len(list) > 1) {
		struct json_object *one = json_object_new_array();
		json_object_array_add(one, json_object_get(json_at(list, 0)));
		json_set(c->spec, key, one);
	}
}

/* A change to SingleStack gives the second address up; nothing else does. */
static void downgrade(struct completion *c)
{
	if (is_single(c)) {
		cut_to_one(c, "clusterIPs");
		cut_to_one(c, "ipFamilies");
		return;
	}
	if (reduced(c, "clusterIPs"))
		fault_policy(c, "must be 'SingleStack' to release the secondary cluster IP");
	if (reduced(c, "ipFamilies"))
		fault_policy(c, "must be 'SingleStack' to release the secondary IP family");
}

static void infer_from_addresses(struct completion *c)
{
	for (size_t i = json_len(c->families); i < json_len(c->ips) && !service_is_headless(c->spec); i++) {
		bool v6 = strchr(family_at(c->ips, i), ':') != NULL;
		if (configured(c->networks, v6)) {
			add_family(c, v6);
			continue;
		}
		size_t list = field_push(&c->path, "clusterIPs"), item = field_push_index(&c->path, i);
		field_error_add(c->errors, FIELD_INVALID, &c->path, c->ips,
				"%s is not configured on this cluster", ip_family_name(v6));
		field_pop(&c->path, item);
		field_pop(&c->path, list);
	}
}

static void check_cluster(struct completion *c)
{
	size_t mark;

	if (strcmp(policy_of(c->spec), "RequireDualStack") == 0 && c->networks->n_cidrs < 2)
		fault_policy(c, "this cluster is not configured for dual-stack services");
	mark = field_push(&c->path, "ipFamilies");
	for (size_t i = 0; i < json_len(c->families); i++) {
		const char *family = family_at(c->families, i);
		size_t item = field_push_index(&c->path, i);
		if (!configured(c->networks, ip_family_is_v6(family)))
			field_error_invalid_str(c->errors, &c->path, family,
						"not configured on this cluster");
		field_pop(&c->path, item);
	}
	field_pop(&c->path, mark);
}

static void fill_in(struct completion *c, bool second)
{
	if (json_len(c->families) == 0)
		add_family(c, strchr(c->networks->cidrs[0], ':') != NULL);
	if (!is_single(c) && json_len(c->families) == 1 && second)
		add_family(c, !ip_family_is_v6(family_at(c->families, 0)));
}

void ip_families_complete(struct json_object *spec, const struct json_object *old_spec,
			  const struct service_networks *networks, struct field_errors *errors)
{
	struct completion c = { .spec = spec, .old_spec = old_spec, .networks = networks, .errors = errors };

	field_path_init(&c.path, "spec");
	if (stays_as_preferred(&c))
		return;
	set_policy(&c);
	if (old_spec)
		downgrade(&c);
	c.ips = json_get(spec, "clusterIPs");
	c.families = json_ensure_array(spec, "ipFamilies");
	if (is_single(&c) && json_len(c.ips) == 2)
		fault_policy(&c, "must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs "
				 "are specified");
	if (is_single(&c) && json_len(c.families) == 2)
		fault_policy(&c, "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families "
				 "are specified");
	infer_from_addresses(&c);
	/* Without selector and address a Service may be of families that the cluster lacks. */
	bool alone = is_headless_alone(&c);
	if (!errors->n && !alone)
		check_cluster(&c);
	if (!errors->n)
		fill_in(&c, alone || networks->n_cidrs == 2);
}
