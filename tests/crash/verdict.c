#include "tests/crash/verdict.h"

#include "tests/crash/check_reads.h"
#include "tests/crash/check_writes.h"
#include "tests/crash/timeline.h"

#define SHOWN 20

void verdict_close(struct verdict *verdict)
{
	buf_close(&verdict->text);
	*verdict = (struct verdict){ 0 };
}

void verdict_fault(struct verdict *verdict, const char *format, ...)
{
	va_list ap;

	if (verdict->faults++ >= SHOWN)
		return;
	va_start(ap, format);
	buf_vprintf(&verdict->text, format, ap);
	va_end(ap);
	buf_char(&verdict->text, '\n');
}

void verdict_judge(struct verdict *verdict, const struct history *history)
{
	struct timeline timeline;

	timeline_init(&timeline, history, verdict);
	check_writes(&timeline, verdict);
	check_reads(&timeline, verdict);
	timeline_close(&timeline);
}
