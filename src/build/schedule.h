/* schedule.h - the stages of a build, each as soon as those it needs are done, as many at once as
 * there are CPUs: each in a process of its own, which sends back what has become of it. A stage
 * that nothing else could run beside is done here. */
#pragma once
#include <stddef.h>

struct build;
struct err;

typedef int build_schedule_stage(struct build *build, size_t number, struct err *e);

/* Does all that are needed. On the first failure those that run come to their end as after ctrl-C,
 * and what they have done is known to build->states and build->folders as well. */
int build_schedule(struct build *build, build_schedule_stage *stage, struct err *e);
