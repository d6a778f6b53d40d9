/* stat_cache.h - digests of a context's files that the build before has read, by what the kernel
 * says of them (device, inode, size, mtime, ctime): a file that is the same needs no reading.
 *
 * It must not be fooled, so a digest is kept
 *	- only where ctime is of this kernel's clock and tells of every change: on the filesystems
 *	  in a list, of which none is a network's or lies over another one;
 *	- only of a file that had been at rest for some seconds when it was read: a change
 *	  that comes later then has another ctime, however coarse (git(1), "racy-git");
 *	- only of one without dirty pages: who has such a page mapped writes to it unseen
 *	  (cachestat(2), Linux 6.5; else they are written first: sync_file_range(2));
 *	- until the next boot: after a power loss new bytes may have an old ctime.
 *
 * $root/contexts/HEX, HEX of the place that is read and the patterns that leave some of it out.
 * The garbage collector bounds them (storage/steps.h). One that is broken is not there. */
#pragma once
#include <stdbool.h>

#include "storage/hash.h"

struct build_ignore;
struct build_stat_cache;
struct stat;
struct store;

/* Of the open file or folder that is about to be read; ignore and exclude may be NULL. NULL: not on
 * this filesystem. All others take that, too. */
struct build_stat_cache *build_stat_cache_open(const struct store *store, int place_fd,
					       const struct build_ignore *ignore,
					       const struct build_ignore *exclude);

bool build_stat_cache_find(struct build_stat_cache *cache, const struct stat *st,
			   unsigned char ret[STORAGE_HASH_SIZE]);

/* Before the open file is read: may what is read be kept? */
bool build_stat_cache_may_keep(const struct build_stat_cache *cache, int fd, const struct stat *st);
void build_stat_cache_add(struct build_stat_cache *cache, const struct stat *st,
			  const unsigned char digest[STORAGE_HASH_SIZE]);

/* Writes it where there is something new. whole: all was read, and files that were not found are
 * forgotten. */
void build_stat_cache_close(struct build_stat_cache *cache, bool whole);
