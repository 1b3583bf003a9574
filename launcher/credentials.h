/* What clients show the API server: the token file, and a kubeconfig for the administrator and for each
 * program.
 */
#pragma once

#include "launcher/cluster.h"

/* Writes DIR/auth/tokens.csv when there is none (one administrator's token), DIR/kubeconfig and
 * DIR/auth/{scheduler,controller,agent}.kubeconfig from the certificates as they are now. */
int credentials_ensure(const struct cluster *cluster, struct err *err);
