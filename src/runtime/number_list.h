/* number_list.h - lists of CPUs and of memory nodes as the kernel writes them, "0-3,7", and as
 * its system calls take them: a bit for each. cpuset(7), "List format". */
#pragma once
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct err;
struct str;

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

static inline bool runtime_number_list_has(const struct runtime_number_list *list, size_t number)
{
	return number < RUNTIME_NUMBER_LIST_MAX &&
	       list->bits[number / RUNTIME_NUMBER_LIST_WORD] >> number % RUNTIME_NUMBER_LIST_WORD &
		       1;
}

void runtime_number_list_add(struct runtime_number_list *to, size_t number);

/* For bits that came from a system call: sets the count. */
void runtime_number_list_count(struct runtime_number_list *list);

/* As the kernel writes it, "0-3,7". */
void runtime_number_list_format(struct str *to, const struct runtime_number_list *list);
