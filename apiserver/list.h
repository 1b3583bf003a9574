/* Lists: what one selects, and its answer.
 */
#pragma once

#include "apiserver/edge/request.h"
#include "lib/selector.h"

/* The selectors of a list, watch or deletecollection; FILTER points into it. */
struct list_selection {
	struct selector labels, fields;
	struct core_filter filter;
};

/* From the query; STEP_FAIL in Kubernetes' words. To be closed, after a failure as well. */
enum step_result list_selection_parse(struct request *r, struct list_selection *ret);
void list_selection_close(struct list_selection *selection);

/* Answers with the list of OBJECTS (the caller's, referenced as needed). CONTINUE_ NULL: it is the last page.
 */
enum step_result list_respond(struct request *r, struct object *const *objects, size_t n, uint64_t revision,
			      const char *continue_, size_t remaining);

/* Continue tokens: base64url of {"v":"meta.k8s.io/v1","rv":REVISION,"start":KEY}: the snapshot and the last
 * key given. LIST_CONTINUE_NOW goes on in what there is when it is used; it is read as revision 0. */
#define LIST_CONTINUE_NOW (-1)
void list_continue_write(struct buf *b, int64_t revision, const char *key);
int list_continue_parse(const char *token, uint64_t *ret_revision, char **ret_key, struct err *err);

/* A resourceVersion of a query: "" and NULL are 0. ERR_BAD_REQUEST. */
int list_parse_revision(const char *text, uint64_t *ret, struct err *err);
