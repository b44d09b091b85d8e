// SPDX-License-Identifier: Apache-2.0
/* The writer of the journal of names. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "intern.h"
#include "names.h"
#include "runtime.h"
#include "store.h"

#define SLACK	10000	/* lines that a file may always grow by */

/**
 * struct knp_names_log - a writer
 * @fd: the file, -1: there is none to append to
 * @fresh: the next stamp makes a new file of @buf
 * @buf: what the next stamp writes
 * @lines: in @buf
 * @begun: lines that the file had when it was made
 * @appended: lines since
 */
struct knp_names_log {
	char *dir;
	int fd;
	bool fresh;
	struct knp_buf buf;
	uint64_t lines;
	uint64_t begun;
	uint64_t appended;
};

int knp_names_log_open(const char *dir, struct knp_names_log **ret)
{
	struct knp_names_log *log = calloc(1, sizeof(*log));

	if (!log)
		return -ENOMEM;

	log->fd = -1;
	log->dir = strdup(dir);
	if (!log->dir) {
		free(log);
		return -ENOMEM;
	}

	*ret = log;
	return 0;
}

static void forget_file(struct knp_names_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}

static void forget_lines(struct knp_names_log *log)
{
	/* What had no room once may have it in the next try. */
	if (log->buf.failed)
		knp_buf_clear(&log->buf);
	knp_buf_reset(&log->buf);
	log->lines = 0;
	log->fresh = false;
}

void knp_names_log_close(struct knp_names_log *log)
{
	if (!log)
		return;

	forget_file(log);
	knp_buf_clear(&log->buf);
	free(log->dir);
	free(log);
}

static void put_bytes(struct knp_names_log *log, const char *s, size_t n)
{
	knp_buf_add(&log->buf, s, n);
}

static void put_word(struct knp_names_log *log, const char *word)
{
	put_bytes(log, word, strlen(word));
}

/* An end of line within a name would make two lines of it. */
static void put_name(struct knp_names_log *log, const char *name)
{
	size_t at = log->buf.n;

	put_word(log, *name ? name : "?");
	for (; at < log->buf.n; at++)
		if (log->buf.v[at] < 0x20 || log->buf.v[at] == 0x7f)
			log->buf.v[at] = '?';
}

static void put_tag(struct knp_names_log *log, const uint8_t *tag)
{
	char hex[2 * KNP_TAG_LEN + 1];

	put_word(log, knp_tag_format(tag, hex));
}

static char *decimal(char *p, uint8_t n)
{
	if (n >= 100)
		*p++ = (char)('0' + n / 100);
	if (n >= 10)
		*p++ = (char)('0' + n / 10 % 10);
	*p++ = (char)('0' + n % 10);
	return p;
}

/* inet_ntop() goes through printf, which was half of a large file's cost. */
static void put_ipv4(struct knp_names_log *log, const uint8_t *addr)
{
	char text[16], *p = text;
	int i;

	for (i = 0; i < 4; i++) {
		p = decimal(p, addr[i]);
		*p++ = '.';
	}
	put_bytes(log, text, (size_t)(p - text) - 1);
}

static void put_address(struct knp_names_log *log, uint8_t family,
			const uint8_t *addr)
{
	struct knp_ip ip = { .family = family };
	char text[46];

	if (family == AF_INET) {
		put_ipv4(log, addr);
		return;
	}

	memcpy(ip.b, addr, sizeof(ip.b));
	put_word(log, knp_ip_format(&ip, text));
}

static void end_line(struct knp_names_log *log)
{
	put_bytes(log, "\n", 1);
	log->lines++;
}

void knp_names_log_reset(struct knp_names_log *log, uint64_t instance)
{
	char line[64];

	forget_lines(log);
	log->fresh = true;
	snprintf(line, sizeof(line), "knp-names 1 %016" PRIx64, instance);
	put_word(log, line);
	end_line(log);
}

bool knp_names_log_needs_reset(const struct knp_names_log *log)
{
	if (log->fresh)
		return false;
	return log->fd < 0 || log->appended > log->begun + SLACK;
}

void knp_names_log_forget(struct knp_names_log *log)
{
	forget_lines(log);
	forget_file(log);
	log->fresh = false;
}

void knp_names_log_tag(struct knp_names_log *log,
		       const uint8_t tag[KNP_TAG_LEN], enum knp_name_kind kind,
		       const char *text)
{
	put_word(log, knp_name_kind_word(kind));
	put_bytes(log, " ", 1);
	put_tag(log, tag);
	put_bytes(log, " ", 1);
	put_name(log, text);
	end_line(log);
}

void knp_names_log_tag_gone(struct knp_names_log *log,
			    const uint8_t tag[KNP_TAG_LEN])
{
	put_word(log, "gone ");
	put_tag(log, tag);
	end_line(log);
}

static void begin_address(struct knp_names_log *log, uint8_t family,
			  const uint8_t *addr)
{
	put_word(log, "address ");
	put_address(log, family, addr);
	put_bytes(log, " ", 1);
}

void knp_names_log_address(struct knp_names_log *log, uint8_t family,
			   const uint8_t addr[KNP_ADDR_LEN], const char *ns,
			   const char *name)
{
	begin_address(log, family, addr);
	put_name(log, ns);
	put_bytes(log, "/", 1);
	put_name(log, name);
	end_line(log);
}

void knp_names_log_address_gone(struct knp_names_log *log, uint8_t family,
				const uint8_t addr[KNP_ADDR_LEN])
{
	put_word(log, "gone ");
	put_address(log, family, addr);
	end_line(log);
}

static int write_lines(struct knp_names_log *log)
{
	int fd;

	if (log->buf.failed)
		return -ENOMEM;
	if (!log->fresh)
		return log->fd < 0 ? -ESTALE :
		       knp_runtime_append(log->fd, log->buf.v, log->buf.n);

	fd = knp_runtime_replace(log->dir, KNP_NAMES_FILE, log->buf.v,
				 log->buf.n);
	if (fd < 0)
		return fd;

	forget_file(log);
	log->fd = fd;
	return 0;
}

int knp_names_log_stamp(struct knp_names_log *log, uint64_t generation)
{
	char line[64];
	int err;

	snprintf(line, sizeof(line), "generation %" PRIu64, generation);
	put_word(log, line);
	end_line(log);

	err = write_lines(log);
	if (err) {
		forget_file(log);
	} else if (log->fresh) {
		log->begun = log->lines;
		log->appended = 0;
		/* Much larger than any change that will be gathered in it. */
		knp_buf_clear(&log->buf);
	} else {
		log->appended += log->lines;
	}

	forget_lines(log);
	return err;
}

int knp_names_log_ruleset(struct knp_names_log *log,
			  const struct knp_ruleset *rs, uint64_t instance,
			  uint64_t generation)
{
	const struct knp_address_name *a = rs->addresses.v;
	const struct knp_name *name = rs->names.v;
	size_t i;

	knp_names_log_reset(log, instance);
	for (i = 0; i < rs->names.n; i++)
		knp_names_log_tag(log, name[i].tag, name[i].kind, name[i].text);

	for (i = 0; i < rs->addresses.n; i++) {
		begin_address(log, a[i].family, a[i].addr);
		put_name(log, a[i].text);
		end_line(log);
	}

	return knp_names_log_stamp(log, generation);
}
