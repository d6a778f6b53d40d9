/* Any bytes as a layer's tar: nothing outside of the layer's folder changes, and what comes out
 * can be packed and unpacked again. The folder is on a tmpfs where there is one. */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/id_map.h"
#include "storage/pack.h"
#include "storage/unpack.h"

enum { FILES_BYTES_MAX = 1 << 20, ENTRIES_MAX = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct bytes {
	const uint8_t *at;
	size_t left;
};

static ssize_t next_bytes(void *context, const void **block, struct err *e)
{
	struct bytes *bytes = context;
	size_t n = bytes->left < 4096 ? bytes->left : 4096;

	(void)e;
	*block = bytes->at;
	bytes->at += n;
	bytes->left -= n;
	return (ssize_t)n;
}

static int add_bytes(void *context, const void *bytes, size_t length, struct err *e)
{
	(void)e;
	str_add_n(context, bytes, length);
	return 0;
}

static int unpack_into(int fd, const void *bytes, size_t length)
{
	static const struct unpack_limits limits = { FILES_BYTES_MAX, ENTRIES_MAX };
	struct bytes context = { bytes, length };
	struct byte_source source = { next_bytes, &context };
	struct unpack_result result;
	struct err e;

	int r = storage_unpack(fd, &source, &limits, &result, &e);
	assert(result.size <= FILES_BYTES_MAX);
	return r;
}

static size_t count_names(int dir_fd, const char *name)
{
	size_t count = 0;
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fdopendir(fd);

	assert(dir);
	while (readdir(dir))
		count++;
	return count - 2;
}

static void check_host(int top)
{
	struct stat st;

	assert(count_names(top, ".") == 3);
	assert(count_names(top, "host") == 1);
	assert(fstatat(top, "host/sentinel", &st, AT_SYMLINK_NOFOLLOW) == 0);
	assert(st.st_mode == (S_IFREG | 0600) && st.st_nlink == 1 && st.st_size == 4);
}

static void make_host(int top)
{
	assert(mkdirat(top, "root", 0755) == 0 && mkdirat(top, "again", 0755) == 0);
	assert(mkdirat(top, "host", 0755) == 0);
	own_fd int fd = openat(top, "host/sentinel", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert(fd_write_all(fd, "host", 4) == 0);
}

static void pack_and_unpack(int root, int again)
{
	static const struct pack_options options = { .whiteouts = true };
	own_clear(str_clear) struct str tar = { 0 };
	struct byte_sink sink = { add_bytes, &tar };
	struct stat st;
	struct err e;

	/* a sparse file of a tebibyte packs to as much */
	if (fstat(root, &st) < 0 || storage_pack(root, &options, &sink, &e) < 0)
		return;
	unpack_into(again, tar.text, tar.length);
}

/* The same bytes into a tree that is there, as a container's: what an entry may be is another's. */
static void unpack_over(int root, const uint8_t *bytes, size_t length)
{
	static const struct oci_id_map same;
	struct bytes context = { bytes, length };
	struct byte_source source = { next_bytes, &context };
	struct unpack_result result;
	struct err e;

	storage_unpack_into(root, "/", &same, &source, &result, &e);
}

static bool has_large_files(int root)
{
	own_dir DIR *dir = fdopendir(openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *entry;
	struct stat st;

	while ((entry = readdir(dir)))
		if (fstatat(root, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    (S_ISDIR(st.st_mode) ? entry->d_name[0] != '.' : st.st_size > FILES_BYTES_MAX))
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	char path[64] = "/dev/shm/holm-unpack-fuzz-XXXXXX";
	struct err e;

	if (!mkdtemp(path)) {
		strcpy(path, "/tmp/holm-unpack-fuzz-XXXXXX");
		if (!mkdtemp(path))
			abort();
	}
	own_fd int top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_host(top);
	own_fd int root = openat(top, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_fd int again = openat(top, "again", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (unpack_into(root, bytes, length) == 0 && !has_large_files(root))
		pack_and_unpack(root, again);
	unpack_over(root, bytes, length);
	check_host(top);
	assert(fd_remove_tree_at(AT_FDCWD, path, &e) == 0);
	return 0;
}
