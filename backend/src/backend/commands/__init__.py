"""The `tasks` command, and what only it needs: an installation on one machine, a check of a deployment."""
