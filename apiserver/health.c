/* /version, /livez, /readyz, /healthz, /metrics, and the page that is not there. */
#include <stdio.h>
#include <string.h>

#include "apiserver/audit/audit.h"
#include "apiserver/edge/counters.h"
#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/respond.h"
#include "apiserver/edge/server.h"
#include "lib/program.h"

static enum step_result version_answer(struct request *r)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	buf_str(
	    &body,
	    "{\"major\":\"1\",\"minor\":\"36\",\"emulationMajor\":\"1\",\"emulationMinor\":\"36\","
	    "\"minCompatibilityMajor\":\"1\",\"minCompatibilityMinor\":\"35\",\"gitVersion\":\"" KNARR_VERSION
	    "\",\"gitCommit\":\"\","
	    "\"gitTreeState\":\"\",\"buildDate\":\"1970-01-01T00:00:00Z\",\"goVersion\":\"\",\"compiler\":"
	    "\"" __VERSION__ "\",\"platform\":\"linux/"
#ifdef __x86_64__
	    "amd64"
#elif defined(__aarch64__)
	    "arm64"
#else
	    "unknown"
#endif
	    "\"}");
	return respond_json(r, 200, &body);
}

static bool store_is_healthy(const struct server *server)
{
	return core_healthy(server->core);
}

static bool ping(const struct server *server)
{
	(void)server;
	return true;
}

static bool not_stopping(const struct server *server)
{
	return !server->stopping;
}

static const struct {
	const char *name;
	bool ready_only; /* not part of being alive */
	bool (*check)(const struct server *server);
} checks[] = {
	{ "ping", false, ping },
	{ "store", true, store_is_healthy },
	{ "shutdown", true, not_stopping },
};

static enum step_result health_answer(struct request *r)
{
	bool ready = r->route.kind != ROUTE_LIVEZ, healthy = true;
	const char *name = r->route.kind == ROUTE_LIVEZ    ? "livez"
			   : r->route.kind == ROUTE_READYZ ? "readyz"
							   : "healthz";
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		if (checks[i].ready_only && !ready)
			continue;
		if (r->query.exclude && strcmp(r->query.exclude, checks[i].name) == 0) {
			buf_printf(&text, "[+]%s excluded: ok\n", checks[i].name);
			continue;
		}
		bool good = checks[i].check(r->server);
		healthy &= good;
		buf_printf(&text, good ? "[+]%s ok\n" : "[-]%s failed: reason withheld\n", checks[i].name);
	}
	if (!healthy) {
		buf_printf(&text, "%s check failed\n", name);
		return respond_text(r, 500, text.data);
	}
	if (!r->query.verbose)
		return respond_text(r, 200, "ok");
	buf_printf(&text, "%s check passed\n", name);
	return respond_text(r, 200, text.data);
}

static enum step_result check_answer(struct request *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		if (strcmp(checks[i].name, r->route.name) != 0)
			continue;
		return checks[i].check(r->server)
			   ? respond_text(r, 200, "ok")
			   : respond_text(r, 500, "internal server error: reason withheld\n");
	}
	return respond_page_not_found(r);
}

static void write_audit(struct buf *text, struct audit *audit)
{
	uint64_t written, lost;
	audit_counts(audit, &written, &lost);
	buf_printf(text,
		   "# HELP apiserver_audit_event_total Audit events written.\n"
		   "# TYPE apiserver_audit_event_total counter\n"
		   "apiserver_audit_event_total %llu\n"
		   "# HELP apiserver_audit_error_total Audit events lost.\n"
		   "# TYPE apiserver_audit_error_total counter\n"
		   "apiserver_audit_error_total{plugin=\"log\"} %llu\n",
		   (unsigned long long)written, (unsigned long long)lost);
}

static enum step_result metrics_answer(struct request *r)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	counters_write(&text, r->server->core);
	buf_printf(&text,
		   "# HELP apiserver_current_inflight_requests Requests under way, by kind.\n"
		   "# TYPE apiserver_current_inflight_requests gauge\n"
		   "apiserver_current_inflight_requests{request_kind=\"readOnly\"} %lld\n"
		   "apiserver_current_inflight_requests{request_kind=\"mutating\"} %lld\n"
		   "# HELP apiserver_longrunning_requests Watches and followed logs that are open.\n"
		   "# TYPE apiserver_longrunning_requests gauge\n"
		   "apiserver_longrunning_requests{verb=\"WATCH\"} %lld\n",
		   (long long)r->server->reads, (long long)r->server->writes, (long long)r->server->watches);
	if (r->server->audit)
		write_audit(&text, r->server->audit);
	return respond_buf(r, 200, "text/plain; version=0.0.4; charset=utf-8", &text);
}

static enum step_result not_found_answer(struct request *r)
{
	return respond_page_not_found(r);
}

const struct request_step version_steps[] = { { "answer", version_answer }, { NULL, NULL } };
const struct request_step health_steps[] = { { "answer", health_answer }, { NULL, NULL } };
const struct request_step check_steps[] = { { "answer", check_answer }, { NULL, NULL } };
const struct request_step metrics_steps[] = { { "answer", metrics_answer }, { NULL, NULL } };
const struct request_step page_not_found_steps[] = { { "answer", not_found_answer }, { NULL, NULL } };
