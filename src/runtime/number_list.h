/* number_list.h - lists of CPUs and of memory nodes as the kernel writes them, "0-3,7", and as
 * its system calls take them: a bit for each. cpuset(7), "List format". */
#pragma once
#include <limits.h>
#include <stddef.h>

struct err;

enum {
	RUNTIME_NUMBER_LIST_MAX = 8192, /* as many CPUs as x86's NR_CPUS allows; nodes are less */
	RUNTIME_NUMBER_LIST_WORD = CHAR_BIT * sizeof(unsigned long),
};

struct runtime_number_list {
	unsigned long bits[RUNTIME_NUMBER_LIST_MAX / RUNTIME_NUMBER_LIST_WORD];
	size_t count; /* how many are set */
};

/* ERR_INVALID for an empty part, a range that runs backwards, a number beyond the bound; member
 * is named. "" is the empty list. */
int runtime_number_list_parse(struct runtime_number_list *ret, const char *text, const char *member,
			      struct err *e);
