#include <string.h>

#include "base/unit.h"
#include "dns/message.h"

/* "db.web", A, with EDNS of 4096 bytes. */
static const uint8_t query[] = { 0x12, 0x34, 1,   0,  0,   1,   0,   0, 0, 0, 0, 1,
				 2,    'D',  'b', 3,  'w', 'e', 'B', 0, 0, 1, 0, 1,
				 0,    0,    41,  16, 0,   0,   0,   0, 0, 0, 0 };

START_TEST(a_question_is_read_in_lower_case)
{
	struct dns_question q;

	ck_assert_int_eq(dns_message_parse(&q, query, sizeof(query)), DNS_CODE_OK);
	ck_assert_str_eq(q.name, "db.web");
	ck_assert_int_eq(q.type, DNS_TYPE_A);
	ck_assert(q.internet && q.edns);
	ck_assert_uint_eq(q.answer_max, 4096);
	ck_assert_uint_eq(q.end, 24);
}
END_TEST

START_TEST(what_is_cut_off_is_no_question)
{
	struct dns_question q;

	for (size_t i = 0; i < DNS_HEADER; i++)
		ck_assert_int_eq(dns_message_parse(&q, query, i), -1);
	for (size_t i = DNS_HEADER; i < 24; i++)
		ck_assert_int_eq(dns_message_parse(&q, query, i), DNS_CODE_FORMAT);
	ck_assert_int_eq(dns_message_parse(&q, query, 24), DNS_CODE_OK);
	ck_assert(!q.edns);
	ck_assert_uint_eq(q.answer_max, DNS_UDP_MIN);
}
END_TEST

START_TEST(answers_and_other_operations_are_not_answered_as_questions)
{
	uint8_t other[sizeof(query)];
	struct dns_question q;

	memcpy(other, query, sizeof(query));
	other[2] = 0x81;
	ck_assert_int_eq(dns_message_parse(&q, other, sizeof(other)), -1);
	other[2] = 0x28;
	ck_assert_int_eq(dns_message_parse(&q, other, sizeof(other)), DNS_CODE_NOT_IMPLEMENTED);
	other[2] = 1;
	other[12] = 0xc0;
	ck_assert_int_eq(dns_message_parse(&q, other, sizeof(other)), DNS_CODE_FORMAT);
}
END_TEST

START_TEST(a_name_with_odd_bytes_is_nobodys)
{
	uint8_t other[sizeof(query)];
	struct dns_question q;

	memcpy(other, query, sizeof(query));
	other[13] = '.';
	ck_assert_int_eq(dns_message_parse(&q, other, sizeof(other)), DNS_CODE_OK);
	ck_assert_str_eq(q.name, "");
}
END_TEST

START_TEST(an_answer_has_what_was_added_and_the_question)
{
	static const uint8_t expected[] = {
		0x12, 0x34, 0x85, 0x80, 0, 1, 0, 1,    0,    0, 0,    1, 2, 'D', 'b', 3, 'w',
		'e',  'B',  0,    0,    1, 0, 1, 0xc0, 0x0c, 0, 1,    0, 1, 0,   0,   0, 0,
		0,    4,    10,   99,   0, 2, 0, 0,    41,   4, 0xd0, 0, 0, 0,   0,   0, 0,
	};
	static const uint8_t address[] = { 10, 99, 0, 2 };
	uint8_t to[DNS_UDP_MIN];
	struct dns_question q;
	struct dns_answer answer;

	dns_message_parse(&q, query, sizeof(query));
	dns_message_begin(&answer, to, sizeof(to), query, &q, DNS_CODE_OK);
	dns_message_add_address(&answer, address, 4);
	ck_assert_uint_eq(dns_message_end(&answer), sizeof(expected));
	ck_assert(memcmp(to, expected, sizeof(expected)) == 0);
}
END_TEST

START_TEST(what_finds_no_room_is_said_to_be_missing)
{
	static const uint8_t address[16] = { 0xfd };
	uint8_t to[DNS_UDP_MIN];
	struct dns_question q;
	struct dns_answer answer;

	dns_message_parse(&q, query, sizeof(query));
	dns_message_begin(&answer, to, sizeof(to), query, &q, DNS_CODE_OK);
	for (int i = 0; i < 20; i++)
		dns_message_add_address(&answer, address, 16);
	size_t length = dns_message_end(&answer);
	ck_assert_uint_le(length, sizeof(to));
	ck_assert(dns_message_is_truncated(to));
	ck_assert_int_eq(to[7], (512 - 11 - 24) / 28);
}
END_TEST

START_TEST(addresses_of_reverse_names)
{
	static const char six[] = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f"
				  ".ip6.arpa";
	static const char *const none[] = { "0.99.10.in-addr.arpa",
					    "256.0.99.10.in-addr.arpa",
					    "1.2.3.4.5.in-addr.arpa",
					    ".0.99.10.in-addr.arpa",
					    "in-addr.arpa",
					    "1.0.d.f.ip6.arpa",
					    "db" };
	uint8_t address[16];

	ck_assert_uint_eq(dns_message_parse_reverse(address, "2.0.99.10.in-addr.arpa"), 4);
	ck_assert(memcmp(address, "\x0a\x63\x00\x02", 4) == 0);
	ck_assert_uint_eq(dns_message_parse_reverse(address, six), 16);
	ck_assert(address[0] == 0xfd && address[1] == 0 && address[15] == 1);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		ck_assert_uint_eq(dns_message_parse_reverse(address, none[i]), 0);
}
END_TEST

START_TEST(an_answer_to_another_question_is_none)
{
	uint8_t reply[sizeof(query)];

	memcpy(reply, query, sizeof(query));
	reply[2] = 0x81;
	ck_assert(dns_message_answers(reply, sizeof(reply), query, 24, 0x1234));
	ck_assert(!dns_message_answers(reply, sizeof(reply), query, 24, 0x1235));
	ck_assert(!dns_message_answers(reply, 23, query, 24, 0x1234));
	reply[13] = 'X';
	ck_assert(!dns_message_answers(reply, sizeof(reply), query, 24, 0x1234));
}
END_TEST

UNIT_MAIN("dns/message", UNIT(a_question_is_read_in_lower_case),
	  UNIT(what_is_cut_off_is_no_question),
	  UNIT(answers_and_other_operations_are_not_answered_as_questions),
	  UNIT(a_name_with_odd_bytes_is_nobodys),
	  UNIT(an_answer_has_what_was_added_and_the_question),
	  UNIT(what_finds_no_room_is_said_to_be_missing), UNIT(addresses_of_reverse_names),
	  UNIT(an_answer_to_another_question_is_none))
