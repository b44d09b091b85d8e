/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the subcommands of knpctl share.
 *
 * Exit status everywhere but in diff: 0 done; 1 it could not be done, one line on
 * standard error says why and what to do; 2 bad usage.
 *
 * Output is built once, as JSON values. With -o json it is printed as it is, with
 * -o yaml as YAML; as a table its cells go through libsmartcols. (Its own JSON,
 * in Debian 12, has neither arrays nor nested objects, which policies of a set
 * are.) Colours are for terminals, see knp_ctl_colored().
 *
 * Running out of memory ends the program: a command has nothing to undo.
 */
#ifndef KNP_CTL_H
#define KNP_CTL_H

#include <getopt.h>
#include <json-c/json.h>

#include "class_names.h"
#include "genl.h"
#include "names.h"

#define CTL_OK		0
#define CTL_FAILED	1
#define CTL_USAGE	2

/** enum ctl_format - of the output */
enum ctl_format {
	CTL_TABLE,
	CTL_WIDE,		/* a table with more columns, where there are any */
	CTL_JSON,
	CTL_YAML,
};

/**
 * struct knp_ctl - the context of one command
 * @names: NULL if there are none for this instance and generation
 * @classes: made by knp_ctl_class() from @names and tables, with which it goes
 * @rs: tables of the kernel, after knp_ctl_view()
 * @info: of the kernel, after knp_ctl_connect(); of @rs after knp_ctl_view()
 */
struct knp_ctl {
	const char *command;
	const char *runtime_dir;
	enum ctl_format format;
	struct knp_genl *g;
	struct knp_names *names;
	struct knp_class_names *classes;
	struct knp_ruleset *rs;
	struct knp_info info;
};

/* The options that every command has; their short forms are "o:h". */
enum {
	CTL_OPT_RUNTIME_DIR = 1000,
	CTL_OPT_FIRST,		/* a command's own start here */
};

#define CTL_OPTIONS							\
	{ "output",	 required_argument, NULL, 'o' },		\
	{ "runtime-dir", required_argument, NULL, CTL_OPT_RUNTIME_DIR }, \
	{ "help",	 no_argument,	    NULL, 'h' }

/* Whether the output is a document, for programs. */
static inline bool knp_ctl_structured(const struct knp_ctl *c)
{
	return c->format >= CTL_JSON;
}

void knp_ctl_begin(struct knp_ctl *c, const char *command);
void knp_ctl_end(struct knp_ctl *c);

/*
 * Handle a common option, as getopt_long() returned it. Return -1 to go on,
 * else the exit status. @help is printed for -h.
 */
int knp_ctl_option(struct knp_ctl *c, int option, const char *help);

