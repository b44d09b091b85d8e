// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "mem.h"
#include "ranges.h"

/* Work between two offers to reschedule, some 10 us. */
#define BATCH 1024

/* 0 .. 128 nested prefixes */
#define DEPTH_MAX 129

/** struct start - the start of a range */
struct start {
	u64 hi;
	u64 lo;
};

/*
 * A leaf: @n starts, then as many classes. A node: as many pointers as its
 * part has, then as many starts.
 */
struct leaf {
	u64 n;
	struct start starts[];
};

static __always_inline const u16 *leaf_classes(const struct leaf *leaf)
{
	return (const void *)&leaf->starts[leaf->n];
}

/* Bytes of @n pointers, such that starts may follow. */
static __always_inline u32 node_ptr_bytes(u32 n)
{
	return (n * sizeof(struct knp_part *) + 7) & ~7U;
}

static __always_inline const struct start *
node_starts(const struct knp_part *node)
{
	return (const void *)((const u8 *)knp_part_data(node) +
			      node_ptr_bytes(node->nptrs));
}

/* The last start that is not after the address; the first never is. */
static __always_inline u32 search(const struct start *s, u32 n, u64 hi, u64 lo)
{
	u32 i = 0;

	while (n > 1) {
		u32 half = n / 2;

		if (s[i + half].hi < hi ||
		    (s[i + half].hi == hi && s[i + half].lo <= lo))
			i += half;
		n -= half;
	}
	return i;
}

/* Half of an address in host byte order; compilers see one byte swap. */
static __always_inline u64 half_at(const u8 *b)
{
	return (u64)b[0] << 56 | (u64)b[1] << 48 | (u64)b[2] << 40 |
	       (u64)b[3] << 32 | (u64)b[4] << 24 | (u64)b[5] << 16 |
	       (u64)b[6] << 8 | b[7];
}

u32 knp_ranges_class(const struct knp_part *part, const struct knp_addr *addr)
{
	u64 hi = half_at(addr->b), lo = half_at(addr->b + 8);
	const struct leaf *leaf;
	u32 i;

	if (!part)
		return 0;

	while (part->level) {
		i = search(node_starts(part), part->nptrs, hi, lo);
		part = knp_part_child(part, i);
	}

	leaf = knp_part_data(part);
	i = search(leaf->starts, leaf->n, hi, lo);
	return leaf_classes(leaf)[i];
}

void knp_prefix_set(struct knp_prefix *p, const struct knp_addr *addr)
{
	p->hi = half_at(addr->b);
	p->lo = half_at(addr->b + 8);
}

/* A prefix stands before those that lie in it. */
static bool is_before(const struct knp_prefix *a, const struct knp_prefix *b)
{
	if (a->hi != b->hi)
		return a->hi < b->hi;
	if (a->lo != b->lo)
		return a->lo < b->lo;
	return a->len < b->len;
}

static void merge(struct knp_prefix *to, const struct knp_prefix *a, u32 na,
		  const struct knp_prefix *b, u32 nb)
{
	u32 batch = 0;

	while (na || nb) {
		if (!nb || (na && !is_before(b, a))) {
			*to++ = *a++;
			na--;
		} else {
			*to++ = *b++;
			nb--;
		}
		if (++batch % BATCH == 0)
			cond_resched();
	}
}

/* Merge sort: sort() of the kernel does not reschedule. */
static void sort_prefixes(struct knp_prefix *p, struct knp_prefix *scratch,
			  u32 n)
{
	u32 width, i, na, nb;

	for (width = 1; width < n; width *= 2) {
		for (i = 0; i < n; i += na + nb) {
			na = n - i < width ? n - i : width;
			nb = n - i - na < width ? n - i - na : width;
			merge(scratch + i, p + i, na, p + i + na, nb);
		}
		cond_resched();
		memcpy(p, scratch, n * sizeof(*p));
	}
}

/* The last address of a prefix. */
static void last_of(const struct knp_prefix *p, u64 *hi, u64 *lo)
{
	*hi = p->hi;
	*lo = p->lo;
	if (p->len < 64) {
		*hi |= ~0ULL >> p->len;
		*lo = ~0ULL;
	} else if (p->len < 128) {
		*lo |= ~0ULL >> (p->len - 64);
	}
}

static bool lies_in(const struct knp_prefix *p, const struct knp_prefix *outer)
{
	u64 hi, lo;

	last_of(outer, &hi, &lo);
	return p->hi < hi || (p->hi == hi && p->lo <= lo);
}

/* Append a range, or change the class of the last if it starts there. */
static u32 emit(struct knp_prefix *out, u32 n, u64 hi, u64 lo, u16 class_id)
{
	if (n && out[n - 1].hi == hi && out[n - 1].lo == lo)
		n--;
	if (n && out[n - 1].class_id == class_id)
		return n;

	out[n] = (struct knp_prefix){
		.hi = hi, .lo = lo, .class_id = class_id,
	};
	return n + 1;
}

