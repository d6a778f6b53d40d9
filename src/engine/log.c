#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/log_tag.h"
#include "engine/record.h"
#include "monitor/state.h"

int engine_log_open(struct engine *engine, const char *name, struct engine_log *ret, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	int r = engine_load(engine, name, &c, NULL, e);
	if (r < 0)
		return r;
	if (str_equal(c.log.driver, "none"))
		return err_set(e, ERR_STATE, "container %s keeps no log (--log-driver none)", name);

	own_fd int folder = record_open(engine, c.id, e);
	if (folder < 0)
		return folder;
	own_fd int run =
		openat(engine->run_fd, c.id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (run < 0 && errno != ENOENT)
		return err_sys(e, "open the run folder of container %s", name);
	*ret = (struct engine_log){ .journal = str_equal(c.log.driver, "journald"),
				    .folder_fd = take_fd(&folder),
				    .run_fd = take_fd(&run),
				    .tty = c.process.tty };
	strcpy(ret->id, c.id);
	engine_log_tag_attributes(&ret->details, &c);
	return 0;
}

void engine_log_close(struct engine_log *log)
{
	if (log->folder_fd >= 0)
		close(log->folder_fd);
	if (log->run_fd >= 0)
		close(log->run_fd);
	shape_map_clear(&log->details);
}

bool engine_log_alive(const struct engine_log *log)
{
	return log->run_fd >= 0 && monitor_state_alive(log->run_fd) > 0;
}
