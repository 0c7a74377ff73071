"""The command line: stdout is data, stderr is talk.  Never imports Textual but to open the app."""
