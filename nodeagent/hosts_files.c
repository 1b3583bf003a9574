#include "nodeagent/hosts_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/buf.h"
#include "nodeagent/tree.h"

#define HOST_FILE_MAX (256 * 1024)

static bool on_host_network(const struct json_object *pod)
{
	return json_boolean(json_get(pod, "spec"), "hostNetwork", false);
}

char *hosts_files_hostname(const struct json_object *pod, const char *node_name)
{
	const char *name = json_str(json_get(pod, "spec"), "hostname");

	if (on_host_network(pod))
		return mem_dup(node_name);
	if (!name)
		name = json_str_or_empty(json_get(pod, "metadata"), "name");
	size_t len = strnlen(name, 63);
	while (len > 0 && (name[len - 1] == '-' || name[len - 1] == '.'))
		len--;
	return mem_dupn(name, len);
}

static void add_aliases(struct buf *b, const struct json_object *pod)
{
	const struct json_object *aliases = json_path(pod, "spec", "hostAliases", NULL);

	for (size_t i = 0; i < json_len(aliases); i++) {
		const struct json_object *alias = json_at(aliases, i), *names = json_get(alias, "hostnames");
		buf_str(b, json_str_or_empty(alias, "ip"));
		for (size_t n = 0; n < json_len(names); n++)
			buf_printf(b, "%c%s", n ? ' ' : '\t', json_object_get_string(json_at(names, n)));
		buf_char(b, '\n');
	}
}

static void hosts(struct buf *b, const struct hosts_files_opts *opts)
{
	const struct json_object *spec = json_get(opts->pod, "spec");
	const char *subdomain = json_str(spec, "subdomain");

	if (on_host_network(opts->pod)) {
		buf_read_file(b, opts->host_hosts, HOST_FILE_MAX, NULL);
	} else {
		buf_str(b, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
			   "fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::"
			   "2\tip6-allrouters\n");
		buf_printf(b, "%s\t", opts->address);
		if (subdomain)
			buf_printf(b, "%s.%s.%s.svc.cluster.local ", opts->hostname, subdomain,
				   json_str_or_empty(json_get(opts->pod, "metadata"), "namespace"));
		buf_printf(b, "%s\n", opts->hostname);
	}
	add_aliases(b, opts->pod);
}

/* Lines of the node's file that begin with KEYWORD are copied unless the pod's own take their place. */
static void copy_lines(struct buf *b, const char *text, const char *keyword)
{
	size_t len = strlen(keyword);

	for (const char *line = text; line && *line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, keyword, len) == 0 && (line[len] == ' ' || line[len] == '\t'))
			buf_printf(b, "%.*s\n", (int)strcspn(line, "\n"), line);
}

static void add_list(struct buf *b, const char *keyword, const struct json_object *list, bool one_line)
{
	for (size_t i = 0; i < json_len(list); i++) {
		if (i == 0 || !one_line)
			buf_str(b, keyword);
		buf_printf(b, " %s%s", json_object_get_string(json_at(list, i)), one_line ? "" : "\n");
	}
	if (one_line && json_len(list) > 0)
		buf_char(b, '\n');
}

static void resolv_conf(struct buf *b, const struct hosts_files_opts *opts)
{
	const struct json_object *spec = json_get(opts->pod, "spec"), *config = json_get(spec, "dnsConfig");
	const struct json_object *options = json_get(config, "options");
	CLEANUP(buf_close) struct buf host = BUF_INIT;

	if (strcmp(json_str_or_empty(spec, "dnsPolicy"), "None") != 0)
		buf_read_file(&host, opts->host_resolv_conf, HOST_FILE_MAX, NULL);
	if (json_len(json_get(config, "searches")) > 0)
		add_list(b, "search", json_get(config, "searches"), true);
	else
		copy_lines(b, host.data, "search");
	copy_lines(b, host.data, "nameserver");
	add_list(b, "nameserver", json_get(config, "nameservers"), false);
	copy_lines(b, host.data, "options");
	for (size_t i = 0; i < json_len(options); i++) {
		const struct json_object *option = json_at(options, i);
		const char *value = json_str(option, "value");
		buf_printf(b, "options %s%s%s\n", json_str_or_empty(option, "name"), value ? ":" : "",
			   value ? value : "");
	}
}

/* Plain writes into the same file: it is bound into running containers and must stay the same inode. */
static int write_file(const char *dir, const char *name, const struct buf *b, struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, name);
	CLEANUP(mem_fclosep) FILE *f = fopen(path, "we");

	if (!f || (b->len && fwrite(b->data, 1, b->len, f) != b->len) || fflush(f) != 0 ||
	    chmod(path, 0644) < 0)
		return err_set_errno(err, errno, "%s", path);
	return 0;
}

int hosts_files_write(const struct hosts_files_opts *opts, struct err *err)
{
	CLEANUP(mem_freep) char *dir = mem_printf("%s/etc", opts->pod_dir);
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	if (tree_make(dir, 0755, err) < 0)
		return -1;
	hosts(&b, opts);
	if (write_file(dir, "hosts", &b, err) < 0)
		return -1;
	buf_reset(&b);
	buf_printf(&b, "%s\n", opts->hostname);
	if (write_file(dir, "hostname", &b, err) < 0)
		return -1;
	buf_reset(&b);
	resolv_conf(&b, opts);
	return write_file(dir, "resolv.conf", &b, err);
}
