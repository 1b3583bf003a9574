/* Containers, volumes and pod templates, as describe shows them. Cells end in tabs.
 */
#pragma once

#include "lib/buf.h"
#include "lib/json.h"

/* "Pod Template:" and its lines. */
void describe_template(struct buf *b, const struct json_object *template);
/* TITLE ("Containers") and each of CONTAINERS with its status; POD gives the values of fields that variables
 * refer to, NULL in a template. SPACE is "" in a pod, "  " in a template. */
void describe_containers(struct buf *b, const char *title, const struct json_object *containers,
			 const struct json_object *statuses, const struct json_object *pod,
			 const char *space);
void describe_volumes(struct buf *b, const struct json_object *volumes, const char *space);
/* TITLE is "Tolerations" or has spaces before it. */
void describe_tolerations(struct buf *b, const char *title, const struct json_object *tolerations);