/* Print one line on standard error; return CTL_FAILED or CTL_USAGE. */
int knp_ctl_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
int knp_ctl_usage(const struct knp_ctl *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Print the refusal of a request, with the module's words. */
int knp_ctl_refused(const struct knp_ctl *c, int err, const char *what);

/* Each returns CTL_OK, or CTL_FAILED after it has said why. */
int knp_ctl_connect(struct knp_ctl *c);
int knp_ctl_view(struct knp_ctl *c);	/* connect, tables, names */

/* Read names for @c->info; say so on standard error if there are none. */
void knp_ctl_names(struct knp_ctl *c);

/* As knp_ctl_names(), without a word and without waiting. */
void knp_ctl_names_now(struct knp_ctl *c);

/* Tag of a rule, portset, class or set of @c->rs, NULL if there is none. */
const uint8_t *knp_ctl_tag(const struct knp_ctl *c, uint32_t table,
			   uint32_t id);

/* Name of a rule, portset or set of @c->rs, NULL if unknown. */
const char *knp_ctl_name(const struct knp_ctl *c, uint32_t table, uint32_t id);

/*
 * Name of a class as of @c->info, NULL if there are no names, or if the tables
 * are of a later generation already. Reads what of them is not in @c->rs, once.
 */
const char *knp_ctl_class(struct knp_ctl *c, uint32_t id);

/* Drop what knp_ctl_class() has made: to call where names or tables change. */
void knp_ctl_classes_drop(struct knp_ctl *c);

/* Words of the uapi's numbers. */
const char *knp_ctl_reason(uint32_t reason);
const char *knp_ctl_mode(uint8_t mode);
const char *knp_ctl_action(uint8_t action);
const char *knp_ctl_direction(uint8_t direction);
const char *knp_ctl_role(uint8_t role);
const char *knp_ctl_proto(uint8_t proto, char buf[8]);
const char *knp_ctl_address(const uint8_t *addr, uint8_t family, char buf[46]);

/* "TCP", "icmp", "132". Return 0 or -EINVAL. */
int knp_ctl_parse_proto(const char *text, uint8_t *ret);

/* "80/TCP", "80", "ICMP" into proto and port. Return 0 or -EINVAL. */
int knp_ctl_parse_port(const char *text, struct knp_tuple *ret);

/*
 * JSON that cannot fail: these end the program if memory does. A NULL text is
 * null. Tags are hex.
 */
struct json_object *knp_ctl_object(void);
struct json_object *knp_ctl_array(void);
void knp_ctl_add(struct json_object *obj, const char *key,
		 struct json_object *value);
void knp_ctl_add_text(struct json_object *obj, const char *key,
		      const char *text);
void knp_ctl_add_number(struct json_object *obj, const char *key, uint64_t n);
void knp_ctl_add_bool(struct json_object *obj, const char *key, bool value);
void knp_ctl_add_tag(struct json_object *obj, const char *key,
		     const uint8_t *tag);
void knp_ctl_push(struct json_object *array, struct json_object *value);

/* Split "a, b" (the name of a set) into an array; null for NULL. */
struct json_object *knp_ctl_list(const char *text);

/* The ports of a portset of @c->rs: [ "80/TCP", ... ]; empty for 0. */
struct json_object *knp_ctl_ports(const struct knp_ctl *c, uint32_t portset);

/* What a column is. */
#define CTL_RIGHT	1	/* numbers: aligned to the right */
#define CTL_EXTRA	2	/* only with -o wide */
#define CTL_VERDICT	4	/* "pass" is green, "drop" is red */
#define CTL_PORTS	8	/* what is allowed: green, nothing is red */

/** struct knp_column - a column of a table */
struct knp_column {
	const char *key;	/* member of each row */
	const char *title;
	unsigned int flags;
};

/*
 * Print an array of objects: as table, or as { "name": [ ... ] } in a document.
 * The array is put.
 */
void knp_ctl_print(const struct knp_ctl *c, const char *name,
		   struct json_object *rows, const struct knp_column *columns,
		   size_t ncolumns);

/* Print rows as a table only, in any mode; the array stays the caller's. */
void knp_ctl_print_table(const struct knp_ctl *c, struct json_object *rows,
			 const struct knp_column *columns, size_t ncolumns);

/* Print a document as JSON or YAML, and put it. */
void knp_ctl_print_doc(const struct knp_ctl *c, struct json_object *doc);

/* The same for one of many: a line of JSON, or a YAML document. */
void knp_ctl_print_line(const struct knp_ctl *c, struct json_object *doc);

/*
 * Whether to use colours: standard output is a terminal, TERM is not "dumb", and
 * NO_COLOR (no-color.org) is not set to anything.
 */
bool knp_ctl_colored(void);

/* What starts and ends a text of that colour; "" without colours. */
const char *knp_ctl_green(void);
const char *knp_ctl_red(void);
const char *knp_ctl_plain(void);

/* The subcommands; argv[0] is the command's name. */
int knp_ctl_status(int argc, char **argv);
int knp_ctl_wait(int argc, char **argv);
int knp_ctl_get(int argc, char **argv);
int knp_ctl_explain(int argc, char **argv);
int knp_ctl_monitor(int argc, char **argv);
int knp_ctl_stats(int argc, char **argv);
int knp_ctl_top(int argc, char **argv);
int knp_ctl_diff(int argc, char **argv);
int knp_ctl_simulate(int argc, char **argv);
int knp_ctl_attach(int argc, char **argv);
int knp_ctl_detach(int argc, char **argv);
int knp_ctl_config(int argc, char **argv);
int knp_ctl_restore(int argc, char **argv);

#endif /* KNP_CTL_H */
