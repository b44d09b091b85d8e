// SPDX-License-Identifier: Apache-2.0
/*
 * Follows an API server and prints what it sees, a line each, until SIGTERM:
 *
 *   batch namespaces=a,b pods=x/p@10.0.0.1 policies=x/q
 *   waiting TEXT, or waiting -
 *   fault TEXT
 *   healed
 *
 * usage: follow (KUBECONFIG | --in-cluster DIR) [IDLE-SECONDS]
 *
 * SIGHUP lists everything again.
 */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube.h"

static struct event_base *base;
static struct knp_store *store;
static struct knp_kube *kube;

static void on_changed(void *arg)
{
	(void)arg;
	printf("batch namespaces=");
	for (size_t i = 0; i < store->nnamespaces; i++)
		printf("%s%s", i ? "," : "", store->namespaces[i]->name);
	printf(" pods=");
	for (size_t i = 0; i < store->npods; i++) {
		const struct knp_pod *pod = store->pods[i];
		char ip[46] = "";

		if (pod->nips)
			knp_ip_format(&pod->ips[0], ip);
		printf("%s%s/%s@%s", i ? "," : "", pod->ns, pod->name, ip);
	}
	printf(" policies=");
	for (size_t i = 0; i < store->npolicies; i++)
		printf("%s%s/%s", i ? "," : "", store->policies[i]->ns,
		       store->policies[i]->name);
	printf("\n");
}

static void on_fault(void *arg, const struct knp_fault *fault)
{
	char *line = knp_fault_format(fault);

	(void)arg;
	printf("fault %s\n", line);
	free(line);
}

static void on_healed(void *arg)
{
	(void)arg;
	printf("healed\n");
}

static void on_state(void *arg)
{
	static char told[640];
	const char *text;
	int64_t since;

	(void)arg;
	text = knp_kube_waiting(kube, &since);
	if (!text)
		text = "-";
	if (!strcmp(text, told))
		return;
	snprintf(told, sizeof(told), "%s", text);
	printf("waiting %s\n", text);
}

static const struct knp_kube_ops ops = {
	.changed = on_changed,
	.fault	 = on_fault,
	.healed	 = on_healed,
	.state	 = on_state,
};

static void on_term(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	(void)arg;
	event_base_loopbreak(base);
}

static void on_hup(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	(void)arg;
	knp_kube_relist(kube);
}

static int load(int argc, char **argv, struct knp_kube_config *config,
		struct knp_kube_options *options)
{
	char *why = NULL;
	int at = 2;
	int err;

	if (argc < 2)
		return 2;
	if (!strcmp(argv[1], "--in-cluster") && argc > 2)
		err = knp_kube_config_in_cluster(argv[at++], config, &why);
	else
		err = knp_kube_config_load(argv[1], NULL, config, &why);
	if (err)
		fprintf(stderr, "follow: %s\n", why ? why : strerror(-err));
	free(why);
	if (at < argc)
		options->idle_ms = atoi(argv[at]) * 1000L;
	return err ? 2 : 0;
}

int main(int argc, char **argv)
{
	struct knp_kube_config config = { 0 };
	struct knp_kube_options options = { 0 };
	struct event *term, *hup;

	if (load(argc, argv, &config, &options))
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	base = event_base_new();
	store = knp_store_new();
	term = evsignal_new(base, SIGTERM, on_term, NULL);
	hup = evsignal_new(base, SIGHUP, on_hup, NULL);
	if (!store || !term || !hup || event_add(term, NULL) ||
	    event_add(hup, NULL) ||
	    knp_kube_open(base, &config, &options, store, &ops, NULL, &kube))
		return 2;
	event_base_dispatch(base);
	knp_kube_close(kube);
	event_free(hup);
	event_free(term);
	knp_store_free(store);
	knp_kube_config_clear(&config);
	event_base_free(base);
	libevent_global_shutdown();
	return 0;
}
