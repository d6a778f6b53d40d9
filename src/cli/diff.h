/* diff.h - changes as `holm diff` prints them, one a line: "C /etc". */
#pragma once

struct storage_changes;

void cli_diff_print(const struct storage_changes *changes);
