#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/dns.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/fault.h"
#include "engine/name.h"
#include "engine/process.h"
#include "engine/record.h"

/* A container of --rm goes without asking for the lock, and takes the name away that it knows. */
static int check_still_there(struct engine *engine, const struct container *c, struct err *e)
{
	if (faccessat(engine->containers_fd, c->id, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	record_free_name(engine, c->id, c->name);
	return record_not_found(c->id, e);
}

/* The order is that of record.c: a kill in between leaves the old name or the new. */
static int rename_locked(struct engine *engine, struct container *c, int folder_fd,
			 const char *new_name, struct err *e)
{
	own_free char *old = mem_text(c->name);
	int r = record_add_name(engine, c->id, new_name, e);
	if (r < 0)
		return r;
	fault_point("rename.record");
	mem_replace(&c->name, new_name);
	r = record_commit(folder_fd, c, e);
	if (r < 0) {
		record_free_name(engine, c->id, new_name);
		return r;
	}
	fault_point("rename.name");
	record_free_other_names(engine, c->id, new_name);
	r = engine_process_tell(engine, c, e);
	if (r == 0)
		r = engine_dns_refresh(engine, c, e);
	if (r == 0)
		r = check_still_there(engine, c, e);
	if (r < 0)
		return r;
	own_free char *old_path = mem_format("/%s", old);
	engine_event_container(engine, c, "rename", "oldName", old_path, NULL);
	return 0;
}

int engine_rename(struct engine *engine, const char *name, const char *new_name, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	char id[CONTAINER_ID_LENGTH + 1];
	const char *bare = new_name[0] == '/' ? new_name + 1 : new_name;

	int r = engine_name_check(bare, e);
	if (r == 0)
		r = engine_find(engine, name, id, e);
	if (r < 0)
		return r;
	own_fd int folder = record_lock(engine, id, true, e);
	if (folder < 0)
		return folder;
	r = record_read(engine, id, &c, e);
	if (r < 0)
		return r;
	if (str_equal(c.name, bare))
		return err_set(e, ERR_INVALID, "container %s has the name '%s' already", name,
			       bare);
	return rename_locked(engine, &c, folder, bare, e);
}
