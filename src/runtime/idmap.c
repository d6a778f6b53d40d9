#include "runtime/idmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/id_map.h"

void runtime_idmap_clear(struct runtime_idmap *ids)
{
	free(ids->uids.items);
	free(ids->gids.items);
	*ids = (struct runtime_idmap){ 0 };
}

void runtime_idmap_add(struct oci_id_mappings *to, uint32_t container_id, uint32_t host_id,
		       uint32_t size)
{
	to->items = mem_resize(to->items, to->count + 1, sizeof(*to->items));
	to->items[to->count++] = (struct oci_id_mapping){ container_id, host_id, size };
}

static void add_all(struct oci_id_mappings *to, const struct oci_id_mappings *from)
{
	for (size_t i = 0; i < from->count; i++)
		runtime_idmap_add(to, from->items[i].container_id, from->items[i].host_id,
				  from->items[i].size);
}

void runtime_idmap_copy(struct runtime_idmap *to, const struct oci_id_mappings *uids,
			const struct oci_id_mappings *gids)
{
	add_all(&to->uids, uids);
	add_all(&to->gids, gids);
}

void runtime_idmap_format(struct str *to, const struct oci_id_mappings *maps)
{
	for (size_t i = 0; i < maps->count; i++)
		str_addf(to, "%u %u %u\n", maps->items[i].container_id, maps->items[i].host_id,
			 maps->items[i].size);
}

bool runtime_idmap_to_host(uint32_t *ret, const struct oci_id_mappings *maps, uint32_t id)
{
	return oci_id_map_to_host(ret, maps, id);
}

/* ---- shifting ---- */

static bool has_same(const struct oci_id_mappings *a, const struct oci_id_mappings *b)
{
	return a->count == b->count &&
	       (a->count == 0 || memcmp(a->items, b->items, a->count * sizeof(*a->items)) == 0);
}

bool runtime_idmap_is_same(const struct runtime_idmap *a, const struct runtime_idmap *b)
{
	return has_same(&a->uids, &b->uids) && has_same(&a->gids, &b->gids);
}

/* What two lines have in common of the container's ids. */
static void shift_line(struct oci_id_mappings *ret, const struct oci_id_mapping *from,
		       const struct oci_id_mapping *to)
{
	uint64_t first =
		from->container_id > to->container_id ? from->container_id : to->container_id;
	uint64_t from_end = (uint64_t)from->container_id + from->size;
	uint64_t to_end = (uint64_t)to->container_id + to->size;
	uint64_t end = from_end < to_end ? from_end : to_end;

	if (first < end)
		runtime_idmap_add(ret, (uint32_t)(from->host_id + (first - from->container_id)),
				  (uint32_t)(to->host_id + (first - to->container_id)),
				  (uint32_t)(end - first));
}

static void shift_lines(struct oci_id_mappings *ret, const struct oci_id_mappings *from,
			const struct oci_id_mappings *to)
{
	static const struct oci_id_mapping all = { 0, 0, UINT32_MAX };

	for (size_t i = 0; i < from->count; i++) {
		if (to->count == 0)
			shift_line(ret, &from->items[i], &all);
		for (size_t k = 0; k < to->count; k++)
			shift_line(ret, &from->items[i], &to->items[k]);
	}
}

void runtime_idmap_shift(struct runtime_idmap *ret, const struct runtime_idmap *from,
			 const struct runtime_idmap *to)
{
	if (runtime_idmap_is_same(from, to))
		return;
	shift_lines(&ret->uids, &from->uids, &to->uids);
	shift_lines(&ret->gids, &from->gids, &to->gids);
}

/* ---- checking ---- */

static bool overlaps(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
	return (uint64_t)a < (uint64_t)b + b_size && (uint64_t)b < (uint64_t)a + a_size;
}

/* 4294967295 is no id; kernel/user_namespace.c, map_write(). */
static bool is_beyond(uint32_t first, uint32_t size)
{
	return (uint64_t)first + size > UINT32_MAX;
}

static int check_line(const struct oci_id_mapping *m, struct err *e)
{
	if (m->size == 0)
		return err_set(e, ERR_INVALID, "the size is 0");
	if (is_beyond(m->container_id, m->size) || is_beyond(m->host_id, m->size))
		return err_set(e, ERR_INVALID, "%u, %u, size %u: goes beyond 4294967294",
			       m->container_id, m->host_id, m->size);
	return 0;
}

