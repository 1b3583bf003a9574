/* The bytes of one connection of a server, over TLS or not, without blocking. The buffers they travel through
 * belong to all connections of a server together: a channel holds memory of its own only for what the socket
 * did not take, or what was received and not read yet.
 *
 * The descriptor's events come edge-triggered: the owner sets readable, writable and ended as the loop tells
 * and the channel clears the first two when the socket says so. So no system call is spent on finding
 * nothing. Between two channels' turns http_channel_pause leaves the shared buffers empty.
 */
#pragma once

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/buf.h"

#define HTTP_RECORD_MAX (16 * 1024) /* bytes of a TLS record */

/* Shared by the channels of one server. */
struct http_buffers {
	char raw[32 * 1024]; /* received from the socket */
	size_t raw_at, raw_len;
	char out[68 * 1024]; /* to leave in one system call: four records and what surrounds them */
	size_t out_len;
	char plain[HTTP_RECORD_MAX];  /* for the owner: one record that was read */
	char record[HTTP_RECORD_MAX]; /* for the owner: one that is put together */
};

struct http_channel {
	int fd;
	gnutls_session_t session; /* NULL: no TLS, or not a record of it yet */
	struct http_buffers *buffers;
	bool readable, writable; /* as far as one knows */
	bool ended;              /* the peer sends no more: reading finds the end, after what is there */
	bool broken;             /* nothing can be sent or received any more */
	bool said_end;
	struct buf stash;  /* received, not taken by GnuTLS */
	struct buf unsent; /* as it goes out */
};

/* FD is taken. CHANNEL stays where it is. */
void http_channel_open(struct http_channel *channel, int fd, struct http_buffers *buffers);
/* Receives until there is a record with which TLS can begin, then true. False: not now, or never, which is
 * when the channel is broken. */
bool http_channel_fetch(struct http_channel *channel);
/* From here on all goes through SESSION, which is taken. */
void http_channel_secure(struct http_channel *channel, gnutls_session_t session);
/* RESET: what the kernel still holds for the peer is dropped. */
void http_channel_close(struct http_channel *channel, bool reset);
/* 1: done, 0: waits for the peer, -1: failed, after which the peer has been told why. */
int http_channel_handshake(struct http_channel *channel);
/* Bytes, at most one record; 0 at the end; -1: nothing now, or broken. SIZE at least HTTP_RECORD_MAX. */
ssize_t http_channel_read(struct http_channel *channel, char *data, size_t size);
/* Whether what was written has left, so that more may be. */
bool http_channel_ready(const struct http_channel *channel);
/* LEN at most HTTP_RECORD_MAX: one record, for which the channel must be ready. It leaves with the next
 * http_channel_flush at the latest. */
void http_channel_write(struct http_channel *channel, const void *data, size_t len);
void http_channel_flush(struct http_channel *channel);
/* Tells the peer that no more comes. When ready. */
void http_channel_end(struct http_channel *channel);
/* Drops what arrives, TLS or not; the number of bytes. */
size_t http_channel_discard(struct http_channel *channel);
/* Flushes, and gives the shared buffers free. */
void http_channel_pause(struct http_channel *channel);
