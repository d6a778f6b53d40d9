#include "dns/message.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "base/number.h"
#include "base/str.h"

/* Bits of the third and fourth byte of the header. */
enum {
	FLAG_ANSWER = 0x80,
	MASK_OPCODE = 0x78,
	FLAG_AUTHORITATIVE = 0x04,
	FLAG_TRUNCATED = 0x02,
	FLAG_RECURSION_DESIRED = 0x01,
	FLAG_RECURSION_AVAILABLE = 0x80,
	MASK_CODE = 0x0f,
};

/* Where the header has its counts. */
enum { AT_QUESTIONS = 4, AT_ANSWERS = 6, AT_AUTHORITIES = 8, AT_ADDITIONAL = 10 };

enum {
	CLASS_INTERNET = 1,
	LABEL_MAX = 63,
	QUESTION_NAME = 0xc000 | DNS_HEADER, /* a pointer to it: RFC 1035, 4.1.4 */
	RECORD_HEAD = 12,                    /* such a pointer, type, class, ttl, length */
	OPT_SIZE = 11,                       /* an OPT record without options */
};

static uint16_t get(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

uint16_t dns_message_get_id(const uint8_t *bytes)
{
	return get(bytes);
}

void dns_message_set_id(uint8_t *bytes, uint16_t id)
{
	put(bytes, id);
}

/* ---- reading ---- */

/* What a label of ours can have: letters, digits, and what names of containers have besides. */
static bool is_ours(uint8_t byte)
{
	return isalnum(byte) || byte == '-' || byte == '_';
}

static char lower(uint8_t byte)
{
	return (char)tolower(byte);
}

static bool add_label(char *to, size_t *length, const uint8_t *label, size_t count)
{
	if (*length)
		to[(*length)++] = '.';
	for (size_t i = 0; i < count; i++) {
		if (!is_ours(label[i]))
			return false;
		to[(*length)++] = lower(label[i]);
	}
	return true;
}

/* Returns where the name ends; 0: it does not end, or is compressed, which nothing in a question
 * can be. */
static size_t read_name(char to[DNS_NAME_SIZE], const uint8_t *bytes, size_t length)
{
	size_t at = DNS_HEADER, used = 0;
	bool ours = true;

	while (at < length && bytes[at] != 0) {
		size_t count = bytes[at];
		if (count > LABEL_MAX || at + 1 + count >= length ||
		    at + 1 + count - DNS_HEADER >= DNS_NAME_SIZE - 1)
			return 0;
		ours = ours && add_label(to, &used, bytes + at + 1, count);
		at += 1 + count;
	}
	to[ours ? used : 0] = '\0';
	return at < length ? at + 1 : 0;
}

/* The OPT record, where it comes at once behind the question, as all askers have it. */
static void read_edns(struct dns_question *question, const uint8_t *bytes, size_t length)
{
	const uint8_t *at = bytes + question->end;

	if (get(bytes + AT_ANSWERS) || get(bytes + AT_AUTHORITIES) || !get(bytes + AT_ADDITIONAL) ||
	    question->end + OPT_SIZE > length || at[0] != 0 || get(at + 1) != DNS_TYPE_OPT)
		return;
	question->edns = true;
	question->answer_max = get(at + 3);
	if (question->answer_max < DNS_UDP_MIN)
		question->answer_max = DNS_UDP_MIN;
}

int dns_message_parse(struct dns_question *ret, const uint8_t *bytes, size_t length)
{
	*ret = (struct dns_question){ .answer_max = DNS_UDP_MIN, .end = DNS_HEADER };
	if (length < DNS_HEADER || bytes[2] & FLAG_ANSWER)
		return -1;
	if (bytes[2] & MASK_OPCODE)
		return DNS_CODE_NOT_IMPLEMENTED;
	if (get(bytes + AT_QUESTIONS) != 1)
		return DNS_CODE_FORMAT;
	size_t end = read_name(ret->name, bytes, length);
	if (end == 0 || end + 4 > length)
		return DNS_CODE_FORMAT;
	ret->type = get(bytes + end);
	ret->internet = get(bytes + end + 2) == CLASS_INTERNET;
	ret->end = end + 4;
	read_edns(ret, bytes, length);
	return DNS_CODE_OK;
}

/* "2.0.99.10": the last byte first. */
static size_t parse_reverse4(uint8_t ret[16], const char *name, size_t length)
{
	size_t at = 0;

	for (int i = 3; i >= 0; i--) {
		unsigned value = 0;
		size_t start = at;
		while (at < length && isdigit((unsigned char)name[at]) && at - start < 3)
			value = value * 10 + (unsigned)(name[at++] - '0');
		if (at == start || value > 255 || (i > 0 && (at >= length || name[at++] != '.')))
			return 0;
		ret[i] = (uint8_t)value;
	}
	return at == length ? 4 : 0;
}

/* "2.0.0...d.f": 32 digits, the last first. */
static size_t parse_reverse6(uint8_t ret[16], const char *name, size_t length)
{
	if (length != 63)
		return 0;
	for (size_t i = 0; i < 32; i++) {
		int digit = number_hex_digit(name[2 * i]);
		if (digit < 0 || (i < 31 && name[2 * i + 1] != '.'))
			return 0;
		size_t byte = 15 - i / 2;
		ret[byte] = (uint8_t)(i % 2 ? digit << 4 | (ret[byte] & 0x0f) : digit);
	}
	return 16;
}

size_t dns_message_parse_reverse(uint8_t ret[16], const char *name)
{
	static const char four[] = ".in-addr.arpa", six[] = ".ip6.arpa";

	if (str_ends(name, four))
		return parse_reverse4(ret, name, strlen(name) - strlen(four));
	if (str_ends(name, six))
		return parse_reverse6(ret, name, strlen(name) - strlen(six));
	return 0;
}

/* ---- writing ---- */

void dns_message_begin(struct dns_answer *answer, uint8_t *bytes, size_t max, const uint8_t *query,
		       const struct dns_question *question, enum dns_code code)
{
	bool repeats = question->end > DNS_HEADER;

	assert(max >= DNS_UDP_MIN);
	*answer = (struct dns_answer){ .bytes = bytes, .max = max, .edns = question->edns };
	memset(bytes, 0, DNS_HEADER);
	memcpy(bytes, query, 2);
	bytes[2] = (uint8_t)(FLAG_ANSWER | (query[2] & (MASK_OPCODE | FLAG_RECURSION_DESIRED)));
	if (code == DNS_CODE_OK)
		bytes[2] |= FLAG_AUTHORITATIVE;
	bytes[3] = (uint8_t)(FLAG_RECURSION_AVAILABLE | code);
	put(bytes + AT_QUESTIONS, repeats);
	memcpy(bytes + DNS_HEADER, query + DNS_HEADER, question->end - DNS_HEADER);
	answer->length = question->end;
	if (answer->edns)
		answer->max -= OPT_SIZE;
}

/* What all records of ours begin with: nobody is to remember them. NULL: there is no room. */
static uint8_t *add_record(struct dns_answer *answer, enum dns_type type, size_t length)
{
	uint8_t *at = answer->bytes + answer->length;

	if (answer->truncated || answer->length + RECORD_HEAD + length > answer->max) {
		answer->truncated = true;
		return NULL;
	}
	put(at, QUESTION_NAME);
	put(at + 2, type);
	put(at + 4, CLASS_INTERNET);
	memset(at + 6, 0, 4);
	put(at + 10, (unsigned)length);
	answer->length += RECORD_HEAD + length;
	answer->count++;
	return at + RECORD_HEAD;
}

void dns_message_add_address(struct dns_answer *answer, const uint8_t *address, size_t length)
{
	uint8_t *to = add_record(answer, length == 4 ? DNS_TYPE_A : DNS_TYPE_AAAA, length);

	if (to)
		memcpy(to, address, length);
}

/* A name that cannot be one in DNS is left out. */
void dns_message_add_name(struct dns_answer *answer, const char *name)
{
	size_t length = strlen(name);
	uint8_t wire[DNS_NAME_SIZE] = { 0 };
	size_t label = 0;

	if (length == 0 || length > DNS_NAME_SIZE - 2)
		return;
	for (size_t i = 0; i <= length; i++) {
		if (name[i] != '.' && name[i] != '\0') {
			wire[i + 1] = (uint8_t)name[i];
			continue;
		}
		if (i == label || i - label > LABEL_MAX)
			return;
		wire[label] = (uint8_t)(i - label);
		label = i + 1;
	}
	uint8_t *to = add_record(answer, DNS_TYPE_PTR, length + 2);
	if (to)
		memcpy(to, wire, length + 2);
}

size_t dns_message_end(struct dns_answer *answer)
{
	uint8_t *at = answer->bytes + answer->length;

	put(answer->bytes + AT_ANSWERS, answer->count);
	if (answer->truncated)
		answer->bytes[2] |= FLAG_TRUNCATED;
	if (!answer->edns)
		return answer->length;
	memset(at, 0, OPT_SIZE);
	put(at + 1, DNS_TYPE_OPT);
	put(at + 3, DNS_UDP_OURS);
	put(answer->bytes + AT_ADDITIONAL, 1);
	return answer->length + OPT_SIZE;
}

/* ---- of other servers ---- */

bool dns_message_answers(const uint8_t *bytes, size_t length, const uint8_t *query,
			 size_t question_end, uint16_t id)
{
	if (length < question_end || length < DNS_HEADER || get(bytes) != id ||
	    !(bytes[2] & FLAG_ANSWER) || get(bytes + AT_QUESTIONS) != 1)
		return false;
	for (size_t i = DNS_HEADER; i < question_end; i++)
		if (tolower(bytes[i]) != tolower(query[i]))
			return false;
	return true;
}

enum dns_code dns_message_code(const uint8_t *bytes)
{
	return bytes[3] & MASK_CODE;
}

bool dns_message_is_truncated(const uint8_t *bytes)
{
	return bytes[2] & FLAG_TRUNCATED;
}

size_t dns_message_cut(uint8_t *bytes, size_t length, size_t question_end, size_t max)
{
	if (length <= max)
		return length;
	bytes[2] |= FLAG_TRUNCATED;
	memset(bytes + AT_ANSWERS, 0, DNS_HEADER - AT_ANSWERS);
	return question_end;
}
