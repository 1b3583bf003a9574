/* What tests of the node agent need of the machine: a private folder, the loop, an image, root.
 */
#pragma once

#include <stdbool.h>

#include "lib/loop.h"

struct node_fixture {
	struct loop *loop;
	char *dir;      /* removed, with what is mounted below it, by node_fixture_close */
	bool done;      /* ends node_fixture_wait */
};

/* Whether we are root with the rights to mount; tells on stdout when not, so that a test says why it skips. */
bool node_fixture_root(void);
void node_fixture_open(struct node_fixture *f);
void node_fixture_close(struct node_fixture *f);
/* Runs the loop until f->done; fails the test after 30 s. Resets it. */
void node_fixture_wait(struct node_fixture *f);
/* Until CONDITION holds, looking after every event of the loop and every 10 ms; fails the test after 30 s. */
void node_fixture_until(struct node_fixture *f, bool (*condition)(void *arg), void *arg);
/* Path of a program of this build. */
char *node_fixture_program(const char *name);
