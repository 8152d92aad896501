"""MACHINES: the mirror of vCloud, the operations that somebody asked for, and what brings the two together."""
