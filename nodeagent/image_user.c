#include "nodeagent/image_user.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define FILE_MAX_BYTES (1 << 20)
#define MAX_GROUPS     1024

enum found { FOUND, HIDDEN, NOT_HERE };

static int open_in(int root, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned)flags | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* Whether the folder of PATH hides those of lower layers. */
static bool is_last(int root, const char *path)
{
	CLEANUP(mem_freep) char *folder = mem_dupn(path, strcspn(path, "/"));
	struct stat st;
	CLEANUP(mem_closep) int link = open_in(root, folder, O_PATH | O_NOFOLLOW);
	if (link >= 0 && !fstat(link, &st) && is_whiteout(&st))
		return true;
	CLEANUP(mem_closep) int fd = open_in(root, folder, O_RDONLY | O_DIRECTORY);
	char value[4];
	return fd >= 0 && fgetxattr(fd, "trusted.overlay.opaque", value, sizeof(value)) == 1 &&
	       value[0] == 'y';
}

static enum found read_layer(const char *layer, const char *path, struct buf *ret)
{
	CLEANUP(mem_closep) int root = open(layer, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	CLEANUP(mem_closep) int probe = root < 0 ? -1 : open_in(root, path, O_PATH);
	if (probe < 0 || fstat(probe, &st))
		return root >= 0 && is_last(root, path) ? HIDDEN : NOT_HERE;
	if (!S_ISREG(st.st_mode))
		return HIDDEN;
	CLEANUP(mem_closep) int fd = open_in(root, path, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return HIDDEN;
	char chunk[4096];
	for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0 && !ret->failed;)
		buf_add(ret, chunk, (size_t)n);
	return FOUND;
}

int image_user_read_file(const struct image *image, const char *path, struct buf *ret, struct err *err)
{
	ret->max = FILE_MAX_BYTES;
	enum found found = NOT_HERE;
	for (size_t i = image->n_layers; found == NOT_HERE && i-- > 0;)
		found = read_layer(image->layers[i], path, ret);
	return ret->failed ? err_set(err, ERR_LIMIT, "the image's %s is over 1 MiB", path) : 0;
}

static bool parse_id(const char *s, uint32_t *ret)
{
	char *end;
	if (!s || !*s || strspn(s, "0123456789") != strlen(s) || strlen(s) > 10)
		return false;
	unsigned long long value = strtoull(s, &end, 10);
	if (*end || value > INT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* Splits "a:b:c:d" in place; missing fields are "". */
static void split(char *line, char **fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fields[i] = line;
		line += strcspn(line, ":");
		if (*line)
			*line++ = '\0';
	}
}

struct passwd_entry {
	char name[256];
	uint32_t uid, gid;
};

/* The first entry whose name is NAME, or, with NAME NULL, whose number is UID. */
static bool find_user(const char *passwd, const char *name, uint32_t uid, struct passwd_entry *ret)
{
	CLEANUP(mem_freep) char *text = mem_dup(passwd ? passwd : "");
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
		char *fields[4];
		split(line, fields, ARRAY_SIZE(fields));
		struct passwd_entry entry = { 0 };
		if (!parse_id(fields[2], &entry.uid) || !parse_id(fields[3], &entry.gid) ||
		    strlen(fields[0]) >= sizeof(entry.name))
			continue;
		if (name ? strcmp(name, fields[0]) != 0 : entry.uid != uid)
			continue;
		strcpy(entry.name, fields[0]);
		*ret = entry;
		return true;
	}
	return false;
}

static bool in_list(const char *list, const char *name)
{
	size_t len = strlen(name);
	for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',') {
		if (strcspn(p, ",") == len && !strncmp(p, name, len))
			return true;
	}
	return false;
}

/* Finds group NAME, or, with NAME NULL, adds all groups to USER that MEMBER is in. */
static bool scan_groups(const char *group, const char *name, const char *member, uint32_t *ret_gid,
			struct image_user *user)
{
	CLEANUP(mem_freep) char *text = mem_dup(group ? group : "");
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
		char *fields[4];
		split(line, fields, ARRAY_SIZE(fields));
		uint32_t gid;
		if (!parse_id(fields[2], &gid))
			continue;
		if (name && !strcmp(name, fields[0])) {
			*ret_gid = gid;
			return true;
		}
		if (member && *member && in_list(fields[3], member) && user->n_groups < MAX_GROUPS)
			user->groups[user->n_groups++] = gid;
	}
	return false;
}

static int resolve_group(const char *group_file, const char *group, uint32_t *ret, struct err *err)
{
	if (parse_id(group, ret) || scan_groups(group_file, group, NULL, ret, NULL))
		return 0;
	return err_set(err, ERR_INVALID, "unable to find group %s: no matching entries in group file", group);
}

int image_user_resolve(const struct image *image, const char *user, int64_t uid, int64_t gid,
		       struct image_user *ret, struct err *err)
{
	CLEANUP(buf_close) struct buf passwd = BUF_INIT;
	CLEANUP(buf_close) struct buf group = BUF_INIT;
	if (image_user_read_file(image, "etc/passwd", &passwd, err) ||
	    image_user_read_file(image, "etc/group", &group, err))
		return -1;
	CLEANUP(mem_freep) char *name = mem_dup(user ? user : "");
	char *colon = strchr(name, ':');
	if (colon)
		*colon = '\0';
	/* A uid of the pod's own makes the image's group meaningless too. */
	const char *group_name = colon && uid < 0 ? colon + 1 : "";

	struct passwd_entry entry = { 0 };
	if (uid >= 0)
		entry.uid = (uint32_t)uid;
	bool numeric = uid >= 0 || !*name || parse_id(name, &entry.uid);
	if (!find_user(passwd.data, numeric ? NULL : name, entry.uid, &entry) && !numeric)
		return err_set(err, ERR_INVALID, "unable to find user %s: no matching entries in passwd file",
			       name);
	if (*group_name && gid < 0 && resolve_group(group.data, group_name, &entry.gid, err))
		return -1;
	struct image_user found = { .uid = entry.uid, .gid = gid >= 0 ? (uint32_t)gid : entry.gid };
	found.groups = mem_alloc((MAX_GROUPS + 1) * sizeof(*found.groups));
	found.groups[found.n_groups++] = found.gid;
	scan_groups(group.data, NULL, entry.name, NULL, &found);
	*ret = found;
	return 0;
}

void image_user_close(struct image_user *user)
{
	free(user->groups);
	*user = (struct image_user){ 0 };
}
