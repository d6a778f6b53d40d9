#include "engine/config_idmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/strv.h"

struct line {
	bool extends, of_users, of_groups;
	bool flagged; /* one of the latter two was said */
	const char *whole;
	const char *text; /* behind the flags */
};

bool config_idmap_inside(uint32_t *ret, const struct oci_id_mappings *own, uint32_t host_id,
			 uint32_t size)
{
	uint64_t end = (uint64_t)host_id + size;

	*ret = host_id;
	for (size_t i = 0; i < own->count; i++) {
		const struct oci_id_mapping *m = &own->items[i];
		if (host_id < m->host_id || end > (uint64_t)m->host_id + m->size)
			continue;
		*ret = m->container_id + (host_id - m->host_id);
		return true;
	}
	return own->count == 0;
}

/* ---- one mapping ---- */

/* whole: with the flags, for messages. */
static int read_numbers(struct oci_id_mapping *to, const char *whole, const char *text,
			const struct oci_id_mappings *own, struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };
	uint32_t numbers[3] = { 0, 0, 1 };

	strv_split(&parts, text, ':');
	if (parts.count < 2 || parts.count > COUNT_OF(numbers))
		return err_set(e, ERR_INVALID, "'%s' is not [FLAGS]CONTAINER:[@]HOST[:SIZE]",
			       whole);
	bool outside = *parts.items[1] == '@';
	for (size_t i = 0; i < parts.count; i++) {
		int r = number_parse_id(&numbers[i], parts.items[i] + (i == 1 && outside), e);
		if (r < 0)
			return err_add(e, "'%s'", whole);
	}
	uint32_t host = numbers[1];
	if (outside && !config_idmap_inside(&host, own, numbers[1], numbers[2]))
		return err_set(e, ERR_INVALID,
			       "'%s': the host's ids from %u on, %u in all, are "
			       "not yours",
			       whole, numbers[1], numbers[2]);
	*to = (struct oci_id_mapping){ numbers[0], host, numbers[2] };
	return 0;
}

int config_idmap_add(struct oci_id_mappings *to, const char *text,
		     const struct oci_id_mappings *own, struct err *e)
{
	struct oci_id_mapping m;

	int r = read_numbers(&m, text, text, own, e);
	if (r == 0)
		runtime_idmap_add(to, m.container_id, m.host_id, m.size);
	return r;
}

/* ---- over what the caller has ---- */

/* What is left of m, by its ids of the container or (outside) of the host, without those from first
 * on, size in all. */
static void add_without(struct oci_id_mappings *to, const struct oci_id_mapping *m, bool outside,
			uint32_t first, uint32_t size)
{
	uint64_t begin = outside ? m->host_id : m->container_id;
	uint64_t end = begin + m->size, cut_end = (uint64_t)first + size;
	uint64_t below = first > begin ? (first < end ? first : end) - begin : 0;
	uint64_t above = cut_end > begin ? cut_end - begin : 0;

	if (cut_end <= begin || first >= end) {
		runtime_idmap_add(to, m->container_id, m->host_id, m->size);
		return;
	}
	if (below)
		runtime_idmap_add(to, m->container_id, m->host_id, (uint32_t)below);
	if (above < m->size)
		runtime_idmap_add(to, m->container_id + (uint32_t)above,
				  m->host_id + (uint32_t)above, m->size - (uint32_t)above);
}

static void cut(struct oci_id_mappings *maps, bool outside, uint32_t first, uint32_t size)
{
	struct oci_id_mappings left = { 0 };

	for (size_t i = 0; i < maps->count; i++)
		add_without(&left, &maps->items[i], outside, first, size);
	free(maps->items);
	*maps = left;
}

static int by_container_id(const void *a, const void *b)
{
	const struct oci_id_mapping *x = a, *y = b;

	return x->container_id < y->container_id ? -1 : x->container_id > y->container_id;
}

/* In order, and those that go on where the one before ends as one line. */
static void join(struct oci_id_mappings *maps)
{
	size_t count = 0;

	if (maps->count)
		qsort(maps->items, maps->count, sizeof(*maps->items), by_container_id);
	for (size_t i = 0; i < maps->count; i++) {
		const struct oci_id_mapping *m = &maps->items[i];
		struct oci_id_mapping *last = count ? &maps->items[count - 1] : NULL;
		if (last && last->container_id + last->size == m->container_id &&
		    last->host_id + last->size == m->host_id)
			last->size += m->size;
		else
			maps->items[count++] = *m;
	}
	maps->count = count;
}

/* All of the caller's ids as they are. */
static void add_own(struct oci_id_mappings *to, const struct oci_id_mappings *own)
{
	if (own->count == 0)
		runtime_idmap_add(to, 0, 0, UINT32_MAX);
	for (size_t i = 0; i < own->count; i++)
		runtime_idmap_add(to, own->items[i].container_id, own->items[i].container_id,
				  own->items[i].size);
	join(to);
}

