#include "image/certs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/strv.h"

enum { CERTS_BYTES_MAX = 1 << 20 };

static void folders_of(struct strv *to, const char *host)
{
	const char *home = getenv("HOME");
	const char *config = getenv("XDG_CONFIG_HOME");

	if (!str_empty(config))
		strv_addf(to, "%s/containers/certs.d/%s", config, host);
	else if (!str_empty(home))
		strv_addf(to, "%s/.config/containers/certs.d/%s", home, host);
	strv_addf(to, "/etc/containers/certs.d/%s", host);
	strv_addf(to, "/etc/docker/certs.d/%s", host);
}

static int take_pair(struct image_certs *certs, DIR *dir, const char *folder, const char *name,
		     struct err *e)
{
	own_free char *stem = mem_text_n(name, strlen(name) - strlen(".cert"));
	own_free char *key = mem_format("%s.key", stem);

	if (certs->cert)
		return 0;
	if (faccessat(dirfd(dir), key, R_OK, AT_EACCESS) < 0)
		return err_sys(e, "%s/%s", folder, key);
	certs->cert = path_join(folder, name);
	certs->key = path_join(folder, key);
	return 0;
}

static int take_folder(struct image_certs *certs, DIR *dir, const char *folder, struct err *e)
{
	own_clear(str_clear) struct str ca = { 0 };

	for (struct dirent *entry; (entry = readdir(dir));) {
		int r = 0;
		if (str_ends(entry->d_name, ".crt"))
			r = fd_read_file_at(dirfd(dir), entry->d_name, CERTS_BYTES_MAX, &ca, e);
		else if (str_ends(entry->d_name, ".cert"))
			r = take_pair(certs, dir, folder, entry->d_name, e);
		if (r < 0)
			return err_add(e, "certificates in %s", folder);
	}
	if (ca.length)
		certs->ca = str_take(&ca);
	return 0;
}

int image_certs_find(struct image_certs *certs, const char *host, struct err *e)
{
	own_clear(strv_clear) struct strv folders = { 0 };

	folders_of(&folders, host);
	for (size_t i = 0; i < folders.count; i++) {
		own_dir DIR *dir = opendir(folders.items[i]);
		if (dir)
			return take_folder(certs, dir, folders.items[i], e);
	}
	return 0;
}

void image_certs_clear(struct image_certs *certs)
{
	free(certs->ca);
	free(certs->cert);
	free(certs->key);
	*certs = (struct image_certs){ 0 };
}
