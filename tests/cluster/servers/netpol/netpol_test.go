// SPDX-License-Identifier: Apache-2.0

// Package netpol is Kubernetes' own end-to-end suite, of its specs only those of
// NetworkPolicy: what upstream's e2e.test runs with the focus "Netpol".
package netpol

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	"k8s.io/kubernetes/test/e2e"
	"k8s.io/kubernetes/test/e2e/framework"
	"k8s.io/kubernetes/test/e2e/framework/config"

	_ "k8s.io/kubernetes/test/e2e/framework/node/init"
	_ "k8s.io/kubernetes/test/e2e/network/netpol"
)

var linesPath = flag.String("lines", "/dev/null",
	"where one line is appended for each spec that ended")

func TestMain(m *testing.M) {
	config.CopyFlags(config.Flags, flag.CommandLine)
	framework.RegisterCommonFlags(flag.CommandLine)
	framework.RegisterClusterFlags(flag.CommandLine)
	flag.Parse()
	framework.AfterReadingAllFlags(&framework.TestContext)
	report(ginkgo.PreviewSpecs("").SpecReports)
	os.Exit(m.Run())
}

func TestNetpol(t *testing.T) {
	e2e.RunE2ETests(t)
}

// Several processes run specs at once: a line is one write at the file's end.
func say(format string, arguments ...any) {
	file, err := os.OpenFile(*linesPath, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	if _, err := fmt.Fprintf(file, format+"\n", arguments...); err != nil {
		panic(err)
	}
}

var (
	tags   = regexp.MustCompile(`\[[^]]*\]`)
	common = regexp.MustCompile(`^Netpol (NetworkPolicy )?` +
		`(between server and client )?`)
)

// The spec's text without what all have in common and without the tags, which
// say nothing more.
func title(spec ginkgo.SpecReport) string {
	words := strings.Fields(tags.ReplaceAllString(spec.FullText(), ""))
	return common.ReplaceAllString(strings.Join(words, " "), "")
}

// report has a line said before the suite and one after each spec. A preview
// forgets what was registered before it, as the framework's does.
func report(specs types.SpecReports) {
	all := 0
	for _, spec := range specs {
		if strings.Contains(spec.FullText(), "Netpol") {
			all++
		}
	}
	ginkgo.ReportBeforeSuite(func(suite ginkgo.Report) {
		say("specs %d of %d", suite.PreRunStats.SpecsThatWillRun, all)
	})
	ginkgo.ReportAfterEach(func(spec ginkgo.SpecReport) {
		if spec.State.Is(types.SpecStateSkipped | types.SpecStatePending) {
			return
		}
		say("%s\t%.1f\t%s\t%q", spec.State, spec.RunTime.Seconds(),
			title(spec), spec.Failure.Message)
	})
}
