/* instruction.h - the instructions of a Containerfile that say what a container of the image runs
 * with, applied to an image's config: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD,
 * STOPSIGNAL, USER, VOLUME, WORKDIR. Grammar: Dockerfile reference; `docker import --change`
 * takes the same. Pure text. */
#pragma once

struct err;
struct oci_image_process;

/* text holds one instruction a line; a backslash at a line's end joins it with the next, "#" begins
 * a comment line. $NAME, ${NAME}, ${NAME:-word} and ${NAME:+word} stand for variables that *to
 * sets. ERR_INVALID; *to may then hold a part of it. */
int oci_instruction_apply(struct oci_image_process *to, const char *text, struct err *e);
