/* update.h - the options of `update`, which are the keys of `set`. */
#pragma once
#include "base/option.h"

/* Into struct create_options. */
extern const struct option cli_update_table[];
