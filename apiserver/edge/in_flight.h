/* How many requests are in flight: reads and writes each have so many places, from when a request's body is
 * there until it is answered, so that neither a sender who never ends nor a reader who takes nothing has one.
 * Watches have the core's own limit, followed logs that of connections, and what is open to everyone, health
 * among it, needs no place.
 */
#pragma once

#include "apiserver/edge/request.h"

/* STEP_NEXT, or STEP_FAIL with 429 when all places are taken. */
enum step_result in_flight_take(struct request *r);
/* R is answered: gives the place back, if it has one. How long its sender takes for the answer hinders
 * nobody. */
void in_flight_release(struct request *r);
