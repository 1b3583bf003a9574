/* Whether a control plane that was left alone has come to its spec. Pure: it can be shown states that are
 * wrong.
 */
#pragma once

#include <stdbool.h>

#include "lib/json.h"
#include "tests/churn/wanted.h"

/* LISTs of the whole cluster. */
struct judge_state {
	const struct json_object *nodes, *pods, *sets, *deployments;
};

/* True when every object is as wanted and nothing else is there; else WHY says what is not. The marker
 * (history.h) is overlooked. */
bool judge_settled(const struct judge_state *state, const struct wanted *wanted, struct buf *why);
/* How many more pods of that size the nodes have room for. */
int judge_room(const struct judge_state *state, int millicpu);
