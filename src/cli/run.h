/* run.h - the options of run and create, for the commands that make containers in other ways. */
#pragma once
#include "base/option.h"

/* The first CLI_RUN_ONLY rows are of run alone; those of create begin behind them. Into struct
 * create_options. */
enum { CLI_RUN_ONLY = 6 };
extern const struct option cli_run_table[];
