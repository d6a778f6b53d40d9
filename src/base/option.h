/* option.h - options as tables: from one table come parsing, --help, completion and the list in
 * the man page. The spelling is GNU's with Docker's habits: --name=x and --name x, -m512m, -m 512m
 * and -m=512m, -it, flags that take =true and =false, the last of several single values counts,
 * "--" ends the options. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strv.h"

struct err;
struct str;

/* What lies at the offset, and what a value may look like. Strings and lists are copies that the
 * struct owns. Whatever the engine has to understand (sizes,
 * volumes, capabilities...) is a string here, and the engine says what is wrong with it. */
enum option_type {
	OPTION_TYPE_HEADING, /* nothing: a title between the options, in help alone */
	OPTION_TYPE_FLAG,    /* bool */
	OPTION_TYPE_TOGGLE,  /* bool, and a second that tells "given": --x, --x=false, --no-x */
	OPTION_TYPE_STRING,  /* char *, NULL when not given; the last one counts */
	OPTION_TYPE_STRINGS, /* struct strv: each use adds one */
	OPTION_TYPE_INT,     /* int64_t, any sign */
	OPTION_TYPE_COUNT,   /* int64_t, not negative */
};

struct option {
	const char *name; /* without "--"; NULL in the row that ends the table */
	char letter;      /* or 0 */
	enum option_type type;
	size_t offset;
	size_t given;        /* of a toggle: where its second bool lies */
	const char *metavar; /* "SIZE"; NULL for flags */
	const char *help;
	/* the words that are accepted, separated by "|"; or what completion offers, a kind of
	 * complete.h in front of ':': "container:", "image:", "volume:", "secret:", "file:",
	 * "folder:" */
	const char *values;
	bool hidden; /* accepted, not listed */
};

/* A row's type and offsets, the members' types checked: OPTION_FLAG(detach), within a table whose
 * struct is named by `#define OPTIONS struct x`. A toggle x has a member x_given. */
#define OPTION_OFFSET(member, kind)                                                                \
	(offsetof(OPTIONS, member) +                                                               \
	 0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((OPTIONS *)0)->member), kind)    \
				 ? 1                                                               \
				 : -1]))
#define OPTION_FLAG(member) OPTION_TYPE_FLAG, OPTION_OFFSET(member, bool), 0
#define OPTION_TOGGLE(member)                                                                      \
	OPTION_TYPE_TOGGLE, OPTION_OFFSET(member, bool), OPTION_OFFSET(member##_given, bool)
#define OPTION_STRING(member)  OPTION_TYPE_STRING, OPTION_OFFSET(member, char *), 0
#define OPTION_STRINGS(member) OPTION_TYPE_STRINGS, OPTION_OFFSET(member, struct strv), 0
#define OPTION_INT(member)     OPTION_TYPE_INT, OPTION_OFFSET(member, int64_t), 0
#define OPTION_COUNT(member)   OPTION_TYPE_COUNT, OPTION_OFFSET(member, int64_t), 0
#define OPTION_HEADING(title)                                                                      \
	{                                                                                          \
		"", 0, OPTION_TYPE_HEADING, 0, 0, NULL, title                                      \
	}

/* What stood beside the options. */
struct option_line {
	struct strv args;
	/* --help was among them, or -h where the table has no such letter; or --usage or -?, by
	 * which programs of argp(3) are asked, as crun */
	bool help;
};

enum option_mode {
	OPTION_ANYWHERE, /* options may stand behind arguments */
	OPTION_FIRST,    /* the first argument ends them: what follows belongs to a container */
};

/* Parses count words into the struct at to, which holds the defaults, and the others into line.
 * Fails with ERR_INVALID, naming the option, the value and the accepted form; what was set until
 * then stays set. The caller ends both with option_clear and strv_clear(&line->args). */
int option_parse(const struct option *table, enum option_mode mode, char *const *words,
		 size_t count, void *to, struct option_line *line, struct err *e);

/* Sets one option from its value; option_parse is made of it. */
int option_set(const struct option *option, const char *value, void *to, struct err *e);

/* Frees the strings and lists of the table's members, and zeroes these. */
void option_clear(const struct option *table, void *to);

/* By long name or by letter; NULL if there is none. */
const struct option *option_find(const struct option *table, const char *name, size_t length);
const struct option *option_find_letter(const struct option *table, char letter);

/* The listing of --help, aligned, wrapped at 80-100 columns, with its headings. */
void option_help(const struct option *table, struct str *to);

/* Of a long table: those that common names ("detach|rm"), and of the others the names alone, below
 * their headings. */
void option_help_short(const struct option *table, const char *common, struct str *to);

/* The same as scdoc(5) source for a man page. */
void option_man(const struct option *table, struct str *to);

static inline bool option_takes_value(const struct option *option)
{
	return option->type != OPTION_TYPE_FLAG && option->type != OPTION_TYPE_TOGGLE;
}
