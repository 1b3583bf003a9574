/* The system calls a container may make, as `linux.seccomp` of the OCI runtime specification.
 * https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#seccomp
 *
 * RuntimeDefault: what programs use is allowed, the rest fails with EPERM; calls that a capability guards are
 * allowed with it. clone3 fails with ENOSYS, since its flags lie in memory and cannot be checked: libc then
 * uses clone, where new namespaces are refused.
 */
#pragma once

#include <stddef.h>

#include "lib/err.h"
#include "lib/json.h"

/* For a process with these capabilities ("CAP_SYS_ADMIN"...), N of them. The caller owns it. */
struct json_object *seccomp_profile_default(const char *const *capabilities, size_t n);
/* Reads a Localhost profile: NAME is a relative path below DIR and may not leave it. ERR_NOT_FOUND,
 * ERR_PARSE, ERR_INVALID (no defaultAction). */
int seccomp_profile_load(const char *dir, const char *name, struct json_object **ret, struct err *err);
/* Calls FN with every name the default profile knows: for tests against libseccomp. */
void seccomp_profile_names(void (*fn)(const char *name, void *arg), void *arg);
