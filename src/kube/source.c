#include "kube/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/yaml.h"
#include "engine/engine.h"
#include "image/command.h"
#include "kube/set.h"
#include "storage/store.h"

#define PREFIX ".kube-"

static int read_file(struct str *to, const char *path, struct err *e)
{
	bool standard = !strcmp(path, "-");
	own_fd int fd = standard ? -1 : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && !standard)
		return err_sys(e, "open %s", path);
	int r = fd_read_all(standard ? STDIN_FILENO : fd, YAML_BYTES_MAX, to, e);
	return r < 0 ? err_add(e, "read %s", standard ? "the standard input" : path) : 0;
}

static int make_folder(int run_fd, const char *name, struct err *e)
{
	int fd;

	do {
		if (mkdirat(run_fd, name, 0700) < 0 && errno != EEXIST)
			return err_sys(e, "make the folder %s", name);
		fd = fd_lock_folder_at(run_fd, name, true);
	} while (fd == -ENOENT);
	return fd < 0 ? err_number(e, -fd, "lock the folder %s", name) : fd;
}

static int fetch_into(struct str *to, int folder_fd, const struct store *store, const char *address,
		      struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };
	const struct image_command_files files = { folder_fd, -1 };

	image_command_begin(&arguments, "fetch", store);
	strv_add(&arguments, "--");
	strv_add(&arguments, address);
	strv_add(&arguments, "file");
	strv_addf(&arguments, "%d", YAML_BYTES_MAX);
	int r = image_command_run_on(&files, NULL, &arguments, IMAGE_SHOW_NOTHING, e);
	return r < 0 ? r : fd_read_file_at(folder_fd, "file", YAML_BYTES_MAX, to, e);
}

/* Through the run folder, which is memory; as large as a file may be, and gone at once. */
static int fetch(struct str *to, const struct store *store, const char *address, struct err *e)
{
	own_free char *name = mem_format(PREFIX "%d", (int)getpid());
	struct err ignored;

	fd_remove_unlocked_at(store->run_fd, PREFIX);
	own_fd int folder = make_folder(store->run_fd, name, e);
	if (folder < 0)
		return folder;
	int r = fetch_into(to, folder, store, address, e);
	fd_remove_tree_at(store->run_fd, name, &ignored);
	return r < 0 ? err_add(e, "fetch %s", address) : 0;
}

int kube_source_add(struct kube_set *set, const struct engine *engine, const char *place,
		    struct err *e)
{
	bool remote = str_starts(place, "http://") || str_starts(place, "https://");
	own_clear(str_clear) struct str text = { 0 };

	int r = remote ? fetch(&text, engine->store, place, e) : read_file(&text, place, e);
	if (r < 0)
		return r;
	return kube_set_add(set, text.text, text.length, strcmp(place, "-") ? place : "stdin", e);
}
