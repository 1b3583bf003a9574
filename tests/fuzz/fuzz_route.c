/* Routes: any method and path gives a route whose parts hang together. The first byte chooses the method, its
 * high bit a watch. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/edge/accept.h"
#include "apiserver/edge/route.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	CLEANUP(mem_freep) char *path = mem_dupn((const char *)data + 1, size - 1);
	CLEANUP(mem_freep) char *header = mem_dup(path);
	struct route route;
	route_parse((enum route_method)(data[0] % (METHOD_OTHER + 1)), path, data[0] & 0x80, &route);
	if (!route.namespace_ || !route.name)
		abort();
	if (route.kind == ROUTE_OBJECT) {
		if (!route.resource)
			abort();
		unsigned verbs = route.subresource ? route.subresource->verbs : route.resource->verbs;
		if (!(route.verb & verbs))
			abort();
		if (*route.namespace_ && !route.resource->namespaced)
			abort();
		/* Allowed is what is asked for, done is what the route says: it must be the same. */
		const struct route_asked *asked = &route.asked;
		bool binding = strcmp(asked->resource ? asked->resource : "", "bindings") == 0;
		if (!asked->is_resource || !asked->resource ||
		    strcmp(asked->group, route.resource->group) != 0 ||
		    (!binding && strcmp(asked->resource, route.resource->plural) != 0) ||
		    strcmp(asked->name, route.name) != 0 ||
		    (route.resource->namespaced && strcmp(asked->namespace_, route.namespace_) != 0) ||
		    (!binding &&
		     strcmp(asked->subresource, route.subresource ? route.subresource->name : "") != 0))
			abort();
	} else if (!route.asked.is_resource && !route.path) {
		abort();
	}
	free(route.path);
	struct accept accept;
	if (accept_parse(header, &accept) && accept.yaml && !strcasestr(header, "yaml"))
		abort();
	media_parse(header);
	return 0;
}
