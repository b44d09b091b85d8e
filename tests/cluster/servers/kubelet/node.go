// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"net"
	"strconv"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

type node struct {
	name     string
	address  string
	external string
}

func (n node) status() (v1.NodeStatus, error) {
	host, text, err := net.SplitHostPort(n.external)
	if err != nil {
		return v1.NodeStatus{}, err
	}
	port, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return v1.NodeStatus{}, err
	}
	return v1.NodeStatus{
		Addresses: []v1.NodeAddress{
			{Type: v1.NodeInternalIP, Address: n.address},
			{Type: v1.NodeExternalIP, Address: host},
			{Type: v1.NodeHostName, Address: n.name},
		},
		Conditions: []v1.NodeCondition{
			{Type: v1.NodeReady, Status: v1.ConditionTrue},
		},
		DaemonEndpoints: v1.NodeDaemonEndpoints{
			KubeletEndpoint: v1.DaemonEndpoint{Port: int32(port)},
		},
	}, nil
}

// register makes the node, ready and without the taint that admission gives every
// new node: the controller that would take it away does not run.
func (n node) register(ctx context.Context, client kubernetes.Interface) error {
	status, err := n.status()
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	nodes := client.CoreV1().Nodes()
	_, err = nodes.Create(ctx, &v1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: n.name,
		Labels: map[string]string{
			v1.LabelHostname: n.name,
			v1.LabelOSStable: "linux",
		},
	}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if _, err := nodes.Patch(ctx, n.name, types.StrategicMergePatchType,
		patch, metav1.PatchOptions{}, "status"); err != nil {
		return err
	}
	_, err = nodes.Patch(ctx, n.name, types.MergePatchType,
		[]byte(`{"spec":{"taints":null}}`), metav1.PatchOptions{})
	return err
}
