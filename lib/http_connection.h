/* Inside the server: one connection and the exchange it is at. Only lib/http_*.c include this.
 *
 *                     reply, send, stream          all is sent
 *     IDLE ─head─▶ READING ─whole─▶ WAITING ─▶ ANSWERING ─▶ IDLE, or LINGERING ─▶ gone
 *       ▲             └── answered early ──────────▲ │
 *       └── the rest of its body is dropped ─────────┘
 *
 * Everything a connection does it does in http_connection_run, which the loop calls when the socket, a posted
 * answer or a deadline says that there may be something to do. What handlers call only notes and posts, so
 * that nothing is freed under them.
 */
#pragma once

#include <sys/queue.h>

#include "lib/http_channel.h"
#include "lib/http_exchange.h"
#include "lib/http_request.h"
#include "lib/http_upgrade.h"

enum http_exchange_state {
	EXCHANGE_IDLE,      /* there is none */
	EXCHANGE_READING,   /* its body is on its way */
	EXCHANGE_WAITING,   /* for the handler's answer */
	EXCHANGE_ANSWERING, /* its request may still be on its way */
};

struct http_exchange {
	enum http_exchange_state state;
	bool strange; /* what began it is no request: the handler does not know of it */
	bool is_head; /* answered without a body */
	bool close;   /* nothing after it */
	bool told;    /* that the peer hung up */
	bool aborted;
	bool woken; /* a stream has something to say, perhaps */
	bool stream_ended;
	bool has_body;
	void *data;
	int64_t limit_ms; /* when its answer must have been taken; 0: no limit */
	struct buf head;  /* added headers, then the answer's head, then what is copied of its body */
	size_t head_at;
	bool head_begun;
	/* The body: a piece, or NEXT gives them. */
	const char *piece;
	size_t piece_len;
	uint64_t left; /* of the body, the piece included */
	bool (*next)(const char **ret_data, size_t *ret_len, void *arg);
	void (*release)(void *arg);
	void *release_arg;
	/* Or a stream. */
	ssize_t (*read)(char *data, size_t size, void *arg);
	void (*closed)(void *arg);
	void *stream_arg;
};

struct http_connection {
	TAILQ_ENTRY(http_connection) link;
	struct http_server *server;
	struct http_credentials *credentials;
	struct http_channel channel;
	struct loop_io *io;
	struct loop_task task;
	struct loop_timer timer;  /* fires at a deadline or before it: moved on when it does */
	int64_t deadline_ms;      /* INT64_MAX: none */
	bool shaking;             /* hands */
	struct http_queue *queue; /* the one it waits in, or NULL */
	TAILQ_ENTRY(http_connection) queue_link;
	bool running, lingering, reset;
	size_t lingered; /* bytes dropped */
	bool in_ended;   /* the peer's end was read */
	struct http_request_reader request;
	bool request_begun;      /* a byte of it is there */
	struct buf pipelined;    /* read, and not looked at yet */
	const char *in, *in_end; /* the same within a run */
	size_t received;         /* bytes, within a run */
	struct http_exchange exchange;
	struct http_upgrade *upgrade;
	void *kept;
};

TAILQ_HEAD(http_connection_list, http_connection);

/* Connections whose next step is long and comes after those that are ready for short ones, a few in a turn.
 */
struct http_queue {
	struct http_connection_list connections;
	struct loop_task task;
	struct loop *loop;
	void (*step)(struct http_connection *connection);
};

struct http_server {
	struct loop *loop;
	struct loop_inbox *inbox;
	struct http_server_opts opts;
	const struct http_handler *handler;
	void *arg;
	struct http_credentials *credentials;
	struct http_connection_list connections;
	_Atomic size_t n_connections; /* and those that are handed over */
	struct loop_io *accept_io;
	struct loop_timer accept_pause;
	struct http_queue shaking; /* with something to do for their handshake */
	struct http_queue sending; /* with more to send than a turn's share */
	bool draining;
	void (*empty)(void *arg);
	void *empty_arg;
	struct loop_task empty_task;
	int64_t date_s;
	char date[32];
	struct http_buffers buffers;
};

/* FD is taken. */
void http_connection_new(struct http_server *server, int fd);
/* Cuts it off; its exchange ends, answered or not. */
void http_connection_free(struct http_connection *connection);
void http_connection_run(struct http_connection *connection);
/* Has it run soon. */
void http_connection_post(struct http_connection *connection);
/* The server stops: as if the peer had hung up. */
void http_connection_drain(struct http_connection *connection);
/* Breaks it; an exchange that waits keeps it until it is answered. */
void http_connection_cut(struct http_connection *connection);
void http_connection_set_deadline(struct http_connection *connection, int64_t at_ms);
/* A step of the handshake, and what becomes possible by it. */
void http_connection_shake(struct http_connection *connection);

struct http_connection *http_connection_of(const struct http_exchange *exchange);
/* Answers with a fault of the request. */
void http_exchange_fault(struct http_exchange *exchange, int code, const char *message);
/* The exchange begins; ends. */
void http_exchange_begin(struct http_connection *connection);
void http_exchange_end(struct http_connection *connection);
/* Sends of the answer what the channel takes, *BUDGET bytes at most; true when the answer is whole. */
bool http_exchange_produce(struct http_connection *connection, size_t *budget);

void http_upgrade_run(struct http_connection *connection, size_t *budget);
/* The connection is gone. */
void http_upgrade_gone(struct http_connection *connection);

/* A session for a connection, or NULL when memory is out. */
gnutls_session_t http_credentials_session(struct http_credentials *credentials);
void http_server_forget(struct http_server *server, struct http_connection *connection);
/* CONNECTION takes its turn in QUEUE, where it may be already. */
void http_queue_add(struct http_queue *queue, struct http_connection *connection);
const char *http_server_date(struct http_server *server);

/* The listener's side. */
int http_listener_fd(const struct http_listener *listener);
void http_listener_join(struct http_listener *listener, struct http_server *server);
void http_listener_leave(struct http_listener *listener, struct http_server *server);
/* The member with the fewest connections, which gets one more; NULL: all are full. SELF when it is among
 * them. */
struct http_server *http_listener_choose(struct http_listener *listener, struct http_server *self);
