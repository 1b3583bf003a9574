/* The first thing done with a request: who sends it. Nobody may ask for what is open to everyone.
 */
#pragma once

#include "apiserver/edge/request.h"

/* Sets r->identity, or fails as Unauthorized. */
enum step_result authenticate(struct request *r);
