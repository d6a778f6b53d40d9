/* analyzer.h - what gcc -fanalyzer cannot see from err.h: that these are always negative. Without
 * it every caller seems to go on, with outputs that were never set. */
#include "base/err.h"

#define err_set(...)    (err_set(__VA_ARGS__), -1)
#define err_sys(...)    (err_sys(__VA_ARGS__), -1)
#define err_number(...) (err_number(__VA_ARGS__), -1)
#define err_add(...)    (err_add(__VA_ARGS__), -1)
#define err_hint(...)   (err_hint(__VA_ARGS__), -1)
