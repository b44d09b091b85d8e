/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests: YAML and JSON files -> objects.
 *
 * A file is taken whole or not at all: one that cannot be read to its end as
 * YAML or JSON yields a fault and no object. Objects in a readable file are
 * judged one by one (decode.h).
 *
 * YAML means what kubectl makes of it: plain scalars are null, bool, int or
 * float where they look so (YAML 1.1, so that yes and on are bool), quoted
 * ones are strings, several documents, anchors and aliases. Refused: duplicate
 * keys, merge keys, tags of one's own, more than 64 levels, 64 MiB, or 8
 * million nodes after aliases are followed. Names *.json are read as JSON;
 * others as JSON if they are, else as YAML.
 */
#ifndef KNP_MANIFEST_H
#define KNP_MANIFEST_H

#include <stdbool.h>
#include "decode.h"
#include "faults.h"
#include "store.h"

#define KNP_MANIFEST_SIZE_MAX	(64UL << 20)
#define KNP_MANIFEST_DEPTH_MAX	64
#define KNP_MANIFEST_NODES_MAX	(8UL << 20)

/**
 * knp_manifest_parse() - decode a manifest in memory
 * @text: the bytes
 * @len: how many
 * @file: its name: for faults, and for the ending .json
 * @ret: replaced on success; the same object twice is there once
 * @faults: appended to, may be NULL
 *
 * Return: 0; -EINVAL if it is no YAML or JSON (a fault says where); -EFBIG;
 * -ENOMEM. @ret is untouched on failure.
 */
int knp_manifest_parse(const void *text, size_t len, const char *file,
		       struct knp_objects *ret, struct knp_faults *faults);

/**
 * knp_manifest_read() - decode one file
 *
 * As knp_manifest_parse(), and -errno of open() and read(), with a fault. May
 * be a pipe; "-" is standard input.
 */
int knp_manifest_read(const char *path, struct knp_objects *ret,
		      struct knp_faults *faults);

/**
 * knp_manifest_load() - read a file or a folder into a store
 * @path: a file; or a folder, of which the files that knp_manifest_suits()
 *	are read, in the order of their names, no subfolders; or "-"
 * @store: where to
 * @faults: appended to, may be NULL
 *
 * The same object in two files is a fault that names both; the first counts.
 *
 * Return: 0 if every object of every file is in @store; -EINVAL if something
 * was refused or a file could not be read, with faults, and the rest is in
 * @store; -errno if @path is not there or cannot be listed, with a fault;
 * -ENOMEM.
 */
int knp_manifest_load(const char *path, struct knp_store *store,
		      struct knp_faults *faults);

/* Whether a file of a folder counts: *.yaml, *.yml, *.json, not hidden. */
bool knp_manifest_suits(const char *name);

/**
 * knp_manifest_slurp() - read a file or pipe to its end
 * @fd: open for reading, stays open
 * @ret: the bytes, to free(); a NUL follows them
 * @len: how many
 *
 * Return: 0, -EFBIG, -ENOMEM, or -errno of read().
 */
int knp_manifest_slurp(int fd, char **ret, size_t *len);

#endif /* KNP_MANIFEST_H */
