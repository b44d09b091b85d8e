// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"k8s.io/client-go/tools/cache"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"k8s.io/klog/v2"
	utilexec "k8s.io/utils/exec"
)

const idle = time.Minute

type tlsFiles struct {
	cert, key, clients string
}

// newServer answers `exec` for clients whose certificate the authority has signed.
func newServer(listen string, pods *pods, files tlsFiles) *http.Server {
	authority, err := os.ReadFile(files.clients)
	if err != nil {
		klog.Fatal(err)
	}
	clients := x509.NewCertPool()
	if !clients.AppendCertsFromPEM(authority) {
		klog.Fatalf("%s: no certificate", files.clients)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/exec/{namespace}/{pod}/{container}", pods.serveExec)
	return &http.Server{
		Addr:    listen,
		Handler: mux,
		TLSConfig: &tls.Config{
			ClientCAs:  clients,
			ClientAuth: tls.RequireAndVerifyClientCert,
			// a connection that changes its protocol cannot be HTTP/2
			NextProtos: []string{"http/1.1"},
		},
	}
}

func (p *pods) serveExec(w http.ResponseWriter, r *http.Request) {
	name := cache.ObjectName{
		Namespace: r.PathValue("namespace"), Name: r.PathValue("pod")}
	s := p.sandbox(name)
	words := r.URL.Query()["command"]
	options, err := remotecommand.NewOptions(r)
	if s == nil || len(words) == 0 || err != nil {
		klog.Errorf("exec %s: refused: pod %t, %d words, %v", name,
			s != nil, len(words), err)
		http.Error(w, "no such pod, or no command", http.StatusBadRequest)
		return
	}
	remotecommand.ServeExec(w, r, executor{name, s}, name.Name, "",
		r.PathValue("container"), words, options, idle,
		remotecommand.DefaultStreamCreationTimeout,
		remotecommand.SupportedStreamingProtocols)
}

type executor struct {
	name    cache.ObjectName
	sandbox *sandbox
}

// ExecInContainer logs a line of every command and its end: the specs take an
// error of any kind for a connection that was denied, so the scenario counts.
func (e executor) ExecInContainer(ctx context.Context, _, _, _ string,
	words []string, _ io.Reader, stdout, stderr io.WriteCloser, _ bool,
	_ <-chan remotecommand.TerminalSize, _ time.Duration) error {
	var said strings.Builder
	var exited *exec.ExitError

	err := e.sandbox.run(ctx, words, stdout, io.MultiWriter(stderr, &said))
	switch {
	case err == nil:
		klog.Infof("exec %s: %q: CONNECTED", e.name, words)
	case errors.As(err, &exited) && exited.Exited():
		klog.Infof("exec %s: %q: %s", e.name, words,
			strings.TrimSpace(said.String()))
		return utilexec.CodeExitError{Err: err, Code: exited.ExitCode()}
	default:
		klog.Errorf("exec %s: %q: BROKEN: %v", e.name, words, err)
	}
	return err
}
