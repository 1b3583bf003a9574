/* What a Deployment's replica sets should become next.
 */
#pragma once

#include "controller/deployment_run.h"

/* Makes the calls of RUN; none when all is as it should be. */
void deployment_decide(struct deployment_run *run, const struct cached_deployment *d);
