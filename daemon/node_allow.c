// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "node_allow.h"
#include "protocols.h"

#define NONE	"none"
#define LONGEST	64

static int parse_address(const char *text, size_t len, struct knp_node_allow *a)
{
	char address[INET6_ADDRSTRLEN];
	bool v6 = len && text[0] == '[';

	if (v6) {
		if (text[len - 1] != ']')
			return -EINVAL;
		text++;
		len -= 2;
	}
	if (!len || len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';

	a->family = v6 ? AF_INET6 : AF_INET;
	return inet_pton(a->family, address, a->addr) == 1 ? 0 : -EINVAL;
}

static int parse_port(const char *text, struct knp_node_allow *a)
{
	const char *slash = strchr(text, '/');
	unsigned long port;
	char *end;

	if (!slash || *text < '0' || *text > '9')
		return -EINVAL;
	port = strtoul(text, &end, 10);
	if (end != slash || !port || port > UINT16_MAX)
		return -EINVAL;

	a->port = (uint16_t)port;
	a->proto = knp_protocol_number(slash + 1);
	return a->proto ? 0 : -EINVAL;
}

static int parse_entry(const char *text, struct knp_node_allow *ret)
{
	const char *colon = strrchr(text, ':');
	struct knp_node_allow a = { 0 };

	if (colon && parse_address(text, (size_t)(colon - text), &a))
		return -EINVAL;
	if (parse_port(colon ? colon + 1 : text, &a))
		return -EINVAL;

	*ret = a;
	return 0;
}

int knp_node_allows_parse(const char *text, struct knp_node_allows *ret)
{
	struct knp_node_allows list = { 0 };
	char entry[LONGEST];
	size_t len;
	int err;

	if (!strcmp(text, NONE)) {
		*ret = list;
		return 0;
	}

	for (;; text += len + 1) {
		len = strcspn(text, ",");
		if (len >= sizeof(entry))
			return -EINVAL;
		if (list.n == KNP_NODE_ALLOW_MAX)
			return -E2BIG;
		memcpy(entry, text, len);
		entry[len] = '\0';
		err = parse_entry(entry, &list.v[list.n++]);
		if (err)
			return err;
		if (!text[len])
			break;
	}

	*ret = list;
	return 0;
}

const char *knp_node_allows_text(const struct knp_node_allows *list,
				 char text[KNP_NODE_ALLOW_TEXT])
{
	const struct knp_node_allow *a;
	char address[INET6_ADDRSTRLEN];
	size_t len = 0;

	strcpy(text, list->n ? "" : NONE);
	for (size_t i = 0; i < list->n; i++) {
		a = &list->v[i];
		if (i)
			text[len++] = ',';
		if (inet_ntop(a->family, a->addr, address, sizeof(address)))
			len += (size_t)sprintf(text + len, a->family == AF_INET6 ?
					       "[%s]:" : "%s:", address);
		len += (size_t)sprintf(text + len, "%u/%s", a->port,
				       knp_protocol_name(a->proto));
	}
	return text;
}
