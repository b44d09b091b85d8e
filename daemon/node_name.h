/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name that Kubernetes has for a machine: a kubelet takes the host's, or what
 * it is told, in lower case, for an API server takes no other names. Whoever
 * looked for the pods of "Node1" would find none, and enforce nothing.
 */
#ifndef KNP_NODE_NAME_H
#define KNP_NODE_NAME_H

/* Make a name, of a host or from a command line, that of a node; returns it. PURE. */
char *knp_node_name(char *name);

#endif /* KNP_NODE_NAME_H */
