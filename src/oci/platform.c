#include <string.h>
#include <sys/utsname.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/image.h"

/* Go's name for an architecture, with the variant it implies, for what else it is called. */
static const struct {
	const char *name;
	const char *architecture;
	const char *variant;
} aliases[] = {
	{ "x86_64", "amd64", NULL },    { "x86-64", "amd64", NULL }, { "aarch64", "arm64", NULL },
	{ "armhf", "arm", "v7" },       { "armv7l", "arm", "v7" },   { "armv6l", "arm", "v6" },
	{ "armel", "arm", "v6" },       { "i386", "386", NULL },     { "i686", "386", NULL },
	{ "ppc64el", "ppc64le", NULL },
};

/* Go's own, of those that Linux has (go tool dist list). */
static const char *const architectures[] = {
	"386",      "amd64",  "arm",   "arm64",   "loong64", "mips",  "mips64",
	"mips64le", "mipsle", "ppc64", "ppc64le", "riscv64", "s390x",
};

void oci_platform_clear(struct oci_platform *platform)
{
	free(platform->architecture);
	free(platform->os);
	free(platform->os_version);
	free(platform->variant);
	*platform = (struct oci_platform){ 0 };
}

static void set_architecture(struct oci_platform *to, const char *name)
{
	for (size_t i = 0; i < COUNT_OF(aliases); i++)
		if (strcmp(aliases[i].name, name) == 0) {
			mem_replace(&to->architecture, aliases[i].architecture);
			mem_replace(&to->variant, aliases[i].variant);
			return;
		}
	mem_replace(&to->architecture, name);
}

static bool is_architecture(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(architectures); i++)
		if (strcmp(architectures[i], name) == 0)
			return true;
	return false;
}

int oci_platform_parse(struct oci_platform *to, const char *text, struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };

	if (!text) {
		oci_platform_host(to);
		return 0;
	}
	strv_split(&parts, text, '/');
	if (parts.count < 1 || parts.count > 3 || strv_contains(&parts, ""))
		return err_set(
			e, ERR_INVALID,
			"'%s' is not a platform: OS/ARCHITECTURE[/VARIANT], as in linux/arm64",
			text);
	size_t at = parts.count > 1 ? 1 : 0;
	own_clear(oci_platform_clear) struct oci_platform read = { 0 };
	if (parts.count == 1 && str_equal(text, "linux"))
		oci_platform_host(&read);
	else
		set_architecture(&read, parts.items[at]);
	/* one word alone has to be known for what it is, as in containerd */
	if (!at && !is_architecture(read.architecture))
		return err_set(e, ERR_INVALID,
			       "'%s' is no architecture that is known: OS/ARCHITECTURE[/VARIANT], "
			       "as in linux/arm64",
			       text);
	mem_replace(&read.os, at ? parts.items[0] : "linux");
	if (parts.count == 3)
		mem_replace(&read.variant, parts.items[2]);
	oci_platform_clear(to);
	*to = read;
	read = (struct oci_platform){ 0 };
	return 0;
}

void oci_platform_host(struct oci_platform *to)
{
	struct utsname name;

	mem_replace(&to->os, "linux");
	set_architecture(to, uname(&name) == 0 ? name.machine : "amd64");
}

bool oci_platform_is_host(const char *text)
{
	own_clear(oci_platform_clear) struct oci_platform host = { 0 };
	own_clear(oci_platform_clear) struct oci_platform asked = { 0 };
	struct err parsed;

	oci_platform_host(&host);
	return oci_platform_parse(&asked, text, &parsed) == 0 && str_equal(asked.os, host.os) &&
	       str_equal(asked.architecture, host.architecture);
}

/* arm64's v8 is what no variant means (image-spec v1.1 image-index.md, platform variants). */
static const char *variant_of(const struct oci_platform *p)
{
	if (str_empty(p->variant))
		return str_equal(p->architecture, "arm64") ? "v8" : "";
	return p->variant;
}

/* How well has serves want: 0 not at all; more is better. */
static int match(const struct oci_platform *has, const struct oci_platform *want)
{
	if (!str_equal(has->os, want->os) || !str_equal(has->architecture, want->architecture))
		return 0;
	const char *h = variant_of(has), *w = variant_of(want);
	if (strcmp(h, w) == 0)
		return 100;
	if (!*h)
		return 50;
	/* v7 runs v6 and v5; whoever names no variant takes the highest there is */
	if (h[0] == 'v' && h[1] >= '0' && h[1] <= '9' && !h[2] && (!*w || h[1] < w[1]))
		return 10 + (h[1] - '0');
	return 0;
}

static int not_found(const struct oci_index *index, const struct oci_platform *want, struct err *e)
{
	own_clear(str_clear) struct str list = { 0 };

	for (size_t i = 0; i < index->manifests.count && list.length < 400; i++) {
		const struct oci_platform *p = index->manifests.items[i].platform;
		if (p && p->os && p->architecture && !str_equal(p->os, "unknown"))
			str_addf(&list, "%s%.20s/%.20s%s%.10s", list.length ? ", " : "", p->os,
				 p->architecture, p->variant ? "/" : "",
				 p->variant ? p->variant : "");
	}
	return err_set(e, ERR_NOT_FOUND, "the image is not there for %s/%s, but for: %s", want->os,
		       want->architecture, list.length ? list.text : "no platform");
}

int oci_index_choose(const struct oci_index *index, const struct oci_platform *want, struct err *e)
{
	int best = 0;
	size_t found = 0;

	for (size_t i = 0; i < index->manifests.count; i++) {
		const struct oci_descriptor *d = &index->manifests.items[i];
		/* a single entry that says no platform can only be meant as it is */
		int rank = d->platform ? match(d->platform, want) : (index->manifests.count == 1);
		if (rank > best) {
			best = rank;
			found = i;
		}
	}
	return best ? (int)found : not_found(index, want, e);
}