/* The range behind a prefix belongs to the prefix around it. */
static u32 emit_end(struct knp_prefix *out, u32 n, const struct knp_prefix *p,
		    u16 class_id)
{
	u64 hi, lo;

	last_of(p, &hi, &lo);
	if (!++lo && !++hi)
		return n;
	return emit(out, n, hi, lo, class_id);
}

/* Sorted prefixes to ranges, at most 2n + 1; returns how many. */
static u32 cut(const struct knp_prefix *p, u32 n, struct knp_prefix *out)
{
	const struct knp_prefix *around[DEPTH_MAX];
	u32 nout = emit(out, 0, 0, 0, 0);
	u32 depth = 0;
	u32 i = 0;

	while (i < n || depth) {
		if (depth && (i == n || !lies_in(&p[i], around[depth - 1]))) {
			depth--;
			nout = emit_end(out, nout, around[depth],
					depth ? around[depth - 1]->class_id : 0);
			continue;
		}
		nout = emit(out, nout, p[i].hi, p[i].lo, p[i].class_id);
		around[depth++] = &p[i++];
		if (i % BATCH == 0)
			cond_resched();
	}
	return nout;
}

static struct knp_part *new_leaf(const struct knp_prefix *p, u32 n)
{
	u32 size = sizeof(struct leaf) + n * (sizeof(struct start) +
					      sizeof(u16));
	struct knp_part *part = knp_part_new(size, 0, 0);
	struct leaf *leaf;
	u16 *classes;
	u32 i;

	if (!part)
		return NULL;

	leaf = (struct leaf *)part->data;
	leaf->n = n;
	classes = (u16 *)&leaf->starts[n];
	for (i = 0; i < n; i++) {
		leaf->starts[i] = (struct start){ p[i].hi, p[i].lo };
		classes[i] = p[i].class_id;
	}
	return part;
}

/* A node takes over the references to its children. */
static struct knp_part *new_node(struct knp_part **children, u32 n)
{
	u32 size = node_ptr_bytes(n) + n * sizeof(struct start);
	struct knp_part *part;
	struct start *starts;
	u32 i;

	part = knp_part_new(size, n, sizeof(struct knp_part *));
	if (!part)
		return NULL;

	part->level = children[0]->level + 1;
	memcpy(part->data, children, n * sizeof(struct knp_part *));
	starts = (struct start *)node_starts(part);
	for (i = 0; i < n; i++) {
		const struct leaf *leaf = knp_part_data(children[i]);

		starts[i] = children[i]->level ? *node_starts(children[i]) :
						 leaf->starts[0];
	}
	return part;
}

static void put_all(struct knp_part **parts, u32 n)
{
	while (n)
		knp_part_put(parts[--n]);
}

int knp_ranges_pack(const struct knp_prefix *p, u32 n, struct knp_part **ret)
{
	const u32 room = KNP_PART_BYTES - KNP_PART_HEAD;
	const u32 per_leaf = (room - sizeof(struct leaf)) /
			     (sizeof(struct start) + sizeof(u16));
	const u32 per_node = (room - 7) /
			     (sizeof(struct start) + sizeof(struct knp_part *));
	struct knp_part **parts, *part;
	u32 nparts = (n + per_leaf - 1) / per_leaf;
	u32 i, done, some;

	parts = knp_vcalloc(nparts, sizeof(struct knp_part *));
	if (!parts)
		return -ENOMEM;

	for (i = 0; i < nparts; i++) {
		some = n - i * per_leaf;
		some = some < per_leaf ? some : per_leaf;
		parts[i] = new_leaf(p + i * per_leaf, some);
		if (!parts[i])
			goto err_put;
		cond_resched();
	}

	while (nparts > 1) {
		for (i = 0, done = 0; done < nparts; i++, done += some) {
			some = nparts - done;
			some = some < per_node ? some : per_node;
			part = new_node(parts + done, some);
			if (!part)
				goto err_close_up;
			memset(parts + done, 0, some * sizeof(*parts));
			parts[i] = part;
		}
		nparts = i;
	}

	*ret = parts[0];
	knp_vfree(parts);
	return 0;

err_close_up:
	i = nparts;
err_put:
	put_all(parts, i);
	knp_vfree(parts);
	return -ENOMEM;
}

struct knp_prefix *knp_ranges_cut(struct knp_prefix *p, u32 n, u32 *ret_n)
{
	struct knp_prefix *out;

	/* First the sort's second buffer, then the ranges. */
	out = knp_vcalloc(2 * (size_t)n + 1, sizeof(*out));
	if (!out)
		return NULL;

	sort_prefixes(p, out, n);
	*ret_n = cut(p, n, out);
	return out;
}
