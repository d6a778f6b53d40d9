#include <arpa/inet.h>
#include <string.h>

#include "base/unit.h"
#include "dns/config.h"

static void ck_server(const struct dns_server *server, const char *expected)
{
	char text[INET6_ADDRSTRLEN];
	const void *at = &((const struct sockaddr_in *)&server->address)->sin_addr;

	if (server->address.ss_family == AF_INET6)
		at = &((const struct sockaddr_in6 *)&server->address)->sin6_addr;
	ck_assert_str_eq(inet_ntop(server->address.ss_family, at, text, sizeof(text)), expected);
	ck_assert_int_eq(((const struct sockaddr_in *)&server->address)->sin_port, htons(53));
}

START_TEST(servers_of_resolv_conf_are_read_in_order)
{
	struct dns_servers servers = { 0 };

	dns_config_parse_resolv(&servers, "# nameserver 9.9.9.9\n\nnameserver\t127.0.0.53 # x\r\n"
					  "search a b\nnameserver fe80::1%lo\nnameserver nobody\n"
					  "nameserver\n nameserver 192.0.2.1");
	ck_assert_uint_eq(servers.count, 3);
	ck_server(&servers.items[0], "127.0.0.53");
	ck_server(&servers.items[1], "fe80::1");
	ck_server(&servers.items[2], "192.0.2.1");
	ck_assert_uint_eq(((struct sockaddr_in6 *)&servers.items[1].address)->sin6_scope_id, 1);
}
END_TEST

START_TEST(more_servers_than_there_is_room_for_are_left_out)
{
	struct dns_servers servers = { 0 };

	for (int i = 0; i < 2 * DNS_SERVERS_MAX; i++)
		dns_config_parse_resolv(&servers, "nameserver 192.0.2.1\n");
	ck_assert_uint_eq(servers.count, DNS_SERVERS_MAX);
}
END_TEST

START_TEST(the_file_of_a_container_is_read)
{
	struct dns_config config = { 0 };

	dns_config_parse(
		&config,
		"forward\nserver 192.0.2.1\nnetwork a\nnetwork b\nother x\nlink SQL 0123\n");
	ck_assert(config.forward);
	ck_assert_uint_eq(config.networks.count, 2);
	ck_assert_str_eq(config.networks.items[1], "b");
	ck_assert_uint_eq(config.servers.count, 1);
	ck_assert_str_eq(strv_value(&config.links, "sql"), "0123");
	strv_clear(&config.networks);
	strv_clear(&config.links);
}
END_TEST

UNIT_MAIN("dns/config", UNIT(servers_of_resolv_conf_are_read_in_order),
	  UNIT(more_servers_than_there_is_room_for_are_left_out),
	  UNIT(the_file_of_a_container_is_read))
