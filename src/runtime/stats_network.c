#include "runtime/stats_network.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "runtime/runtime.h"
#include "runtime/stats.h"

/* 120 bytes an interface; a namespace with more than 30000 of them is none of ours. */
#define NET_DEV_BYTES_MAX (4 << 20)

/* The columns of net/dev: 8 of receiving, then 8 of sending. */
enum { COLUMNS = 16 };

/* Who is root in the namespace names its interfaces: what is no plain letter must not reach the
 * JSON. */
static char *plain_name(const char *name)
{
	char *plain = mem_text(name);

	for (char *c = plain; *c; c++)
		if (*c < '!' || *c > '~')
			*c = '?';
	return plain;
}

void runtime_stats_network_parse(struct runtime_stats *to, char *line)
{
	uint64_t columns[COLUMNS];
	char *colon = strchr(line, ':');

	if (!colon)
		return;
	*colon = '\0';
	const char *name = line + strspn(line, " ");
	char *at = colon + 1;
	for (size_t i = 0; i < COLUMNS; i++) {
		char *end;
		columns[i] = strtoull(at, &end, 10);
		if (end == at)
			return;
		at = end;
	}
	if (str_equal(name, "lo"))
		return;
	struct runtime_stats_interface *interface = shape_list_add(&to->interfaces);
	*interface = (struct runtime_stats_interface){
		.name = plain_name(name),
		.rx_bytes = columns[0],
		.rx_packets = columns[1],
		.rx_errors = columns[2],
		.rx_dropped = columns[3],
		.tx_bytes = columns[8],
		.tx_packets = columns[9],
		.tx_errors = columns[10],
		.tx_dropped = columns[11],
	};
}

void runtime_stats_network_read(struct runtime_stats *to, const struct runtime_container *container)
{
	own_clear(str_clear) struct str text = { 0 };
	own_free char *path = mem_format("/proc/%lld/net/dev", (long long)container->pid);
	struct err ignored;
	char *rest;

	if (!strv_contains(&container->namespaces, "network") ||
	    fd_read_file_at(AT_FDCWD, path, NET_DEV_BYTES_MAX, &text, &ignored) < 0 || !text.text)
		return;
	for (char *line = strtok_r(text.text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		runtime_stats_network_parse(to, line);
}
