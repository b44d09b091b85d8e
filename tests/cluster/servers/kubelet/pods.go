// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

const workers = 4

// pods makes the pods of this machine what the API server says. The queue gives
// a name to one worker at a time; only the map of sandboxes is shared.
type pods struct {
	client   kubernetes.Interface
	node     node
	queue    workqueue.TypedRateLimitingInterface[cache.ObjectName]
	informer cache.SharedIndexInformer

	mutex     sync.Mutex
	sandboxes map[cache.ObjectName]*sandbox
	addresses addresses
}

func newPods(client kubernetes.Interface, node node) *pods {
	p := &pods{
		client: client,
		node:   node,
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.DefaultTypedControllerRateLimiter[cache.ObjectName]()),
		informer: informers.NewSharedInformerFactory(client, 0).
			Core().V1().Pods().Informer(),
		sandboxes: map[cache.ObjectName]*sandbox{},
	}
	changed := func(object any) {
		name, err := cache.DeletionHandlingObjectToName(object)
		if err != nil {
			klog.Fatal(err)
		}
		p.queue.Add(name)
	}
	p.informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    changed,
		UpdateFunc: func(_, object any) { changed(object) },
		DeleteFunc: changed,
	})
	return p
}

// run returns when the context ends, with every sandbox gone.
func (p *pods) run(ctx context.Context) {
	go p.informer.RunWithContext(ctx)
	if !cache.WaitForCacheSync(ctx.Done(), p.informer.HasSynced) {
		return
	}
	var done sync.WaitGroup
	for range workers {
		done.Go(func() {
			for p.next(ctx) {
			}
		})
	}
	<-ctx.Done()
	p.queue.ShutDown()
	done.Wait()
	for name := range p.sandboxes {
		p.stop(name)
	}
}

func (p *pods) next(ctx context.Context) bool {
	name, last := p.queue.Get()
	if last {
		return false
	}
	defer p.queue.Done(name)
	err := p.tend(ctx, name)
	if err != nil {
		klog.Errorf("%s: %v", name, err)
		p.queue.AddRateLimited(name)
		return true
	}
	p.queue.Forget(name)
	return true
}

func (p *pods) sandbox(name cache.ObjectName) *sandbox {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.sandboxes[name]
}

func (p *pods) tend(ctx context.Context, name cache.ObjectName) error {
	object, exists, err := p.informer.GetIndexer().GetByKey(name.String())
	if err != nil {
		return err
	}
	if !exists {
		p.stop(name)
		return nil
	}
	pod := object.(*v1.Pod)
	if s := p.sandbox(name); s != nil && s.uid != pod.UID {
		p.stop(name)
	}
	switch {
	case pod.DeletionTimestamp != nil:
		p.stop(name)
		return p.forget(ctx, pod)
	case pod.Spec.NodeName == "":
		return p.bind(ctx, pod)
	}
	s, err := p.start(name, pod)
	if err != nil || pod.Status.PodIP == s.address.String() {
		return err
	}
	return p.report(ctx, pod, s)
}

func (p *pods) start(name cache.ObjectName, pod *v1.Pod) (*sandbox, error) {
	if s := p.sandbox(name); s != nil {
		return s, nil
	}
	p.mutex.Lock()
	address := p.addresses.take()
	p.mutex.Unlock()
	s, err := newSandbox(address, pod.UID)
	if err == nil {
		err = s.start(pod.Spec.Containers)
		if err != nil {
			s.stop()
		}
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if err != nil {
		p.addresses.give(address)
		return nil, err
	}
	p.sandboxes[name] = s
	return s, nil
}

func (p *pods) stop(name cache.ObjectName) {
	s := p.sandbox(name)
	if s == nil {
		return
	}
	s.stop()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(p.sandboxes, name)
	p.addresses.give(s.address)
}

// gone: another event tells of what came instead
func gone(err error) bool {
	return errors.IsNotFound(err) || errors.IsConflict(err)
}

func (p *pods) forget(ctx context.Context, pod *v1.Pod) error {
	now := int64(0)
	err := p.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name,
		metav1.DeleteOptions{
			GracePeriodSeconds: &now,
			Preconditions:      &metav1.Preconditions{UID: &pod.UID},
		})
	if gone(err) {
		return nil
	}
	return err
}

func (p *pods) bind(ctx context.Context, pod *v1.Pod) error {
	err := p.client.CoreV1().Pods(pod.Namespace).Bind(ctx, &v1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: pod.Name, UID: pod.UID},
		Target:     v1.ObjectReference{Kind: "Node", Name: p.node.name},
	}, metav1.CreateOptions{})
	if gone(err) {
		return nil
	}
	return err
}

func conditions(kinds ...v1.PodConditionType) (all []v1.PodCondition) {
	for _, kind := range kinds {
		all = append(all, v1.PodCondition{
			Type: kind, Status: v1.ConditionTrue})
	}
	return all
}

func (p *pods) report(ctx context.Context, pod *v1.Pod, s *sandbox) error {
	address := s.address.String()
	status := v1.PodStatus{
		Phase:  v1.PodRunning,
		HostIP: p.node.address,
		PodIP:  address,
		PodIPs: []v1.PodIP{{IP: address}},
		Conditions: conditions(v1.PodScheduled, v1.PodInitialized,
			v1.ContainersReady, v1.PodReady),
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": pod.UID},
		"status":   status,
	})
	if err != nil {
		return fmt.Errorf("status: %w", err)
	}
	_, err = p.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name,
		types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	if gone(err) {
		return nil
	}
	return err
}
