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

static int read_file(struct str *to, const char *path, struct err *e)
{
	bool standard = !strcmp(path, "-");
	own_fd int fd = standard ? -1 : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && !standard)
		return err_sys(e, "open %s", path);
	int r = fd_read_all(standard ? STDIN_FILENO : fd, YAML_BYTES_MAX, to, e);
	return r < 0 ? err_add(e, "read %s", standard ? "the standard input" : path) : 0;
}

/* Into a file of the run folder, which is memory, as large as a file may be and gone at once. */
static int fetch(struct str *to, const struct store *store, const char *address, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };
	const struct image_command_files files = { store->run_fd, -1 };
	own_free char *name = mem_format(".kube-%d", (int)getpid());

	image_command_begin(&arguments, "fetch", store);
	strv_add(&arguments, "--");
	strv_add(&arguments, address);
	strv_add(&arguments, name);
	strv_addf(&arguments, "%d", YAML_BYTES_MAX);
	unlinkat(store->run_fd, name, 0);
	int r = image_command_run_on(&files, NULL, &arguments, IMAGE_SHOW_NOTHING, e);
	if (r == 0)
		r = fd_read_file_at(store->run_fd, name, YAML_BYTES_MAX, to, e);
	unlinkat(store->run_fd, name, 0);
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
