/* The bytes as a question of a container, answered in all ways; and as the answer of a server. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dns/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void answer(const uint8_t *query, const struct dns_question *question, enum dns_code code)
{
	uint8_t to[DNS_UDP_OURS], address[16] = { 10, 99, 0, 2 };
	size_t max = question->answer_max < sizeof(to) ? question->answer_max : sizeof(to);
	struct dns_answer answer;

	dns_message_begin(&answer, to, max, query, question, code);
	for (int i = 0; code == DNS_CODE_OK && i < 100; i++) {
		dns_message_add_address(&answer, address, i % 2 ? 4 : 16);
		dns_message_add_name(&answer, question->name);
	}
	size_t length = dns_message_end(&answer);
	assert(length >= DNS_HEADER && length <= max);
	assert(dns_message_code(to) == code);
	if (question->end > DNS_HEADER)
		assert(dns_message_answers(to, length, query, question->end,
					   dns_message_get_id(query)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct dns_question question;
	uint8_t address[16];

	int code = dns_message_parse(&question, bytes, length);
	assert(strlen(question.name) < DNS_NAME_SIZE);
	assert(question.answer_max >= DNS_UDP_MIN);
	if (code < 0)
		return 0;
	assert(question.end <= length);
	answer(bytes, &question, (enum dns_code)code);
	dns_message_parse_reverse(address, question.name);
	uint8_t *copy = mem_new(length, 1);
	memcpy(copy, bytes, length);
	assert(dns_message_cut(copy, length, question.end, DNS_UDP_MIN) <= length);
	dns_message_answers(copy, length, bytes, question.end, dns_message_get_id(bytes));
	free(copy);
	return 0;
}
