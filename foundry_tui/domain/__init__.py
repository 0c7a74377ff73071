"""What the program talks about: frozen values, enums and errors.  Standard library only."""
