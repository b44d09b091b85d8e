// SPDX-License-Identifier: Apache-2.0
/* JSON values that cannot fail, and how they look: as tables, JSON or YAML. */
#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libsmartcols.h>

#include "yaml_write.h"

static void out_of_memory(void)
{
	fputs("knpctl: out of memory\n", stderr);
	exit(CTL_FAILED);
}

static void *must(void *p)
{
	if (!p)
		out_of_memory();
	return p;
}

struct json_object *knp_ctl_object(void)
{
	return must(json_object_new_object());
}

struct json_object *knp_ctl_array(void)
{
	return must(json_object_new_array());
}

void knp_ctl_add(struct json_object *obj, const char *key,
		 struct json_object *value)
{
	if (json_object_object_add(obj, key, value))
		out_of_memory();
}

void knp_ctl_add_text(struct json_object *obj, const char *key,
		      const char *text)
{
	/* json-c's NULL is JSON's null. */
	knp_ctl_add(obj, key, text ? must(json_object_new_string(text)) : NULL);
}

void knp_ctl_add_number(struct json_object *obj, const char *key, uint64_t n)
{
	knp_ctl_add(obj, key, must(json_object_new_uint64(n)));
}

void knp_ctl_add_bool(struct json_object *obj, const char *key, bool value)
{
	knp_ctl_add(obj, key, must(json_object_new_boolean(value)));
}

void knp_ctl_add_tag(struct json_object *obj, const char *key,
		     const uint8_t *tag)
{
	char hex[2 * KNP_TAG_LEN + 1];

	knp_ctl_add_text(obj, key, tag ? knp_tag_format(tag, hex) : NULL);
}

void knp_ctl_push(struct json_object *array, struct json_object *value)
{
	if (json_object_array_add(array, must(value)))
		out_of_memory();
}

struct json_object *knp_ctl_list(const char *text)
{
	struct json_object *array;
	const char *end;
	size_t len;

	if (!text)
		return NULL;

	array = knp_ctl_array();
	while (*text) {
		end = strstr(text, ", ");
		len = end ? (size_t)(end - text) : strlen(text);
		knp_ctl_push(array, json_object_new_string_len(text, (int)len));
		text += len + (end ? 2 : 0);
	}

	return array;
}

static char *cell(struct json_object *value)
{
	size_t i, n, len = 0;
	char *text = NULL;
	FILE *out;

	if (!value)
		return must(strdup("-"));
	if (json_object_is_type(value, json_type_boolean))
		return must(strdup(json_object_get_boolean(value) ?
				   "yes" : "no"));
	if (!json_object_is_type(value, json_type_array))
		return must(strdup(json_object_get_string(value)));

	n = json_object_array_length(value);
	if (!n)
		return must(strdup("-"));

	out = must(open_memstream(&text, &len));
	for (i = 0; i < n; i++)
		fprintf(out, "%s%s", i ? ", " : "",
			json_object_get_string(json_object_array_get_idx(value,
									 i)));
	if (fclose(out))
		out_of_memory();
	return text;
}

static const char *color_of(unsigned int flags, const char *text)
{
	if (flags & CTL_PORTS)
		return strcmp(text, "-") ? "green" : "red";
	if (!(flags & CTL_VERDICT))
		return NULL;
	if (!strcmp(text, "pass"))
		return "green";
	return strcmp(text, "drop") ? NULL : "red";
}

static void fill(struct libscols_table *table, struct json_object *row,
		 const struct knp_column *columns, size_t n)
{
	struct libscols_line *line = must(scols_table_new_line(table, NULL));
	struct json_object *value;
	const char *color;
	size_t i;
	char *text;

	for (i = 0; i < n; i++) {
		value = NULL;
		json_object_object_get_ex(row, columns[i].key, &value);
		text = cell(value);
		color = color_of(columns[i].flags, text);
		if (scols_line_refer_data(line, i, text))
			out_of_memory();
		if (color &&
		    scols_cell_set_color(scols_line_get_cell(line, i), color))
			out_of_memory();
	}
}

/* An empty table is its header, so that it is seen to be empty. */
static void print_header(const struct knp_column *columns, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		printf("%s%s", i ? " " : "", columns[i].title);
	putchar('\n');
}

static void print_columns(struct json_object *rows,
			  const struct knp_column *columns, size_t n)
{
	struct libscols_table *table = must(scols_new_table());
	bool tty = isatty(STDOUT_FILENO);
	size_t i;
	int flags;

	/* Scripts see every cell whole, on one line. */
	if (!tty)
		scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	scols_table_enable_colors(table, knp_ctl_colored());

	for (i = 0; i < n; i++) {
		flags = columns[i].flags & CTL_RIGHT ? SCOLS_FL_RIGHT : 0;
		if (tty && !flags)
			flags = SCOLS_FL_WRAP;
		must(scols_table_new_column(table, columns[i].title, 0, flags));
	}

	for (i = 0; i < json_object_array_length(rows); i++)
		fill(table, json_object_array_get_idx(rows, i), columns, n);
	scols_print_table(table);
	scols_unref_table(table);
}

void knp_ctl_print_table(const struct knp_ctl *c, struct json_object *rows,
			 const struct knp_column *columns, size_t ncolumns)
{
	struct knp_column *shown = must(calloc(ncolumns, sizeof(*shown)));
	size_t i, n = 0;

	for (i = 0; i < ncolumns; i++)
		if (c->format == CTL_WIDE || !(columns[i].flags & CTL_EXTRA))
			shown[n++] = columns[i];

	if (json_object_array_length(rows))
		print_columns(rows, shown, n);
	else
		print_header(shown, n);
	free(shown);
}

static const char *json_text(struct json_object *doc, int flags)
{
	flags |= JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE;
	return must((void *)json_object_to_json_string_ext(doc, flags));
}

static void print_doc(const struct knp_ctl *c, struct json_object *doc,
		      int flags)
{
	int err;

	if (c->format != CTL_YAML) {
		puts(json_text(doc, flags));
	} else {
		err = knp_yaml_write(stdout, doc);
		if (err)
			exit(knp_ctl_fail("cannot write YAML: %s",
					  strerror(-err)));
	}
	json_object_put(doc);
}

void knp_ctl_print_doc(const struct knp_ctl *c, struct json_object *doc)
{
	print_doc(c, doc, JSON_C_TO_STRING_PRETTY);
}

void knp_ctl_print_line(const struct knp_ctl *c, struct json_object *doc)
{
	print_doc(c, doc, 0);
}

bool knp_ctl_colored(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) &&
	       term && strcmp(term, "dumb");
}

const char *knp_ctl_green(void)
{
	return knp_ctl_colored() ? "\033[32m" : "";
}

const char *knp_ctl_red(void)
{
	return knp_ctl_colored() ? "\033[31m" : "";
}

const char *knp_ctl_plain(void)
{
	return knp_ctl_colored() ? "\033[0m" : "";
}

void knp_ctl_print(const struct knp_ctl *c, const char *name,
		   struct json_object *rows, const struct knp_column *columns,
		   size_t ncolumns)
{
	struct json_object *doc;

	if (knp_ctl_structured(c)) {
		doc = knp_ctl_object();
		knp_ctl_add_number(doc, "generation", c->info.generation);
		knp_ctl_add_bool(doc, "named", c->names != NULL);
		knp_ctl_add(doc, name, rows);
		knp_ctl_print_doc(c, doc);
		return;
	}

	knp_ctl_print_table(c, rows, columns, ncolumns);
	json_object_put(rows);
}
