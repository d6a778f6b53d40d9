#include "engine/userns_pool.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"
#include "runtime/idmap.h"
#include "runtime/subid.h"

/* "100+50,200+10" */
static void read_ranges(struct runtime_subid_ranges *to, const char *text)
{
	unsigned first, count;

	for (int used; sscanf(text, "%u+%u%n", &first, &count, &used) == 2;) {
		runtime_subid_add(to, first, count);
		text += used;
		text += *text == ',';
	}
}

static void read_maps(struct oci_id_mappings *to, const char *text)
{
	unsigned container, host, size;

	for (int used; sscanf(text, "%u %u %u%n", &container, &host, &size, &used) == 3;) {
		runtime_idmap_add(to, container, host, size);
		text += used;
		text += *text == ',';
	}
}

static const struct {
	const char *pool, *used;
	unsigned size;
	long long found; /* -1: nothing */
} searches[] = {
	{ "100+50", "", 50, 100 },
	{ "100+50", "", 51, -1 },
	{ "", "", 1, -1 },
	{ "100+50", "100+10", 40, 110 },
	{ "100+50", "100+10", 41, -1 },
	{ "100+50", "140+20,100+10,120+5", 15, 125 },
	{ "100+50", "140+20,100+10,120+5", 10, 110 },
	{ "100+50", "90+11", 49, 101 },
	{ "100+50", "90+200", 1, -1 },
	{ "100+50,300+10", "100+45", 10, 300 },
	{ "100+50", "110+10,110+10,105+30", 5, 100 },
	{ "100+50", "110+10,105+30", 6, 135 },
	{ "4294967290+5", "", 5, 4294967290 },
	{ "4294967290+5", "4294967290+1", 5, -1 },
	{ "0+4294967295", "0+4294967294", 1, 4294967294 },
};

START_TEST(the_lowest_free_range_is_found)
{
	own_clear(runtime_subid_clear) struct runtime_subid_ranges pool = { 0 }, used = { 0 };
	uint32_t first = 7;

	read_ranges(&pool, searches[_i].pool);
	read_ranges(&used, searches[_i].used);
	bool found = userns_pool_find(&first, &pool, &used, searches[_i].size);
	ck_assert_int_eq(found, searches[_i].found >= 0);
	if (found)
		ck_assert_int_eq(first, searches[_i].found);
}
END_TEST

START_TEST(hundreds_of_containers_share_no_id)
{
	own_clear(runtime_subid_clear) struct runtime_subid_ranges pool = { 0 }, used = { 0 };
	uint32_t first;

	read_ranges(&pool, "1000+1000,5000+10000");
	for (unsigned i = 0; i < 100; i++) {
		own_clear(runtime_idmap_clear) struct runtime_idmap ids = { 0 };
		ck_assert(userns_pool_find(&first, &pool, &used, i % 2 ? 100 : 70));
		for (size_t k = 0; k < used.count; k++)
			ck_assert(first >= used.items[k].first + used.items[k].count ||
				  first + (i % 2 ? 100 : 70) <= used.items[k].first);
		runtime_idmap_add(&ids.uids, 0, first, i % 2 ? 100 : 70);
		userns_pool_use(&used, &ids.uids);
	}
	ck_assert(!userns_pool_find(&first, &pool, &used, 5000));
}
END_TEST

static const struct {
	unsigned size;
	const char *fixed, *lines;
} maps[] = {
	{ 10, "", "0 500 10\n" },
	{ 10, "0 7 1", "0 7 1\n1 500 9\n" },
	{ 10, "9 7 1", "0 500 9\n9 7 1\n" },
	{ 10, "3 7 2", "0 500 3\n3 7 2\n5 503 5\n" },
	{ 10, "8 7 1,3 9 2", "0 500 3\n3 9 2\n5 503 3\n8 7 1\n9 506 1\n" },
	{ 10, "20 7 1", "0 500 10\n20 7 1\n" },
	{ 10, "5 7 100", "0 500 5\n5 7 100\n" },
	{ 10, "0 7 10", "0 7 10\n" },
};

START_TEST(ids_are_mapped_around_those_that_are_fixed)
{
	own_clear(runtime_idmap_clear) struct runtime_idmap ids = { 0 }, fixed = { 0 };
	own_clear(str_clear) struct str text = { 0 };

	read_maps(&fixed.uids, maps[_i].fixed);
	userns_pool_map(&ids.uids, 500, maps[_i].size, &fixed.uids);
	runtime_idmap_format(&text, &ids.uids);
	ck_assert_str_eq(text.text, maps[_i].lines);
}
END_TEST

UNIT_MAIN("engine/userns_pool", UNIT_LOOP(the_lowest_free_range_is_found, COUNT_OF(searches)),
	  UNIT(hundreds_of_containers_share_no_id),
	  UNIT_LOOP(ids_are_mapped_around_those_that_are_fixed, COUNT_OF(maps)))
