// SPDX-License-Identifier: Apache-2.0

// Prints containerd's default seccomp profile, which is what the profile type
// RuntimeDefault means there, for a container with these capabilities:
//
//	go run . [CAPABILITY...] >FILE.json
package main

import (
	"encoding/json"
	"log"
	"os"

	"github.com/containerd/containerd/v2/contrib/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func main() {
	capabilities := specs.LinuxCapabilities{Bounding: os.Args[1:]}
	profile := seccomp.DefaultProfile(&specs.Spec{
		Process: &specs.Process{Capabilities: &capabilities},
	})
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", " ")
	if err := out.Encode(profile); err != nil {
		log.Fatal(err)
	}
}
