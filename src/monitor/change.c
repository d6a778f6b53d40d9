/* change.c - what others change while the container runs, and what they are told of it. */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/log.h"
#include "monitor/event.h"
#include "monitor/monitor.h"

void monitor_change_read(struct monitor *m)
{
	struct monitor_config config;
	struct stat st;
	struct err e;

	/* who changes it puts a new file in its place; tmpfs uses no inode number twice */
	if (fstatat(m->run_dir, "monitor.json", &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_ino == m->config_inode)
		return;
	if (monitor_config_read_at(&config, m->run_dir, &e) < 0) {
		log_warning("%s", e.text);
		return;
	}
	shape_clear(&monitor_config_shape, &m->config);
	m->config = config;
	m->config_inode = st.st_ino;
}

void monitor_change_tell(struct monitor *m, const char *action, ...)
{
	va_list more;

	monitor_change_read(m);
	va_start(more, action);
	monitor_event_write_list(m->run_dir, &m->config, action, more);
	va_end(more);
}
