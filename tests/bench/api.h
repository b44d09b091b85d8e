/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Kubernetes API of the generator server: list, watch, WatchList.
 *
 * Lists are paged (limit, continue) and consistent: where the objects changed
 * since the first page, the next one is refused with 410, as after etcd's
 * compaction. Watches start from a resourceVersion, or with all objects if
 * there is none; they get bookmarks if they want them, and end after
 * timeoutSeconds. Selectors are not looked at: all objects of the model match
 * what knpd asks.
 */
#ifndef KNP_BENCH_API_H
#define KNP_BENCH_API_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>
#include <event2/http.h>

#include "model.h"
#include "objects.h"

enum api_resource {
	API_NAMESPACES,
	API_POLICIES,
	API_PODS,
	API_RESOURCES,
};

struct api_watch;

/** struct api_request - a line of the request log */
struct api_request {
	int64_t ns;		/* CLOCK_MONOTONIC */
	char what[112];
};

#define API_LOG		4096

/**
 * struct api - the server
 * @watchlist: sendInitialEvents is offered
 * @version: of the newest object
 * @bytes: bodies handed to the sockets
 * @requests: the last API_LOG of @nrequests
 */
struct api {
	struct event_base *base;
	struct model *model;
	struct objects objects[API_RESOURCES];
	struct api_watch *watches;
	bool watchlist;
	uint64_t version;
	uint64_t bytes;
	struct api_request *requests;
	uint64_t nrequests;
};

/* Answer the paths of the API on a server; 0 or -ENOMEM. */
int api_serve(struct api *api, struct evhttp *http);

/*
 * Send a recorded change to the watches of a resource. Return CLOCK_MONOTONIC
 * from just before it was handed to the first socket.
 */
int64_t api_send(struct api *api, enum api_resource resource,
		 const struct objects_change *change);

/* Tell all watches 410, and those that come back from before now. */
void api_gone(struct api *api);

/* Watches that have got all they had to get. */
uint32_t api_watching(const struct api *api, enum api_resource resource);

int64_t api_now(void);

#endif /* KNP_BENCH_API_H */
