/* OpenAPI documents: one per group-version in version 3, one of all in version 2. Made anew for each reader.
 * https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition
 */
#pragma once

#include "apiserver/catalogue.h"
#include "lib/buf.h"

/* A document of version 3 by its path: "api/v1", "apis/apps/v1"; "apis/apps", "apis", "api" and "version"
 * describe what is not a resource. Those that it does not name are "". */
struct openapi_page {
	const char *root;
	const char *group, *version;
};

/* Calls FN with each document there is, in no order that means anything. */
void openapi_each_page(const struct catalogue *catalogue,
		       void (*fn)(const struct openapi_page *page, void *arg), void *arg);
void openapi_write_page_path(struct buf *b, const struct openapi_page *page);
/* False when there is no such document. */
bool openapi_write_v3(struct buf *b, const struct catalogue *catalogue, const struct openapi_page *page);
/* The same as the protobuf message openapi.v3.Document. */
bool openapi_write_v3_wire(struct buf *b, const struct catalogue *catalogue, const struct openapi_page *page);
void openapi_write_v2(struct buf *b, const struct catalogue *catalogue);
/* The same as the protobuf message openapi.v2.Document. */
void openapi_write_v2_wire(struct buf *b, const struct catalogue *catalogue);
