/* allow.h - what a Dockerfile may not take for itself: RUN --security=insecure and RUN
 * --network=host are for whoever calls to allow, by --allow security.insecure and --allow
 * network.host, as in BuildKit. */
#pragma once

struct build;
struct build_instruction;
struct err;

/* Of all stages that are needed, before the first step. */
int build_allow_check(const struct build *build, struct err *e);

/* The flags of one RUN; also of one that a base image brings (ONBUILD). */
int build_allow_run(const struct build *build, const struct build_instruction *at, struct err *e);
