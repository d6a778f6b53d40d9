/* What a container writes to its NOTIFY_SOCKET: of it nothing passes that names a process,
 * a descriptor or a right. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "runtime/notify.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
	static const char *const refused[] = { "MAINPID", "FDSTORE", "BARRIER", "NOTIFYACCESS" };
	char to[RUNTIME_NOTIFY_PASSED_MAX];

	if (length > RUNTIME_NOTIFY_BYTES_MAX)
		return 0;
	own_free char *text = mem_text_n((const char *)bytes, length);
	bool ready = runtime_notify_filter(to, text, 12345);
	if (ready) {
		char *own = to + strlen(to) - strlen("MAINPID=12345");
		if (!str_equal(own, "MAINPID=12345"))
			abort();
		*own = '\0';
	}
	for (const char *line = to; *line; line = strchr(line, '\n') + 1)
		for (size_t i = 0; i < COUNT_OF(refused); i++)
			if (str_starts(line, refused[i]) || !strchr(line, '\n'))
				abort();
	return 0;
}
