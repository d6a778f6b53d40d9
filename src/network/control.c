/* control.c - towards the container the bytes queue for their turn (a token bucket, tbf, on the
 * device's way out); what it sends cannot be queued there, and is dropped where it is too much,
 * from which TCP learns its pace. The order on the way in: what a system asks for its address goes
 * no further (dhcp.h), then the guard (guard.h), then the pace. */
#include "network/control.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "network/limit.h"
#include "network/pace.h"
#include "wire/netlink.h"

/* At least so much may come at once: some packets of the largest size that the kernel puts together
 * (GSO). And what goes through in so many milliseconds; and it may wait so long. */
enum { BURST_BYTES_MIN = 4 * 65536, BURST_MS = 20, QUEUE_MS = 50 };
enum { RATE_BITS_MIN = 8000 };

/* ---- options ---- */

enum { CONNECTIONS_MAX = 1 << 24 };

static const char *const known[] = { "allow",          "limits.connections", "limits.egress",
				     "limits.ingress", "limits.max",         "limits.priority" };

bool network_control_knows(const char *option)
{
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (str_equal(known[i], option))
			return true;
	return false;
}

/* As tc(8) has it: bits, with bit, kbit, mbit, gbit of 1000 each, Kibit... of 1024. */
static int parse_rate(uint64_t *ret, const char *option, const char *text, struct err *e)
{
	static const struct {
		const char *unit;
		uint64_t factor;
	} units[] = {
		{ "bit", 1 },
		{ "kbit", 1000 },
		{ "mbit", 1000000 },
		{ "gbit", 1000000000 },
		{ "kibit", 1024 },
		{ "mibit", 1024 * 1024 },
		{ "gibit", 1024 * 1024 * 1024 },
	};
	size_t digits = strspn(text, "0123456789");
	own_free char *number = mem_text_n(text, digits);
	uint64_t value;

	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (strcasecmp(units[i].unit, text + digits) != 0)
			continue;
		if (number_parse_u64(&value, number, UINT64_MAX / units[i].factor, e) < 0 ||
		    value * units[i].factor < RATE_BITS_MIN)
			break;
		*ret = value * units[i].factor;
		return 0;
	}
	err_set(e, ERR_INVALID, "%s=%.40s: not a rate", option, text);
	return err_hint(e, "a number with its unit, as 10mbit or 800kbit; 8kbit at least");
}

static int parse_number(uint32_t *ret, const char *option, const char *text, uint32_t low,
			uint32_t high, struct err *e)
{
	uint64_t value;

	if (number_parse_u64(&value, text, high, e) < 0 || value < low)
		return err_set(e, ERR_INVALID, "%s=%.40s: not a number from %u to %u", option, text,
			       low, high);
	*ret = (uint32_t)value;
	return 0;
}

static int parse_allowed(struct network_control *to, const char *text, struct err *e)
{
	own_free char *copy = mem_text(text);
	char *next = NULL;

	for (char *word = strtok_r(copy, ", ", &next); word; word = strtok_r(NULL, ", ", &next)) {
		if (str_equal(word, "any")) {
			to->any = true;
			continue;
		}
		if (to->count == COUNT_OF(to->allowed))
			return err_set(e, ERR_INVALID, "allow: more than %zu addresses", to->count);
		int r = network_address_parse(&to->allowed[to->count], word, e);
		if (r < 0)
			return err_add(e, "allow");
		to->count++;
	}
	return 0;
}

int network_control_parse(struct network_control *ret, const struct shape_map *options,
			  struct err *e)
{
	struct network_control control = { 0 };
	int r = 0;

	for (size_t i = 0; options && r == 0 && i < options->count; i++) {
		const char *key = options->items[i].key, *value = options->items[i].value;
		bool both = str_equal(key, "limits.max");
		if (both || str_equal(key, "limits.ingress"))
			r = parse_rate(&control.ingress, key, value, e);
		if (r == 0 && (both || str_equal(key, "limits.egress")))
			r = parse_rate(&control.egress, key, value, e);
		if (r == 0 && str_equal(key, "limits.connections"))
			r = parse_number(&control.connections, key, value, 1, CONNECTIONS_MAX, e);
		control.has_priority |= str_equal(key, "limits.priority");
		if (r == 0 && str_equal(key, "limits.priority"))
			r = parse_number(&control.priority, key, value, 0,
					 NETWORK_LIMIT_PRIORITY_MAX, e);
		if (r == 0 && str_equal(key, "allow"))
			r = parse_allowed(&control, value, e);
	}
	if (r == 0)
		*ret = control;
	return r;
}

