#include "cli/info_user.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/user_ids.h"
#include "cli/doctor_user.h"
#include "cli/print.h"
#include "engine/engine.h"
#include "runtime/idmap.h"
#include "runtime/overlay_driver.h"
#include "runtime/user_namespace.h"
#include "storage/store.h"

static struct json_object *lines_of(const struct oci_id_mappings *maps)
{
	struct json_object *lines = json_object_new_array();

	for (size_t i = 0; i < maps->count; i++) {
		const struct oci_id_mapping *m = &maps->items[i];
		own_free char *line = mem_format("%u:%u:%u", m->container_id, m->host_id, m->size);
		json_object_array_add(lines, json_object_new_string(line));
	}
	return lines;
}

static void add_ids(struct json_object *to)
{
	own_clear(runtime_idmap_clear) struct runtime_idmap ids = { 0 };
	struct json_object *maps = json_object_new_object();

	runtime_user_namespace_ids_of(&ids, getpid());
	json_object_object_add(maps, "UidMap", lines_of(&ids.uids));
	json_object_object_add(maps, "GidMap", lines_of(&ids.gids));
	json_object_object_add(to, "IDMappings", maps);
}

static void add_text(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, json_object_new_string(text));
}

/* podman's and docker's name of the driver where it is the kernel's. */
static void add_driver(struct json_object *info, struct json_object *to, struct engine *engine)
{
	struct err e = { 0 };

	const char *driver = runtime_overlay_driver(engine->store->root_fd, &e);
	own_free char *copies = mem_format("copies: %s", e.text);
	add_text(to, "Storage", driver ? driver : copies);
	if (!driver || strcmp(driver, "overlay") != 0)
		add_text(info, "Driver", driver ? driver : "copy");
}

static struct json_object *describe(struct json_object *info, struct engine *engine)
{
	own_free char *network = NULL, *cgroup = NULL;
	struct json_object *user = json_object_new_object();

	cli_doctor_user_network(&network);
	cli_doctor_user_cgroup(&cgroup);
	add_ids(user);
	add_driver(info, user, engine);
	add_text(user, "Network", network);
	add_text(user, "Cgroup", cgroup);
	return user;
}

void cli_info_user(struct json_object *info, struct engine *engine)
{
	if (user_ids_are_mapped())
		json_object_object_add(info, "User", describe(info, engine));
}

static void print_maps(struct json_object *user, const char *label, const char *key)
{
	struct json_object *maps = json_object_object_get(user, "IDMappings");
	struct json_object *lines = json_object_object_get(maps, key);

	printf("  %s: ", label);
	for (size_t i = 0; i < json_object_array_length(lines); i++)
		printf("%s%s", i ? ", " : "",
		       json_object_get_string(json_object_array_get_idx(lines, i)));
	putchar('\n');
}

static void print_text(struct json_object *user, const char *label, const char *key)
{
	printf("  %s: ", label);
	cli_print_clean(stdout, json_object_get_string(json_object_object_get(user, key)));
	putchar('\n');
}

void cli_info_user_print(struct json_object *info)
{
	struct json_object *user = json_object_object_get(info, "User");

	if (!user)
		return;
	puts("Ordinary user:");
	print_maps(user, "user ids (inside:outside:count)", "UidMap");
	print_maps(user, "group ids", "GidMap");
	print_text(user, "storage", "Storage");
	print_text(user, "network", "Network");
	print_text(user, "cgroups", "Cgroup");
}
