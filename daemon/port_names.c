// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "port_names.h"
#include "strings.h"

int knp_port_names_id(struct knp_port_names *names, uint8_t proto,
		      const char *name, uint32_t *ret)
{
	struct knp_port_name rec = { .proto = proto };
	uint32_t id;
	int err;

	names->v.size = sizeof(rec);
	knp_buf_reset(&names->buf);
	knp_buf_u8(&names->buf, proto);
	knp_buf_str(&names->buf, name);
	if (names->buf.failed)
		return -ENOMEM;
	err = knp_intern(&names->ids, names->buf.v, names->buf.n, &id);
	if (err < 0)
		return err;
	if (err) {
		rec.name = knp_string_dup(name);
		if (!rec.name || !knp_recs_add(&names->v, &rec)) {
			knp_string_put(rec.name);
			return -ENOMEM;
		}
	}
	*ret = id;
	return 0;
}

int knp_port_names_resolve(const struct knp_port_names *names, uint32_t name,
			   const struct knp_cport *ports, size_t nports,
			   struct knp_recs *ret)
{
	const struct knp_port_name *rec = names->v.v;
	struct knp_port_of of = { .name = name };

	rec += name;
	for (size_t i = 0; i < nports; i++) {
		if (ports[i].proto != rec->proto ||
		    ports[i].name != rec->name)
			continue;
		of.port = ports[i].port;
		if (!knp_recs_add(ret, &of))
			return -ENOMEM;
	}
	return 0;
}

static int by_port_of(const void *a, const void *b)
{
	const struct knp_port_of *pa = a, *pb = b;

	if (pa->name != pb->name)
		return pa->name < pb->name ? -1 : 1;
	return (pa->port > pb->port) - (pa->port < pb->port);
}

void knp_port_names_sort(struct knp_recs *ports)
{
	struct knp_port_of *v = ports->v;
	size_t n = 0;

	if (ports->n < 2)
		return;
	qsort(v, ports->n, sizeof(*v), by_port_of);
	for (size_t i = 0; i < ports->n; i++)
		if (!n || by_port_of(&v[i], &v[n - 1]))
			v[n++] = v[i];
	ports->n = n;
}

static int by_name(const void *a, const void *b, void *arg)
{
	const struct knp_port_of *pa = a, *pb = b;
	const struct knp_port_name *names = arg;
	const struct knp_port_name *na = &names[pa->name];
	const struct knp_port_name *nb = &names[pb->name];
	int cmp = strcmp(na->name, nb->name);

	if (cmp)
		return cmp;
	if (na->proto != nb->proto)
		return na->proto < nb->proto ? -1 : 1;
	return (pa->port > pb->port) - (pa->port < pb->port);
}

int knp_port_names_write(const struct knp_port_names *names, struct knp_buf *b,
			 const struct knp_port_of *ports, size_t n)
{
	const struct knp_port_name *recs = names->v.v;
	struct knp_port_of *v = calloc(n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	if (n)
		memcpy(v, ports, n * sizeof(*v));
	qsort_r(v, n, sizeof(*v), by_name, names->v.v);
	knp_buf_u32(b, n);
	for (size_t i = 0; i < n; i++) {
		knp_buf_u8(b, recs[v[i].name].proto);
		knp_buf_str(b, recs[v[i].name].name);
		knp_buf_u32(b, v[i].port);
	}
	free(v);
	return 0;
}

void knp_port_names_clear(struct knp_port_names *names)
{
	struct knp_port_name *recs = names->v.v;

	for (size_t i = 0; i < names->v.n; i++)
		knp_string_put(recs[i].name);
	free(names->v.v);
	knp_intern_clear(&names->ids);
	knp_buf_clear(&names->buf);
	*names = (struct knp_port_names){ 0 };
}
