"""The user's files: models, prompts and settings, found, read, checked and turned into plain values.

The one door of pydantic, which is imported only when a file has something in it to check.
"""
