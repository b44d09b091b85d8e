// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cni_install.h"
#include "cni_setup.h"

#define WAIT_MAX_S	86400

struct setup {
	const char *conf_dir;
	const char *bin_dir;
	long wait_s;
	bool install;
	bool uninstall;
	bool failed;
};

static void usage(FILE *out)
{
	fputs("usage: knp-cni --install [--conf-dir DIR] [--bin-dir DIR] [--wait SECONDS]\n"
	      "       knp-cni --uninstall [--conf-dir DIR]\n"
	      "Make knp-cni the last of the plugins that this node's container runtime runs for\n"
	      "each pod, or take it out again. Each may be repeated.\n"
	      "\n"
	      "  --conf-dir DIR   of the configurations (default: " KNP_CNI_CONF_DIR ")\n"
	      "  --bin-dir DIR    of the plugins (default: " KNP_CNI_BIN_DIR ")\n"
	      "  --wait SECONDS   for a configuration, if there is none yet (default: 0)\n"
	      "\n"
	      "--uninstall leaves the program where it is: a runtime may run it once more when a\n"
	      "pod ends that started with it.\n"
	      "\n"
	      "Without arguments knp-cni is a plugin of the Container Network Interface and is\n"
	      "run by a container runtime, with a configuration on standard input:\n"
	      "\n"
	      "  { \"type\": \"knp-cni\", \"socket\": \"/run/knp/cni.sock\", \"timeout\": 30 }\n"
	      "\n"
	      "It makes each pod known to knpd --cni before it starts. These are the defaults;\n"
	      "timeout is how many seconds a pod may wait for knpd.\n", out);
}

static int bad_usage(const char *what)
{
	fprintf(stderr, "knp-cni: %s (see knp-cni --help)\n", what);
	return 2;
}

static const char *reason(int err)
{
	switch (err) {
	case -EINVAL:
		return "it is no list of plugins (*.conflist), to which one could be added";
	case -EPROTONOSUPPORT:
		return "its cniVersion is none of 0.3.0 to 1.1.0";
	case -EBADMSG:
		return "it is no JSON object";
	default:
		return strerror(-err);
	}
}

static int complain(const char *dir, const char *name, int err)
{
	fprintf(stderr, "knp-cni: %s/%s: %s\n", dir, name, reason(err));
	return 1;
}

static int install(const struct setup *s)
{
	const struct timespec second = { .tv_sec = 1 };
	struct knp_cni_place place;
	long left = s->wait_s;
	int err;

	err = knp_cni_install_program(s->bin_dir);
	if (err)
		return complain(s->bin_dir, "knp-cni", err);
	err = knp_cni_install(s->conf_dir, &place);
	if (err == -ENOENT && left)
		fprintf(stderr, "knp-cni: waiting for a network in %s\n",
			s->conf_dir);
	while (err == -ENOENT && left-- > 0) {
		nanosleep(&second, NULL);
		err = knp_cni_install(s->conf_dir, &place);
	}
	if (err == -ENOENT && !*place.name) {
		fprintf(stderr, "knp-cni: there is no network in %s: install a network plugin first\n",
			s->conf_dir);
		return 1;
	}
	if (err)
		return complain(s->conf_dir, place.name, err);
	printf("knp-cni: %s %s/%s\n", place.changed ? "added to" : "already in",
	       s->conf_dir, place.name);
	return 0;
}

/* What is no list of plugins has no knp-cni in it. */
static void taken_out(void *arg, const char *name, int err)
{
	struct setup *s = arg;

	if (!err)
		printf("knp-cni: taken out of %s/%s\n", s->conf_dir, name);
	else
		complain(s->conf_dir, name, err);
	if (err && err != -EINVAL && err != -EBADMSG)
		s->failed = true;
}

static int uninstall(struct setup *s)
{
	int err = knp_cni_uninstall(s->conf_dir, taken_out, s);

	if (err)
		return complain(s->conf_dir, "", err);
	return s->failed ? 1 : 0;
}

static int parse_wait(const char *text, long *ret)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < 0 || n > WAIT_MAX_S)
		return bad_usage("--wait: no number of seconds");
	*ret = n;
	return 0;
}

int knp_cni_setup(int argc, char **argv)
{
	static const struct option options[] = {
		{ "install",   no_argument,	  NULL, 'i' },
		{ "uninstall", no_argument,	  NULL, 'u' },
		{ "conf-dir",  required_argument, NULL, 'c' },
		{ "bin-dir",   required_argument, NULL, 'b' },
		{ "wait",      required_argument, NULL, 'w' },
		{ "help",      no_argument,	  NULL, 'h' },
		{ 0 },
	};
	struct setup s = {
		.conf_dir = KNP_CNI_CONF_DIR,
		.bin_dir = KNP_CNI_BIN_DIR,
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'i':
			s.install = true;
			break;
		case 'u':
			s.uninstall = true;
			break;
		case 'c':
			s.conf_dir = optarg;
			break;
		case 'b':
			s.bin_dir = optarg;
			break;
		case 'w':
			if (parse_wait(optarg, &s.wait_s))
				return 2;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			return 2;
		}
	}
	if (optind < argc || s.install == s.uninstall)
		return bad_usage("one of --install and --uninstall is wanted");
	return s.install ? install(&s) : uninstall(&s);
}
