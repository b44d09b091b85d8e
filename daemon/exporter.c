// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <event2/buffer.h>
#include <stdlib.h>

#include "clock.h"
#include "exporter.h"
#include "metrics.h"

struct knp_exporter {
	const struct knp_exporter_options *options;
	const struct knp_store *store;
	struct knp_enforcer *enforcer;
	const struct knp_exporter_ops *ops;
	void *arg;
	struct knp_metrics metrics;
	struct knp_metrics_http *http;
	struct knp_genl *genl;		/* NULL: not connected */
};

static bool on_name(void *arg, uint32_t table, uint32_t id,
		    struct knp_enforced_name *ret)
{
	return knp_enforcer_name(arg, table, id, ret);
}

static int ask_once(struct knp_exporter *e, struct knp_kernel_view *view,
		    bool counters)
{
	int err = 0;

	if (!e->genl)
		err = knp_genl_open(&e->genl);
	if (!err)
		err = knp_genl_info(e->genl, &view->info);
	if (!err && counters)
		err = knp_genl_counters(e->genl, &view->counters);
	if (err) {
		knp_genl_close(e->genl);
		e->genl = NULL;
	}
	view->there = !err;
	return err;
}

/*
 * A module that came again has another family: ask twice. What it says counts
 * more than what knpd has heard of it.
 */
static void ask(struct knp_exporter *e, struct knp_vitals *s,
		struct knp_kernel_view *view, bool counters)
{
	bool connected = e->genl;

	if (!s->kernel)
		return;
	if (ask_once(e, view, counters) && connected)
		ask_once(e, view, counters);
	if (view->there)
		s->families = view->info.families;
}

static void take(struct knp_exporter *e, const struct knp_kernel_view *view)
{
	/* What is not taken in now is taken in the next time. */
	if (view->there && knp_enforcer_names(e->enforcer))
		knp_metrics_take(&e->metrics, view, on_name, e->enforcer);
}

static int render(const struct knp_scrape *s, enum knp_page page,
		  struct evbuffer *out)
{
	struct knp_prom p = { .out = out };

	switch (page) {
	case KNP_PAGE_NPM_NODE:
		knp_npm_render_node(s, &p);
		break;
	case KNP_PAGE_NPM_CLUSTER:
		knp_npm_render_cluster(s, &p);
		break;
	default:
		return knp_metrics_render(s, out);
	}
	return p.failed ? -ENOMEM : 0;
}

static int on_page(void *arg, enum knp_page page, struct evbuffer *out)
{
	struct knp_kernel_view view = { 0 };
	struct knp_exporter *e = arg;
	struct knp_vitals state;
	struct knp_scrape s = {
		.m = &e->metrics,
		.state = &state,
		.health = &e->options->health,
		.kernel = &view,
		.http = knp_metrics_http_counts(e->http),
		.now_ms = knp_now_ns() / 1000000,
	};
	int err;

	e->ops->state(e->arg, &state);
	ask(e, &state, &view, true);
	take(e, &view);
	err = render(&s, page, out);
	knp_counters_clear(&view.counters);
	return err;
}

static void on_condition(void *arg, enum knp_condition what, bool fatal,
			 const char *text)
{
	evbuffer_add_printf(arg, "%s %s: %s\n", fatal ? "error" : "warning",
			    knp_condition_name(what), text);
}

/* The verdict stands before its reasons. */
static bool on_ready(void *arg, struct evbuffer *out)
{
	struct knp_kernel_view view = { 0 };
	struct knp_exporter *e = arg;
	struct knp_vitals state;
	bool ready;

	e->ops->state(e->arg, &state);
	ask(e, &state, &view, false);
	ready = knp_health_check(&state, &e->options->health,
				 knp_now_ns() / 1000000, on_condition, out);
	evbuffer_prepend(out, ready ? "ready\n" : "not ready\n",
			 ready ? 6 : 10);
	return ready;
}

static const struct knp_metrics_http_ops http_ops = {
	.page	= on_page,
	.ready	= on_ready,
};

int knp_exporter_open(struct event_base *base,
		      const struct knp_exporter_options *options,
		      const struct knp_store *store,
		      struct knp_enforcer *enforcer,
		      const struct knp_exporter_ops *ops, void *arg,
		      struct knp_exporter **ret)
{
	struct knp_exporter *e = calloc(1, sizeof(*e));
	int err;

	if (!e)
		return -ENOMEM;
	e->options = options;
	e->store = store;
	e->enforcer = enforcer;
	e->ops = ops;
	e->arg = arg;
	err = knp_metrics_init(&e->metrics);
	if (!err && options->http.listen)
		err = knp_metrics_http_open(base, &options->http, &http_ops, e,
					    &e->http);
	if (err) {
		knp_exporter_close(e);
		return err;
	}
	*ret = e;
	return 0;
}

void knp_exporter_close(struct knp_exporter *e)
{
	if (!e)
		return;
	knp_metrics_http_close(e->http);
	knp_genl_close(e->genl);
	knp_metrics_clear(&e->metrics);
	free(e);
}

void knp_exporter_enforced(struct knp_exporter *e,
			   const struct knp_push_result *res, int64_t since_ns)
{
	if (e)
		knp_metrics_enforced(&e->metrics, e->store, res, since_ns);
}

void knp_exporter_refused(struct knp_exporter *e, int err, int64_t since_ns)
{
	if (e)
		knp_metrics_refused(&e->metrics, e->store, err, since_ns);
}
