#include "apiserver/edge/transport.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define PARTS_MAX 64 /* GnuTLS hands over 32 at most */

void transport_init(struct transport *t, gnutls_session_t session, int fd)
{
	*t = (struct transport){ .session = session, .fd = fd };
	/* Receiving stays GnuTLS' own, by the descriptor. */
	gnutls_transport_set_ptr2(session, (gnutls_transport_ptr_t)(intptr_t)fd, t);
	gnutls_transport_set_vec_push_function(session, transport_push);
}

void transport_close(struct transport *t)
{
	buf_close(&t->held);
}

void transport_hold(struct transport *t)
{
	t->hold = true;
}

static ssize_t would_block(struct transport *t)
{
	gnutls_transport_set_errno(t->session, EAGAIN);
	return -1;
}

ssize_t transport_push(gnutls_transport_ptr_t transport, const giovec_t *parts, int n)
{
	struct transport *t = transport;
	struct iovec all[PARTS_MAX + 1];
	struct msghdr message = { .msg_iov = all };
	ssize_t sent;

	if (t->hold) {
		size_t before = t->held.len;

		t->hold = false;
		for (int i = 0; i < n; i++)
			buf_add(&t->held, parts[i].iov_base, parts[i].iov_len);
		return (ssize_t)(t->held.len - before);
	}
	if (t->held.len)
		all[message.msg_iovlen++] = (struct iovec){ t->held.data, t->held.len };
	for (int i = 0; i < n && i < PARTS_MAX; i++)
		all[message.msg_iovlen++] = parts[i];
	sent = sendmsg(t->fd, &message, MSG_NOSIGNAL);
	if (sent < 0) {
		gnutls_transport_set_errno(t->session, errno);
		return -1;
	}
	if ((size_t)sent <= t->held.len && t->held.len) {
		/* Of what GnuTLS waits for nothing has gone: it comes again. */
		buf_consume(&t->held, (size_t)sent);
		return would_block(t);
	}
	sent -= (ssize_t)t->held.len;
	buf_close(&t->held);
	return sent;
}
