"""Use cases: what the two front ends can ask for, in terms of ports."""
