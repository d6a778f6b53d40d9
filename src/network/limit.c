/* limit.c - nftables counts connections by "ct count", whose number is a constant of the rule, in
 * an element that goes when the last connection does. So there are two chains for each number that
 * some container has, made when it is first wanted: one for what an address opens, one for what
 * comes to it. Both count in the same element. */
#include "network/limit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "network/control.h"
#include "network/firewall.h"
#include "network/publish.h"

static struct wire_nftables_element make(const char *set, const struct network_address *address)
{
	struct wire_nftables_element element = { .key_length = network_address_length(address) };

	snprintf(element.set, sizeof(element.set), "%s%s", set,
		 address->family == AF_INET ? "4" : "6");
	memcpy(element.key, address->bytes, element.key_length);
	return element;
}

/* By set, as they travel best. */
static int compare(const void *a, const void *b)
{
	const struct wire_nftables_element *x = a, *y = b;

	return strcmp(x->set, y->set);
}

size_t network_limit_elements(struct wire_nftables_element **ret,
			      const struct network_address *addresses, size_t count,
			      const struct network_control *control)
{
	static const char *const directions[] = { "opens", "gets" };
	struct wire_nftables_element *elements = mem_new(3 * count + 1, sizeof(*elements));
	const uint32_t class = control->priority;
	size_t n = 0;

	for (size_t i = 0; control->connections && i < 2 * count; i++) {
		struct wire_nftables_element *element = &elements[n++];
		*element = make(directions[i % 2], &addresses[i / 2]);
		snprintf(element->chain, sizeof(element->chain), "%s-%u", directions[i % 2],
			 control->connections);
	}
	for (size_t i = 0; control->has_priority && i < count; i++) {
		struct wire_nftables_element *element = &elements[n++];
		*element = make("priorities", &addresses[i]);
		element->data_length = sizeof(class);
		memcpy(element->data, &class, sizeof(class));
	}
	qsort(elements, n, sizeof(*elements), compare);
	*ret = elements;
	return n;
}

static int make_chains(const struct wire_nftables_element *elements, size_t count, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	for (size_t i = 0; i < count; i++) {
		const char *chain = elements[i].chain, *number = strchr(chain, '-');
		const char *side = str_starts(chain, "opens") ? "saddr" : "daddr";
		if (!number)
			continue;
		str_addf(&text, "add chain inet holm %s\nflush chain inet holm %s\n", chain, chain);
		for (int six = 0; six < 2; six++)
			str_addf(&text,
				 "add rule inet holm %s add @counts%s { ip%s %s ct count over %s } "
				 "drop\n",
				 chain, six ? "6" : "4", six ? "6" : "", side, number + 1);
	}
	return text.length ? network_firewall_load(text.text, e) : 0;
}

int network_limit_put(const struct wire_nftables_element *elements, size_t count, struct err *e)
{
	int r = network_publish_remove(elements, count, e);
	if (r == 0)
		r = network_publish(elements, count, e);
	if (r == 0 || e->kind != ERR_NOT_FOUND || !network_firewall_stands())
		return r;
	r = make_chains(elements, count, e);
	return r < 0 ? r : network_publish(elements, count, e);
}
