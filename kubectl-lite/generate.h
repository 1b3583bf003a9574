/* Building blocks of the objects that commands make from their flags. The order of their members, and the
 * empty ones that kubectl shows, are left to go_shape.h.
 */
#pragma once

#include "kubectl-lite/command.h"
#include "lib/err.h"
#include "lib/json.h"

/* Kind, apiVersion and metadata with NAME; with the namespace that -n gives when NAMESPACED. */
struct json_object *generate_object(const char *api_version, const char *kind, const char *name,
				    bool namespaced);
/* PARENT's "template" with LABELS_TAKEN (or NULL) and one container; its spec is given back, borrowed.
 * COMMAND ends the container's command; n 0: the image's own. */
struct json_object *generate_pod_template(struct json_object *parent, struct json_object *labels_taken);
struct json_object *generate_container(const char *name, const char *image, char *const *command, size_t n);
/* {KEY: VALUE} */
struct json_object *generate_pair(const char *key, const char *value);
/* {"a": "b", ...} of "a=b,c=d". */
int generate_pairs(const char *text, struct json_object **ret, struct err *err);
/* An array of the strings that ITEMS are. */
struct json_object *generate_strings(const struct string_list *items);
bool generate_list_has(const struct string_list *list, const char *text);
void generate_list_add(struct string_list *list, const char *text);
/* VALUE as a number when it is one, else as text. */
void generate_int_or_string(struct json_object *obj, const char *key, const char *value);
/* "a=b,c in (d)" as a LabelSelector. */
int generate_label_selector(const char *text, struct json_object **ret, struct err *err);
/* matchExpressions as Go prints them, which is how kubectl tells of those it cannot use: "[{a In [b]}]", or
 * with NAMED "[{Key:a Operator:In Values:[b]}]". */
void generate_expressions_text(struct buf *b, const struct json_object *expressions, bool named);
/* "cpu=1,memory=2Gi": quantities in their canonical form. */
int generate_quantities(const char *text, struct json_object **ret, struct err *err);
/* "8080" and "8080:http": a port, and the one it stands for. */
int generate_port_pair(const char *text, int64_t *ret_port, struct json_object **ret_target, struct err *err);
