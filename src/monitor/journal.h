/* journal.h - lines of a container's log as datagrams for systemd's journal. Protocol:
 * systemd, docs/JOURNAL_NATIVE_PROTOCOL.md. */
#pragma once
#include <stddef.h>

struct err;
struct str;

#define MONITOR_JOURNAL_SOCKET "/run/systemd/journal/socket"

/* Connected to the journal; the caller's. ERR_UNSUPPORTED: there is none on this host. */
int monitor_journal_open(struct err *e);

/* Appends a field; length bytes, whatever they are. */
void monitor_journal_add(struct str *to, const char *field, const void *bytes, size_t length);
