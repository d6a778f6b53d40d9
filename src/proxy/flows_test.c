#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/unit.h"
#include "proxy/flows.h"
#include "proxy/inside.h"

static struct sockaddr_storage address(const char *text, uint16_t port)
{
	struct sockaddr_storage to = { 0 };
	const int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	to.ss_family = (sa_family_t)family;
	ck_assert_int_eq(inet_pton(family, text,
				   family == AF_INET
					   ? (void *)&((struct sockaddr_in *)&to)->sin_addr
					   : (void *)&((struct sockaddr_in6 *)&to)->sin6_addr),
			 1);
	proxy_inside_set_port(&to, htons(port));
	return to;
}

static struct proxy_ends ends(const char *client, uint16_t port, const char *local)
{
	return (struct proxy_ends){ address(client, port), address(local, 0) };
}

static struct proxy_flow *add(struct proxy_flows *flows, const struct proxy_ends *who,
			      int64_t now_ms)
{
	return proxy_flows_add(flows, who, socket(AF_INET, SOCK_DGRAM, 0), now_ms);
}

static struct proxy_flows *new_flows(int most)
{
	struct proxy_flows *flows = malloc(sizeof(*flows));

	proxy_flows_init(flows, most);
	return flows;
}

static void drop(struct proxy_flows *flows)
{
	for (struct proxy_flow *flow; (flow = proxy_flows_expired(flows, INT64_MAX));)
		proxy_flows_end(flows, flow);
	free(flows);
}

START_TEST(who_was_heard_is_found_by_both_addresses_and_the_port)
{
	struct proxy_flows *flows = new_flows(8);
	const struct proxy_ends one = ends("10.1.1.1", 5, "10.1.1.9");
	const struct proxy_ends others[] = {
		ends("10.1.1.1", 6, "10.1.1.9"),
		ends("10.1.1.2", 5, "10.1.1.9"),
		ends("10.1.1.1", 5, "10.1.1.8"),
		ends("fd00::1", 5, "fd00::9"),
	};
	struct proxy_flow *flow = add(flows, &one, 0);

	ck_assert_ptr_eq(proxy_flows_find(flows, &one), flow);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_ptr_null(proxy_flows_find(flows, &others[i]));
		struct proxy_flow *other = add(flows, &others[i], 0);
		ck_assert_ptr_eq(proxy_flows_find(flows, &others[i]), other);
	}
	ck_assert_ptr_eq(proxy_flows_find(flows, &one), flow);
	proxy_flows_end(flows, flow);
	ck_assert_ptr_null(proxy_flows_find(flows, &one));
	ck_assert_ptr_nonnull(proxy_flows_find(flows, &others[2]));
	drop(flows);
}
END_TEST

START_TEST(who_has_no_answer_goes_first_and_then_the_one_that_was_silent_longest)
{
	struct proxy_flows *flows = new_flows(3);
	struct proxy_ends who = ends("10.1.1.1", 1, "10.1.1.9");
	struct proxy_flow *all[3];

	for (uint16_t i = 0; i < 3; i++) {
		ck_assert_ptr_null(proxy_flows_surplus(flows));
		proxy_inside_set_port(&who.client, htons(i));
		all[i] = add(flows, &who, i);
	}
	ck_assert_ptr_eq(proxy_flows_surplus(flows), all[0]);
	proxy_flows_hear(flows, all[0], true, 4);
	ck_assert_ptr_eq(proxy_flows_surplus(flows), all[1]);
	proxy_flows_hear(flows, all[1], false, 5);
	ck_assert_ptr_eq(proxy_flows_surplus(flows), all[2]);
	proxy_flows_hear(flows, all[2], true, 6);
	proxy_flows_hear(flows, all[1], true, 7);
	ck_assert_ptr_eq(proxy_flows_surplus(flows), all[0]);
	proxy_flows_hear(flows, all[0], false, 8);
	ck_assert_ptr_eq(proxy_flows_surplus(flows), all[2]);
	proxy_flows_end(flows, all[2]);
	ck_assert_ptr_null(proxy_flows_surplus(flows));
	drop(flows);
}
END_TEST

START_TEST(silence_ends_it_and_an_answer_gives_it_longer)
{
	struct proxy_flows *flows = new_flows(8);
	const struct proxy_ends asks = ends("10.1.1.1", 1, "10.1.1.9");
	const struct proxy_ends talks = ends("10.1.1.1", 2, "10.1.1.9");

	ck_assert_int_eq(proxy_flows_wait_ms(flows, 0), -1);
	struct proxy_flow *asking = add(flows, &asks, 1000);
	struct proxy_flow *talking = add(flows, &talks, 500);
	proxy_flows_hear(flows, talking, true, 500);
	ck_assert_int_eq(proxy_flows_wait_ms(flows, 1000), PROXY_FLOWS_NEW_MS);
	ck_assert_ptr_null(proxy_flows_expired(flows, 999 + PROXY_FLOWS_NEW_MS));
	ck_assert_ptr_eq(proxy_flows_expired(flows, 1000 + PROXY_FLOWS_NEW_MS), asking);
	ck_assert_int_eq(proxy_flows_wait_ms(flows, 5000 + PROXY_FLOWS_NEW_MS), 0);
	proxy_flows_end(flows, asking);
	ck_assert_int_eq(proxy_flows_wait_ms(flows, 500), PROXY_FLOWS_ANSWERED_MS);
	ck_assert_ptr_eq(proxy_flows_expired(flows, 500 + PROXY_FLOWS_ANSWERED_MS), talking);
	drop(flows);
}
END_TEST

START_TEST(an_address_is_shared_by_those_that_speak_as_it)
{
	struct proxy_flows *flows = new_flows(8);
	const struct proxy_ends first = ends("10.1.1.1", 1, "10.1.1.9");
	const struct proxy_ends second = ends("10.1.1.1", 2, "10.1.1.9");
	const struct proxy_ends third = ends("10.1.1.2", 2, "10.1.1.9");
	struct proxy_flow *one = add(flows, &first, 0), *two = add(flows, &second, 0);

	one->kept = true;
	add(flows, &third, 0)->kept = true;
	ck_assert(!proxy_flows_shares(flows, one));
	two->kept = true;
	ck_assert(proxy_flows_shares(flows, one));
	proxy_flows_hear(flows, two, true, 1);
	ck_assert(proxy_flows_shares(flows, one));
	proxy_flows_end(flows, two);
	ck_assert(!proxy_flows_shares(flows, one));
	drop(flows);
}
END_TEST

UNIT_MAIN("proxy/flows", UNIT(who_was_heard_is_found_by_both_addresses_and_the_port),
	  UNIT(who_has_no_answer_goes_first_and_then_the_one_that_was_silent_longest),
	  UNIT(silence_ends_it_and_an_answer_gives_it_longer),
	  UNIT(an_address_is_shared_by_those_that_speak_as_it))
