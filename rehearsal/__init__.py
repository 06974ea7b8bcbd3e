"""Rehearses every stack's life against a local stand-in for Azure Resource Manager. See docs/rehearsal/."""
