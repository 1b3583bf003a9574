/* A forwarded port: one TCP connection to a port of a pod (pod_connect.h), which can be written from the
 * beginning. What comes before it is connected waits here.
 *
 *     client ──write──▶ port ──▶ pod        back pressure: unsent() and drained()
 *     client ◀─received─ port ◀── pod       back pressure: set_reading()
 */
#pragma once

#include "lib/loop.h"

struct pod_port;

/* Told from the loop, never from within a call; each may close the port. */
struct pod_port_user {
	void (*received)(void *data, size_t len, void *arg);
	void (*drained)(void *arg); /* unsent() is less: it is connected, or the pod has read */
	void (*ended)(void *arg);   /* the pod sends nothing more */
	/* It cannot be connected; WHY is what the client is told, in the words of the container runtime's
	 * server. Nothing follows. */
	void (*failed)(const char *why, void *arg);
};

/* POD is named in messages. */
struct pod_port *pod_port_new(struct loop *loop, const char *pod, uint16_t number,
			      const struct pod_port_user *user, void *arg);
/* Once. NET_NS: path of the pod's network namespace, needed during the call only; NULL: the node's own. */
void pod_port_connect(struct pod_port *port, const char *net_ns);
/* Sends all of it, later what does not go at once. DATA is copied. */
void pod_port_write(struct pod_port *port, const void *data, size_t len);
/* Bytes that the pod has not taken. */
size_t pod_port_unsent(const struct pod_port *port);
/* Whether `received` is called. On at first. */
void pod_port_set_reading(struct pod_port *port, bool reading);
/* Nothing more is written: the pod sees the end behind what was. */
void pod_port_finish(struct pod_port *port);
/* What is written still leaves, as far as the pod takes it soon. NULL is fine. */
void pod_port_close(struct pod_port *port);
