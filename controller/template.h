/* Pod templates of Deployments and their replica sets.
 */
#pragma once

#include <stdint.h>

#include "lib/json.h"

/* Equal for templates that are equal but for the pod-template-hash label. */
uint64_t template_equal_hash(const struct json_object *template);
/* The pod-template-hash of a template: 32 bits in the alphabet of generated names; COLLISIONS (-1: none)
 * makes another of the same template. BUF holds 16 bytes. */
const char *template_hash_label(const struct json_object *template, int64_t collisions, char *buf);
