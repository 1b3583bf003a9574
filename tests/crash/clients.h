/* Clients that write and read the objects at random, one request at a time each.
 *
 *     idle ──clients_go──▶ thinking ──▶ asking ──answer──▶ thinking ...
 *       ◀── stopping, or the server is gone ──┘
 */
#pragma once

#include "tests/crash/run.h"

struct clients;
struct clients *clients_new(struct run *run, size_t n);
void clients_free(struct clients *clients); /* NULL is fine */
/* The server serves: all go on with what they were at. */
void clients_go(struct clients *clients);
/* A new chapter: lists that are half read are dropped. */
void clients_forget_lists(struct clients *clients);
