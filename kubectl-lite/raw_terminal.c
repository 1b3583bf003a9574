#include "kubectl-lite/raw_terminal.h"

#include <errno.h>
#include <stdlib.h>
#include <termios.h>

static struct {
	int fd; /* -1: it is as it was */
	struct termios before;
} terminal = { .fd = -1 };

void raw_terminal_end(void)
{
	if (terminal.fd >= 0)
		tcsetattr(terminal.fd, TCSADRAIN, &terminal.before);
	terminal.fd = -1;
}

int raw_terminal_begin(int fd, struct err *err)
{
	struct termios raw;

	if (tcgetattr(fd, &terminal.before) < 0)
		return err_set_errno(err, errno, "terminal");
	raw = terminal.before;
	cfmakeraw(&raw);
	atexit(raw_terminal_end);
	if (tcsetattr(fd, TCSADRAIN, &raw) < 0)
		return err_set_errno(err, errno, "terminal");
	terminal.fd = fd;
	return 0;
}