/* ---- traffic control ---- */

static void begin(struct wire_netlink_request *request, const char *doing, uint16_t type,
		  const struct tcmsg *message, const char *kind)
{
	wire_netlink_next(request, doing, type, NLM_F_CREATE | NLM_F_EXCL, message,
			  sizeof(*message));
	wire_netlink_add_text(request, TCA_KIND, kind);
}

static void add_way_in(struct wire_netlink_request *request, int index)
{
	const struct tcmsg message = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = index,
		.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
		.tcm_parent = TC_H_CLSACT,
	};

	begin(request, "control what comes in", RTM_NEWQDISC, &message, "clsact");
}

/* A filter's place, the lower first. */
enum priority { PRIORITY_DHCP = 1, PRIORITY_GUARD, PRIORITY_PACE };

static size_t begin_filter(struct wire_netlink_request *request, const char *doing, int index,
			   enum priority priority)
{
	const struct tcmsg message = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = index,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
		.tcm_info = TC_H_MAKE((uint32_t)priority << 16, htons(ETH_P_ALL)),
	};

	begin(request, doing, RTM_NEWTFILTER, &message, "bpf");
	size_t options = wire_netlink_nest(request, TCA_OPTIONS);
	wire_netlink_add_u32(request, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	return options;
}

static int add_guard(struct wire_netlink_request *request, int index,
		     const struct network_member *member, const struct network_control *control,
		     struct err *e)
{
	struct network_address all[NETWORK_GUARD_ADDRESSES_MAX];
	struct sock_filter program[NETWORK_GUARD_LENGTH_MAX];
	struct network_guard guard = { .addresses = all };

	if (member->count + control->count > COUNT_OF(all))
		return err_set(e, ERR_INVALID, "allow: more than %zu addresses", COUNT_OF(all));
	for (size_t i = 0; i < member->count; i++) {
		all[guard.count] = member->addresses[i];
		all[guard.count].prefix = (uint8_t)(network_address_length(&all[i]) * 8);
		guard.count++;
	}
	for (size_t i = 0; i < control->count; i++)
		all[guard.count++] = control->allowed[i];
	memcpy(guard.mac, member->mac, sizeof(guard.mac));
	int length = network_guard_program(program, &guard, e);
	if (length < 0)
		return length;
	const uint16_t count = (uint16_t)length;
	size_t options = begin_filter(request, "permit its addresses alone", index, PRIORITY_GUARD);
	wire_netlink_add(request, TCA_BPF_OPS_LEN, &count, sizeof(count));
	wire_netlink_add(request, TCA_BPF_OPS, program, count * sizeof(*program));
	wire_netlink_nest_end(request, options);
	return 0;
}

/* As much as goes through in a moment, but some large packets at least. */
static uint32_t burst_of(uint64_t bits)
{
	uint64_t bytes = bits / 8 * BURST_MS / 1000;

	if (bytes < BURST_BYTES_MIN)
		bytes = BURST_BYTES_MIN;
	return bytes > UINT32_MAX / 4 ? UINT32_MAX / 4 : (uint32_t)bytes;
}

static void add_queue(struct wire_netlink_request *request, int index, uint64_t bits)
{
	const struct tcmsg message = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = index,
		.tcm_parent = TC_H_ROOT,
	};
	uint64_t bytes = bits / 8;
	uint32_t burst = burst_of(bits);
	const struct tc_tbf_qopt parameters = {
		.rate = { .linklayer = TC_LINKLAYER_ETHERNET,
			  .rate = bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes },
		.limit = burst + burst_of(bits * QUEUE_MS / BURST_MS),
	};

	begin(request, "limits.ingress", RTM_NEWQDISC, &message, "tbf");
	size_t options = wire_netlink_nest(request, TCA_OPTIONS);
	wire_netlink_add(request, TCA_TBF_PARMS, &parameters, sizeof(parameters));
	wire_netlink_add_u32(request, TCA_TBF_BURST, burst);
	if (bytes > UINT32_MAX)
		wire_netlink_add(request, TCA_TBF_RATE64, &bytes, sizeof(bytes));
	wire_netlink_nest_end(request, options);
}

static void add_program(struct wire_netlink_request *request, const char *doing, int index,
			enum priority priority, const char *name, int program)
{
	size_t options = begin_filter(request, doing, index, priority);

