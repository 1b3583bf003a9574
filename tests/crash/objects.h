/* How the objects of a history look in the API. Half of them are in either of two namespaces. Label `half` is
 * even or odd as slot 0 is, and a ConfigMap carries padding whose length follows from slot 0: a state in
 * which they disagree is made of two writes.
 */
#pragma once

#include "lib/buf.h"
#include "lib/json.h"
#include "tests/crash/history.h"

enum { OBJECTS_CONFIG_MAPS = 14, OBJECTS_PODS = 6, OBJECTS = OBJECTS_CONFIG_MAPS + OBJECTS_PODS };

/* OBJECTS of them, for history_init. */
const struct history_object *objects_all(void);

/* Appends "/api/v1/namespaces/default/configmaps". NAMESPACE -1: "/api/v1/configmaps". */
void objects_collection_path(struct buf *b, enum history_resource resource, int namespace_);
/* The same with the object's name. */
void objects_path(struct buf *b, unsigned object);
/* The path of what SELECTION selects, with its query begun: "...?labelSelector=half%3D0". */
void objects_selection_path(struct buf *b, const struct selection *selection);

/* Method, content type and body of the write NUMBER; PATH is objects_path or the collection's or the
 * binding's. */
struct objects_request {
	const char *method, *content_type;
	struct buf path, body;
};
void objects_request(struct objects_request *ret, const struct op *op, uint32_t number, const char *uid);
void objects_request_close(struct objects_request *request);

/* What OBJ shows; false when it is none of ours. *RET_UID is borrowed from OBJ. */
bool objects_parse(const struct json_object *obj, unsigned *ret_object, struct state *ret,
		   const char **ret_uid);
/* As in struct state. */
uint64_t objects_uid_hash(const char *uid);
