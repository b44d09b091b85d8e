# SPDX-License-Identifier: Apache-2.0
"""knp-cni in the configuration of a node's network, and out of it again."""
import json
import os
import stat
import tempfile

from cases import BUILD, check, run, same, test

AZURE = {
    "cniVersion": "0.3.0", "name": "azure", "plugins": [
        {"type": "azure-vnet", "mode": "transparent",
         "ipsToRouteViaHost": ["169.254.20.10"],
         "ipam": {"type": "azure-vnet-ipam"}, "ratio": 1.50},
        {"type": "portmap", "capabilities": {"portMappings": True},
         "snat": True}]}
NAME = "10-azure.conflist"
OURS = {"type": "knp-cni"}


def written(file):
    status = os.stat(file)
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns


class Node:
    """The two folders of a node's network plugins."""

    def __init__(self, folder):
        self.conf = os.path.join(folder, "net.d")
        self.bin = os.path.join(folder, "bin")
        os.mkdir(self.conf)
        os.mkdir(self.bin)

    def write(self, name, document, mode=0o644):
        file = os.path.join(self.conf, name)
        with open(file, "w", encoding="utf-8") as out:
            out.write(document if isinstance(document, str)
                      else json.dumps(document))
        os.chmod(file, mode)

    def read(self, name=NAME):
        with open(os.path.join(self.conf, name), encoding="utf-8") as file:
            return json.load(file)

    def stat(self, name=NAME):
        return os.stat(os.path.join(self.conf, name))

    def mark(self, name=NAME):
        """What is another as soon as the file is written or replaced."""
        return written(os.path.join(self.conf, name))

    def files(self):
        return sorted(os.listdir(self.conf)), sorted(os.listdir(self.bin))

    def install(self, *options):
        return run(BUILD + "/knp-cni", "--install", "--conf-dir", self.conf,
                   "--bin-dir", self.bin, *options)

    def uninstall(self):
        return run(BUILD + "/knp-cni", "--uninstall", "--conf-dir", self.conf)

    def refuses(self, words):
        status, said = self.install()
        check(status == 1 and words in said,
              "status %d, not a refusal with %r: %s" % (status, words, said))


def on_a_node(function):
    def wrapped():
        with tempfile.TemporaryDirectory() as folder:
            function(Node(folder))
    wrapped.__name__ = function.__name__
    return test(wrapped)


def with_ours(conf):
    return dict(conf, plugins=conf["plugins"] + [OURS])


@on_a_node
def knp_cni_becomes_the_last_of_the_chain(node):
    node.write(NAME, AZURE)
    same(node.install()[0], 0, "status")
    same(node.read(), with_ours(AZURE), "the chain")
    same(list(node.read()), list(AZURE), "the order of keys")
    same(node.files(), ([NAME], ["knp-cni"]), "nothing else is left")
    status = os.stat(node.bin + "/knp-cni")
    same(stat.S_IMODE(status.st_mode), 0o755, "the program's mode")
    status, said = run(node.bin + "/knp-cni", "--help")
    check(status == 0 and "usage: knp-cni" in said, "the copy runs: " + said)


@on_a_node
def what_is_installed_is_not_written_again(node):
    node.write(NAME, AZURE)
    node.install()
    program = node.bin + "/knp-cni"
    before = node.mark(), written(program)
    same(node.install()[0], 0, "status")
    same((node.mark(), written(program)), before, "the files")


@on_a_node
def a_program_that_is_another_is_replaced_while_it_may_run(node):
    node.write(NAME, AZURE)
    node.install()
    program = node.bin + "/knp-cni"
    with open(program, "r+b") as file:
        old = os.fstat(file.fileno()).st_ino
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))
    same(node.install()[0], 0, "status")
    check(os.stat(program).st_ino != old, "a new file, not new bytes in it")
    same(run("cmp", program, BUILD + "/knp-cni"), (0, ""), "the program")
    os.chmod(program, 0o700)
    node.install()
    same(stat.S_IMODE(os.stat(program).st_mode), 0o755, "the mode")


@on_a_node
def a_mode_and_what_others_wrote_stay(node):
    conf = dict(AZURE, disableCheck=True, other={"a": [1, 2.5, None]})
    node.write(NAME, json.dumps(conf).replace("2.5", "2.50"), 0o600)
    os.chown(os.path.join(node.conf, NAME), 12, 34)
    node.install()
    status = node.stat()
    same((stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid),
         (0o600, 12, 34), "mode and owner")
    same(node.read(), with_ours(conf), "the chain")
    with open(os.path.join(node.conf, NAME), encoding="utf-8") as file:
        check("2.50" in file.read(), "a number as it was written")


@on_a_node
def settings_that_an_operator_gave_knp_cni_stay(node):
    conf = dict(AZURE, plugins=AZURE["plugins"][:1] +
                [dict(OURS, timeout=5)] + AZURE["plugins"][1:])
    node.write(NAME, conf)
    same(node.install()[0], 0, "status")
    same(node.read(), conf, "the chain")