	wire_netlink_add_u32(request, TCA_BPF_FD, (uint32_t)program);
	wire_netlink_add_text(request, TCA_BPF_NAME, name);
	wire_netlink_nest_end(request, options);
}

/* ---- all of it ---- */

static int failed(const char *device, int number, bool demanded, struct err *e)
{
	if (number == -ENOENT || number == -EOPNOTSUPP) {
		err_set(e, ERR_UNSUPPORTED,
			"the kernel cannot filter what a container sends (%.200s)", e->text);
		err_hint(e,
			 "it needs sch_ingress (CONFIG_NET_SCH_INGRESS), cls_bpf, and for limits "
			 "sch_tbf; allow=any goes without");
	}
	if (demanded)
		return err_add(e, "%s", device);
	log_warning("%s; so nothing keeps it from using another's address", e->text);
	return 0;
}

/* Its addresses it has anyway, and keeps them unless it changes them itself. */
static int load_dhcp(const struct network_dhcp *dhcp, int index)
{
	struct err e;
	int program = dhcp ? network_dhcp_load(dhcp, index, &e) : -1;

	if (dhcp && program < 0)
		log_warning("no DHCP for the container: %s", e.text);
	return program;
}

static int pair(int socket, int index, const struct network_member *member,
		const struct network_control *control, const struct network_dhcp *dhcp,
		struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	own_fd int answers = load_dhcp(dhcp, index);
	own_fd int program = -1;
	int r = 0;

	if (!control->any || control->egress || answers >= 0)
		add_way_in(&request, index);
	if (answers >= 0)
		add_program(&request, "answer by DHCP", index, PRIORITY_DHCP, "holm-dhcp", answers);
	if (!control->any)
		r = add_guard(&request, index, member, control, e);
	if (r == 0 && control->egress) {
		program = network_pace_load(control->egress / 8, burst_of(control->egress), e);
		if (program < 0)
			return program;
		add_program(&request, "limits.egress", index, PRIORITY_PACE, "holm-pace", program);
	}
	if (r == 0 && control->ingress)
		add_queue(&request, index, control->ingress);
	if (r < 0 || request.count == 0)
		return r;
	return wire_netlink_call(socket, &request, NULL, NULL, e);
}

int network_control_pair(int socket, const struct network_member *member,
			 const struct network_dhcp *dhcp, bool demanded, struct err *e)
{
	struct network_control control;
	struct network_link link;

	int r = network_control_parse(&control, member->options, e);
	if (r == 0)
		r = network_link_find(&link, socket, member->outer, e);
	if (r < 0)
		return r;
	r = pair(socket, link.index, member, &control, dhcp, e);
	demanded |= control.ingress || control.egress || control.count;
	return r < 0 ? failed(member->device, r, demanded, e) : 0;
}

/* ---- counting ---- */

struct count {
	int index;
	bool found;
	uint64_t refused;
};

static void take_count(const struct nlmsghdr *message, void *context)
{
	struct count *count = context;
	const struct tcmsg *qdisc = NLMSG_DATA(message);
	struct gnet_stats_queue queue;

	if (message->nlmsg_type != RTM_NEWQDISC || qdisc->tcm_ifindex != count->index ||
	    qdisc->tcm_parent != TC_H_CLSACT)
		return;
	const struct rtattr *stats = wire_netlink_find(message, sizeof(*qdisc), TCA_STATS2);
	const struct rtattr *found = stats ? wire_netlink_find_in(stats, TCA_STATS_QUEUE) : NULL;
	if (!found || RTA_PAYLOAD(found) < sizeof(queue))
		return;
	memcpy(&queue, RTA_DATA(found), sizeof(queue));
	count->found = true;
	count->refused = queue.drops;
}

bool network_control_refused(uint64_t *ret, int socket, const char *outer)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	struct network_link link;
	struct err ignored;

	if (network_link_find(&link, socket, outer, &ignored) < 0)
		return false;
	const struct tcmsg message = { .tcm_family = AF_UNSPEC, .tcm_ifindex = link.index };
	struct count count = { .index = link.index };
	wire_netlink_begin(&request, RTM_GETQDISC, NLM_F_DUMP, &message, sizeof(message));
	if (wire_netlink_call(socket, &request, take_count, &count, &ignored) < 0 || !count.found)
		return false;
	*ret = count.refused;
	return true;
}
