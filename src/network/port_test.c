#include "network/port.h"

#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/unit.h"

static struct network_port_spec parsed(const char *text)
{
	struct network_port_spec spec;
	struct err e;

	ck_assert_msg(network_port_parse(&spec, text, &e) == 0, "%s: %s", text, e.text);
	return spec;
}

static void refused(const char *text, const char *words)
{
	struct network_port_spec spec;
	struct err e;

	ck_assert_msg(network_port_parse(&spec, text, &e) < 0, "%s", text);
	ck_assert_msg(strstr(e.text, words) != NULL, "%s: %s", text, e.text);
}

START_TEST(dockers_forms_are_understood)
{
	struct network_port_spec spec = parsed("80");
	ck_assert_int_eq(spec.host.low, 0);
	ck_assert_int_eq(spec.container.low, 80);
	ck_assert_int_eq(spec.protocol, IPPROTO_TCP);
	spec = parsed("8080:80/UDP");
	ck_assert_int_eq(spec.host.low, 8080);
	ck_assert_int_eq(spec.address.family, 0);
	ck_assert_int_eq(spec.protocol, IPPROTO_UDP);
	spec = parsed("127.0.0.1::80");
	ck_assert_int_eq(spec.address.family, AF_INET);
	ck_assert_int_eq(spec.host.low, 0);
	spec = parsed("[::1]:8080:80/sctp");
	ck_assert_int_eq(spec.address.family, AF_INET6);
	ck_assert_int_eq(spec.host.low, 8080);
	spec = parsed("fd00::1:8080:80");
	ck_assert_int_eq(spec.address.family, AF_INET6);
	ck_assert_int_eq(spec.address.bytes[15], 1);
	spec = parsed("1.2.3.4:8000-8010:80");
	ck_assert_int_eq(spec.host.high, 8010);
	spec = parsed("8000-8010:9000-9010");
	ck_assert_int_eq(spec.container.high, 9010);
}
END_TEST

START_TEST(what_is_no_port_is_refused_by_name)
{
	refused("", "neither a port nor a range");
	refused("0", "0 is no port");
	refused("65536", "neither a port nor a range");
	refused("8080:", "neither a port nor a range");
	refused("80/icmp", "'icmp' is not tcp, udp or sctp");
	refused("90-80", "ends before it begins");
	refused("1-2:1-3", "2 ports of the host for 3");
	refused("web:80:80", "web");
	refused("1.2.3.4/8:80:80", "'8:80:80' is not tcp");
	refused("+80", "neither a port nor a range");
}
END_TEST

START_TEST(what_an_image_exposes_is_of_the_container_alone)
{
	struct network_port_range range;
	struct err e;
	int protocol;

	ck_assert_int_eq(network_port_parse_container(&range, &protocol, "80-82/udp", &e), 0);
	ck_assert_int_eq(range.high, 82);
	ck_assert_int_eq(protocol, IPPROTO_UDP);
	ck_assert_int_lt(network_port_parse_container(&range, &protocol, "80:80", &e), 0);
}
END_TEST

UNIT_MAIN("network/port", UNIT(dockers_forms_are_understood),
	  UNIT(what_is_no_port_is_refused_by_name),
	  UNIT(what_an_image_exposes_is_of_the_container_alone))
