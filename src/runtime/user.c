#include "runtime/user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/path.h"
#include "base/shape.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"

void runtime_user_clear(struct runtime_user *user)
{
	free(user->groups);
	free(user->home);
	*user = (struct runtime_user){ 0 };
}

/* ---- lines of a file ---- */

/* Called with a line split at its colons; false ends the reading. */
typedef bool take_line(void *arg, char **fields, size_t count);

enum { FIELDS_MAX = 8, CHUNK = 65536 };

static bool give_line(char *line, take_line *take, void *arg)
{
	char *fields[FIELDS_MAX];
	size_t count = 0;

	for (char *at = line; at && count < FIELDS_MAX;) {
		char *colon = strchr(at, ':');
		fields[count++] = at;
		if (colon)
			*colon = '\0';
		at = colon ? colon + 1 : NULL;
	}
	return take(arg, fields, count);
}

/* Gives the whole lines in buffer to take and keeps the rest. */
static bool give_lines(struct str *buffer, bool *skipping, take_line *take, void *arg)
{
	char *start = buffer->text;
	char *end = buffer->text + buffer->length;

	for (char *newline; (newline = memchr(start, '\n', (size_t)(end - start)));) {
		*newline = '\0';
		if (!*skipping && !give_line(start, take, arg))
			return false;
		*skipping = false;
		start = newline + 1;
	}
	buffer->length = (size_t)(end - start);
	memmove(buffer->text, start, buffer->length);
	if (buffer->length > RUNTIME_USER_LINE_MAX) {
		*skipping = true;
		buffer->length = 0;
	}
	return true;
}

