"""A local stand-in for Azure Resource Manager, Entra and the authorization of Blob Storage.

It imports nothing of the product, so it could be a package of its own. `server.run_stand_in` runs it.
"""
