#include "wire/nftables.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "wire/netlink.h"

/* An attribute holds 64 kB, an element takes up to 84 bytes of the list in it. A message that fails
 * comes back whole in older kernels, beside others, and has to fit the receive buffer. */
enum { ELEMENTS_PER_MESSAGE = 256, MESSAGES = WIRE_NETLINK_MESSAGES_MAX };
enum { ELEMENTS_MAX = ELEMENTS_PER_MESSAGE * MESSAGES };

/* ---- messages ---- */

static void add_value(struct wire_netlink_request *request, uint16_t type, const void *bytes,
		      size_t length)
{
	size_t outer = wire_netlink_nest(request, type);

	wire_netlink_add(request, NFTA_DATA_VALUE, bytes, length);
	wire_netlink_nest_end(request, outer);
}

static void add_jump(struct wire_netlink_request *request, const char *chain)
{
	size_t data = wire_netlink_nest(request, NFTA_SET_ELEM_DATA);
	size_t verdict = wire_netlink_nest(request, NFTA_DATA_VERDICT);

	wire_netlink_add_u32(request, NFTA_VERDICT_CODE, htonl((uint32_t)NFT_JUMP));
	wire_netlink_add_text(request, NFTA_VERDICT_CHAIN, chain);
	wire_netlink_nest_end(request, verdict);
	wire_netlink_nest_end(request, data);
}

static void add_element(struct wire_netlink_request *request,
			const struct wire_nftables_element *element, bool with_data)
{
	size_t nest = wire_netlink_nest(request, NFTA_LIST_ELEM);

	add_value(request, NFTA_SET_ELEM_KEY, element->key, element->key_length);
	if (with_data && element->data_length)
		add_value(request, NFTA_SET_ELEM_DATA, element->data, element->data_length);
	if (with_data && *element->chain)
		add_jump(request, element->chain);
	wire_netlink_nest_end(request, nest);
}

/* One message takes the elements of one set. Returns how many. */
static size_t add_message(struct wire_netlink_request *request, const char *table, uint16_t type,
			  const struct wire_nftables_element *elements, size_t count)
{
	const struct nfgenmsg family = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };
	bool add = type == NFT_MSG_NEWSETELEM;
	size_t n = 0;

	wire_netlink_next(request, elements->set, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type),
			  add ? NLM_F_CREATE | NLM_F_EXCL : 0, &family, sizeof(family));
	wire_netlink_add_text(request, NFTA_SET_ELEM_LIST_TABLE, table);
	wire_netlink_add_text(request, NFTA_SET_ELEM_LIST_SET, elements->set);
	size_t list = wire_netlink_nest(request, NFTA_SET_ELEM_LIST_ELEMENTS);
	while (n < count && n < ELEMENTS_PER_MESSAGE && str_equal(elements[n].set, elements->set))
		add_element(request, &elements[n++], add);
	wire_netlink_nest_end(request, list);
	return n;
}

static int send_all(int socket, const char *table, uint16_t type,
		    const struct wire_nftables_element *elements, size_t count, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	size_t done = 0;

	while (done < count && request.count < MESSAGES)
		done += add_message(&request, table, type, elements + done, count - done);
	if (done < count)
		return err_set(e, ERR_INVALID, "more than %d elements at once", ELEMENTS_MAX);
	return wire_netlink_commit(socket, &request, NFNL_SUBSYS_NFTABLES, e);
}

int wire_nftables_add(int socket, const char *table, const struct wire_nftables_element *elements,
		      size_t count, struct err *e)
{
	if (count == 0)
		return 0;
	int r = send_all(socket, table, NFT_MSG_NEWSETELEM, elements, count, e);
	if (r == -EEXIST || r == -EBUSY)
		return err_set(e, ERR_EXISTS, "an element is there already");
	return r;
}

/* A transaction with one that is not there fails whole: then each is one. */
int wire_nftables_delete(int socket, const char *table,
			 const struct wire_nftables_element *elements, size_t count, struct err *e)
{
	if (count == 0)
		return 0;
	int r = send_all(socket, table, NFT_MSG_DELSETELEM, elements, count, e);
	if (r != -ENOENT || count == 1)
		return r == -ENOENT ? 0 : r;
	r = 0;
	for (size_t i = 0; r == 0 && i < count; i++)
		r = wire_nftables_delete(socket, table, &elements[i], 1, e);
	return r;
}

/* ---- text ---- */

static void add_hex(struct str *to, const unsigned char *bytes, size_t length)
{
	str_add_char(to, ' ');
	for (size_t i = 0; i < length; i++)
		str_addf(to, "%02x", bytes[i]);
}

char *wire_nftables_format(const struct wire_nftables_element *elements, size_t count)
{
	struct str text = { 0 };

	for (size_t i = 0; i < count; i++) {
		str_add(&text, elements[i].set);
		add_hex(&text, elements[i].key, elements[i].key_length);
		if (elements[i].data_length)
			add_hex(&text, elements[i].data, elements[i].data_length);
		str_add_char(&text, '\n');
	}
	return str_take(&text);
}

/* " 00ff" up to what is no hex digit; -1: too long or half a byte. */
static int parse_hex(const char **at, unsigned char *to, size_t room)
{
	const char *from = *at + 1;
	size_t digits = strspn(from, "0123456789abcdef");

	if (digits % 2 || digits / 2 > room)
		return -1;
	for (size_t i = 0; i < digits; i += 2)
		to[i / 2] = (unsigned char)(number_hex_digit(from[i]) << 4 |
					    number_hex_digit(from[i + 1]));
	*at = from + digits;
	return (int)(digits / 2);
}

/* 1; 0: it is none. */
static int parse_line(struct wire_nftables_element *to, const char **at)
{
	size_t length = strcspn(*at, " \n");
	int data = 0;

	if (length == 0 || length >= sizeof(to->set) || (*at)[length] != ' ')
		return 0;
	memcpy(to->set, *at, length);
	*at += length;
	int key = parse_hex(at, to->key, sizeof(to->key));
	if (key > 0 && **at == ' ')
		data = parse_hex(at, to->data, sizeof(to->data));
	if (key <= 0 || data < 0 || **at != '\n')
		return 0;
	to->key_length = (size_t)key;
	to->data_length = (size_t)data;
	++*at;
	return 1;
}

int wire_nftables_parse(struct wire_nftables_element **ret, const char *text, struct err *e)
{
	SHAPE_LIST_OF(struct wire_nftables_element) list = { 0 };

	while (*text) {
		if (list.count < ELEMENTS_MAX && parse_line(shape_list_add(&list), &text))
			continue;
		free(list.items);
		return err_set(e, ERR_CORRUPT, "it is no list of nftables elements");
	}
	*ret = list.items;
	return (int)list.count;
}
