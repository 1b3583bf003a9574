#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apiserver/admission/pod_security_checks.h"
#include "lib/mem.h"

#define SAFE                                                                                                           \
	"\"securityContext\":{\"allowPrivilegeEscalation\":false,\"runAsNonRoot\":true,\"capabilities\":{\"drop\":[\"ALL\"]}," \
	"\"seccompProfile\":{\"type\":\"RuntimeDefault\"}}"
#define POD(rest)        "{\"spec\":{" rest "}}"
#define CONTAINERS(list) "\"containers\":[" list "]"
#define C(rest)          "{\"name\":\"c\"" rest "}"
#define CONTEXT(rest)    ",\"securityContext\":{" rest "}"

static const struct {
	const char *pod;
	struct pod_security_standard standard;
	const char *violations; /* NULL: none */
} cases[] = {
	{ POD("\"hostNetwork\":true," CONTAINERS(C())), { POD_SECURITY_PRIVILEGED, POD_SECURITY_LATEST }, NULL },
	{ POD(CONTAINERS(C())), { POD_SECURITY_BASELINE, POD_SECURITY_LATEST }, NULL },
	{ POD(CONTAINERS(C("," SAFE))), { POD_SECURITY_RESTRICTED, POD_SECURITY_LATEST }, NULL },
	{ POD(CONTAINERS(C())),
	  { POD_SECURITY_RESTRICTED, POD_SECURITY_LATEST },
	  "allowPrivilegeEscalation != false (container \"c\" must set securityContext.allowPrivilegeEscalation=false), "
	  "unrestricted capabilities (container \"c\" must set securityContext.capabilities.drop=[\"ALL\"]), "
	  "runAsNonRoot != true (pod or container \"c\" must set securityContext.runAsNonRoot=true), "
	  "seccompProfile (pod or container \"c\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")" },
	/* Before v1.22 nobody had to drop capabilities, before v1.19 seccomp had no field. */
	{ POD(CONTAINERS(C())),
	  { POD_SECURITY_RESTRICTED, 18 },
	  "allowPrivilegeEscalation != false (container \"c\" must set securityContext.allowPrivilegeEscalation=false), "
	  "runAsNonRoot != true (pod or container \"c\" must set securityContext.runAsNonRoot=true)" },
	{ POD("\"hostNetwork\":true,\"hostPID\":true," CONTAINERS(C())),
	  { POD_SECURITY_BASELINE, POD_SECURITY_LATEST },
	  "host namespaces (hostNetwork=true, hostPID=true)" },
	{ POD(CONTAINERS(C(CONTEXT("\"privileged\":true")) ",{\"name\":\"d\"" CONTEXT("\"privileged\":true") "}")),
	  { POD_SECURITY_BASELINE, POD_SECURITY_LATEST },
	  "privileged (containers \"c\", \"d\" must not set securityContext.privileged=true)" },
	{ POD("\"initContainers\":[{\"name\":\"i\"" CONTEXT("\"capabilities\":{\"add\":[\"NET_ADMIN\",\"CHOWN\"]}") "}],"
	      CONTAINERS(C())),
	  { POD_SECURITY_BASELINE, POD_SECURITY_LATEST },
	  "non-default capabilities (container \"i\" must not include \"NET_ADMIN\" in securityContext.capabilities.add)" },
	{ POD(CONTAINERS(C(",\"ports\":[{\"hostPort\":80},{\"hostPort\":443},{\"containerPort\":1}]"))),
	  { POD_SECURITY_BASELINE, POD_SECURITY_LATEST },
	  "hostPort (container \"c\" uses hostPorts 80, 443)" },
	{ POD("\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"/\"}},{\"name\":\"e\",\"emptyDir\":{}}]," CONTAINERS(C())),
	  { POD_SECURITY_BASELINE, POD_SECURITY_LATEST },
	  "hostPath volumes (volume \"v\")" },
	{ POD("\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"/\"}},{\"name\":\"n\",\"nfs\":{}}]," CONTAINERS(C("," SAFE))),
	  { POD_SECURITY_RESTRICTED, POD_SECURITY_LATEST },
	  "restricted volume types (volumes \"v\", \"n\" use restricted volume types \"hostPath\", \"nfs\")" },
	{ POD("\"securityContext\":{\"seccompProfile\":{\"type\":\"Unconfined\"}}," CONTAINERS(C())),
	  { POD_SECURITY_BASELINE, POD_SECURITY_LATEST },
	  "seccompProfile (pod must not set securityContext.seccompProfile.type to \"Unconfined\")" },
	{ POD("\"securityContext\":{\"sysctls\":[{\"name\":\"kernel.msgmax\"},{\"name\":\"net.ipv4.tcp_rmem\"}]}," CONTAINERS(C())),
	  { POD_SECURITY_BASELINE, 31 },
	  "forbidden sysctls (kernel.msgmax, net.ipv4.tcp_rmem)" },
	{ POD("\"securityContext\":{\"seLinuxOptions\":{\"type\":\"spc_t\",\"user\":\"u\"}}," CONTAINERS(C())),
	  { POD_SECURITY_BASELINE, POD_SECURITY_LATEST },
	  "seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type \"spc_t\", user may not be set)" },
	{ POD("\"securityContext\":{\"runAsUser\":0}," CONTAINERS(C("," SAFE))),
	  { POD_SECURITY_RESTRICTED, POD_SECURITY_LATEST },
	  "runAsUser=0 (pod must not set runAsUser=0)" },
	{ POD("\"securityContext\":{\"runAsNonRoot\":true,\"seccompProfile\":{\"type\":\"Localhost\"}},"
	      CONTAINERS(C(CONTEXT("\"allowPrivilegeEscalation\":false,\"capabilities\":{\"drop\":[\"ALL\"],\"add\":[\"NET_BIND_SERVICE\"]}")))),
	  { POD_SECURITY_RESTRICTED, POD_SECURITY_LATEST },
	  NULL },
	{ POD(CONTAINERS(C(",\"livenessProbe\":{\"httpGet\":{\"host\":\"10.0.0.1\"}}"))),
	  { POD_SECURITY_BASELINE, POD_SECURITY_LATEST },
	  "probe or lifecycle host (container \"c\" uses probe or lifecycle host \"10.0.0.1\")" },
	{ POD(CONTAINERS(C(",\"livenessProbe\":{\"httpGet\":{\"host\":\"10.0.0.1\"}}"))), { POD_SECURITY_BASELINE, 33 }, NULL },
	{ "{\"metadata\":{\"annotations\":{\"container.apparmor.security.beta.kubernetes.io/c\":\"unconfined\"}},\"spec\":{" CONTAINERS(C()) "}}",
	  { POD_SECURITY_BASELINE, POD_SECURITY_LATEST },
	  "forbidden AppArmor profile (container.apparmor.security.beta.kubernetes.io/c=\"unconfined\")" },
};

static void test_standards(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(json_putp) struct json_object *pod = NULL;
		CLEANUP(buf_close) struct buf violations = BUF_INIT;
		struct err err = ERR_INIT;

		if (json_parse(cases[i].pod, strlen(cases[i].pod), &pod, NULL, &err) < 0)
			fail_msg("case %zu: %s", i, err.msg);
		bool allowed = pod_security_allows(&cases[i].standard, json_get(pod, "metadata"), json_get(pod, "spec"), true, &violations);
		assert_int_equal(allowed, cases[i].violations == NULL);
		if (!allowed)
			assert_string_equal(violations.data, cases[i].violations);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_standards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
