/* Names and addresses of a pod: DNS policy and config, host name, host aliases. */
#include <string.h>

#include "api/fault.h"
#include "api/ip.h"
#include "api/kinds/pod_spec.h"

#define NAMESERVERS_MAX 3
#define SEARCHES_MAX    32

/* In the order in which Kubernetes names them. */
static const char *const dns_policies[] = { "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None",
					    NULL };

static void validate_searches(const struct json_object *searches, struct field_path *path,
			      struct field_errors *errors)
{
	size_t mark = field_push(path, "searches");

	if (json_len(searches) > SEARCHES_MAX)
		field_error_add(errors, FIELD_INVALID, path, searches,
				"must not have more than 32 search paths");
	for (size_t i = 0; i < json_len(searches); i++) {
		const char *search = json_object_get_string(json_at(searches, i));
		size_t len = strlen(search), item = field_push_index(path, i);
		struct name_faults faults = { .n = 0 };
		CLEANUP(mem_freep)
		char *bare = mem_dupn(search, len > 0 && search[len - 1] == '.' ? len - 1 : len);

		/* The root alone is a search path. */
		if (strcmp(search, ".") != 0)
			name_check_dns_subdomain(bare, false, &faults);
		fault_names(errors, path, NULL, search, &faults);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate_dns_config(const struct json_object *spec, struct field_path *path,
				struct field_errors *errors)
{
	const struct json_object *config = json_get(spec, "dnsConfig"),
				 *servers = json_get(config, "nameservers");
	const struct json_object *options = json_get(config, "options");
	bool alone = strcmp(json_str_or_empty(spec, "dnsPolicy"), "None") == 0;
	size_t mark = field_push(path, "dnsConfig"), list;

	if (!config && alone)
		field_error_required(errors, path, "must provide `dnsConfig` when `dnsPolicy` is None");
	else if (alone && json_len(servers) == 0)
		fault_required(errors, path, "nameservers",
			       "must provide at least one DNS nameserver when `dnsPolicy` is None");
	list = field_push(path, "nameservers");
	if (json_len(servers) > NAMESERVERS_MAX)
		field_error_add(errors, FIELD_INVALID, path, servers,
				"must not have more than 3 nameservers");
	for (size_t i = 0; i < json_len(servers); i++) {
		size_t item = field_push_index(path, i);

		ip_validate(json_object_get_string(json_at(servers, i)), path, errors);
		field_pop(path, item);
	}
	field_pop(path, list);
	validate_searches(json_get(config, "searches"), path, errors);
	list = field_push(path, "options");
	for (size_t i = 0; i < json_len(options); i++) {
		size_t item = field_push_index(path, i);

		if (!*json_str_or_empty(json_at(options, i), "name"))
			field_error_required(errors, path, "must not be empty");
		field_pop(path, item);
	}
	field_pop(path, list);
	field_pop(path, mark);
}

static void validate_host_aliases(const struct json_object *aliases, struct field_path *path,
				  struct field_errors *errors)
{
	size_t mark = field_push(path, "hostAliases");

	for (size_t i = 0; i < json_len(aliases); i++) {
		const struct json_object *names = json_get(json_at(aliases, i), "hostnames");
		size_t item = field_push_index(path, i), inner = field_push(path, "ip");

		ip_validate(json_str_or_empty(json_at(aliases, i), "ip"), path, errors);
		field_pop(path, inner);
		for (size_t j = 0; j < json_len(names); j++) {
			const char *name = json_object_get_string(json_at(names, j));
			struct name_faults faults = { .n = 0 };

			name_check_dns_subdomain(name, false, &faults);
			fault_names(errors, path, "hostnames", name, &faults);
		}
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate_label_name(const struct json_object *spec, const char *key, struct field_path *path,
				struct field_errors *errors)
{
	const char *name = json_str_or_empty(spec, key);
	struct name_faults faults = { .n = 0 };

	if (*name)
		name_check_dns_label(name, false, &faults);
	fault_names(errors, path, key, name, &faults);
}

void pod_spec_validate_network(const struct json_object *spec, struct field_path *path,
			       struct field_errors *errors)
{
	validate_enum(spec, "dnsPolicy", dns_policies, true, path, errors);
	validate_dns_config(spec, path, errors);
	validate_label_name(spec, "hostname", path, errors);
	validate_label_name(spec, "subdomain", path, errors);
	validate_host_aliases(json_get(spec, "hostAliases"), path, errors);
	if (json_boolean(spec, "setHostnameAsFQDN", false) && *json_str_or_empty(spec, "hostnameOverride"))
		fault_forbidden(errors, path, "hostnameOverride",
				"may not be specified when `setHostnameAsFQDN` is true");
}
