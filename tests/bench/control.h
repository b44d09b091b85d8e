/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the benchmark asks of the generator server, one command in the body of
 * a POST to /control; the answer is one JSON object, 400 if it cannot be done.
 *
 *   pod label|ip|ready|delete|create local|remote
 *	one Pod's event. label, ip, delete and create change the tables of
 *	node1; ready does not. Every second label undoes the first, create makes
 *	again what was deleted: ADDED without an address, then (this is the one
 *	that is timed) MODIFIED with it
 *   policy add|ports|peers|delete
 *	the-crowd/everybody, which selects all Pods of the crowd
 *   rate R SECONDS
 *	R events a second about random Pods: 60 of 100 change nothing for policy
 *	(the Ready condition), 13 delete, 27 make Pods again in two steps
 *   drift N
 *	N remote Pods get other addresses, and no watch is told
 *   gone
 *	410 to all watches
 *   watchlist on|off
 *	whether sendInitialEvents is offered
 *   stats
 *	bytes, number of requests, what the rate has come to
 *   requests N
 *	the log of the requests from number N on, at most API_LOG of them
 *
 * Times are CLOCK_MONOTONIC, taken just before the event is handed to the
 * socket.
 */
#ifndef KNP_BENCH_CONTROL_H
#define KNP_BENCH_CONTROL_H

#include <event2/http.h>

#include "api.h"

struct control;

/* Answer /control; 0 or -ENOMEM. */
int control_serve(struct api *api, struct evhttp *http, uint64_t seed,
		  struct control **ret);
void control_free(struct control *c);

#endif /* KNP_BENCH_CONTROL_H */
