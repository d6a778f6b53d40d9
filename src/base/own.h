/* own.h - ownership by scope: what a function holds is given back when the scope ends, on every
 * path. `own_fd int fd = open(...)`; to hand it on, `return take_fd(&fd)`. */
#pragma once
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void own_free_call(void *p)
{
	free(*(void **)p);
}

static inline void own_fd_call(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void own_dir_call(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static inline void own_file_call(FILE **file)
{
	if (*file)
		fclose(*file);
}

#define own_free __attribute__((cleanup(own_free_call)))
#define own_fd   __attribute__((cleanup(own_fd_call)))
#define own_dir  __attribute__((cleanup(own_dir_call)))
#define own_file __attribute__((cleanup(own_file_call)))

/* For a heap object: OWN_DEFINE(store_close, struct store *) once beside its header, then
 * `own(store_close) struct store *s = NULL;`. */
#define OWN_DEFINE(function, type)                                                                 \
	static inline void function##_own_call(type *p)                                            \
	{                                                                                          \
		if (*p)                                                                            \
			function(*p);                                                              \
	}
#define own(function) __attribute__((cleanup(function##_own_call)))

/* For a struct in the caller's memory, whose x_clear() takes its address:
 * `own_clear(str_clear) struct str s = { 0 };`. */
#define own_clear(function) __attribute__((cleanup(function)))

#define take_ptr(p)                                                                                \
	({                                                                                         \
		__typeof__(*(p)) _t = *(p);                                                        \
		*(p) = NULL;                                                                       \
		_t;                                                                                \
	})

static inline int take_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}
