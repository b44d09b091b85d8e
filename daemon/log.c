// SPDX-License-Identifier: Apache-2.0
#include "log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
	const char *program;
	enum knp_level level;
	bool journal;
} config = { .program = "knp", .level = KNP_LOG_INFO };

void knp_log_open(const char *program, enum knp_level level)
{
	config.program = program;
	config.level = level;
	config.journal = getenv("JOURNAL_STREAM") != NULL;
}

static const char *word(enum knp_level level)
{
	if (level <= KNP_LOG_ERR)
		return "error: ";
	if (level == KNP_LOG_WARNING)
		return "warning: ";
	return "";
}

void knp_log(enum knp_level level, const char *format, ...)
{
	char line[4096];
	va_list args;
	char *p;

	if (level > config.level)
		return;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);

	/* Names come from manifests: one line must stay one line. */
	for (p = line; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';

	if (config.journal)
		fprintf(stderr, "<%d>%s\n", (int)level, line);
	else
		fprintf(stderr, "%s: %s%s\n", config.program, word(level),
			line);
}
