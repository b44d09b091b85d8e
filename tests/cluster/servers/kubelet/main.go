// SPDX-License-Identifier: Apache-2.0

// Command kubelet stands in for scheduler, kubelet, container runtime and network
// plugin of the one node that runs the specs: it registers the node, binds every
// pod to it, gives the pod a network namespace with an address of its own, starts
// its command there, and runs commands in it for the API server.
//
// There are no images and no mounts: a pod's command is a program of this
// machine. Everything is IPv4; pods are routed, a /32 and a veth each.
package main

import (
	"context"
	"flag"
	"os/signal"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

func main() {
	var node node
	var files tlsFiles

	kubeconfig := flag.String("kubeconfig", "", "the way to the API server")
	listen := flag.String("listen", ":10250", "where commands are taken")
	flag.StringVar(&node.name, "node", "", "the name to register")
	flag.StringVar(&node.address, "address", "", "the node's InternalIP")
	flag.StringVar(&node.external, "external", "",
		"ADDRESS:PORT at which the API server reaches -listen")
	flag.StringVar(&files.cert, "tls-cert", "", "this server's certificate")
	flag.StringVar(&files.key, "tls-key", "", "its key")
	flag.StringVar(&files.clients, "client-ca", "", "the clients' authority")
	flag.Parse()

	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		klog.Fatal(err)
	}
	// The default of 5 requests a second is for a real node's pace.
	config.QPS = 200
	config.Burst = 400
	client := kubernetes.NewForConfigOrDie(config)
	pods := newPods(client, node)
	server := newServer(*listen, pods, files)
	if err := node.register(ctx, client); err != nil {
		klog.Fatal(err)
	}
	go func() {
		klog.Fatal(server.ListenAndServeTLS(files.cert, files.key))
	}()
	pods.run(ctx)
}
