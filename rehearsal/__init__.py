"""A local stand-in for Azure Resource Manager, and the rehearsal of every stack against it. See docs/rehearsal/."""
