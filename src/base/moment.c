#include "base/moment.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "base/err.h"

static const int64_t second_ns = 1000000000;
static const int64_t day_s = 86400;

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

/* The date of a day since 1970-01-01, 1678 to 2262, as gmtime_r(3) has it; that one reads the
 * host's time zone first, which is nothing to UTC. Years begin with March here, so that a leap day
 * is the last of its year. */
static void set_date(struct tm *tm, int64_t day)
{
	enum { DAYS_TO_1970 = 719468, YEAR = 365, CENTURY = 36524, ERA = 146097 };
	int in_era = (int)((day + DAYS_TO_1970) % ERA);
	int leap_days = in_era / (4 * YEAR) - in_era / CENTURY + in_era / (ERA - 1);
	int year = (in_era - leap_days) / YEAR;
	int in_year = in_era - (YEAR * year + year / 4 - year / 100);
	int month = (5 * in_year + 2) / 153; /* five months in a row have 153 days */

	tm->tm_mday = in_year - (153 * month + 2) / 5 + 1;
	tm->tm_mon = month < 10 ? month + 2 : month - 10;
	tm->tm_year = (int)((day + DAYS_TO_1970) / ERA * 400) + year + (month >= 10) - 1900;
}

void moment_format(char to[MOMENT_TEXT_SIZE], int64_t ns)
{
	int64_t fraction = ((ns % second_ns) + second_ns) % second_ns;
	int64_t seconds = ns / second_ns - (ns % second_ns < 0);
	int64_t day = seconds / day_s - (seconds % day_s < 0);
	int of_day = (int)(seconds - day * day_s);
	struct tm tm = {
		.tm_hour = of_day / 3600,
		.tm_min = of_day / 60 % 60,
		.tm_sec = of_day % 60,
	};

	set_date(&tm, day);
	size_t length = strftime(to, MOMENT_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	if (fraction) {
		length += (size_t)snprintf(to + length, MOMENT_TEXT_SIZE - length, ".%09lld",
					   (long long)fraction);
		while (to[length - 1] == '0')
			length--;
	}
	snprintf(to + length, MOMENT_TEXT_SIZE - length, "Z");
}

void moment_format_local(char to[MOMENT_TEXT_SIZE], int64_t ns)
{
	time_t seconds = (time_t)(ns / second_ns - (ns % second_ns < 0));
	struct tm tm;

	tzset();
	localtime_r(&seconds, &tm);
	if (!strftime(to, MOMENT_TEXT_SIZE, "%Y-%m-%d %H:%M:%S %z %Z", &tm))
		moment_format(to, ns); /* a time zone's name of 15 letters */
}

/* Reads just count digits. */
static bool take_digits(const char **at, int count, int *ret)
{
	int value = 0;

	for (; count > 0; count--, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		value = value * 10 + (**at - '0');
	}
	*ret = value;
	return true;
}

static bool take_char(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

/* ".123" as nanoseconds, if it is there; what is finer is cut. */
static bool take_fraction(const char **at, int64_t *ret)
{
	int64_t value = 0, weight = second_ns / 10;

	*ret = 0;
	if (!take_char(at, '.'))
		return true;
	const char *start = *at;
	for (; **at >= '0' && **at <= '9'; (*at)++, weight /= 10)
		value += (**at - '0') * weight;
	*ret = value;
	return *at > start;
}

/* "Z", "+05:30", or nothing, which is UTC too. */
static bool take_offset(const char **at, int64_t *seconds)
{
	int hours, minutes;
	bool east = **at == '+';

	*seconds = 0;
	if (!**at || take_char(at, 'Z') || take_char(at, 'z'))
		return true;
	if (!take_char(at, '+') && !take_char(at, '-'))
		return false;
	if (!take_digits(at, 2, &hours) || !take_char(at, ':') || !take_digits(at, 2, &minutes) ||
	    hours > 23 || minutes > 59)
		return false;
	*seconds = (hours * 60 + minutes) * (east ? 60 : -60);
	return true;
}

static bool take_date(const char **at, struct tm *tm)
{
	if (!take_digits(at, 4, &tm->tm_year) || !take_char(at, '-') ||
	    !take_digits(at, 2, &tm->tm_mon) || !take_char(at, '-') ||
	    !take_digits(at, 2, &tm->tm_mday))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday > 0 && tm->tm_mday <= 31;
}

static bool take_time(const char **at, struct tm *tm)
{
	if (!take_digits(at, 2, &tm->tm_hour) || !take_char(at, ':') ||
	    !take_digits(at, 2, &tm->tm_min) || !take_char(at, ':') ||
	    !take_digits(at, 2, &tm->tm_sec))
		return false;
	return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60;
}

static bool parse_rfc3339(const char *text, int64_t *seconds, int64_t *fraction)
{
	struct tm tm = { 0 };
	int64_t offset;

	if (!take_date(&text, &tm) || !(take_char(&text, 'T') || take_char(&text, 't')) ||
	    !take_time(&text, &tm) || !take_fraction(&text, fraction) ||
	    !take_offset(&text, &offset) || *text)
		return false;
	int day = tm.tm_mday;
	int second = tm.tm_sec;
	int64_t at = timegm(&tm);
	/* timegm() turns the 31st of February into March; a leap second may do so */
	if (tm.tm_mday != day && second < 60)
		return false;
	*seconds = at - offset;
	return true;
}

static bool parse_seconds(const char *text, int64_t *seconds, int64_t *fraction)
{
	int64_t value = 0;
	const char *start = text;

	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *text - '0', &value))
			return false;
	*seconds = value;
	return text > start && take_fraction(&text, fraction) && !*text;
}

int moment_parse(int64_t *ret, const char *text, struct err *e)
{
	int64_t seconds, fraction, ns;

	if (!parse_rfc3339(text, &seconds, &fraction) && !parse_seconds(text, &seconds, &fraction))
		return err_set(e, ERR_INVALID, "'%s' is not a time like 2026-01-31T12:00:00Z",
			       text);
	if (__builtin_add_overflow((__int128)seconds * second_ns, fraction, &ns))
		return err_set(e, ERR_INVALID, "the time '%s' is not between 1678 and 2262", text);
	*ret = ns;
	return 0;
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
