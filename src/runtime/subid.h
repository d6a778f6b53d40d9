/* subid.h - ids that an administrator has set aside: subuid(5), subgid(5), as shadow's newuidmap(1)
 * reads them. A line is NAME:FIRST:COUNT, NAME a login name or a number; what is no such line, has
 * a count of 0 or goes beyond the last id is passed over. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

enum {
	RUNTIME_SUBID_FILE_MAX = 16 << 20,  /* bytes */
	RUNTIME_SUBID_RANGES_MAX = 1 << 16, /* more are passed over */
};

struct runtime_subid_range {
	uint32_t first;
	uint32_t count; /* never 0; first + count <= 4294967295 */
};

struct runtime_subid_ranges {
	struct runtime_subid_range *items;
	size_t count;
	size_t broken;   /* lines of the owner's that were passed over */
	size_t capacity; /* internal */
};

/* Whose lines: those that start with name (NULL: none) or with id ("1000", or NULL). */
struct runtime_subid_owner {
	const char *name;
	const char *id;
};

void runtime_subid_clear(struct runtime_subid_ranges *ranges);
void runtime_subid_add(struct runtime_subid_ranges *to, uint32_t first, uint32_t count);

/* Adds the ranges of owner in text, in its order; with others, those of everybody else. */
void runtime_subid_parse(struct runtime_subid_ranges *to, const char *text,
			 const struct runtime_subid_owner *owner, bool others);

/* The same for a file; one that is not there has none. Of an owner's, by name, where nsswitch.conf
 * has them from another service, that one is asked instead (subid_service.h). */
int runtime_subid_read(struct runtime_subid_ranges *to, const char *path,
		       const struct runtime_subid_owner *owner, bool others, struct err *e);

/* The login name of a user of the host, by /etc/passwd alone; who is not in it, where another
 * service has the ids, is called as $USER says (newuidmap(1) checks that). NULL: none. The caller
 * frees. */
char *runtime_subid_login_name(uid_t uid);
