"""Parts of the composition root: which adapter serves which port."""
