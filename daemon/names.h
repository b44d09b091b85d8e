/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map from tags and addresses to names: a journal, the file "names" in the
 * runtime folder.
 *
 * The kernel holds no names; knpd writes them after each commit, knpctl joins
 * them. What a commit changed is appended, so that the cost is that of the
 * change and not of the cluster. Lines of text, fields apart by one space:
 *
 *   knp-names 1 0123456789abcdef	first line: version 1 of this format, and
 *					the instance of the module, 16 hex digits
 *   rule TAG NAME			TAG: 32 hex digits, NAME: the rest of
 *   portset TAG NAME			the line, at least one byte, which may
 *   set TAG NAME			have spaces
 *   address ADDRESS NAMESPACE/POD
 *   gone TAG				has no name any more
 *   gone ADDRESS
 *   generation 12			a seal
 *
 * Of the lines about one tag or address the last one counts. A seal says that
 * what is above it names the objects of that generation; the seals of a file
 * never descend, and one may be repeated. What follows the last seal is not
 * there yet: a write that is under way, or one that a crash or a full disk cut
 * off, possibly within a line. A new file is begun under another name and
 * renamed with its first seal, so a file without one is none.
 *
 * Bytes below 0x20 and 0x7f are written as '?', and read as such.
 *
 * Instance and generation say whose names they are: a reader that sees others
 * in the kernel shows bare ids. Classes of peers have no names here, they are
 * named after their members, see class_names.h.
 */
#ifndef KNP_NAMES_H
#define KNP_NAMES_H

#include "ruleset.h"

#define KNP_NAMES_FILE	"names"

/**
 * struct knp_names - the map, as read
 * @v: sorted by tag
 * @addresses: sorted by (family, addr)
 * @text: what the names point into
 */
struct knp_names {
	uint64_t instance;
	uint64_t generation;
	struct knp_name *v;
	size_t n;
	struct knp_address_name *addresses;
	size_t naddresses;
	char *text;
};

/*
 * Read the map as of its last seal. Return 0, -ENOENT, -EBADMSG if it is no such
 * file, or -errno.
 */
int knp_names_read(const char *dir, struct knp_names **ret);

/*
 * As knp_names_read(), but as of the seal of @generation if the file has one: a
 * reader may be behind the writer.
 */
int knp_names_read_at(const char *dir, uint64_t generation,
		      struct knp_names **ret);
void knp_names_free(struct knp_names *names);

/* Lookups return NULL where there is no name; @names may be NULL. */
const char *knp_names_tag(const struct knp_names *names,
			  const uint8_t tag[KNP_TAG_LEN]);
const char *knp_names_address(const struct knp_names *names, uint8_t family,
			      const uint8_t addr[KNP_ADDR_LEN]);

/*
 * The addresses of a pod "ns/pod", one after the other: @prev is NULL at first.
 * Return NULL at the end.
 */
const struct knp_address_name *
knp_names_pod(const struct knp_names *names, const char *pod,
	      const struct knp_address_name *prev);

/* A tag as 32 hex digits. */
const char *knp_tag_format(const uint8_t tag[KNP_TAG_LEN],
			   char buf[2 * KNP_TAG_LEN + 1]);

/* The word of a kind in the file. */
const char *knp_name_kind_word(enum knp_name_kind kind);

/*
 * The writer. One at a time: the holder of the runtime folder's lock.
 *
 * Lines are gathered in memory, where nothing can fail: what does is reported
 * by knp_names_log_stamp(), the only one that touches the file.
 */
struct knp_names_log;

/*
 * A writer for the folder @dir; it begins with needing a reset, whatever the
 * file holds. Return 0 or -ENOMEM.
 */
int knp_names_log_open(const char *dir, struct knp_names_log **ret);

/* Forgets what is not stamped. Accepts NULL. */
void knp_names_log_close(struct knp_names_log *log);

/*
 * Begin a new file; what follows, up to the next stamp, must be all names. What
 * is not stamped is forgotten. The old file stays until then.
 */
void knp_names_log_reset(struct knp_names_log *log, uint64_t instance);

/*
 * Whether the next stamp needs a reset before it: no file was begun by this
 * writer, the last stamp failed, or the file has grown by 10,000 lines more than
 * it was begun with. Of those all may replace others (which ones do is not known
 * here, that would take a map): so dead lines cannot pile up beyond that, and a
 * line appended pays for at most one line rewritten.
 */
bool knp_names_log_needs_reset(const struct knp_names_log *log);

/* What was gathered is not whole: the next stamp needs a reset before it. */
void knp_names_log_forget(struct knp_names_log *log);

/* @text, @ns, @name: not empty. */
void knp_names_log_tag(struct knp_names_log *log,
		       const uint8_t tag[KNP_TAG_LEN], enum knp_name_kind kind,
		       const char *text);
void knp_names_log_tag_gone(struct knp_names_log *log,
			    const uint8_t tag[KNP_TAG_LEN]);
void knp_names_log_address(struct knp_names_log *log, uint8_t family,
			   const uint8_t addr[KNP_ADDR_LEN], const char *ns,
			   const char *name);
void knp_names_log_address_gone(struct knp_names_log *log, uint8_t family,
				const uint8_t addr[KNP_ADDR_LEN]);

/*
 * Seal what was gathered and write it: appended with one write(2), or, after a
 * reset, as the new file. An append is not synced: the runtime folder does not
 * outlive the machine.
 *
 * Return 0; -ESTALE if the file is not the one begun (or none was); -ENOMEM;
 * -errno. What was gathered is gone then, what the file had sealed is not, and
 * only a reset helps.
 */
int knp_names_log_stamp(struct knp_names_log *log, uint64_t generation);

/*
 * Reset, all names and addresses of a ruleset, stamp. Return as
 * knp_names_log_stamp().
 */
int knp_names_log_ruleset(struct knp_names_log *log,
			  const struct knp_ruleset *rs, uint64_t instance,
			  uint64_t generation);

#endif /* KNP_NAMES_H */
