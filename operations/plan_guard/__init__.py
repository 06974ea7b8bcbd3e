"""The plan guard: says in words what a Terraform plan does, and refuses one that loses what cannot be made again."""
