/* The first thing done with a request that is not open to everyone: who sends it.
 */
#pragma once

#include "apiserver/edge/request.h"

/* Sets r->identity, or fails as Unauthorized. */
enum step_result authenticate(struct request *r);
