#include "monitor/exec_request.h"

#include <stddef.h>

#define REQUEST(member) offsetof(struct monitor_exec_request, member)

const struct shape monitor_exec_request_shape = {
	sizeof(struct monitor_exec_request),
	(const struct shape_field[]){
		{ "process", SHAPE_OBJECT, REQUEST(process), &oci_process_shape },
		{ "listen", SHAPE_OBJECT, REQUEST(listen), &monitor_listen_config_shape },
		{ "id", SHAPE_STRING, REQUEST(id) },
		{ "detach", SHAPE_BOOL, REQUEST(detach) },
		{ "stdinOpen", SHAPE_BOOL, REQUEST(stdin_open) },
		{ "bound", SHAPE_BOOL, REQUEST(bound) },
		{ 0 },
	},
};
