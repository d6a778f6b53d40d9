#include "monitor/rules.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/own.h"
#include "base/str.h"
#include "wire/netlink.h"
#include "wire/nftables.h"

#define TABLE "holm"

enum { RULES_BYTES_MAX = 2 << 20 };

static int remove_rules(int run_dir_fd, const char *file, int *ret_socket, struct err *e)
{
	own_free struct wire_nftables_element *elements = NULL;
	own_clear(str_clear) struct str text = { 0 };

	int r = fd_read_file_at(run_dir_fd, file, RULES_BYTES_MAX, &text, e);
	if (r < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : r;
	int count = wire_nftables_parse(&elements, text.text ? text.text : "", e);
	if (count < 0)
		return count;
	own_fd int socket = wire_netlink_open_filter(e);
	if (socket < 0)
		return socket;
	r = wire_nftables_delete(socket, TABLE, elements, (size_t)count, e);
	if (r == 0)
		unlinkat(run_dir_fd, file, 0);
	*ret_socket = take_fd(&socket);
	return r;
}

void monitor_rules_remove_limits(int run_dir_fd)
{
	own_fd int socket = -1;
	struct err e;

	if (remove_rules(run_dir_fd, MONITOR_LIMITS, &socket, &e) < 0)
		log_warning("take back the limits: %s", e.text);
}

int monitor_rules_remove(int run_dir_fd)
{
	int socket = -1;
	struct err e;

	if (remove_rules(run_dir_fd, MONITOR_RULES, &socket, &e) < 0)
		log_warning("take back the published ports: %s", e.text);
	monitor_rules_remove_limits(run_dir_fd);
	return socket;
}
