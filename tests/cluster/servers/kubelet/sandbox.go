// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
)

// The same to every pod: a gateway that is on no wire but the pod's own.
var (
	gateway    = net.IPv4(169, 254, 1, 1)
	gatewayMAC = net.HardwareAddr{0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa}
	firstPod   = netip.AddrFrom4([4]byte{10, 244, 1, 1})
	lastPod    = netip.AddrFrom4([4]byte{10, 244, 1, 254})
)

// addresses gives them out in turn, so that one that was given back stays unused
// for as long as possible.
type addresses struct {
	last  netip.Addr
	taken map[netip.Addr]bool
}

func (a *addresses) take() netip.Addr {
	if a.taken == nil {
		a.taken = map[netip.Addr]bool{}
	}
	for next := a.last.Next(); ; next = next.Next() {
		if !next.IsValid() || lastPod.Less(next) {
			next = firstPod
		}
		if !a.taken[next] {
			a.taken[next] = true
			a.last = next
			return next
		}
	}
}

func (a *addresses) give(address netip.Addr) {
	delete(a.taken, address)
}

// sandbox is a pod's network namespace and the processes in it. The namespace
// lasts as long as they and this descriptor of it.
type sandbox struct {
	uid       types.UID
	address   netip.Addr
	namespace netns.NsHandle
	processes []*exec.Cmd
}

// inside runs a function in another network namespace: what it opens and starts
// belongs to that.
func inside(namespace netns.NsHandle, function func() error) error {
	return excursion(func() error {
		if err := netns.Set(namespace); err != nil {
			return err
		}
		return function()
	})
}

// excursion lets a function change the thread's network namespace. A thread that
// does not come back would put other pods' affairs into this one.
func excursion(function func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := netns.Get()
	if err != nil {
		return err
	}
	defer home.Close()
	err = function()
	if back := netns.Set(home); back != nil {
		klog.Fatalf("cannot leave a network namespace: %v", back)
	}
	return err
}

func newSandbox(address netip.Addr, uid types.UID) (*sandbox, error) {
	s := &sandbox{uid: uid, address: address}
	err := excursion(func() (err error) {
		s.namespace, err = netns.New()
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.connect(); err != nil {
		s.stop()
		return nil, fmt.Errorf("network of %s: %w", address, err)
	}
	return s, nil
}

func (s *sandbox) mac() net.HardwareAddr {
	ip := s.address.As4()
	return net.HardwareAddr{2, 0, ip[0], ip[1], ip[2], ip[3]}
}

// connect makes both ends of the pod's only wire.
func (s *sandbox) connect() error {
	ip := s.address.As4()
	outer := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{
			Name:         fmt.Sprintf("pod%d.%d", ip[2], ip[3]),
			HardwareAddr: gatewayMAC,
		},
		PeerName:         "eth0",
		PeerHardwareAddr: s.mac(),
		PeerNamespace:    netlink.NsFd(s.namespace),
	}
	if err := netlink.LinkAdd(outer); err != nil {
		return err
	}
	if err := netlink.LinkSetUp(outer); err != nil {
		return err
	}
	if err := neighbour(outer, s.address.AsSlice(), s.mac()); err != nil {
		return err
	}
	if err := route(outer, s.address.AsSlice(), nil); err != nil {
		return err
	}
	return inside(s.namespace, s.connectInside)
}

func (s *sandbox) connectInside() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return err
	}
	eth, err := netlink.LinkByName("eth0")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(eth); err != nil {
		return err
	}
	if err := netlink.AddrAdd(eth, &netlink.Addr{
		IPNet: netlink.NewIPNet(s.address.AsSlice())}); err != nil {
		return err
	}
	if err := neighbour(eth, gateway, gatewayMAC); err != nil {
		return err
	}
	if err := route(eth, gateway, nil); err != nil {
		return err
	}
	return route(eth, nil, gateway)
}

func neighbour(link netlink.Link, ip net.IP, mac net.HardwareAddr) error {
	return netlink.NeighSet(&netlink.Neigh{
		LinkIndex: link.Attrs().Index, State: netlink.NUD_PERMANENT,
		IP: ip, HardwareAddr: mac,
	})
}

// route to one address on the link, or to everything by a gateway.
func route(link netlink.Link, to, by net.IP) error {
	r := &netlink.Route{LinkIndex: link.Attrs().Index, Gw: by}
	if to != nil {
		r.Dst = netlink.NewIPNet(to)
		r.Scope = netlink.SCOPE_LINK
	}
	return netlink.RouteAdd(r)
}

// start starts the command of each container; their output goes to the log.
func (s *sandbox) start(containers []v1.Container) error {
	for _, container := range containers {
		words := slices.Concat(container.Command, container.Args)
		if len(words) == 0 {
			return fmt.Errorf("container %s has no command", container.Name)
		}
		command := exec.Command(words[0], words[1:]...)
		command.Stderr = os.Stderr
		for _, variable := range container.Env {
			command.Env = append(command.Env,
				variable.Name+"="+variable.Value)
		}
		if err := inside(s.namespace, command.Start); err != nil {
			return err
		}
		s.processes = append(s.processes, command)
	}
	return nil
}

// The longest that a command may run, and then what still reads its output. Probes
// give up after three seconds; one that nobody ends would hold up the whole suite.
const (
	longest = 30 * time.Second
	linger  = 5 * time.Second
)

// run runs a command to its end.
func (s *sandbox) run(ctx context.Context, words []string,
	stdout, stderr io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	command := exec.CommandContext(ctx, words[0], words[1:]...)
	command.WaitDelay = linger
	command.Stdout = stdout
	command.Stderr = stderr
	if err := inside(s.namespace, command.Start); err != nil {
		return err
	}
	return command.Wait()
}

func (s *sandbox) stop() {
	for _, process := range s.processes {
		process.Process.Kill()
		process.Wait()
	}
	s.namespace.Close()
}
