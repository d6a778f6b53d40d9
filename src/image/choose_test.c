#include "image/choose.h"

#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/strv.h"
#include "base/unit.h"

static const struct {
	const char *typed;
	int index; /* negative: an error */
} rows[] = {
	{ "1\n", 0 },
	{ "2\n", 1 },
	{ "x\n0\n2\n", 1 },
	{ "3\n-1\n\n", -1 },
	{ "", -1 },
	{ "1", -1 },
	{ "11111111111111111111111111111111\n2\n", 1 },
};

START_TEST(a_number_of_the_list_is_taken)
{
	own_clear(strv_clear) struct strv items = { 0 };
	struct err e;
	int ends[2];

	strv_add(&items, "quay.io/a");
	strv_add(&items, "docker.io/a");
	ck_assert_int_eq(pipe(ends), 0);
	own_fd int in = ends[0];
	ck_assert_int_ge(write(ends[1], rows[_i].typed, strlen(rows[_i].typed)), 0);
	close(ends[1]);
	int chosen = image_choose("Which?", &items, in, &e);
	ck_assert_int_eq(chosen < 0 ? -1 : chosen, rows[_i].index);
}
END_TEST

UNIT_MAIN("image/choose", UNIT_LOOP(a_number_of_the_list_is_taken, COUNT_OF(rows)))
