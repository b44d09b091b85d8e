// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <linux/bpf.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/tcp.h>

#include "maps.h"
#include "maps_keys.h"

struct kb_maps {
	struct bpf_map *ipcache;
	struct bpf_map *endpoints;
	struct bpf_map *policies[KB_PODS];
};

static void *lookup(struct bpf_map *map, void *key)
{
	return map->ops->map_lookup_elem(map, key);
}

static void addresses(const struct sk_buff *skb, u8 pf,
		      struct kb_ipcache_key *src, struct kb_endpoint_key *dst)
{
	if (pf == NFPROTO_IPV4) {
		memcpy(src->ip, &ip_hdr(skb)->saddr, 4);
		memcpy(dst->ip, &ip_hdr(skb)->daddr, 4);
		src->prefixlen = KB_IPCACHE_STATIC + 32;
		src->family = KB_FAMILY_V4;
	} else {
		memcpy(src->ip, &ipv6_hdr(skb)->saddr, 16);
		memcpy(dst->ip, &ipv6_hdr(skb)->daddr, 16);
		src->prefixlen = KB_IPCACHE_STATIC + 128;
		src->family = KB_FAMILY_V6;
	}
	dst->family = src->family;
}

static u32 identity(struct kb_maps *m, struct kb_ipcache_key *src)
{
	const struct kb_ipcache_value *v = lookup(m->ipcache, src);

	return v ? v->identity : KB_IDENTITY_WORLD;
}

unsigned int kb_maps_hook(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	const struct kb_policy_value *exact, *any;
	struct kb_endpoint_key dst = {};
	struct kb_ipcache_key src = {};
	struct kb_policy_key key = {
		.prefixlen = KB_POLICY_FULL,
		.proto = IPPROTO_TCP,
		.dport = tcp_hdr(skb)->dest,
	};
	struct kb_maps *m = priv;
	struct bpf_map *policy;
	const u32 *pod;

	addresses(skb, state->pf, &src, &dst);
	pod = lookup(m->endpoints, &dst);
	if (!pod)
		return NF_ACCEPT;
	policy = m->policies[*pod % KB_PODS];
	if (!policy)
		return NF_ACCEPT;

	key.identity = identity(m, &src);
	exact = lookup(policy, &key);
	if (exact && exact->deny)
		return NF_DROP;
	key.identity = 0;
	any = lookup(policy, &key);

	return (exact || (any && !any->deny)) ? NF_ACCEPT : NF_DROP;
}

static int map_take(struct bpf_map **map, int fd)
{
	struct bpf_map *found = bpf_map_get(fd);

	if (IS_ERR(found))
		return PTR_ERR(found);
	*map = found;

	return 0;
}

struct kb_maps *kb_maps_new(const struct kb_lane_new *arg)
{
	struct kb_maps *m;
	unsigned int i;
	int *fds, err;

	fds = memdup_user(u64_to_user_ptr(arg->policies),
			  sizeof(*fds) * KB_PODS);
	if (IS_ERR(fds))
		return ERR_CAST(fds);
	m = kzalloc(sizeof(*m), GFP_KERNEL);
	err = -ENOMEM;
	if (!m)
		goto out;
	err = map_take(&m->ipcache, arg->ipcache);
	if (err)
		goto out;
	err = map_take(&m->endpoints, arg->endpoints);
	if (err)
		goto out;
	for (i = 0; i < KB_PODS; i++) {
		if (fds[i] < 0)
			continue;
		err = map_take(&m->policies[i], fds[i]);
		if (err)
			goto out;
	}
out:
	kfree(fds);
	if (err) {
		kb_maps_free(m);
		return ERR_PTR(err);
	}

	return m;
}

static void map_drop(struct bpf_map *map)
{
	if (map)
		bpf_map_put(map);
}

void kb_maps_free(struct kb_maps *m)
{
	unsigned int i;

	if (!m)
		return;
	for (i = 0; i < KB_PODS; i++)
		map_drop(m->policies[i]);
	map_drop(m->endpoints);
	map_drop(m->ipcache);
	kfree(m);
}

MODULE_IMPORT_NS("BPF_INTERNAL");
