# mypy: ignore-errors
"""Leads a VM through its life with the command lines of vcd-cli. Usage: vcd_cli_life.py BASE_URL; prints JSON.

Runs in an environment that has vcd-cli and nothing of ours. Each line goes through vcd-cli's own command line, in
one interpreter, because each start takes half a second; a command that fails ends this with its words.
"""

import contextlib
import io
import json
import shlex
import sys

from vcd_cli.vcd import vcd

LOOK = """
org list
vdc list
catalog list templates
vapp list
network list
"""
LIVE = """
vdc use acme-vdc
vapp create cli --catalog templates --template debian-12 --network acme-net --ip-allocation-mode pool --vm-name one
vapp add-vm cli ubuntu-24.04 ubuntu-24.04 -c templates --target-vm two --network acme-net --ip-allocation-mode pool
vapp power-off cli --yes
vapp undeploy cli --yes
vm update cli one --cpu 4 --cores 2
vm update cli one --memory 4096
vapp add-disk cli one 5120
disk create cli-data 2g --description of-a-test
vapp attach cli one cli-data
disk info cli-data
vapp detach cli one cli-data
disk delete cli-data --yes
vm set-metadata cli one --domain GENERAL --visibility READWRITE --value-type MetadataStringValue --key note --value kept
vm list-metadata cli one
vapp network create cli inner --subnet 192.168.9.1/24 --ip-range 192.168.9.10-192.168.9.20
vm add-nic cli one --adapter-type VMXNET3 --connect --network inner --ip-address-mode POOL
vm list-nics cli one
vm delete-nic cli one --index 1
vapp network delete cli inner
vm power-on cli one
vm info cli one
vm list-mks-ticket cli one
vm reboot cli one
vm reset cli one
vm suspend cli one
vm discard-suspend cli one
vm power-on cli one
vm create-snapshot cli one
vm revert-to-snapshot cli one
vm power-on cli one
vm remove-snapshot cli one
vm shutdown cli one
vm undeploy cli one
vapp info cli
vapp list
vapp delete cli two --yes
vapp delete cli --yes --force
vapp list
logout
"""


def command(line):
    """What a command line prints."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            vcd(shlex.split(line), prog_name="vcd", standalone_mode=True)
        except SystemExit as end:
            if end.code:
                sys.exit(f"vcd {line}: {end.code} {said.getvalue()}")
    return said.getvalue()


def main():
    login = f"login {sys.argv[1]} acme acme-admin --password secret"
    lines = [line for line in f"{login}\n{LOOK}{LIVE}".splitlines() if line]
    print(json.dumps([[line, command(line)] for line in lines]))


if __name__ == "__main__":
    main()
