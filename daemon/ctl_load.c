// SPDX-License-Identifier: Apache-2.0
/* Manifests of several files, as the objects of one cluster. */
#include "ctl_load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "manifest.h"

void knp_ctl_fault(const struct knp_fault *fault)
{
	char *line = knp_fault_format(fault);

	fprintf(stderr, "knpctl: %s\n", line ? line : fault->file);
	free(line);
}

static void print_faults(const struct knp_faults *faults)
{
	for (size_t i = 0; i < faults->n; i++)
		knp_ctl_fault(&faults->v[i]);
}

static int twice(const char *file, const char *kind, const char *ns,
		 const char *name)
{
	fprintf(stderr, "knpctl: %s: %s %s%s%s: is in another -f too\n", file,
		kind, ns, *ns ? "/" : "", name);
	return CTL_USAGE;
}

static int out_of_memory(void)
{
	return knp_ctl_fail("out of memory");
}

/* Move what one -f says to what the others said. */
static int move(struct knp_store *to, struct knp_store *from, const char *file)
{
	struct knp_namespace *ns;
	struct knp_policy *policy;
	struct knp_pod *pod;

	while (from->nnamespaces) {
		ns = from->namespaces[from->nnamespaces - 1];
		if (knp_store_namespace(to, ns->name))
			return twice(file, "Namespace", "", ns->name);
		ns = knp_store_take_namespace(from, ns->name);
		if (knp_store_put_namespace(to, ns))
			return out_of_memory();
	}
	while (from->npods) {
		pod = from->pods[from->npods - 1];
		if (knp_store_pod(to, pod->ns, pod->name))
			return twice(file, "Pod", pod->ns, pod->name);
		pod = knp_store_take_pod(from, pod->ns, pod->name);
		if (knp_store_put_pod(to, pod))
			return out_of_memory();
	}
	while (from->npolicies) {
		policy = from->policies[from->npolicies - 1];
		if (knp_store_policy(to, policy->ns, policy->name))
			return twice(file, "NetworkPolicy", policy->ns,
				     policy->name);
		policy = knp_store_take_policy(from, policy->ns, policy->name);
		if (knp_store_put_policy(to, policy))
			return out_of_memory();
	}
	return 0;
}

int knp_ctl_load(const char *file, bool keep_going, struct knp_store *to)
{
	struct knp_store *store = knp_store_new();
	struct knp_faults faults = { 0 };
	int status = 0;
	int err;

	if (!store)
		return out_of_memory();
	err = knp_manifest_load(file, store, &faults);
	print_faults(&faults);
	if (err == -ENOMEM)
		status = out_of_memory();
	else if (err && (err != -EINVAL || !keep_going))
		status = CTL_USAGE;
	else
		status = move(to, store, file);
	knp_faults_clear(&faults);
	knp_store_free(store);
	return status;
}
