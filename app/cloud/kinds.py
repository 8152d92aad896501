"""Every kind of operation. The engine knows the kinds whose modules are imported; whoever runs it imports this."""

from app.cloud import disks, passwords, power, vms

__all__ = ["disks", "passwords", "power", "vms"]