static void cut_by(struct oci_id_mappings *maps, const struct oci_id_mappings *own)
{
	for (size_t i = 0; i < maps->count && maps->count < RUNTIME_IDMAP_LINES_MAX; i++) {
		const struct oci_id_mapping m = maps->items[i];
		for (size_t k = 0; k < own->count; k++) {
			uint64_t end = (uint64_t)own->items[k].container_id + own->items[k].size;
			if (m.host_id < own->items[k].container_id || m.host_id >= end ||
			    (uint64_t)m.host_id + m.size <= end)
				continue;
			uint32_t fits = (uint32_t)(end - m.host_id);
			maps->items[i].size = fits;
			runtime_idmap_add(maps, m.container_id + fits, m.host_id + fits,
					  m.size - fits);
			break;
		}
	}
}

void config_idmap_cut(struct runtime_idmap *ids, const struct runtime_idmap *own)
{
	cut_by(&ids->uids, &own->uids);
	cut_by(&ids->gids, &own->gids);
}

/* ---- the options ---- */

struct option {
	const char *name;
	const struct strv *texts;
	bool of_users, of_groups; /* a mapping of it that has no flag for that */
};

struct target {
	struct oci_id_mappings *to;
	const struct oci_id_mappings *own;
	bool groups;
};

static struct line read_flags(const struct option *option, size_t at)
{
	struct line line = { .whole = option->texts->items[at], .text = option->texts->items[at] };

	for (; *line.text && strchr("+ug", *line.text); line.text++) {
		line.extends |= *line.text == '+';
		line.of_users |= *line.text == 'u';
		line.of_groups |= *line.text == 'g';
	}
	line.flagged = line.of_users || line.of_groups;
	if (!line.flagged) {
		line.of_users = option->of_users;
		line.of_groups = option->of_groups;
	}
	return line;
}

static bool is_for(const struct line *line, const struct target *target)
{
	return target->groups ? line->of_groups : line->of_users;
}

static int add_line(const struct target *target, const struct line *line, bool extends,
		    struct err *e)
{
	struct oci_id_mapping m;

	int r = read_numbers(&m, line->whole, line->text, target->own, e);
	if (r < 0)
		return r;
	if (extends && m.size) {
		cut(target->to, false, m.container_id, m.size);
		cut(target->to, true, m.host_id, m.size);
	}
	runtime_idmap_add(target->to, m.container_id, m.host_id, m.size);
	return target->to->count <= RUNTIME_IDMAP_LINES_MAX
		       ? 0
		       : err_set(e, ERR_INVALID, "more than %d mappings", RUNTIME_IDMAP_LINES_MAX);
}

static bool extends(const struct target *target, const struct option *option)
{
	for (size_t i = 0; i < option->texts->count; i++) {
		const struct line line = read_flags(option, i);
		if (line.extends && is_for(&line, target))
			return true;
	}
	return false;
}

static int add_lines(const struct target *target, const struct option *option, bool extending,
		     struct err *e)
{
	for (size_t i = 0; i < option->texts->count; i++) {
		const struct line line = read_flags(option, i);
		if (!is_for(&line, target))
			continue;
		int r = add_line(target, &line, extending, e);
		if (r < 0)
			return err_add(e, "%s", option->name);
	}
	return 0;
}

static int read_target(const struct target *target, const struct option options[2], struct err *e)
{
	bool extending = extends(target, &options[0]) || extends(target, &options[1]);

	if (extending)
		add_own(target->to, target->own);
	int r = add_lines(target, &options[0], extending, e);
	if (r == 0)
		r = add_lines(target, &options[1], extending, e);
	if (extending)
		join(target->to);
	/* flags have named the other kind alone */
	if (r == 0 && target->to->count == 0)
		add_own(target->to, target->own);
	return r;
}

static bool is_flagged(const struct option *option)
{
	for (size_t i = 0; i < option->texts->count; i++)
		if (read_flags(option, i).flagged)
			return true;
	return false;
}

int config_idmap_read(struct runtime_idmap *to, const struct strv *uids, const struct strv *gids,
		      const struct runtime_idmap *own, struct err *e)
{
	struct option options[2] = { { "--uidmap", uids, true, false },
				     { "--gidmap", gids, false, true } };
	const struct target users = { &to->uids, &own->uids, false };
	const struct target groups = { &to->gids, &own->gids, true };

	if (!is_flagged(&options[0]) && !is_flagged(&options[1])) {
		options[0].of_groups = gids->count == 0;
		options[1].of_users = uids->count == 0;
	}
	int r = read_target(&users, options, e);
	return r < 0 ? r : read_target(&groups, options, e);
}
