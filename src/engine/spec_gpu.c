/* Graphics cards are no device but several: what Mesa (/dev/dri), ROCm (/dev/kfd, too) and NVIDIA's
 * driver (/dev/nvidia0, /dev/nvidiactl...) open. */
#include "engine/spec.h"

#include <dirent.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/strv.h"

static bool is_outside_dri(const char *name)
{
	return str_equal(name, "kfd") || str_starts(name, "nvidia");
}

static int list_all(struct strv *to, struct err *e)
{
	own_dir DIR *dir = opendir("/dev");
	size_t before = to->count;

	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (str_equal(entry->d_name, "dri") || is_outside_dri(entry->d_name))
			strv_addf(to, "/dev/%s", entry->d_name);
	if (to->count > before)
		return 0;
	return err_set(e, ERR_NOT_FOUND,
		       "--gpus all: this host has none: no /dev/dri, /dev/kfd, /dev/nvidia*");
}

static int list_one(struct strv *to, const char *name, struct err *e)
{
	own_free char *card = mem_format("/dev/dri/%s", name);
	own_free char *other = mem_format("/dev/%s", name);
	const char *path = is_outside_dri(name) ? other : card;

	if (path_is_name(name) && access(path, F_OK) == 0) {
		strv_add(to, path);
		return 0;
	}
	err_set(e, ERR_NOT_FOUND, "--gpus %s: there is no %s", name, path);
	return err_hint(e, "ls /dev/dri lists them; --gpus all is all of them");
}

int spec_gpu_list(struct strv *to, const struct strv *names, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < names->count; i++)
		r = str_equal(names->items[i], "all") ? list_all(to, e)
						      : list_one(to, names->items[i], e);
	return r;
}