static int check_pair(const struct oci_id_mapping *a, const struct oci_id_mapping *b, struct err *e)
{
	if (overlaps(a->container_id, a->size, b->container_id, b->size))
		return err_set(e, ERR_INVALID, "gives ids of the container twice, at %u and %u",
			       a->container_id, b->container_id);
	if (overlaps(a->host_id, a->size, b->host_id, b->size))
		return err_set(e, ERR_INVALID, "gives ids of the host twice, at %u and %u",
			       a->host_id, b->host_id);
	return 0;
}

static int check_maps(const struct oci_id_mappings *maps, const char *name, struct err *e)
{
	if (maps->count == 0 || maps->count > RUNTIME_IDMAP_LINES_MAX)
		return err_set(e, ERR_INVALID, "%s: %zu mappings of ids, not 1 to %d", name,
			       maps->count, RUNTIME_IDMAP_LINES_MAX);
	for (size_t i = 0; i < maps->count; i++) {
		int r = check_line(&maps->items[i], e);
		for (size_t k = 0; r == 0 && k < i; k++)
			r = check_pair(&maps->items[k], &maps->items[i], e);
		if (r < 0)
			return err_add(e, "%s[%zu]", name, i);
	}
	return 0;
}

int runtime_idmap_check(const struct runtime_idmap *ids, struct err *e)
{
	int r = check_maps(&ids->uids, "uidMappings", e);

	return r < 0 ? r : check_maps(&ids->gids, "gidMappings", e);
}

/* ---- crun's words ---- */

static int make_absolute(uint32_t *host, uint32_t size, const struct oci_id_mappings *container,
			 struct err *e)
{
	uint32_t first, last;

	if (size == 0)
		return 0; /* runtime_idmap_check() says so */
	if (!runtime_idmap_to_host(&first, container, *host) || is_beyond(*host, size) ||
	    !runtime_idmap_to_host(&last, container, *host + (size - 1)) ||
	    last - first != size - 1)
		return err_set(e, ERR_INVALID,
			       "%u and %u after it are not in one mapping of the container", *host,
			       size - 1);
	*host = first;
	return 0;
}

static int parse_triplet(struct oci_id_mappings *to, const char *text,
			 const struct oci_id_mappings *container, struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };
	bool relative = *text == '@';
	uint32_t numbers[3];

	strv_split(&parts, text + relative, '-');
	if (parts.count != COUNT_OF(numbers))
		return err_set(e, ERR_INVALID, "'%s' is not FILE-HOST-SIZE", text);
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		int r = number_parse_id(&numbers[i], parts.items[i], e);
		if (r < 0)
			return r;
	}
	int r = relative ? make_absolute(&numbers[1], numbers[2], container, e) : 0;
	if (r == 0)
		runtime_idmap_add(to, numbers[0], numbers[1], numbers[2]);
	return r;
}

static int parse_maps(struct oci_id_mappings *to, const char *text,
		      const struct oci_id_mappings *container, struct err *e)
{
	own_clear(strv_clear) struct strv triplets = { 0 };

	if (to->count)
		return err_set(e, ERR_INVALID, "is there twice");
	strv_split(&triplets, text, '#');
	if (triplets.count > RUNTIME_IDMAP_LINES_MAX)
		return err_set(e, ERR_INVALID, "%zu mappings are too many", triplets.count);
	for (size_t i = 0; i < triplets.count; i++) {
		int r = parse_triplet(to, triplets.items[i], container, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_part(struct runtime_idmap *ret, const char *part,
		      const struct runtime_idmap *container, struct err *e)
{
	bool uids = str_starts(part, "uids=");

	if (!uids && !str_starts(part, "gids="))
		return err_set(e, ERR_INVALID, "'%s' is neither uids= nor gids=", part);
	int r = parse_maps(uids ? &ret->uids : &ret->gids, strchr(part, '=') + 1,
			   uids ? &container->uids : &container->gids, e);
	return r < 0 ? err_add(e, "%.4s", part) : 0;
}

int runtime_idmap_parse(struct runtime_idmap *ret, const char *text,
			const struct runtime_idmap *container, struct err *e)
{
	static const struct runtime_idmap none;
	own_clear(strv_clear) struct strv parts = { 0 };

	if (!container)
		container = &none;
	strv_split(&parts, text, ';');
	for (size_t i = 0; i < parts.count; i++) {
		int r = parse_part(ret, parts.items[i], container, e);
		if (r < 0)
			return r;
	}
	if (ret->uids.count == 0)
		add_all(&ret->uids, &container->uids);
	if (ret->gids.count == 0)
		add_all(&ret->gids, &container->gids);
	return runtime_idmap_check(ret, e);
}
