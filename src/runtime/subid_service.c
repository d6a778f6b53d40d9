#include "runtime/subid_service.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "runtime/program.h"
#include "runtime/subid.h"

enum { NSSWITCH_MAX = 65536 };

/* Of several services shadow takes the first (nss_init() in its lib/nss.c). */
char *runtime_subid_service_parse(const char *nsswitch)
{
	static const char key[] = "subid:";

	for (const char *line = nsswitch; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!str_starts(line, key))
			continue;
		const char *word = line + strlen(key);
		word += strspn(word, " \t");
		size_t length = strcspn(word, " \t\n#");
		if (length == 0 || (length == 5 && strncmp(word, "files", length) == 0))
			return NULL;
		return mem_text_n(word, length);
	}
	return NULL;
}

char *runtime_subid_service(void)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err no_file;
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd_read_file_at(root, "etc/nsswitch.conf", NSSWITCH_MAX, &text, &no_file) < 0)
		return NULL;
	return runtime_subid_service_parse(text.text ? text.text : "");
}

/* "0: user 100000 65536", one for each. */
void runtime_subid_service_parse_answer(struct runtime_subid_ranges *to, const char *text)
{
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		unsigned long long first, count;
		unsigned number;
		line += *line == '\n';
		if (!*line || to->count >= RUNTIME_SUBID_RANGES_MAX)
			break;
		if (sscanf(line, "%u: %*255s %llu %llu", &number, &first, &count) == 3 &&
		    count > 0 && first <= UINT32_MAX && count <= UINT32_MAX - first)
			runtime_subid_add(to, (uint32_t)first, (uint32_t)count);
		else
			to->broken++;
	}
}

int runtime_subid_service_read(struct runtime_subid_ranges *to, const char *service,
			       const char *user, bool groups, struct err *e)
{
	own_clear(strv_clear) struct strv argv = { 0 };
	own_clear(str_clear) struct str said = { 0 };
	own_free char *path = runtime_program_find("getsubids");

	if (!path) {
		err_set(e, ERR_UNSUPPORTED,
			"nsswitch.conf has subordinate ids from '%s', and getsubids is not there "
			"to "
			"ask",
			service);
		return err_hint(e, "Debian: apt install uidmap");
	}
	strv_add(&argv, path);
	if (groups)
		strv_add(&argv, "-g");
	strv_add(&argv, user);
	int r = runtime_program_run(path, &argv, 1, RUNTIME_SUBID_FILE_MAX, &said, e);
	/* it says by 1 that there are none, too */
	if (r >= 0 && said.text)
		runtime_subid_service_parse_answer(to, said.text);
	return r < 0 ? r : 0;
}
