#include "runtime/mount_option.h"

#include <string.h>
#include <sys/mount.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/strv.h"
#include "base/unit.h"

static const struct {
	const char *words;
	uint64_t set, clear, set_all, clear_all, propagation;
	const char *own; /* joined by commas */
} rows[] = {
	{ .words = "" },
	{ "ro,nosuid", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID },
	{ "ro,rw", .clear = MOUNT_ATTR_RDONLY },
	{ "rw,ro", MOUNT_ATTR_RDONLY },
	{ "rro", .set_all = MOUNT_ATTR_RDONLY },
	{ "rrw", .clear_all = MOUNT_ATTR_RDONLY },
	{ "rnodev,rnoexec", .set_all = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC },
	{ "relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
	{ "noatime,strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
	{ "noatime,atime", 0, MOUNT_ATTR__ATIME },
	{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW },
	{ "private", .propagation = MS_PRIVATE },
	{ "rslave", .propagation = MS_SLAVE },
	{ "defaults,async,nomand" },
	{ "size=64m,mode=1777,ro", MOUNT_ATTR_RDONLY, .own = "size=64m,mode=1777" },
	{ "newinstance,read", .own = "newinstance,read" },
};

START_TEST(words_become_flags)
{
	own_clear(runtime_mount_options_clear) struct runtime_mount_options o = { 0 };
	own_clear(strv_clear) struct strv words = { 0 };

	strv_split(&words, rows[_i].words, ',');
	runtime_mount_options_parse(&o, &words);
	ck_assert_uint_eq(o.set, rows[_i].set);
	ck_assert_uint_eq(o.clear, rows[_i].clear);
	ck_assert_uint_eq(o.set_all, rows[_i].set_all);
	ck_assert_uint_eq(o.clear_all, rows[_i].clear_all);
	ck_assert_uint_eq(o.propagation, rows[_i].propagation);
	own_free char *own = strv_join(&o.own, ",");
	ck_assert_str_eq(own, rows[_i].own ? rows[_i].own : "");
}
END_TEST

START_TEST(rbind_is_a_recursive_bind)
{
	own_clear(runtime_mount_options_clear) struct runtime_mount_options o = { 0 };
	own_clear(strv_clear) struct strv words = { 0 };

	strv_split(&words, "rbind,rprivate,copyup,ridmap", ',');
	runtime_mount_options_parse(&o, &words);
	ck_assert(o.bind && o.recursive && o.copy_up && o.idmap && o.idmap_all);
	ck_assert(o.propagation_all);
	ck_assert_uint_eq(o.own.count, 0);
}
END_TEST

START_TEST(words_of_crun_and_of_any_filesystem_are_told_from_its_own)
{
	own_clear(runtime_mount_options_clear) struct runtime_mount_options o = { 0 };
	own_clear(strv_clear) struct strv words = { 0 };

	strv_split(&words, "remount,src-nofollow,dest-nofollow,copy-symlink,sync,iversion,lazytime",
		   ',');
	runtime_mount_options_parse(&o, &words);
	ck_assert(o.remount && o.src_nofollow && o.dest_nofollow && o.copy_symlink);
	own_free char *super = strv_join(&o.super, ",");
	ck_assert_str_eq(super, "sync,lazytime");
	ck_assert_uint_eq(o.own.count, 0);
}
END_TEST

/* runtime-spec v1.3 config.md#linux-mount-options, the whole table but what the cases above have */
static const char *const known[] = {
	"async",
	"atime",
	"bind",
	"defaults",
	"dev",
	"diratime",
	"dirsync",
	"exec",
	"iversion",
	"lazytime",
	"loud",
	"mand",
	"noatime",
	"nodev",
	"nodiratime",
	"noexec",
	"noiversion",
	"nolazytime",
	"nomand",
	"norelatime",
	"nostrictatime",
	"nosuid",
	"nosymfollow",
	"private",
	"ratime",
	"rbind",
	"rdev",
	"rdiratime",
	"relatime",
	"remount",
	"rexec",
	"rnoatime",
	"rnodev",
	"rnodiratime",
	"rnoexec",
	"rnorelatime",
	"rnostrictatime",
	"rnosuid",
	"rnosymfollow",
	"ro",
	"rprivate",
	"rrelatime",
	"rro",
	"rrw",
	"rshared",
	"rslave",
	"rstrictatime",
	"rsuid",
	"rsymfollow",
	"runbindable",
	"rw",
	"shared",
	"silent",
	"slave",
	"strictatime",
	"suid",
	"symfollow",
	"sync",
	"tmpcopyup",
	"unbindable",
	"idmap",
	"ridmap",
};

START_TEST(every_word_of_the_specification_is_known_and_named)
{
	own_clear(runtime_mount_options_clear) struct runtime_mount_options o = { 0 };
	own_clear(strv_clear) struct strv words = { 0 }, names = { 0 };

	strv_add(&words, known[_i]);
	runtime_mount_options_parse(&o, &words);
	ck_assert_uint_eq(o.own.count, 0);
	runtime_mount_options_names(&names);
	ck_assert(strv_contains(&names, known[_i]));
}
END_TEST

UNIT_MAIN("runtime/mount_option", UNIT_LOOP(words_become_flags, COUNT_OF(rows)),
	  UNIT(rbind_is_a_recursive_bind),
	  UNIT(words_of_crun_and_of_any_filesystem_are_told_from_its_own),
	  UNIT_LOOP(every_word_of_the_specification_is_known_and_named, COUNT_OF(known)))
