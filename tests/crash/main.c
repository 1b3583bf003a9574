/* knarr-crash-check: kills an apiserver again and again while clients use it, and checks that none of its
 * promises was broken. docs/RELIABILITY.md says which. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/program.h"
#include "lib/timefmt.h"
#include "tests/crash/campaign.h"
#include "tests/support/apiserver_process.h"

#define CLIENTS 8

static const char *server_path, *preload_path, *seed_text, *kills_text = "30", *seconds_text = "0",
							   *report_path;

static const struct program_flag flags[] = {
	{ "server", "PATH", "the knarr-apiserver to kill", &server_path, NULL, true },
	{ "preload", "PATH", "kill-at-call.so", &preload_path, NULL, true },
	{ "seed", "N", "repeats the operations and kills of a run (one by chance)", &seed_text, NULL, false },
	{ "kills", "N", "ends after so many kills (30); 0: no limit", &kills_text, NULL, false },
	{ "seconds", "N", "ends after this time (0: no limit)", &seconds_text, NULL, false },
	{ "report", "FILE", "writes the counts there, as JSON", &report_path, NULL, false },
	{ NULL, NULL, NULL, NULL, NULL, false },
};

static unsigned number(const char *flag, const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (!*text || *end || value > UINT32_MAX) {
		fprintf(stderr, "knarr-crash-check: --%s: \"%s\" is not a number\n", flag, text);
		exit(2);
	}
	return (unsigned)value;
}

static int write_report(const struct campaign_counts *counts, uint64_t seed, int64_t seconds, bool failed,
			struct err *err)
{
	CLEANUP(buf_close) struct buf json = BUF_INIT;

	buf_printf(
	    &json,
	    "{\"part\":\"crashes of the apiserver\",\"seconds\":%lld,\"seed\":%llu,\"failed\":%s,\"counts\":{"
	    "\"kills survived\":%u,\"of them at a call on the database\":%u,"
	    "\"of them before it served\":%u,\"operations acknowledged\":%llu,\"refused\":%llu,"
	    "\"lost in a kill\":%llu,\"of the lost had happened\":%llu,\"reads checked\":%llu,\"watch events "
	    "checked\":%llu,"
	    "\"histories checked\":%u}}\n",
	    (long long)seconds, (unsigned long long)seed, failed ? "true" : "false",
	    counts->timed + counts->at_call, counts->at_call, counts->unstarted,
	    (unsigned long long)counts->acknowledged, (unsigned long long)counts->refused,
	    (unsigned long long)counts->lost, (unsigned long long)counts->lost_happened,
	    (unsigned long long)counts->reads, (unsigned long long)counts->events, counts->chapters);
	return buf_write_file_atomic(report_path, json.data, json.len, 0644, err);
}

int main(int argc, char **argv)
{
	CLEANUP(buf_close) struct buf faults = BUF_INIT;
	CLEANUP(mem_freep) char *dir = NULL;
	struct campaign_counts counts = { 0 };
	struct campaign_opts opts = { .clients = CLIENTS };
	const char *tmp = getenv("TMPDIR");
	struct err err = ERR_INIT;
	int64_t began_ms = time_mono_ms();
	int result;

	program_flags("knarr-crash-check",
		      "Kills an apiserver while clients use it, and checks its promises.", flags, argc, argv);
	dir = mem_printf("%s/knarr-crash.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir)) {
		fprintf(stderr, "knarr-crash-check: %s: %s\n", dir, strerror(errno));
		return 1;
	}
	opts.server = server_path;
	opts.preload = preload_path;
	opts.dir = dir;
	opts.seed = seed_text ? strtoull(seed_text, NULL, 10) : (uint64_t)time_now_us() % 1000000007;
	opts.kills = number("kills", kills_text);
	opts.seconds = number("seconds", seconds_text);
	if (!opts.kills)
		opts.kills = UINT32_MAX;
	printf("seed %llu\n", (unsigned long long)opts.seed);
	fflush(stdout);
	result = campaign_run(&opts, &counts, &faults, &err);
	printf(
	    "crashes of the apiserver: %u kills survived (%u at a call on the database, %u before it "
	    "served), %llu operations acknowledged, %llu refused, %llu lost in a kill (%llu had happened), "
	    "%llu reads, %llu watch events, %llu expired, %u histories checked\n",
	    counts.timed + counts.at_call, counts.at_call, counts.unstarted,
	    (unsigned long long)counts.acknowledged, (unsigned long long)counts.refused,
	    (unsigned long long)counts.lost, (unsigned long long)counts.lost_happened,
	    (unsigned long long)counts.reads, (unsigned long long)counts.events,
	    (unsigned long long)counts.expired, counts.chapters);
	if (report_path &&
	    write_report(&counts, opts.seed, (time_mono_ms() - began_ms) / 1000, result < 0, &err) < 0)
		result = -1;
	if (result < 0) {
		printf("%s\nFAILED: %s; seed %llu, the server's folder and log are in %s\n",
		       faults.data ? faults.data : "", err.msg, (unsigned long long)opts.seed, dir);
		return 1;
	}
	apiserver_process_remove_folder(dir);
	return 0;
}
