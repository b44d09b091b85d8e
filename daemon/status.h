/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How knpd is doing: what it keeps track of, and status.json, which it leaves
 * in the runtime folder for knpctl.
 *
 *   pid, version, node
 *   manifests         the folder, null if the source is another
 *   source            kind "folder": path
 *                     kind "api-server": server, context (or null) and, of each
 *                     of its resources, what kube_reflect.h keeps, and
 *                     enforced_resource_version: all changes up to that version
 *                     are enforced (null at first); at most a second behind
 *   waiting           what the source waits for, in words, null if nothing
 *   waiting_since     or null
 *   synced_at         when the source's objects were last known to be current:
 *                     the least recent resource's last event, bookmark or list;
 *                     null if never, or if they always are, as in a folder
 *   age               seconds from then to this file, or null
 *   state             starting, synced, waiting (for the module) or failed
 *   instance          of the module, 16 hex digits
 *   generation        enforced
 *   commits           transactions of this process
 *   batches           changes that the source has reported
 *   enforced_batches  how many of them are enforced
 *   store_version, enforced_version
 *   last_us           from the last change's first event to its commit
 *   last_puts, last_deletes
 *   error             what holds it up, null if nothing
 *   troubles_count, troubles  limits that the compiler hit: whom they close
 *   objects_set_aside objects that could not be read in full, of which what
 *                     remains is enforced (decode.h)
 *   policies_held_count, policies_held  "ns/policy", deleted while their namespace
 *                     terminates, and enforced until it has no pod (store.h)
 *   uncovered_count, uncovered  what passes around the hooks (uncovered.h)
 *   restored, state_file  of the state file, see knp_keeper_json()
 *   faults_count, faults  each field and file that could not be read, or counts
 *                     for nothing
 *
 * Times are seconds since the epoch.
 */
#ifndef KNP_STATUS_H
#define KNP_STATUS_H

#include <stdint.h>

#include "compile.h"
#include "input.h"
#include "keeper.h"
#include "push.h"
#include "uncovered.h"

#define KNP_STATUS_FILE	"status.json"

/** struct knp_daemon_status - as above; pointers are borrowed */
struct knp_daemon_status {
	const char *node;
	const char *manifests;
	const char *state;
	struct knp_push_result last;
	uint64_t commits;
	uint64_t batches;
	uint64_t enforced_batches;
	uint64_t store_version;
	uint64_t enforced_version;
	int64_t last_us;
	char error[512];
	const struct knp_troubles *troubles;
	const struct knp_store *store;
	struct knp_input *input;
	const struct knp_uncovered *uncovered;
	struct knp_keeper *keeper;
};

/* Replace status.json in the folder @dir. Return 0 or -errno. */
int knp_daemon_status_write(const struct knp_daemon_status *s, const char *dir);

#endif /* KNP_STATUS_H */
