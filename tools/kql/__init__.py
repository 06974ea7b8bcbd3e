"""Checks every query of the stacks and the pages by Microsoft's own parser of the Kusto Query Language."""
