#include "base/moment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"

static const int64_t second_ns = 1000000000;

static int64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * second_ns + t.tv_nsec;
}

int64_t moment_now_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t moment_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

void moment_format(char to[MOMENT_TEXT_SIZE], int64_t ns)
{
	int64_t fraction = ((ns % second_ns) + second_ns) % second_ns;
	time_t seconds = (time_t)((ns - fraction) / second_ns);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	size_t length = strftime(to, MOMENT_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	if (fraction) {
		length += (size_t)snprintf(to + length, MOMENT_TEXT_SIZE - length, ".%09lld",
					   (long long)fraction);
		while (to[length - 1] == '0')
			length--;
	}
	snprintf(to + length, MOMENT_TEXT_SIZE - length, "Z");
}

/* ".123" as nanoseconds; *end is what follows. */
static int64_t parse_fraction(const char *text, const char **end)
{
	int64_t value = 0, weight = second_ns / 10;

	for (text++; *text >= '0' && *text <= '9'; text++, weight /= 10)
		value += (*text - '0') * weight;
	*end = text;
	return value;
}

static int parse_offset(const char *text, int64_t *seconds)
{
	int hours, minutes;
	char sign, tail;

	*seconds = 0;
	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0 || !*text)
		return 0;
	if (sscanf(text, "%c%2d:%2d%c", &sign, &hours, &minutes, &tail) != 3 ||
	    (sign != '+' && sign != '-'))
		return -1;
	*seconds = (hours * 60 + minutes) * (sign == '+' ? 60 : -60);
	return 0;
}

int moment_parse(int64_t *ret, const char *text, struct err *e)
{
	struct tm tm = { 0 };
	int64_t offset, fraction = 0;
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (end) {
		if (*end == '.')
			fraction = parse_fraction(end, &end);
		if (parse_offset(end, &offset) < 0)
			end = NULL;
	}
	if (end) {
		*ret = ((int64_t)timegm(&tm) - offset) * second_ns + fraction;
		return 0;
	}

	char *after;
	long long seconds = strtoll(text, &after, 10);
	if (after != text && seconds >= 0 && seconds < INT64_MAX / second_ns) {
		end = after;
		if (*end == '.')
			fraction = parse_fraction(end, &end);
		if (!*end) {
			*ret = seconds * second_ns + fraction;
			return 0;
		}
	}
	return err_set(e, ERR_INVALID, "'%s' is not a time like 2026-01-31T12:00:00Z", text);
}

void moment_format_span(char to[32], int64_t span_ns)
{
	long long s = span_ns / second_ns;

	if (s < 1)
		snprintf(to, 32, "Less than a second");
	else if (s == 1)
		snprintf(to, 32, "1 second");
	else if (s < 60)
		snprintf(to, 32, "%lld seconds", s);
	else if (s < 120)
		snprintf(to, 32, "About a minute");
	else if (s < 3600)
		snprintf(to, 32, "%lld minutes", s / 60);
	else if (s < 5400)
		snprintf(to, 32, "About an hour");
	else if (s < 48 * 3600LL)
		snprintf(to, 32, "%lld hours", (s + 1800) / 3600);
	else if (s < 14 * 86400LL)
		snprintf(to, 32, "%lld days", s / 86400);
	else if (s < 60 * 86400LL)
		snprintf(to, 32, "%lld weeks", s / (7 * 86400));
	else if (s < 2 * 365 * 86400LL)
		snprintf(to, 32, "%lld months", s / (30 * 86400));
	else
		snprintf(to, 32, "%lld years", s / (365 * 86400));
}
