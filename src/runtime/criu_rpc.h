/* criu_rpc.h - criu(8) as a service of one request (`criu swrk`), for what its command line cannot
 * do: a terminal whose other side is outside the container. https://criu.org/RPC, images/rpc.proto
 * of criu's source. */
#pragma once
#include <sys/types.h>

struct err;
struct runtime_criu_call;

struct runtime_criu_answer {
	pid_t pid;    /* of the first restored process */
	int terminal; /* the new master of its terminal, the caller's; -1: there was none */
};

/* As runtime_criu_run(), of the same arguments: each is one field of the request. Terminals that
 * the container's processes have, and whose master nobody in it has, are stored and made, too. */
int runtime_criu_rpc_run(struct runtime_criu_answer *ret, const struct runtime_criu_call *call,
			 struct err *e);