static int read_lines(int fd, take_line *take, void *arg)
{
	own_clear(str_clear) struct str buffer = { 0 };
	bool skipping = false;

	for (size_t total = 0; total < RUNTIME_USER_FILE_MAX;) {
		ssize_t n = read(fd, str_room(&buffer, CHUNK + 1), CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		buffer.length += (size_t)n;
		total += (size_t)n;
		if (!give_lines(&buffer, &skipping, take, arg))
			return 0;
	}
	if (buffer.length && !skipping) {
		buffer.text[buffer.length] = '\0';
		give_line(buffer.text, take, arg);
	}
	return 0;
}

/* An absent file has no lines. O_NONBLOCK: a fifo must not hang us. */
static int read_file(int root_fd, const char *path, take_line *take, void *arg, struct err *e)
{
	struct stat st;

	own_fd int fd = path_try_open(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	if (fd < 0)
		return err_number(e, -fd, "open the container's %s", path);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "look at the container's %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "the container's %s is not a regular file", path);
	int r = read_lines(fd, take, arg);
	return r < 0 ? err_number(e, -r, "read the container's %s", path) : 0;
}

static bool parse_id(uint32_t *ret, const char *text)
{
	struct err ignored;

	return number_parse_id(ret, text, &ignored) == 0;
}

/* ---- passwd ---- */

struct passwd_search {
	const char *name; /* NULL: by uid */
	uint32_t uid;
	bool found;
	uint32_t gid;
	char *found_name;
	char *home;
};

static void passwd_search_clear(struct passwd_search *search)
{
	free(search->found_name);
	free(search->home);
}

/* name:password:uid:gid:comment:home:shell */
static bool match_passwd(void *arg, char **fields, size_t count)
{
	struct passwd_search *search = arg;
	uint32_t uid, gid;

	if (count < 4 || !parse_id(&uid, fields[2]) || !parse_id(&gid, fields[3]))
		return true;
	if (search->name ? strcmp(fields[0], search->name) != 0 : uid != search->uid)
		return true;
	search->found = true;
	search->uid = uid;
	search->gid = gid;
	search->found_name = mem_text(fields[0]);
	if (count > 5 && *fields[5] == '/')
		search->home = mem_text(fields[5]);
	return false;
}

/* ---- group ---- */

struct group_search {
	const char *member;       /* collect the groups that this user is in, or NULL */
	const struct strv *names; /* collect these, by name or id */
	struct shape_u32s found;  /* of the member */
	int64_t *resolved;        /* of names: the id, -1 until found */
};

static bool lists_member(char *list, const char *member)
{
	char *rest = NULL;

	for (char *name = strtok_r(list, ",", &rest); name; name = strtok_r(NULL, ",", &rest))
		if (strcmp(name, member) == 0)
			return true;
	return false;
}

/* name:password:gid:member,member */
static bool match_group(void *arg, char **fields, size_t count)
{
	struct group_search *search = arg;
	uint32_t gid;

	if (count < 3 || !parse_id(&gid, fields[2]))
		return true;
	for (size_t i = 0; i < search->names->count; i++)
		if (search->resolved[i] < 0 && strcmp(search->names->items[i], fields[0]) == 0)
			search->resolved[i] = gid;
	if (search->member && count > 3 && search->found.count < RUNTIME_USER_GROUPS_MAX &&
	    lists_member(fields[3], search->member)) {
		struct shape_u32s *found = &search->found;
		found->items = shape_list_grow(found->items, found->count, sizeof(*found->items));
		found->items[found->count++] = gid;
	}
	return true;
}

static void group_search_clear(struct group_search *search)
{
	free(search->found.items);
	free(search->resolved);
}

/* Reads /etc/group once for all that is asked. A name that is not there must be an id. */
static int search_groups(struct group_search *search, int root_fd, struct err *e)
{
	const struct strv *names = search->names;

	search->resolved = mem_new(names->count + 1, sizeof(*search->resolved));
	for (size_t i = 0; i < names->count; i++)
		search->resolved[i] = -1;
	if (names->count || search->member) {
		int r = read_file(root_fd, "/etc/group", match_group, search, e);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < names->count; i++) {
		uint32_t gid;
		if (search->resolved[i] >= 0)
			continue;
		if (parse_id(&gid, names->items[i])) {
			search->resolved[i] = gid;
			continue;
		}
		if (names->items[i][strspn(names->items[i], "-+0123456789")] == '\0')
			return number_parse_id(&gid, names->items[i], e);
		err_set(e, ERR_NOT_FOUND, "no group '%s' in the container's /etc/group",
			names->items[i]);
		return err_hint(e, "give the group as a number");
	}
	return 0;
}

/* ---- both ---- */

static void add_group(struct runtime_user *user, gid_t gid)
{
	if (gid == user->gid || user->groups_count >= RUNTIME_USER_GROUPS_MAX)
		return;
	for (size_t i = 0; i < user->groups_count; i++)
		if (user->groups[i] == gid)
			return;
	user->groups = shape_list_grow(user->groups, user->groups_count, sizeof(*user->groups));
	user->groups[user->groups_count++] = gid;
}

/* A number is an id, whatever passwd says; but what passwd says of it counts. */
static int search_user(struct passwd_search *search, int root_fd, const char *name, struct err *e)
{
	bool is_number = *name && name[strspn(name, "-+0123456789")] == '\0';

	search->name = name;
	if (is_number) {
		search->name = NULL;
		int r = number_parse_id(&search->uid, name, e);
		if (r < 0)
			return r;
	}
	int r = read_file(root_fd, "/etc/passwd", match_passwd, search, e);
	if (r < 0 || search->found || is_number)
		return r;
	err_set(e, ERR_NOT_FOUND, "no user '%s' in the container's /etc/passwd", name);
	return err_hint(e, "give the user as a number");
}

static int resolve_named(struct runtime_user *ret, int root_fd, const char *text,
			 const struct strv *extra, struct err *e)
{
	own_clear(passwd_search_clear) struct passwd_search passwd = { 0 };
	own_clear(group_search_clear) struct group_search groups = { 0 };
	own_clear(strv_clear) struct strv names = { 0 };
	const char *colon = strchr(text, ':');
	own_free char *name = colon ? mem_text_n(text, (size_t)(colon - text)) : mem_text(text);

	int r = search_user(&passwd, root_fd, *name ? name : "0", e);
	if (r < 0)
		return r;
	if (colon && colon[1])
		strv_add(&names, colon + 1);
	else
		groups.member = passwd.found_name;
	bool has_group = names.count > 0;
	strv_add_all(&names, extra);
	groups.names = &names;
	r = search_groups(&groups, root_fd, e);
	if (r < 0)
		return r;

	ret->uid = passwd.uid;
	ret->gid = has_group ? (gid_t)groups.resolved[0] : passwd.gid;
	ret->home = take_ptr(&passwd.home);
	for (size_t i = 0; i < groups.found.count; i++)
		add_group(ret, groups.found.items[i]);
	for (size_t i = has_group; i < names.count; i++)
		add_group(ret, (gid_t)groups.resolved[i]);
	return 0;
}

static int resolve_numbers(struct runtime_user *ret, int root_fd, const struct oci_user *user,
			   const struct strv *extra, struct err *e)
{
	own_clear(passwd_search_clear) struct passwd_search passwd = { .uid = user->uid };
	own_clear(group_search_clear) struct group_search groups = { .names = extra };

	if (user->uid == UINT32_MAX || user->gid == UINT32_MAX)
		return err_set(e, ERR_INVALID, "uid and gid: 4294967295 is no id");
	/* for HOME alone: a broken passwd is no reason to fail */
	struct err ignored;
	read_file(root_fd, "/etc/passwd", match_passwd, &passwd, &ignored);
	int r = search_groups(&groups, root_fd, e);
	if (r < 0)
		return r;

	ret->uid = user->uid;
	ret->gid = user->gid;
	ret->home = take_ptr(&passwd.home);
	for (size_t i = 0; i < extra->count; i++)
		add_group(ret, (gid_t)groups.resolved[i]);
	return 0;
}

int runtime_user_resolve(struct runtime_user *ret, int root_fd, const struct oci_user *user,
			 const char *groups, struct err *e)
{
	own_clear(strv_clear) struct strv extra = { 0 };

	if (!str_empty(groups))
		strv_split(&extra, groups, ',');
	*ret = (struct runtime_user){ 0 };
	int r = str_empty(user->username) ? resolve_numbers(ret, root_fd, user, &extra, e)
					  : resolve_named(ret, root_fd, user->username, &extra, e);
	if (r < 0)
		return err_add(e, "user");
	for (size_t i = 0; i < user->additional_gids.count; i++) {
		if (user->additional_gids.items[i] == UINT32_MAX)
			return err_set(e, ERR_INVALID,
				       "user: additionalGids[%zu]: 4294967295 is no group id", i);
		add_group(ret, user->additional_gids.items[i]);
	}
	return 0;
}
