"""A stand-in for every upstream on loopback: one market, served over the real wires as of `ABRI_NOW`.

Belongs here: markets (recorded, synthetic), the wires, fault switches, the server.
Does not belong here: clients, parsers, databases; nothing of the platform imports this room but the CLI.
"""
