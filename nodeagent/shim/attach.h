/* Who is attached to the container: agents' connections to the socket "attach" in the shim's folder, packets
 * both ways (SOCK_SEQPACKET), of which the first byte says what they are:
 *
 *     to the agent    '1' DATA, '2' DATA   output, of stderr apart where there is no terminal
 *     to the shim     'i' DATA             input, at most ATTACH_INPUT_MAX bytes
 *                     'e'                  the end of input (not of a terminal's)
 *                     'w' ROWS COLUMNS     size of the terminal, two uint16_t
 *
 * A container whose output is attached to is held back by who does not read it, for ATTACH_PATIENCE_S at
 * most: then that one is cut off.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define ATTACH_INPUT_MAX  4096
#define ATTACH_CLIENTS    4 /* at once */
#define ATTACH_POLLS      (ATTACH_CLIENTS + 2)
#define ATTACH_PATIENCE_S 30

/* Listens. INPUT: descriptor that the container's input is written to, or -1; TTY: it is a terminal. */
int attach_open(int input, bool tty);
/* Fills ATTACH_POLLS entries for poll(2). */
void attach_watch(struct pollfd *fds);
/* What poll(2) said of them. */
void attach_serve(const struct pollfd *fds);
/* Whether output may be read now: all who are attached can take some. Else poll(2) must come back after a
 * second. */
bool attach_has_room(void);
bool attach_any(void);
/* The descriptor FD is closed. */
void attach_input_gone(int fd);
/* Output of STREAM, 1 or 2. */
void attach_send(unsigned stream, const char *data, size_t len);
