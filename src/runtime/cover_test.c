#include "runtime/cover.h"

#include <unistd.h>

#include "base/own.h"
#include "base/unit.h"

/* What is asked comes by one pipe, the word of the process that is waited for by another. */
struct server {
	int asked[2], told[2];
	int count; /* how often it was called */
	int last;  /* so often it is asked until that process speaks */
	int result;
};

static int serve(void *context)
{
	struct server *s = context;
	char byte;

	s->count++;
	if (s->result < 0)
		return s->result;
	ck_assert_int_eq(read(s->asked[0], &byte, 1), 1);
	ck_assert_int_eq(write(s->count < s->last ? s->asked[1] : s->told[1], "", 1), 1);
	return 0;
}

static void server_open(struct server *s)
{
	ck_assert_int_eq(pipe(s->asked), 0);
	ck_assert_int_eq(pipe(s->told), 0);
	ck_assert_int_eq(write(s->asked[1], "", 1), 1);
}

static void server_close(struct server *s)
{
	for (int i = 0; i < 2; i++) {
		close(s->asked[i]);
		close(s->told[i]);
	}
}

static struct runtime_covers covers_of(struct server *s)
{
	return (struct runtime_covers){
		.folder = -1, .server_fd = s->asked[0], .serve = serve, .context = s
	};
}

START_TEST(what_is_asked_is_answered_until_the_process_speaks)
{
	struct server s = { .last = 3 };

	server_open(&s);
	const struct runtime_covers covers = covers_of(&s);
	runtime_cover_serve_in_parent(&covers, (int[]){ -1, s.told[0] });
	ck_assert_int_eq(s.count, 3);
	server_close(&s);
}
END_TEST

/* Its descriptor stays readable for ever. */
START_TEST(a_server_that_has_failed_is_called_no_more)
{
	struct server s = { .result = -1 };

	server_open(&s);
	ck_assert_int_eq(write(s.told[1], "", 1), 1);
	const struct runtime_covers covers = covers_of(&s);
	runtime_cover_serve_in_parent(&covers, (int[]){ s.told[0], -1 });
	ck_assert_int_eq(s.count, 1);
	server_close(&s);
}
END_TEST

START_TEST(the_end_of_the_process_is_a_word_too_and_nobody_need_serve)
{
	struct server s = { 0 };

	server_open(&s);
	close(take_fd(&s.told[1]));
	runtime_cover_serve_in_parent(NULL, (int[]){ s.told[0], -1 });
	ck_assert_int_eq(s.count, 0);
	server_close(&s);
}
END_TEST

/* Else its filesystem would seem served as long as the child lives, who waits for it. */
START_TEST(a_child_does_not_hold_the_server)
{
	struct server s = { 0 };

	server_open(&s);
	const struct runtime_covers covers = covers_of(&s);
	runtime_cover_leave_in_child(&covers);
	ck_assert_int_lt(write(s.asked[0], "", 1), 0);
	close(s.asked[1]);
	close(s.told[0]);
	close(s.told[1]);
}
END_TEST

UNIT_MAIN("runtime/cover", UNIT(what_is_asked_is_answered_until_the_process_speaks),
	  UNIT(a_server_that_has_failed_is_called_no_more),
	  UNIT(the_end_of_the_process_is_a_word_too_and_nobody_need_serve),
	  UNIT(a_child_does_not_hold_the_server))
