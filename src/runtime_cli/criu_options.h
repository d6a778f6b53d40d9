/* criu_options.h - the rows that checkpoint and restore have in common, within `#define OPTIONS
 * struct x` with a member criu of type struct runtime_criu_options. */
#pragma once

#define RUNTIME_CLI_CRIU_OPTIONS                                                                   \
	{ "image-path",                                                                            \
	  0,                                                                                       \
	  OPTION_STRING(criu.image_path),                                                          \
	  "DIR",                                                                                   \
	  "folder of criu's images (default: checkpoint)",                                         \
	  "folder:" },                                                                             \
		{ "work-path",                                                                     \
		  0,                                                                               \
		  OPTION_STRING(criu.work_path),                                                   \
		  "DIR",                                                                           \
		  "folder of criu's logs (default: the images')",                                  \
		  "folder:" },                                                                     \
		{ "tcp-established", 0, OPTION_FLAG(criu.tcp_established), NULL,                   \
		  "also with open TCP connections" },                                              \
		{ "ext-unix-sk", 0, OPTION_FLAG(criu.ext_unix_sk), NULL,                           \
		  "also with unix sockets to the outside" },                                       \
		{ "shell-job", 0, OPTION_FLAG(criu.shell_job), NULL, "also shell jobs" },          \
		{ "file-locks", 0, OPTION_FLAG(criu.file_locks), NULL, "also with file locks" },   \
		{ "manage-cgroups-mode",                                                           \
		  0,                                                                               \
		  OPTION_STRING(criu.manage_cgroups),                                              \
		  "MODE",                                                                          \
		  "soft (the default), full, strict or ignore",                                    \
		  "soft|full|strict|ignore" },                                                     \
		{ "empty-ns",                                                                      \
		  0,                                                                               \
		  OPTION_STRING(criu.empty_ns),                                                    \
		  "TYPE",                                                                          \
		  "make a namespace, but nothing in it",                                           \
		  "network" },                                                                     \
		{ "lazy-pages", 0, OPTION_FLAG(criu.lazy_pages), NULL,                             \
		  "pages are fetched when they are needed (userfaultfd)" },                        \
	{                                                                                          \
		"auto-dedup", 0, OPTION_FLAG(criu.auto_dedup), NULL,                               \
			"pages in later images are taken out of earlier ones"                      \
	}
