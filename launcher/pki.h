/* The cluster's certificates: one authority, short-lived leaves, all ECDSA P-256, made with GnuTLS.
 * https://kubernetes.io/docs/setup/best-practices/certificates/
 */
#pragma once

#include "launcher/cluster.h"

/* Makes what is missing under DIR/pki, and anew what ends within 30 days, is damaged or no longer has the
 * address: ca, apiserver, kubelet-client (the API server towards agents), agent-server, scheduler-server,
 * controller-server, and a client of each program and of the administrator: NAME.crt, NAME.key. A new
 * authority makes all others anew, and who holds an old kubeconfig needs the new one. A damaged authority is
 * an error: that decision is the administrator's. */
int pki_ensure(const struct cluster *cluster, struct err *err);
