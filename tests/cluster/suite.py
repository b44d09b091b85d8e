# SPDX-License-Identifier: Apache-2.0
"""Kubernetes' own NetworkPolicy specs, run by ginkgo on this machine."""
import os
import time

import servers as processes

POLL = 0.1


class Suite:
    """The specs and what they said, in a folder that outlives the run."""

    def __init__(self, servers, folder, focus, parallel):
        self.servers, self.folder = servers, folder
        # The framework brings some hundred specs of other things along.
        self.focus, self.parallel = "Netpol.*(%s)" % focus, parallel
        self.process = self.lines = None

    def _lines_path(self):
        return os.path.join(self.folder, "lines")

    def _command(self):
        programs = self.servers.programs
        ginkgo = {
            "procs": self.parallel, "focus": self.focus, "timeout": "2h",
            "keep-going": "true", "no-color": "true"}
        framework = {
            "kubeconfig": self.servers.admin, "provider": "skeleton",
            "num-nodes": 1, "allowed-not-ready-nodes": -1,
            "minStartupPods": 0, "dump-logs-on-failure": "false",
            "lines": self._lines_path()}

        def flags(values):
            return ["--%s=%s" % flag for flag in values.items()]

        return [os.path.join(programs, "ginkgo"), *flags(ginkgo),
                os.path.join(programs, "netpol.test"), "--",
                *flags(framework)]

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        self.lines = open(self._lines_path(), "w+", encoding="utf-8")
        self.process = processes.Process("ginkgo", self.folder,
                                         self._command())
        self.process.start()

    def next(self):
        """The next line; after the last one, the word end and the status."""
        while True:
            running = self.process.running()
            line = self.lines.readline()
            if line:
                return line.rstrip("\n")
            if not running:
                return "end %d" % self.process.process.returncode
            time.sleep(POLL)

    def stop(self):
        if self.process is not None:
            self.process.stop()
            self.lines.close()
