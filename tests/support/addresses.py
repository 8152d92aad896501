"""Simulated vClouds with many addresses, whose old list of them ends at 128 without saying so."""

from dataclasses import replace

from vcdsim import Simulator


def crowded(count: int, cards: int = 1, *, manual_clock: bool = False) -> Simulator:
    """A vCloud with one data center and so many addresses in use there; each of its machines has so many cards."""
    sim = Simulator(f"{count // cards}/1", manual_clock=manual_clock)
    [network] = sim.world.networks.values()
    for number, vm in enumerate(sim.world.vms.values()):
        for card in range(1, cards):
            ip = f"10.{100 + card}.{number // 250}.{number % 250 + 1}"
            vm.nics.append(replace(vm.nics[0], index=card, ip=ip, mac=sim.world.new_mac()))
            network.used[ip] = vm.id
    sim.faults.add("allocatedAddresses", most_rows=128, times=None)
    return sim
