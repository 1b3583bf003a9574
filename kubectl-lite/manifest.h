/* Objects from files: -f FILE, folder (its .yaml, .yml and .json files), http or https URL, or - for standard
 * input; Lists are taken apart, and objects of removed API versions converted (convert.h).
 */
#pragma once

#include "api/resource.h"
#include "kubectl-lite/command.h"
#include "lib/json.h"

struct manifest {
	char *file;  /* "deploy.yaml", "STDIN" */
	size_t line; /* its first line there */
	struct json_object *object;
	const struct resource *resource;
	char *namespace_; /* the object's, else the session's; NULL for cluster scope */
	char *name;       /* or NULL (generateName) */
};

/* Reads all of FILES. What is wrong with one document is told on stderr and counted in *ret_bad; the others
 * are still given. A path that does not exist fails the whole. Messages name the file, or the unknown kind:
 * `resource mapping not found for name: "x" namespace: "" from "f.yaml": no matches for kind "Foo" in version
 * "v1"`. An object whose namespace differs from -n is refused, as in kubectl. Close with manifests_free. */
int manifests_load(const struct string_list *files, bool recursive, struct manifest **ret, size_t *ret_n,
		   size_t *ret_bad, struct err *err);
void manifests_free(struct manifest *manifests, size_t n);
/* Appends what FILE holds, a path, URL or -, as it is. */
int manifest_read(const char *file, struct buf *b, struct err *err);
