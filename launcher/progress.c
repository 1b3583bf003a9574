#include "launcher/progress.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/timefmt.h"

static struct {
	char text[160];
	int64_t began_ms;
	bool under_way;
} step;

static bool on_terminal(void)
{
	return isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
}

void progress_begin(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(step.text, sizeof(step.text), format, ap);
	va_end(ap);
	step.began_ms = time_mono_ms();
	step.under_way = true;
	if (on_terminal()) {
		printf("  ...   %s", step.text);
		fflush(stdout);
	}
}

static void end(const char *mark, const char *colour)
{
	long long ms = time_mono_ms() - step.began_ms;

	if (!step.under_way)
		return;
	step.under_way = false;
	if (on_terminal())
		printf("\r  \033[%sm%-5s\033[0m %s \033[2m(%lld ms)\033[0m\n", colour, mark, step.text, ms);
	else
		printf("  %-5s %s (%lld ms)\n", mark, step.text, ms);
	fflush(stdout);
}

void progress_done(void)
{
	end("ok", "32");
}

void progress_fail(void)
{
	end("FAIL", "31");
}
