"""Devices, one YAML file each, and the least time that a network takes on one."""
