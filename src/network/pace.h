/* pace.h - a program for the kernel that drops what exceeds a rate: bpf(2), for cls_bpf. */
#pragma once
#include <stdint.h>

struct err;

/* So many bytes a second, and so many at once. Its descriptor, the caller's. */
int network_pace_load(uint64_t rate, uint32_t burst, struct err *e);
