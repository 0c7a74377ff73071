"""The panes of the workspace; each decides and arranges, none knows another."""
