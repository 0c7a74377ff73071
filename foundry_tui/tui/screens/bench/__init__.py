"""The benchmark pane: plan, live page, drawings, kept runs, one request, play it again."""
