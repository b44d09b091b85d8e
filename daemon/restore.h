/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before the first lists are complete: what the kernel is made to do by the
 * state file alone. That is for a module that has no generation, because the
 * machine has booted or the module was loaded again; where there is one it
 * stays, whatever the file says.
 *
 *   no file             nothing: knp was never here, packets pass until the first
 *                       generation
 *   of this boot and    all of it: settings, families, tables. Addresses and
 *   network namespace   interfaces are still whose they were
 *   of another one      CLOSED, with the settings and families of the file:
 *                       addresses have new owners, interfaces other indexes
 *   refused, of another CLOSED, with the module's settings and the families
 *   node, unreadable    that are wanted
 *
 * CLOSED is: no generation, DEFAULT is drop, the families attached. So what pods
 * and others send through this node is dropped until knpd commits its first
 * generation, and what the node itself sends and receives passes (in mode audit
 * all passes). Interfaces of pods need not be known for that: those that come
 * before knpd does are closed as well. DEFAULT does not count any more from the
 * first generation on, and is left as it is.
 *
 * On the way to all of it, it is CLOSED for as long as a commit takes: the hooks
 * are there before the tables, so that whoever finds a generation finds it
 * attached, or detached by an operator, and a try that failed, or was killed, is
 * made again from its beginning.
 *
 * A file that says that nothing was attached attaches nothing: an operator had
 * wanted it so.
 */
#ifndef KNP_RESTORE_H
#define KNP_RESTORE_H

#include "push.h"

/** enum knp_restore_end - what was done */
enum knp_restore_end {
	KNP_RESTORE_NOTHING,	/* there is no file */
	KNP_RESTORE_THERE,	/* the kernel has a generation */
	KNP_RESTORE_WHOLE,
	KNP_RESTORE_CLOSED,
	KNP_RESTORE_REFUSED,	/* closed, because the file is no good */
};

/** struct knp_restore_from - what to restore from */
struct knp_restore_from {
	const char *path;	/* of the file */
	const char *node;	/* that it has to be of; NULL: of any */
	uint32_t families;	/* to attach where the file cannot say */
};

/**
 * struct knp_restored - what was done
 * @generation: WHOLE: the kernel's
 * @text: for people, one line
 */
struct knp_restored {
	enum knp_restore_end end;
	uint64_t generation;
	char text[512];
};

/**
 * knp_restore() - make the kernel do what the state file says
 * @ops: a backend
 * @ctx: of it
 * @from: what to restore from
 * @ret: what was done; also set on failure, as far as it came
 *
 * Return: 0; -errno of the backend, @ret->text says what failed. Then it is not
 * known to be closed, and only to be tried again.
 */
int knp_restore(const struct knp_push_ops *ops, void *ctx,
		const struct knp_restore_from *from, struct knp_restored *ret);

#endif /* KNP_RESTORE_H */
