#include "tests/unit/launcher/fixture.h"

#include <sys/wait.h>

static void first_start_and_next(void **state)
{
	struct fixture *f = *state;
	const struct cluster_settings given = { .address = "127.0.0.2",
						.port = 7000,
						.runtime = "crun",
						.service_cidr = "10.1.0.0/16,fd00::/112",
						.node_ports = "20000-20100" };
	struct cluster again = { 0 };
	struct err err = ERR_INIT;
	struct stat st;
	char name[32];

	assert_int_equal(cluster_load(f->dir, &again, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_int_equal(cluster_open(f->dir, &given, &f->cluster, &f->lock, &err), 0);
	assert_string_equal(f->cluster.dir, f->dir);
	assert_int_equal(strlen(f->cluster.id), 6);
	assert_int_equal(strncmp(cluster_bridge(&f->cluster, name, sizeof(name)), "knarr", 5), 0);
	assert_true(strlen(name) < 16); /* IFNAMSIZ */
	assert_int_equal(stat(f->dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);

	/* What was given is remembered, by another path to it as well. */
	mem_closep(&f->lock);
	f->lock = -1;
	CLEANUP(mem_freep) char *link_path = mem_printf("%s/link", f->root);
	assert_int_equal(symlink(f->dir, link_path), 0);
	assert_int_equal(cluster_open(link_path, NULL, &again, &f->lock, &err), 0);
	assert_string_equal(again.dir, f->dir);
	assert_string_equal(again.id, f->cluster.id);
	assert_string_equal(again.address, "127.0.0.2");
	assert_int_equal(again.port, 7000);
	assert_string_equal(again.runtime, "crun");
	assert_string_equal(again.service_cidr, given.service_cidr);
	assert_string_equal(again.node_ports, given.node_ports);
	assert_string_equal(again.cluster_cidr, f->cluster.cluster_cidr);
	assert_string_equal(again.node_name, f->cluster.node_name);
	cluster_close(&again);
}

static void somebody_elses_folder(void **state)
{
	struct fixture *f = *state;
	CLEANUP(mem_freep) char *file = mem_printf("%s/precious", f->root);
	struct err err = ERR_INIT;

	fixture_write(file, "x", 0600);
	assert_int_equal(cluster_open(f->root, NULL, &f->cluster, &f->lock, &err), -1);
	assert_int_equal(err.kind, ERR_CONFLICT);
	assert_non_null(strstr(err.msg, "is not empty and holds no cluster"));
	/* Nor a file, nor below one. */
	assert_int_equal(cluster_open(file, NULL, &f->cluster, &f->lock, &err), -1);
	CLEANUP(mem_freep) char *below = mem_printf("%s/below", file);
	assert_int_equal(cluster_open(below, NULL, &f->cluster, &f->lock, &err), -1);
	CLEANUP(mem_freep) char *run = mem_printf("%s/run", f->root);
	assert_int_equal(access(run, F_OK), -1); /* nothing was made in it */
}

/* Ended between its first steps: the next start goes on. */
static void an_interrupted_first_start(void **state)
{
	struct fixture *f = *state;
	CLEANUP(mem_freep) char *run = mem_printf("%s/run", f->dir);

	assert_int_equal(mkdir(f->dir, 0700), 0);
	assert_int_equal(mkdir(run, 0700), 0);
	fixture_open(f);
}

static const char *const damaged[] = {
	"", "{", "[]", "7", "{\"port\":6443}",
	"{\"address\":\"127.0.0.1\",\"port\":0,\"nodeName\":\"n\",\"clusterCIDR\":\"10.1.0.0/16\",\"runtime\":\"runc\"}",
	"{\"address\":\"127.0.0.1\",\"port\":65533,\"nodeName\":\"n\",\"clusterCIDR\":\"10.1.0.0/16\",\"runtime\":\"runc\"}",
	"{\"address\":\"127.0.0.1\",\"port\":\"6443\",\"nodeName\":\"n\",\"clusterCIDR\":\"10.1.0.0/16\",\"runtime\":\"runc\"}",
	"{\"address\":7,\"port\":6443,\"nodeName\":\"n\",\"clusterCIDR\":\"10.1.0.0/16\",\"runtime\":\"runc\"}",
};

static void damaged_settings(void **state)
{
	struct fixture *f = *state;
	CLEANUP(mem_freep) char *path = mem_printf("%s/cluster.json", f->dir);

	assert_int_equal(mkdir(f->dir, 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		struct err err = ERR_INIT;
		fixture_write(path, damaged[i], 0600);
		assert_int_equal(cluster_open(f->dir, NULL, &f->cluster, &f->lock, &err), -1);
		assert_int_not_equal(err.kind, ERR_NOT_FOUND);
		assert_non_null(strstr(err.msg, path));
		CLEANUP(buf_close) struct buf text = fixture_read(f->dir, "cluster.json");
		assert_string_equal(text.data ? text.data : "", damaged[i]); /* left for who repairs it */
	}
}

/* The second start of a cluster that runs is refused, and changes nothing. */
static void one_at_a_time(void **state)
{
	struct fixture *f = *state;
	int status;

	fixture_open(f);
	CLEANUP(buf_close) struct buf before = fixture_read(f->dir, "cluster.json");
	pid_t child = fork();
	if (child == 0) {
		struct cluster second = { 0 };
		struct err err = ERR_INIT;
		char pid[32];
		int lock = -1;
		snprintf(pid, sizeof(pid), "(process %d)", getppid());
		_exit(cluster_open(f->dir, &(struct cluster_settings){ .port = 7777 }, &second, &lock, &err) == -1 && err.kind == ERR_CONFLICT &&
			      strstr(err.msg, pid) && cluster_supervisor(&f->cluster) == getppid() ?
			      0 :
			      1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	CLEANUP(buf_close) struct buf after = fixture_read(f->dir, "cluster.json");
	assert_string_equal(before.data, after.data);
	mem_closep(&f->lock);
	f->lock = -1;
	assert_int_equal(cluster_supervisor(&f->cluster), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(first_start_and_next, fixture_begin, fixture_end),
		cmocka_unit_test_setup_teardown(somebody_elses_folder, fixture_begin, fixture_end),
		cmocka_unit_test_setup_teardown(an_interrupted_first_start, fixture_begin, fixture_end),
		cmocka_unit_test_setup_teardown(damaged_settings, fixture_begin, fixture_end),
		cmocka_unit_test_setup_teardown(one_at_a_time, fixture_begin, fixture_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
