#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/user_ids.h"
#include "engine/user.h"
#include "storage/store.h"

/* Opens a folder of the store, making it where it is missing. */
static int open_folder(int dir_fd, const char *name, struct err *e)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(dir_fd, name, 0700) < 0 && errno != EEXIST)
			return err_sys(e, "make the folder %s of the store", name);
		fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	return fd < 0 ? err_sys(e, "open the folder %s of the store", name) : fd;
}

/* The folders of an ordinary user; from here on it is root of its user namespace. */
static int become_root(char **root, char **run, struct err *e)
{
	int r = *root ? 0 : engine_user_root(root, e);

	if (r == 0 && !*run)
		r = engine_user_run(run, *root, e);
	return r < 0 ? r : engine_user_enter(*root, *run, e);
}

/* Root of a user namespace that others made, as by unshare(1) or `holm unshare`, in which the
 * host's folders are nobody's: an ordinary user's are in their places. */
static int stay_user(char **root, char **run, struct err *e)
{
	if (access("/var/lib", W_OK) == 0 || !user_ids_are_mapped())
		return 0;
	int r = *root ? 0 : engine_user_root(root, e);
	return r < 0 || *run ? r : engine_user_run(run, *root, e);
}

/* Said, or by the environment; NULL: neither. */
static char *choose(const char *said, const char *variable)
{
	const char *path = said ? said : getenv(variable);

	return str_empty(path) ? NULL : mem_text(path);
}

int engine_open(struct engine *ret, const char *root, const char *run, struct err *e)
{
	own_free char *root_path = choose(root, "HOLM_ROOT");
	own_free char *run_path = choose(run, "HOLM_RUN");
	own(store_close) struct store *store = NULL;

	int r = geteuid() == 0 ? stay_user(&root_path, &run_path, e)
			       : become_root(&root_path, &run_path, e);
	if (r < 0)
		return r;
	r = store_open(&store, root_path, run_path, e);
	if (r < 0)
		return r;

	own_fd int containers_fd = open_folder(store->root_fd, "containers", e);
	if (containers_fd < 0)
		return containers_fd;
	own_fd int names_fd = open_folder(store->root_fd, "names", e);
	if (names_fd < 0)
		return names_fd;
	own_fd int run_fd = open_folder(store->run_fd, "containers", e);
	if (run_fd < 0)
		return run_fd;

	*ret = (struct engine){ take_ptr(&store), take_fd(&containers_fd), take_fd(&names_fd),
				take_fd(&run_fd) };
	return 0;
}

void engine_close(struct engine *engine)
{
	if (!engine->store)
		return;
	store_close(engine->store);
	close(engine->containers_fd);
	close(engine->names_fd);
	close(engine->run_fd);
	*engine = (struct engine){ 0 };
}

void engine_session_close(struct engine_session *session)
{
	monitor_client_close(&session->client);
}
