// SPDX-License-Identifier: Apache-2.0
#include "keeper.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "genl.h"
#include "json_build.h"
#include "log.h"
#include "restore.h"
#include "saver.h"

/**
 * struct knp_keeper - the state file of a knpd
 * @due: to restore
 * @restored: the last try
 * @complaint: of the saver, that was logged last
 */
struct knp_keeper {
	struct knp_keeper_options options;
	struct knp_saver *saver;
	bool due;
	struct knp_restored restored;
	char complaint[256];
	void (*told)(void *arg);
	void *arg;
};

static void on_saved(void *arg)
{
	struct knp_keeper *k = arg;
	char error[256];

	knp_saver_error(k->saver, error);
	if (error[0] && strcmp(error, k->complaint))
		knp_log(KNP_LOG_WARNING, "%s: %s", k->options.path, error);
	memcpy(k->complaint, error, sizeof(error));
	k->told(k->arg);
}

int knp_keeper_open(struct event_base *base,
		    const struct knp_keeper_options *options,
		    void (*told)(void *arg), void *arg,
		    struct knp_keeper **ret)
{
	const struct knp_saver_options saver = {
		.path = options->path,
		.node = options->node,
	};
	struct knp_keeper *k = calloc(1, sizeof(*k));
	int err;

	if (!k)
		return -ENOMEM;
	k->options = *options;
	k->due = true;
	k->told = told;
	k->arg = arg;
	err = knp_saver_open(base, &saver, on_saved, k, &k->saver);
	if (err) {
		free(k);
		return err;
	}
	*ret = k;
	return 0;
}

void knp_keeper_close(struct knp_keeper *k)
{
	if (!k)
		return;
	knp_saver_close(k->saver);
	free(k);
}

void knp_keeper_loaded(struct knp_keeper *k)
{
	if (k)
		k->due = true;
}

static void log_restored(const struct knp_restored *r)
{
	static const enum knp_level levels[] = {
		[KNP_RESTORE_NOTHING]	= KNP_LOG_INFO,
		[KNP_RESTORE_THERE]	= KNP_LOG_INFO,
		[KNP_RESTORE_WHOLE]	= KNP_LOG_NOTICE,
		[KNP_RESTORE_CLOSED]	= KNP_LOG_WARNING,
		[KNP_RESTORE_REFUSED]	= KNP_LOG_ERR,
	};

	knp_log(levels[r->end], "%s", r->text);
}

static int connect_module(const struct knp_keeper *k, struct knp_genl **g)
{
	int err = knp_genl_open(g);

	if (err)
		return err;
	err = knp_watch_join(k->options.watch, KNP_MCGRP_COMMITS);
	if (err)
		knp_genl_close(*g);
	return err;
}

int knp_keeper_restore(struct knp_keeper *k)
{
	struct knp_restore_from from;
	struct knp_genl *g;
	int err;

	if (!k || !k->due)
		return 0;
	err = connect_module(k, &g);
	/* Into a module that is not there yet, nothing can be restored. */
	if (err == -ENOENT)
		return 0;
	if (err) {
		snprintf(k->restored.text, sizeof(k->restored.text), "%s",
			 knp_genl_advice(err));
		return err;
	}
	from = (struct knp_restore_from){
		.path = k->options.path,
		.node = k->options.node,
		.families = k->options.families,
	};
	err = knp_restore(&knp_push_netlink, g, &from, &k->restored);
	knp_genl_close(g);
	if (err)
		return err;
	k->due = false;
	/* This module is another than that of the file, or was filled without one. */
	knp_saver_touch(k->saver);
	log_restored(&k->restored);
	k->told(k->arg);
	return 0;
}

const char *knp_keeper_error(const struct knp_keeper *k)
{
	return k ? k->restored.text : "";
}

void knp_keeper_touch(struct knp_keeper *k)
{
	if (k)
		knp_saver_touch(k->saver);
}

int knp_keeper_json(struct knp_keeper *k, struct json_object *doc)
{
	const char *text = k && k->restored.text[0] ? k->restored.text : NULL;
	int err = 0;

	err |= knp_json_add_string(doc, "restored", text);
	err |= knp_saver_json(k ? k->saver : NULL, doc, "state_file");
	return err ? -ENOMEM : 0;
}
