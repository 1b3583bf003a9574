#include "api/kinds/path_name.h"

#include <string.h>

#include "api/fault.h"
#include "lib/mem.h"

#define PATH_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-._~%!$&'()*+,;=:"

void path_name_validate(const char *value, const char *key, struct field_path *path,
			struct field_errors *errors)
{
	const char *slash = strchr(value, '/');
	struct name_faults faults = { .n = 0 };

	if (!*value) {
		fault_required(errors, path, key, "");
		return;
	}
	if (!slash || slash == value || !slash[1]) {
		fault_str(errors, path, key, value,
			  "must be a domain-prefixed path (such as \"acme.io/foo\")");
		return;
	}
	CLEANUP(mem_freep) char *host = mem_dupn(value, (size_t)(slash - value));
	name_check_dns_subdomain(host, false, &faults);
	fault_names(errors, path, key, host, &faults);
	if (slash[1 + strspn(slash + 1, PATH_CHARACTERS)])
		fault_str(errors, path, key, slash + 1,
			  "Invalid path (regex used for validation is "
			  "'[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')");
}
