/* table.h - rows of cells, printed in aligned columns: at least ten wide, three blanks between, the
 * last one as long as it is (what docker's lists look like). Cells are shown with control
 * characters as \xNN. */
#pragma once
#include <stddef.h>

#include "base/strv.h"

struct str;

struct cli_table {
	struct strv *rows;
	size_t count;
};

/* One more row; the cells lie between the tabs of line. */
void cli_table_add(struct cli_table *table, const char *line);
void cli_table_print(const struct cli_table *table, struct str *to);
void cli_table_clear(struct cli_table *table);
