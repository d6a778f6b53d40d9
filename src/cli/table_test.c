#include "cli/table.h"

#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"

START_TEST(columns_are_as_wide_as_their_widest_cell)
{
	own_clear(cli_table_clear) struct cli_table table = { 0 };
	own_clear(str_clear) struct str s = { 0 };

	cli_table_add(&table, "NAME\tIMAGE\tSTATUS");
	cli_table_add(&table, "a-rather-long-name\tx\tUp 3 minutes");
	cli_table_add(&table, "\t\t");
	cli_table_print(&table, &s);
	ck_assert_str_eq(s.text, "NAME                 IMAGE     STATUS\n"
				 "a-rather-long-name   x         Up 3 minutes\n"
				 "                               \n");
}
END_TEST

START_TEST(a_wide_letter_counts_once)
{
	own_clear(cli_table_clear) struct cli_table table = { 0 };
	own_clear(str_clear) struct str s = { 0 };

	cli_table_add(&table, "\xc3\xa4\xc3\xb6\tb");
	cli_table_print(&table, &s);
	ck_assert_str_eq(s.text, "\xc3\xa4\xc3\xb6        b\n");
}
END_TEST

START_TEST(nothing_in_a_cell_steers_the_terminal)
{
	own_clear(cli_table_clear) struct cli_table table = { 0 };
	own_clear(str_clear) struct str s = { 0 };

	cli_table_add(&table, "\x1b[31mred\x1b[0m\r\n\x7f\xc2\x9b\xff\xed\xa0\x80");
	cli_table_print(&table, &s);
	ck_assert_str_eq(s.text, "\\x1b[31mred\\x1b[0m\\x0d\\x0a\\x7f\\xc2\\x9b\\xff"
				 "\\xed\\xa0\\x80\n");
}
END_TEST

START_TEST(rows_may_have_different_numbers_of_cells)
{
	own_clear(cli_table_clear) struct cli_table table = { 0 };
	own_clear(str_clear) struct str s = { 0 };

	cli_table_add(&table, "one");
	cli_table_add(&table, "a\tb");
	cli_table_print(&table, &s);
	ck_assert_str_eq(s.text, "one\na         b\n");
}
END_TEST

UNIT_MAIN("cli/table", UNIT(columns_are_as_wide_as_their_widest_cell),
	  UNIT(a_wide_letter_counts_once), UNIT(nothing_in_a_cell_steers_the_terminal),
	  UNIT(rows_may_have_different_numbers_of_cells))