@on_a_node
def only_the_network_that_the_runtime_uses_is_changed(node):
    node.write("10-b.conflist", AZURE)
    node.write("10-B.conflist", AZURE)
    node.write("05-ignored.conflist.bak", "no JSON")
    same(node.install()[0], 0, "status")
    same(node.read("10-B.conflist"), with_ours(AZURE), "the first by its bytes")
    same(node.read("10-b.conflist"), AZURE, "the other")


@on_a_node
def a_network_that_cannot_be_chained_to_is_left_as_it_is(node):
    for name, document, words in (
            ("05-one.conf", {"type": "bridge"}, "no list of plugins"),
            ("05-one.json", {"type": "bridge"}, "no list of plugins"),
            ("05-a.conflist", "{", "no JSON"),
            ("05-a.conflist", "[]", "no JSON object"),
            ("05-a.conflist", {"cniVersion": "1.0.0"}, "no list of plugins"),
            ("05-a.conflist", dict(AZURE, plugins=[]), "no list of plugins"),
            ("05-a.conflist", dict(AZURE, plugins=[1]), "no list of plugins"),
            ("05-a.conflist", dict(AZURE, plugins=[{}]), "no list of plugins"),
            ("05-a.conflist", dict(AZURE, cniVersion="0.2.0"), "cniVersion"),
            ("05-a.conflist", dict(AZURE, cniVersion="2.0.0"), "cniVersion"),
            ("05-a.conflist", {"plugins": AZURE["plugins"]}, "cniVersion")):
        node.write(NAME, AZURE)
        node.write(name, document)
        before = node.mark(name)
        node.refuses(words)
        same(node.mark(name), before, "the file")
        same(node.read(), AZURE, "the next network, which nobody uses")
        same(node.files()[0], [name, NAME], "nothing is left")
        os.unlink(os.path.join(node.conf, name))


@on_a_node
def a_network_that_is_not_there_yet_is_waited_for(node):
    node.refuses("install a network plugin first")
    status, said = node.install("--wait", "1")
    check(status == 1 and "waiting for a network" in said, said)
    # it comes while the program waits
    command = "(sleep 0.5; mv %s %s) & exec %s --install --wait 20 " \
        "--conf-dir %s --bin-dir %s" % (
            node.bin + "/new", os.path.join(node.conf, NAME),
            BUILD + "/knp-cni", node.conf, node.bin)
    with open(node.bin + "/new", "w", encoding="utf-8") as file:
        json.dump(AZURE, file)
    status, said = run("sh", "-c", command)
    check(status == 0 and "added to" in said, said)
    same(node.read(), with_ours(AZURE), "the chain")


@on_a_node
def a_folder_that_cannot_be_written_loses_nothing(node):
    node.write(NAME, AZURE)
    same(node.install()[0], 0, "status")
    node.write(NAME, AZURE)
    # a file system that is full when the file is written
    script = "mount -t tmpfs -o size=8k none %s && cp %s/%s %s && " \
        "head -c 8k /dev/zero >%s/full; %s --install --conf-dir %s --bin-dir %s;" \
        " echo status $?; cat %s/%s; ls -A %s" % (
            node.bin, node.conf, NAME, node.bin, node.bin,
            BUILD + "/knp-cni", node.bin, node.conf, node.bin, NAME, node.bin)
    _, said = run("unshare", "--mount", "sh", "-c", script)
    check("No space left" in said and "status 1" in said, said)
    check(json.dumps(AZURE) in said, "the file is as it was: " + said)
    check(".knp" not in said.splitlines()[-1] and NAME in said,
          "nothing is left: " + said)


@on_a_node
def knp_cni_is_taken_out_and_nothing_else(node):
    node.write(NAME, AZURE, 0o640)
    node.install()
    inside = with_ours(AZURE)
    node.write("20-other.conflist", dict(inside, plugins=[OURS] +
                                         inside["plugins"]))
    node.write("30-broken.conflist", "{")
    node.write("40-alien.conflist", AZURE)
    alien = node.mark("40-alien.conflist")
    status, said = node.uninstall()
    same(status, 0, "status: " + said)
    same(node.read(), AZURE, "the chain")
    same(stat.S_IMODE(node.stat().st_mode), 0o640, "its mode")
    same(node.read("20-other.conflist"), AZURE, "every chain")
    same(node.mark("40-alien.conflist"), alien, "what has none is not written")
    check("30-broken.conflist: it is no JSON" in said, "it says so: " + said)
    check(os.path.exists(node.bin + "/knp-cni"),
          "the program stays for pods that end later")
    status, said = node.uninstall()
    check(status == 0 and "taken out" not in said, "again: " + said)


@on_a_node
def where_there_is_no_folder_nothing_is_to_be_taken_out(node):
    os.rmdir(node.conf)
    same(node.uninstall(), (0, ""), "said")


@on_a_node
def options_that_make_no_sense_do_nothing(node):
    node.write(NAME, AZURE)
    program = BUILD + "/knp-cni"
    for options in ((), ("--install", "--uninstall"), ("--install", "x"),
                    ("--wait", "x", "--install"), ("--wait", "-1", "--install"),
                    ("--nonsense",)):
        status, _ = run(program, "--conf-dir", node.conf, *options)
        same(status, 2, "status of %s" % (options,))
    same(node.read(), AZURE, "the chain")
