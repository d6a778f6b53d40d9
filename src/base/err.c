#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int number;
	int exit_status;
} kinds[ERR_KINDS] = {
	[ERR_INTERNAL] = { "internal", EIO, 125 },
	[ERR_INVALID] = { "invalid", EINVAL, 125 },
	[ERR_NOT_FOUND] = { "not-found", ENOENT, 125 },
	[ERR_EXISTS] = { "exists", EEXIST, 125 },
	[ERR_STATE] = { "state", EBUSY, 125 },
	[ERR_PERMISSION] = { "permission", EPERM, 125 },
	[ERR_UNSUPPORTED] = { "unsupported", ENOTSUP, 125 },
	[ERR_NO_SPACE] = { "no-space", ENOSPC, 125 },
	[ERR_CORRUPT] = { "corrupt", EBADMSG, 125 },
	[ERR_UNREACHABLE] = { "unreachable", EHOSTUNREACH, 125 },
	[ERR_TIMEOUT] = { "timeout", ETIMEDOUT, 125 },
	[ERR_NOT_EXECUTABLE] = { "not-executable", EACCES, 126 },
	[ERR_COMMAND_NOT_FOUND] = { "command-not-found", ENOENT, 127 },
	[ERR_SYSTEM] = { "system", EIO, 125 },
};

static enum err_kind kind_of_number(int number)
{
	switch (number) {
	case ENOENT:
		return ERR_NOT_FOUND;
	case EEXIST:
		return ERR_EXISTS;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_PERMISSION;
	case ENOSPC:
	case EDQUOT:
		return ERR_NO_SPACE;
	case ENOSYS:
	case EOPNOTSUPP:
		return ERR_UNSUPPORTED;
	case ETIMEDOUT:
		return ERR_TIMEOUT;
	default:
		return ERR_SYSTEM;
	}
}

static void add_reason(struct err *e, int number)
{
	size_t length = strlen(e->text);

	/* strerrordesc_np: no locale, no static buffer (glibc 2.32) */
	const char *reason = strerrordesc_np(number);
	if (reason)
		snprintf(e->text + length, sizeof(e->text) - length, ": %s", reason);
	else
		snprintf(e->text + length, sizeof(e->text) - length, ": error %d", number);
}

static int set_from_number(struct err *e, int number, const char *format, va_list ap)
{
	assert(number > 0);
	e->kind = kind_of_number(number);
	e->number = number;
	e->hint[0] = '\0';
	vsnprintf(e->text, sizeof(e->text), format, ap);
	add_reason(e, number);
	return -number;
}

int err_set(struct err *e, enum err_kind kind, const char *format, ...)
{
	va_list ap;

	e->kind = kind;
	e->number = kinds[kind].number;
	e->hint[0] = '\0';
	va_start(ap, format);
	vsnprintf(e->text, sizeof(e->text), format, ap);
	va_end(ap);
	return -e->number;
}

int err_sys(struct err *e, const char *format, ...)
{
	int number = errno;
	va_list ap;

	va_start(ap, format);
	int ret = set_from_number(e, number, format, ap);
	va_end(ap);
	return ret;
}

int err_number(struct err *e, int number, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	int ret = set_from_number(e, number, format, ap);
	va_end(ap);
	return ret;
}

int err_add(struct err *e, const char *format, ...)
{
	char before[sizeof(e->text)];
	va_list ap;

	va_start(ap, format);
	int length = vsnprintf(before, sizeof(before), format, ap);
	va_end(ap);
	if (length < 0 || (size_t)length + 3 >= sizeof(before))
		return -e->number;

	size_t task = (size_t)length;
	size_t old = strnlen(e->text, sizeof(e->text) - task - 3);
	memmove(e->text + task + 2, e->text, old);
	e->text[task + 2 + old] = '\0';
	memcpy(e->text, before, task);
	memcpy(e->text + task, ": ", 2);
	return -e->number;
}

int err_hint(struct err *e, const char *format, ...)
{
	va_list ap;

	if (e->hint[0])
		return -e->number;
	va_start(ap, format);
	vsnprintf(e->hint, sizeof(e->hint), format, ap);
	va_end(ap);
	return -e->number;
}

int err_exit_status(const struct err *e)
{
	return kinds[e->kind].exit_status;
}

const char *err_kind_name(enum err_kind kind)
{
	return kinds[kind].name;
}
