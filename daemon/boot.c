// SPDX-License-Identifier: Apache-2.0
#include "boot.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BOOT_ID		"/proc/sys/kernel/random/boot_id"

static void read_id(struct knp_boot *b)
{
	FILE *file = fopen(BOOT_ID, "re");

	if (!file)
		return;
	if (!fgets(b->id, sizeof(b->id), file) ||
	    strlen(b->id) != KNP_BOOT_ID_LEN)
		b->id[0] = '\0';
	fclose(file);
}

static void read_netns(struct knp_boot *b)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(b->netns);

	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &b->netns, &len))
		b->netns = 0;
	close(fd);
}

void knp_boot_read(struct knp_boot *ret)
{
	*ret = (struct knp_boot){ 0 };
	read_id(ret);
	read_netns(ret);
}
