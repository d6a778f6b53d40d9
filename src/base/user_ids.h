/* user_ids.h - the ids of the user namespace that this process is in: user_namespaces(7). */
#pragma once
#include <stdbool.h>

/* Is it another one than the first, which has all ids? */
bool user_ids_are_mapped(void);

/* Has it one user id alone, as that of an ordinary user without a range in /etc/subuid? */
bool user_ids_are_one(void);
