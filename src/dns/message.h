/* message.h - DNS messages: the question read, the answer written. RFC 1035, section 4; EDNS: RFC
 * 6891. Pure: bytes from a container go through here first. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DNS_HEADER = 12,
	DNS_NAME_SIZE = 256,     /* a name as text and its NUL: RFC 1035, 2.3.4 */
	DNS_MESSAGE_MAX = 65535, /* its length by TCP has two bytes */
	DNS_UDP_MIN = 512,       /* every asker takes this, who says no more: RFC 1035, 2.3.4 */
	DNS_UDP_OURS = 1232,     /* what we say that we take; fits all paths: dnsflagday.net/2020 */
};

enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_OPT = 41,
	DNS_TYPE_ANY = 255,
};

enum dns_code {
	DNS_CODE_OK = 0,
	DNS_CODE_FORMAT = 1,
	DNS_CODE_FAILURE = 2,
	DNS_CODE_NO_NAME = 3,
	DNS_CODE_NOT_IMPLEMENTED = 4,
	DNS_CODE_REFUSED = 5,
};

struct dns_question {
	char name[DNS_NAME_SIZE]; /* "db.web", in lower case; "": the root, or one with bytes that
				   * no name of ours has */
	uint16_t type;
	bool internet;     /* of the class IN */
	bool edns;         /* it has an OPT record */
	size_t end;        /* of the question, in the message */
	size_t answer_max; /* so long may an answer by UDP be */
};

/* The question of a message. A code other than DNS_CODE_OK is what to answer it with; -1: nothing,
 * it is no question. */
int dns_message_parse(struct dns_question *ret, const uint8_t *bytes, size_t length);

/* An address that a name for PTR asks for: "2.0.99.10.in-addr.arpa". Returns its length, 4 or 16;
 * 0: it is none. */
size_t dns_message_parse_reverse(uint8_t ret[16], const char *name);

/* An answer that is being written. */
struct dns_answer {
	uint8_t *bytes;
	size_t length;
	size_t max;
	uint16_t count;
	bool truncated; /* there was not enough room */
	bool edns;
};

/* query is the message that the question was parsed from; max: at least DNS_UDP_MIN. For
 * DNS_CODE_FORMAT there is no question to repeat. */
void dns_message_begin(struct dns_answer *answer, uint8_t *bytes, size_t max, const uint8_t *query,
		       const struct dns_question *question, enum dns_code code);
/* length: 4 or 16. */
void dns_message_add_address(struct dns_answer *answer, const uint8_t *address, size_t length);
void dns_message_add_name(struct dns_answer *answer, const char *name);
/* Returns the length of it all. */
size_t dns_message_end(struct dns_answer *answer);

/* Is this an answer of a server to the query, sent under the id? */
bool dns_message_answers(const uint8_t *bytes, size_t length, const uint8_t *query,
			 size_t question_end, uint16_t id);
enum dns_code dns_message_code(const uint8_t *bytes);
bool dns_message_is_truncated(const uint8_t *bytes);

/* Cuts an answer that is too long down to its question; returns what it has then. */
size_t dns_message_cut(uint8_t *bytes, size_t length, size_t question_end, size_t max);

uint16_t dns_message_get_id(const uint8_t *bytes);
void dns_message_set_id(uint8_t *bytes, uint16_t id);
