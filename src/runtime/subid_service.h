/* subid_service.h - subordinate ids that are not in /etc/subuid and /etc/subgid: where
 * nsswitch.conf says "subid: sss", another service knows them (shadow 4.9), and getsubids(1)
 * asks it, as newuidmap(1) does when it checks what it writes. */
#pragma once
#include <stdbool.h>

struct err;
struct runtime_subid_ranges;

/* The service, the caller's to free; NULL: the files. */
char *runtime_subid_service(void);

/* Adds the ranges of this user. */
int runtime_subid_service_read(struct runtime_subid_ranges *to, const char *service,
			       const char *user, bool groups, struct err *e);

/* Pure, for tests: the service in this text of nsswitch.conf, and getsubids' answer. */
char *runtime_subid_service_parse(const char *nsswitch);
void runtime_subid_service_parse_answer(struct runtime_subid_ranges *to, const char *text);
