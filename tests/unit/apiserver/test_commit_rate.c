/* How fast the core commits: creates of 1 KiB with 64 commands in flight, on the real store. */
#include "lib/timefmt.h"
#include "tests/unit/apiserver/core_fixture.h"

#define IN_FLIGHT 64
#define CREATES   20000

struct client {
	struct core *core;
	struct core_command commands[IN_FLIGHT];
	sem_t answers;
	_Atomic size_t failed;
};

/* A command whose arg is NULL is free. */
static struct core_command *free_command(struct client *client)
{
	for (;;) {
		sem_wait(&client->answers);
		for (size_t i = 0; i < IN_FLIGHT; i++) {
			if (!__atomic_load_n(&client->commands[i].arg, __ATOMIC_ACQUIRE))
				return &client->commands[i];
		}
	}
}

static void release_and_count(struct core_command *command)
{
	struct client *client = command->arg;

	if (command->err.kind != ERR_NONE)
		client->failed++;
	core_command_close(command);
	__atomic_store_n(&command->arg, NULL, __ATOMIC_RELEASE);
	sem_post(&client->answers);
}

static void test_rate(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct client *client = mem_zalloc(sizeof(*client));
	struct object **objects = mem_alloc(CREATES * sizeof(struct object *));
	char value[1024];

	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	client->core = start(dir);
	sem_init(&client->answers, 0, IN_FLIGHT);
	for (size_t i = 0; i < CREATES; i++)
		objects[i] = make(config_maps(),
				  "\"name\":\"c%06zu\",\"namespace\":\"default\",\"uid\":\"7c2b0a9e-%zu\"},"
				  "\"data\":{\"k\":\"%s\"}",
				  i, i, value);

	int64_t begin_us = time_mono_us();

	for (size_t i = 0; i < CREATES; i++) {
		struct core_command *command = free_command(client);

		*command = (struct core_command){ .op = CORE_CREATE,
						  .resource = config_maps(),
						  .object = objects[i],
						  .reply = release_and_count,
						  .arg = client };
		core_submit(client->core, command);
	}
	for (size_t i = 0; i < IN_FLIGHT; i++)
		sem_wait(&client->answers);

	int64_t took_us = time_mono_us() - begin_us;

	assert_int_equal(client->failed, 0);
	assert_int_equal(core_count(client->core, config_maps()), CREATES);
	print_message("%d durable creates of 1 KiB, %d in flight: %lld/s\n", CREATES, IN_FLIGHT,
		      (long long)CREATES * 1000000 / (long long)took_us);
	begin_us = time_mono_us();
	core_stop_and_free(client->core);
	print_message("stopped in %lld ms\n", (long long)(time_mono_us() - begin_us) / 1000);
	begin_us = time_mono_us();
	client->core = start(dir);
	print_message("%d objects loaded in %lld ms\n", CREATES,
		      (long long)(time_mono_us() - begin_us) / 1000);
	assert_int_equal(core_count(client->core, config_maps()), CREATES);
	core_stop_and_free(client->core);
	sem_destroy(&client->answers);
	free(objects);
	free(client);
	remove_folder(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rate) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
