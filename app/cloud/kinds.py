"""Every kind of operation. The engine knows the kinds whose modules are imported; whoever runs it imports this."""

from app.cloud import disks, naming, networks, passwords, power, recycle_bin, resize, snapshots, vms

__all__ = ["disks", "naming", "networks", "passwords", "power", "recycle_bin", "resize", "snapshots", "vms"]
