/* info.h - what docker's `info` and `version` tell besides what holm has to say: for scripts that
 * ask for it, with the values of a docker without any of it. */
#pragma once

struct json_object;

void cli_info_docker(struct json_object *info);

/* Members of both Client and Server, and those of Server alone. version has Version, Os, Arch and
 * KernelVersion already. */
void cli_info_docker_version(struct json_object *version);
void cli_info_docker_server(struct json_object *version);
