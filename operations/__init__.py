"""What people and pipelines run against Azure: deploy, judge a plan, check what is missing, bootstrap."""
