"""JSON-LD documents as RDF, and the one canonical text that signatures over RDF are made of.

`testamur.registry.rdfc` is the way in; the parts are here. Digests of the registry never depend on them.
"""
