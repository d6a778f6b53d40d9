#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/print.h"

enum { WIDTH_MIN = 10, GAP = 3 };

void cli_table_add(struct cli_table *table, const char *line)
{
	struct strv cells = { 0 };

	for (;;) {
		own_clear(str_clear) struct str cell = { 0 };
		size_t length = strcspn(line, "\t");
		cli_print_clean_to(&cell, line, length);
		strv_add(&cells, cell.text ? cell.text : "");
		if (!line[length])
			break;
		line += length + 1;
	}
	table->rows = mem_resize(table->rows, table->count + 1, sizeof(*table->rows));
	table->rows[table->count++] = cells;
}

static size_t column_width(const struct cli_table *table, size_t column)
{
	size_t width = WIDTH_MIN - GAP;

	for (size_t i = 0; i < table->count; i++) {
		if (column + 1 >= table->rows[i].count)
			continue;
		size_t cell = cli_print_width(table->rows[i].items[column]);
		width = cell > width ? cell : width;
	}
	return width + GAP;
}

static size_t widest_row(const struct cli_table *table)
{
	size_t most = 0;

	for (size_t i = 0; i < table->count; i++)
		most = table->rows[i].count > most ? table->rows[i].count : most;
	return most;
}

static void print_row(const struct strv *row, const size_t *widths, struct str *to)
{
	for (size_t i = 0; i < row->count; i++) {
		str_add(to, row->items[i]);
		if (i + 1 == row->count)
			break;
		size_t gap = widths[i] - cli_print_width(row->items[i]);
		memset(str_room(to, gap), ' ', gap);
		to->length += gap;
	}
	str_add_char(to, '\n');
}

void cli_table_print(const struct cli_table *table, struct str *to)
{
	size_t columns = widest_row(table);
	own_free size_t *widths = mem_new(columns + 1, sizeof(*widths));

	for (size_t i = 0; i < columns; i++)
		widths[i] = column_width(table, i);
	for (size_t i = 0; i < table->count; i++)
		print_row(&table->rows[i], widths, to);
}

void cli_table_clear(struct cli_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		strv_clear(&table->rows[i]);
	free(table->rows);
	*table = (struct cli_table){ 0 };
}
