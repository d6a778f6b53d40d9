#include "runtime/newidmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"
#include "runtime/program.h"

enum { ANSWER_MAX = 4096 };

bool runtime_newidmap_is_there(void)
{
	own_free char *uid = runtime_program_find("newuidmap");
	own_free char *gid = runtime_program_find("newgidmap");

	return uid && gid;
}

static void arguments(struct strv *to, const char *program, pid_t pid,
		      const struct oci_id_mappings *maps)
{
	strv_add(to, program);
	strv_addf(to, "%d", (int)pid);
	for (size_t i = 0; i < maps->count; i++) {
		strv_addf(to, "%u", maps->items[i].container_id);
		strv_addf(to, "%u", maps->items[i].host_id);
		strv_addf(to, "%u", maps->items[i].size);
	}
}

static int explain(const char *program, const struct oci_id_mappings *maps, struct str *said,
		   struct err *e)
{
	char *text = said->text ? said->text : "";
	const char *file = strcmp(program, "newuidmap") == 0 ? "/etc/subuid" : "/etc/subgid";
	const struct oci_id_mapping *last = &maps->items[maps->count - 1];

	text[strcspn(text, "\n")] = '\0';
	err_set(e, ERR_PERMISSION, "%s", *text ? text : program);
	return err_hint(e,
			"%s must give you these ids (as USER:%u:%u), %s must be setuid root or "
			"have its file capabilities, and no_new_privs must not be set",
			file, last->host_id, last->size, program);
}

int runtime_newidmap_run(const char *program, pid_t pid, const struct oci_id_mappings *maps,
			 struct err *e)
{
	own_clear(str_clear) struct str said = { 0 };
	own_clear(strv_clear) struct strv argv = { 0 };
	own_free char *path = runtime_program_find(program);

	if (!path) {
		err_set(e, ERR_UNSUPPORTED, "%s is not there", program);
		return err_hint(e, "an ordinary user needs it for more than one id (Debian: apt "
				   "install uidmap)");
	}
	arguments(&argv, program, pid, maps);
	int r = runtime_program_run(path, &argv, 2, ANSWER_MAX, &said, e);
	if (r < 0)
		return r;
	return r == 0 ? 0 : explain(program, maps, &said, e);
}
