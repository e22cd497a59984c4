"""The only place with the workspace's SQL."""
