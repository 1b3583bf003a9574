/* knarr-shim pause: the first process of a PID namespace that a pod's containers share. It holds the
 * namespace, and the kernel takes away for it what others leave. What kills it is SIGKILL from outside.
 */
#include "nodeagent/shim/shim.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

int pause_run(void)
{
	signal(SIGCHLD, SIG_IGN);
	if (chdir("/") || confine_self())
		return 1;
	forget_program();
	for (;;)
		poll(NULL, 0, -1);
}
