"""Runs Terraform or OpenTofu, and reads what they print."""
