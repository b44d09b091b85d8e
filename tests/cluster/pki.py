# SPDX-License-Identifier: Apache-2.0
"""A small PKI, made by openssl for one run: everything is thrown away."""
import os
import subprocess

# Where the guest finds this machine's loopback (QEMU user networking).
GUEST_GATEWAY = "10.0.2.2"
SERVICE_ADDRESS = "10.96.0.1"
SERVER_NAMES = ",".join([
    "DNS:localhost", "DNS:kubernetes", "DNS:kubernetes.default",
    "DNS:kubernetes.default.svc", "IP:127.0.0.1", "IP:" + GUEST_GATEWAY,
    "IP:" + SERVICE_ADDRESS])
KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class Pki:
    """ca, server and admin, as NAME.crt and NAME.key in a folder."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, mode=0o700)
        self._authority("ca", "knp test CA")
        # A CA that has signed nothing, for clients that are to refuse.
        self._authority("other-ca", "another CA")
        self.sign("server", "/CN=kube-apiserver",
                  ["extendedKeyUsage=serverAuth",
                   "subjectAltName=" + SERVER_NAMES])
        self.sign("admin", "/O=system:masters/CN=admin",
                  ["extendedKeyUsage=clientAuth"])
        self._openssl("genrsa", "-out", self.file("accounts.key"), "2048")
        self._openssl("rsa", "-in", self.file("accounts.key"), "-pubout",
                      "-out", self.file("accounts.pub"))

    def file(self, name):
        return os.path.join(self.folder, name)

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.PIPE)

    def _authority(self, name, title):
        self._openssl("req", "-x509", *KEY, "-days", "2",
                      "-subj", "/CN=" + title,
                      "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                      "-keyout", self.file(name + ".key"),
                      "-out", self.file(name + ".crt"))

    def sign(self, name, subject, extensions):
        """A key and the CA's certificate for it."""
        with open(self.file(name + ".ext"), "w", encoding="ascii") as ext:
            ext.write("\n".join(extensions) + "\n")
        self._openssl("req", *KEY, "-subj", subject,
                      "-keyout", self.file(name + ".key"),
                      "-out", self.file(name + ".csr"))
        self._openssl("x509", "-req", "-days", "2", "-in",
                      self.file(name + ".csr"), "-CA", self.file("ca.crt"),
                      "-CAkey", self.file("ca.key"), "-CAcreateserial",
                      "-extfile", self.file(name + ".ext"),
                      "-out", self.file(name + ".crt"))
