"""The plan guard: says in words what a Terraform plan does, and refuses a plan that loses what cannot be recreated."""
