#include "cli/confirm.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

bool cli_confirm(const char *what)
{
	char answer[16] = "";

	fprintf(stderr, "%s\nGo on? [y/N] ", what);
	fflush(stderr);
	if (!fgets(answer, sizeof(answer), stdin))
		fputc('\n', stderr);
	answer[strcspn(answer, "\r\n")] = '\0';
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}
