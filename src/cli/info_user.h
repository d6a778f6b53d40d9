/* info_user.h - what `holm info` tells an ordinary user: the ids, the storage, the network, the
 * cgroups that are the user's. */
#pragma once

struct engine;
struct json_object;

/* The member "User", where the caller is one, and "Driver". */
void cli_info_user(struct json_object *info, struct engine *engine);

/* Prints it. */
void cli_info_user_print(struct json_object *info);
