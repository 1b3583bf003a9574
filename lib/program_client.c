#include "lib/program_client.h"

#include "lib/log.h"

int program_client_main(const char *name, const char *kubeconfig_path,
			const struct program_server_flags *server_flags,
			void (*run)(struct loop *loop, struct api_client *client, void *arg), void *arg)
{
	CLEANUP(mem_freep) char *user_agent = mem_printf("%s/%s", name, KNARR_VERSION);
	struct kubeconfig_overrides overrides = { .path = kubeconfig_path };
	struct kubeconfig config = { 0 };
	struct err err = ERR_INIT;
	struct loop *loop = loop_new(&err);
	struct api_client *client = NULL;
	struct http_routes *server = NULL;
	int code = 1;

	if (loop && program_stop_on_signals(loop, &err) == 0 &&
	    kubeconfig_load(&overrides, &config, &err) == 0 &&
	    (client = api_client_new(loop, &config, user_agent, &err)) &&
	    program_server_start(loop, server_flags, NULL, NULL, &server, &err) == 0) {
		run(loop, client, arg);
		code = 0;
	}
	if (code)
		log_error("cannot start", "error", err.msg, NULL);
	http_routes_free(server);
	api_client_free(client);
	kubeconfig_close(&config);
	loop_free(loop);
	return code;
}
