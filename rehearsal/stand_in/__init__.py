"""A local stand-in for Azure Resource Manager, Entra and the gate of Blob Storage. Imports nothing of the product."""
