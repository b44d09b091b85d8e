// SPDX-License-Identifier: Apache-2.0

// Command agnhost is the two commands of Kubernetes' test image that the specs
// of NetworkPolicy run in their pods: the servers, and the attempt to connect.
// Upstream's program has forty more and takes ten times as long to start.
package main

import (
	"log"
	"os"
	"strings"

	"github.com/ishidawataru/sctp"
	"github.com/spf13/cobra"
	"k8s.io/kubernetes/test/images/agnhost/connect"
	"k8s.io/kubernetes/test/images/agnhost/porter"
)

const sctpPort = "SERVE_SCTP_PORT_"

func main() {
	root := &cobra.Command{Use: "agnhost"}
	porter.CmdPorter.PreRun = func(*cobra.Command, []string) { takeSCTP() }
	root.AddCommand(connect.CmdConnect, porter.CmdPorter)
	if err := root.Execute(); err != nil {
		os.Exit(1)
	}
}

// takeSCTP serves SCTP in upstream's place, which answers and closes before it was
// asked. On a slow machine that comes before upstream's client can ask, whose
// error then passes for a denied connection.
func takeSCTP() {
	for _, variable := range os.Environ() {
		name, answer, _ := strings.Cut(variable, "=")
		if port, ok := strings.CutPrefix(name, sctpPort); ok {
			os.Unsetenv(name)
			go serveSCTP(port, answer)
		}
	}
}

func serveSCTP(port, answer string) {
	address, err := sctp.ResolveSCTPAddr("sctp", "0.0.0.0:"+port)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := sctp.ListenSCTP("sctp", address)
	if err != nil {
		log.Fatal(err)
	}
	for {
		client, err := listener.AcceptSCTP()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer client.Close()
			if _, err := client.Read(make([]byte, 1024)); err == nil {
				client.Write([]byte(answer))
			}
		}()
	}
}
